// SPDX-License-Identifier: MIT
// What the scripts of this folder share: counting, the browser, a page that keeps its errors.
"use strict";

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

module.exports = { check, from, launch, main, open, valid };
