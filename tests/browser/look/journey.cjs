// SPDX-License-Identifier: MIT
// journey.cjs MODULES URL FOLDER PUSH SHA: see ../journey.sh. PUSH is a program that makes SHA, which
// breaks the kernel, the tip of branch "topic" of "demo". From there to the line that crashed with the
// keyboard alone, while it runs; nothing is loaded again by hand.
"use strict";

const fs = require("fs");
const path = require("path");
const { execFileSync } = require("child_process");
const { accessible, check, launch, main, open, valid } = require("./check.cjs");

const [modules, base, folder, push, sha] = process.argv.slice(2);
const MINUTES = 60000;

const json = async (at) => (await fetch(`${base}/api/v1/${at}`)).json();

// Waits in the page as it stands: whoever loads it again loses the mark, and fails.
async function shows(page, what, seen, timeout) {
	const good = await page.waitForFunction(seen, sha, { timeout, polling: 250 }).then(() => true, () => false);
	return check(what, good, `${page.url()}: ${(await page.locator("main").innerText()).slice(0, 300)}`);
}
const mark = (page) => page.evaluate(() => { window.stayed = true; });
const stayed = (page) => page.evaluate(() => window.stayed === true);

// Goes with Tab until the focus is on a link whose address matches.
async function tabTo(page, address) {
	for (let i = 0; i < 300; i++) {
		const at = await page.evaluate(() => document.activeElement.getAttribute("href") || "");
		if (address.test(at))
			return true;
		await page.keyboard.press("Tab");
	}
	return false;
}
// Goes down the rows until the current one has the text.
async function rowWith(page, text) {
	for (let i = 0; i < 300; i++) {
		await page.keyboard.press("j");
		if ((await page.locator("tr.at").innerText()).includes(text))
			return true;
	}
	return false;
}
const enter = (page) => Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
const picture = (page, name) => page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });

// What stands there, as a picture and as others read it, light and dark.
async function look(page, name) {
	await picture(page, name);
	for (const colorScheme of ["dark", "light"]) {
		await page.emulateMedia({ colorScheme });
		await accessible(modules, `${name} ${colorScheme}`, page);
	}
	await valid(modules, name, page.url());
}

// The push appears on the overview; its run is followed until it has a verdict.
async function follow(page) {
	await page.goto(base + "/");
	await mark(page);
	execFileSync(push);
	await shows(page, "the push appears on the overview", (id) => [...document.querySelectorAll("main td a")]
		.some((a) => /^\/submissions\//.test(a.getAttribute("href")) && a.closest("tr").innerText
			.includes(id.slice(0, 12))), 1 * MINUTES);
	check("the overview was not loaded again", await stayed(page));
	const submission = (await json("submissions?limit=1")).items[0].id;
	await tabTo(page, new RegExp(`^/submissions/${submission}$`));
	await enter(page);
	check("Enter leads to the submission", page.url().endsWith(`/submissions/${submission}`), page.url());
	await mark(page);
	await shows(page, "a run of it begins", () =>
		[...document.querySelectorAll("main a[href^='/runs/']")].some((a) => a.innerText === "running"),
		15 * MINUTES);
	await picture(page, "submission-running");
	check("the submission was not loaded again", await stayed(page));
	const run = await page.locator("main a[href^='/runs/']", { hasText: "running" }).first().getAttribute("href");
	check("Tab reaches the run", await tabTo(page, new RegExp(`^${run}$`)));
	await enter(page);
	await mark(page);
	await picture(page, "run-running");
	await shows(page, "the run says how far it is", () => document.querySelector("main progress") !== null ||
		document.querySelector("#live .s-FAIL") !== null, 2 * MINUTES);
	await shows(page, "the run gets its verdict", () => document.querySelector("#live .s-FAIL") !== null,
		5 * MINUTES);
	check("the run was not loaded again", await stayed(page));
	await look(page, "run-ended");
	return run;
}

// Waits until a line of the log is in the part of its box that shows.
async function seen(page, what, line) {
	const good = await page.waitForFunction((text) => {
		const box = document.querySelector(".log-box").getBoundingClientRect();
		const walker = document.createTreeWalker(document.querySelector(".log-box"), NodeFilter.SHOW_TEXT);
		while (walker.nextNode()) {
			const at = walker.currentNode.data.search(text);
			const range = document.createRange();
			if (at < 0)
				continue;
			range.setStart(walker.currentNode, at);
			const { top, bottom } = range.getBoundingClientRect();
			if (top >= Math.max(box.top, 0) && bottom <= Math.min(box.bottom, innerHeight))
				return true;
		}
		return false;
	}, line, { timeout: 20000 }).then(() => true, () => false);
	const said = await page.locator("[role=status]").allInnerTexts();
	check(what, good, `${page.url()} ${said.join(" ")}`);
}

