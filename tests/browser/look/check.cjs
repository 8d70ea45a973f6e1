// SPDX-License-Identifier: MIT
// What the scripts of this folder share: counting, the browser, a page that keeps its errors.
"use strict";

const fs = require("fs");
const path = require("path");

const from = (modules, name) => require(path.resolve(modules, "node_modules", name));
const count = { passed: 0, failed: 0 };

function check(what, good, why = "") {
	if (good)
		count.passed++;
	else {
		count.failed++;
		console.log(`FAIL ${what}${why ? `: ${why}` : ""}`);
	}
	return good;
}

function launch(modules) {
	return from(modules, "playwright-core").chromium.launch({
		executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
		args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
	});
}

// page.errors: what went wrong on it, but for what `fine` matches.
async function open(browser, options, fine) {
	const context = await browser.newContext(options);
	const page = await context.newPage();
	page.errors = [];
	page.on("pageerror", (e) => page.errors.push(String(e)));
	page.on("console", (m) => {
		if (m.type() === "error" && !(fine && fine.test(m.text())))
			page.errors.push(m.text());
	});
	return page;
}

// The page as it stands, to axe-core.
async function accessible(modules, what, page) {
	await page.evaluate(fs.readFileSync(path.resolve(modules, "node_modules/axe-core/axe.min.js"), "utf8"));
	const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"],
		runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
	const serious = found.violations.filter((v) => v.impact === "serious" || v.impact === "critical");
	check(`${what}: nothing serious to axe-core`, serious.length === 0, serious.map((v) =>
		`${v.id} (${v.nodes.length}): ${v.nodes[0].target} ${v.nodes[0].any.map((a) => a.message).join(" ")}`).join("; "));
}

// What the server sends, before any script touched it, is HTML. url: whole.
async function valid(modules, name, url) {
	const { HtmlValidate } = from(modules, "html-validate");
	const validator = new HtmlValidate({ root: true, extends: ["html-validate:standard"],
		rules: { "long-title": "off" } }); // a bound of search engines, not HTML's
	const html = await (await fetch(url, { headers: { Accept: "text/html" } })).text();
	const { results } = await validator.validateString(html);
	const found = results.flatMap((r) => r.messages);
	check(`${name}: valid HTML`, found.length === 0,
		found.slice(0, 3).map((m) => `line ${m.line}: ${m.message} (${m.ruleId})`).join("; "));
}

// Runs the script; its last line is "N passed, M failed".
async function main(run) {
	let broken = false;
	await run().catch((e) => {
		console.error(e);
		check("the script", false, String(e));
		broken = true;
	});
	console.log(`${count.passed} passed, ${count.failed} failed`);
	process.exit(broken ? 1 : 0); // also when it left a browser or a server behind: they end with it
}

module.exports = { accessible, check, from, launch, main, open, valid };
