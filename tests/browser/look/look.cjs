// SPDX-License-Identifier: MIT
// look.cjs MODULES URL FOLDER: see ../look.sh. The last line is "N passed, N failed".
"use strict";

const fs = require("fs");
const path = require("path");
const { accessible, check, launch, main, open: openWith, valid } = require("./check.cjs");

const [modules, base, folder] = process.argv.slice(2);

const LOOKS = [
	{ name: "light", theme: "light", width: 1280 },
	{ name: "dark", theme: "dark", width: 1280 },
	{ name: "light-narrow", theme: "light", width: 390 },
	{ name: "dark-narrow", theme: "dark", width: 390 },
];

// One page of every kind, by what the server has.
async function pages() {
	const json = async (at) => (await fetch(base + at)).json();
	const { items } = await json("/api/v1/submissions?limit=10");
	const done = items.find((s) => s.id === 2);
	const fails = (await json("/api/v1/results?status=FAIL&limit=50")).items;
	const crash = fails.find((r) => r.scenario !== "build" && r.case !== "build") || fails[0];
	const branch = (await json("/api/v1/branches")).items[0];
	return {
		overview: "/", branches: "/branches",
		branch: `/branches/${branch.repo}/${encodeURIComponent(branch.ref)}`,
		charts: `/series?repo=${branch.repo}&ref=${encodeURIComponent(branch.ref)}`,
		submissions: "/submissions", submission: "/submissions/2", commit: `/commits/${done.head_sha}`,
		coverage: `/commits/${done.head_sha}/coverage`,
		sites: `/coverage?repo=${branch.repo}&ref=${encodeURIComponent(branch.ref)}`, results: "/results", failures: "/results?status=FAIL",
		result: `/results/${crash.id}`, run: `/runs/${crash.run}`, log: `/runs/${crash.run}/log`,
		builds: "/builds", build: "/builds/1", broken: "/builds/3", regressions: "/regressions", regression: "/regressions/1",
		case: `/cases/${crash.case}`, unseen: "/cases/split.mprotect?config=none",
		compare: "/compare", compared: `/compare?a=${done.base_sha}&b=${done.head_sha}`, agents: "/agents",
		search: "/search?q=split", nothing: "/search?q=zzzzzz", missing: "/submissions/999999",
	};
}

// that a page is not there is what "missing" is about
const open = (browser, look) => openWith(browser, { viewport: { width: look.width, height: 900 },
	colorScheme: look.theme }, /the server responded with a status of 404/);

async function lookAt(page, look, name, at) {
	const what = `${name} ${look.name}`;
	page.errors = [];
	await page.goto(base + at, { waitUntil: "load" });
	await page.screenshot({ path: path.join(folder, `${name}-${look.name}.png`), fullPage: name !== "log" });
	const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
	check(`${what}: nothing sticks out`, beyond <= 0, `${beyond} pixels`);
	const markup = await page.evaluate(() => document.querySelectorAll("#zqx, b[id]").length);
	check(`${what}: hostile text is text`, markup === 0);
	await accessible(modules, what, page);
	check(`${what}: no errors on the console`, page.errors.length === 0, page.errors.join("; "));
}

// From the overview to the regression, what it rests on, and back to the search, by keyboard alone.
async function byHand(browser) {
	const page = await open(browser, LOOKS[0]);
	await page.goto(base + "/");
	await page.click("main a[href^='/regressions/']");
	check("one click from the overview to the regression", /\/regressions\/\d+$/.test(page.url()), page.url());
	await page.goto(base + "/");
	await page.keyboard.press("j");
	check("j goes to the first row", (await page.locator("tr.at").count()) === 1);
	const first = await page.locator("tr.at").innerText();
	await page.keyboard.press("j");
	check("j goes on", (await page.locator("tr.at").innerText()) !== first);
	await page.keyboard.press("k");
	check("k goes back", (await page.locator("tr.at").innerText()) === first);
	await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
	check("Enter opens the row", new URL(page.url()).pathname !== "/", page.url());
	await page.keyboard.press("/");
	await page.keyboard.type("split.mprotect");
	await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
	check("/ searches", new URL(page.url()).searchParams.get("q") === "split.mprotect", page.url());
	check("and finds the case", (await page.locator("main td a[href='/cases/split.mprotect']").count()) > 0);
	await page.keyboard.press("?");
	check("? says the keys", await page.locator("dialog#keys").isVisible());
	await page.keyboard.press("Escape");
	check("Esc closes that", !(await page.locator("dialog#keys").isVisible()));
	await page.keyboard.press("g");
	await Promise.all([page.waitForNavigation(), page.keyboard.press("r")]);
	check("g r leads to the regressions", new URL(page.url()).pathname === "/regressions", page.url());
	check("no errors on the way", page.errors.length === 0, page.errors.join("; "));
	await page.context().close();
}