// From the run's page to what the kernel said.
async function toTheSplat(page) {
	check("the failure is a row", await rowWith(page, "FAIL bug"));
	await enter(page);
	check("Enter leads to the result", /\/results\/\d+$/.test(page.url()), page.url());
	check("it says what it died of", /kernel BUG in/.test(await page.locator(".splat-box h2").innerText()));
	check("Tab reaches the console", await tabTo(page, /\/log\?result=/));
	await enter(page);
	await page.waitForSelector(".log-box[data-ready]");
	await seen(page, "the injection is what is seen of the console", /FAULT_INJECTION: forcing a failure/);
	await page.keyboard.press("s");
	await seen(page, "s leads to the splat", /kernel BUG at mm\/huge_memory\.c/);
	await look(page, "console");
}

// Two clicks from the overview: the regression, then the commit that brought it.
async function toTheCommit(page) {
	await page.keyboard.press("g");
	await Promise.all([page.waitForNavigation(), page.keyboard.press("o")]);
	await mark(page);
	await shows(page, "the regression appears on the overview", () =>
		document.querySelector("main a[href^='/regressions/']") !== null, 5 * MINUTES);
	const { items } = await json("regressions?limit=1");
	check("Tab reaches the regression", await tabTo(page, new RegExp(`^/regressions/${items[0].id}$`)));
	await enter(page); // the first click
	await mark(page);
	await shows(page, "it is searched to its end before one's eyes", (id) =>
		document.querySelector(`main a[href='/commits/${id}']`) !== null &&
		/^bisected/.test(document.querySelector("h1").innerText), 15 * MINUTES);
	await look(page, "regression");
	check("Tab reaches the first bad commit", await tabTo(page, new RegExp(`^/commits/${sha}$`)));
	await enter(page); // the second
	check("it is the commit that was pushed", page.url().endsWith(sha), page.url());
}

async function compare(page) {
	await page.keyboard.press("g");
	await Promise.all([page.waitForNavigation(), page.keyboard.press("c")]);
	for (let i = 0; i < 40 && !(await page.evaluate(() => document.activeElement.name === "a")); i++)
		await page.keyboard.press("Tab");
	await page.keyboard.type("demo/topic");
	await page.keyboard.press("Tab");
	await page.keyboard.type(sha);
	await enter(page);
	check("a branch and its tip are the same", /compare\?/.test(page.url()), page.url());
	const submission = (await json("submissions?limit=1")).items[0];
	await page.goto(`${base}/submissions/${submission.id}`);
	check("Tab reaches the comparison", await tabTo(page, /^\/compare\?a=/));
	await enter(page);
	const text = await page.locator("main").innerText();
	check("the comparison says what is new", /regressed\s+split\.mprotect/.test(text), text.slice(0, 300));
	await look(page, "compare");
}

// Of the matrix, which has no links but of what failed: the letter of a case that passed.
async function cell(page) {
	const submission = (await json("submissions?limit=1")).items[0];
	await page.goto(`${base}/submissions/${submission.id}`);
	const one = page.locator("table.matrix tbody td:has(> b.s-PASS)").first();
	check("a case passed", (await one.count()) === 1);
	await one.hover();
	const what = await one.getAttribute("title");
	check("its letter says what it is", what === "split.madv_dontneed: PASS", what);
	await Promise.all([page.waitForNavigation(), one.click()]);
	check("and leads to its results", /\/results\?run=\d+&scenario=split\.madv_dontneed$/.test(page.url()), page.url());
	check("which passed", (await page.locator("main tbody tr .s-PASS").count()) > 0);
}

main(async () => {
	fs.rmSync(folder, { recursive: true, force: true });
	fs.mkdirSync(folder, { recursive: true });
	const browser = await launch(modules);
	const page = await open(browser, { viewport: { width: 1280, height: 900 }, colorScheme: "light" });
	await follow(page);
	await toTheSplat(page);
	await toTheCommit(page);
	await compare(page);
	await cell(page);
	check("no errors on the way", page.errors.length === 0, page.errors.join("; "));
	await browser.close();
});