// A chart under the pointer and under the keys says what it is at, and leads there.
async function charts(browser, all) {
	const page = await open(browser, LOOKS[0]);
	const commits = (await (await fetch(`${base}${all.charts}&format=json`)).json()).points;
	await page.goto(base + all.charts);
	const chart = page.locator("figure.chart").first();
	const slider = chart.locator("[role=slider]");
	await slider.waitFor();
	check("every chart answers", (await page.locator("figure.chart").count()) ===
		(await page.locator("figure.chart [role=slider]").count()));
	await slider.focus();
	check("a chart begins at its newest commit",
		(await slider.getAttribute("aria-valuetext")).startsWith(commits[commits.length - 1].short));
	await page.keyboard.press("Home");
	check("Home goes to its oldest", (await slider.getAttribute("aria-valuetext")).startsWith(commits[0].short));
	check("it is shown as well", (await chart.locator(".readout").innerText()).startsWith(commits[0].short));
	await page.keyboard.press("ArrowRight");
	check("an arrow key goes on", (await slider.getAttribute("aria-valuetext")).startsWith(commits[1].short));
	await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
	check("Enter opens the commit", page.url() === `${base}/commits/${commits[1].sha}`, page.url());
	await page.goto(base + all.charts);
	const over = page.locator("figure.chart .u-over").first();
	await over.waitFor();
	const box = await over.boundingBox();
	await page.mouse.move(box.x + 2, box.y + box.height / 2);
	check("the pointer says the commit",
		(await page.locator("figure.chart .readout").first().innerText()).startsWith(commits[0].short));
	await Promise.all([page.waitForNavigation(), page.mouse.click(box.x + 2, box.y + box.height / 2)]);
	check("a click opens it", page.url() === `${base}/commits/${commits[0].sha}`, page.url());
	check("no errors on the charts", page.errors.length === 0, page.errors.join("; "));
	await page.context().close();
}

// Pages are whole without scripts.
async function withoutScripts(browser, all) {
	const context = await browser.newContext({ javaScriptEnabled: false });
	const page = await context.newPage();
	for (const name of ["overview", "submission", "result", "regression", "log"]) {
		await page.goto(base + all[name]);
		const text = await page.locator("main").innerText();
		check(`${name} without scripts`, text.length > 200, text.slice(0, 80));
	}
	await page.goto(base + all.charts);
	check("charts without scripts", (await page.locator("figure.chart svg .l").count()) > 0);
	await context.close();
}

const A4_SHORT = 718, A4_LONG = 1047; // px: without a browser's margins

// As paper has it: no navigation, black on white whatever the theme.
async function onPaper(browser, all) {
	const page = await open(browser, { ...LOOKS[1], width: A4_SHORT });
	await page.emulateMedia({ media: "print", colorScheme: "dark" });
	for (const name of ["submission", "regression", "result", "branch", "overview"]) {
		await page.goto(base + all[name]);
		const cells = await page.locator(".matrix thead th.up").count();
		if (name === "branch")
			check("a wide matrix is put on paper", cells > 40, `${cells} cases`);
		await page.setViewportSize({ width: cells ? A4_LONG : A4_SHORT, height: 700 });
		check(`${name} on paper: no navigation`, !(await page.locator("header.top nav").isVisible()));
		const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
		check(`${name} on paper is white`, /^rgba?\((255, 255, 255|0, 0, 0, 0)\)?/.test(ground), ground);
		const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
		check(`${name} fits on paper`, over <= 0, `${over} px too wide`);
		await page.screenshot({ path: path.join(folder, `${name}-print.png`), fullPage: true });
	}
	await page.context().close();
}

main(async () => {
	fs.rmSync(folder, { recursive: true, force: true });
	fs.mkdirSync(folder, { recursive: true });
	const browser = await launch(modules);
	const all = await pages();
	for (const [name, at] of Object.entries(all))
		await valid(modules, name, base + at);
	for (const look of LOOKS) {
		const page = await open(browser, look);
		for (const [name, at] of Object.entries(all))
			await lookAt(page, look, name, at);
		await page.context().close();
	}
	await byHand(browser);
	await charts(browser, all);
	await withoutScripts(browser, all);
	await onPaper(browser, all);
	await browser.close();
});
