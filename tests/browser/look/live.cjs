// SPDX-License-Identifier: MIT
// live.cjs MODULES SERVER CONF TOKEN: see ../live.sh. Starts and ends the server itself.
"use strict";

const fs = require("fs");
const { check, launch, main, open } = require("./check.cjs");
const { client, start } = require("./service.cjs");

const [modules, program, conf, tokenFile] = process.argv.slice(2);
const token = fs.readFileSync(tokenFile, "utf8").trim();
const NETWORK = /Failed to load resource: net::ERR_|the server responded with a status of 50/;

const has = (page, id) => page.waitForSelector(`main a[href='/submissions/${id}']`, { timeout: 40000 })
	.then(() => true, () => false);

// A page that stays open while the server is not there.
async function restart(browser) {
	let server = await start(program, conf, "127.0.0.1:0");
	const maintainer = client(server.url, token);
	const page = await open(browser, {}, NETWORK);
	await page.goto(`${server.url}/`);
	await page.evaluate(() => { window.same = true; });
	check("what happens shows", await has(page, await maintainer.submit("main")));
	check("nothing is said while all is well", (await page.locator("#lost").innerText()) === "");
	await server.end();
	check("that the connection is lost is said", await page.waitForSelector("#lost:not(:empty)",
		{ timeout: 10000 }).then(() => true, () => false));
	check("as a status", (await page.locator("#lost").getAttribute("role")) === "status");
	check("what was there still is", (await page.locator("main a[href^='/submissions/']").count()) > 0);
	server = await start(program, conf, server.listen);
	check("what happened since shows", await has(page, await maintainer.submit("main")));
	check("and nothing is lost any more", await page.waitForSelector("#lost:empty",
		{ state: "attached", timeout: 10000 }).then(() => true, () => false));
	check("events come again", await has(page, await maintainer.submit("main")));
	check("it was the same page all the time", await page.evaluate(() => window.same === true));
	check("no errors but the network's", page.errors.length === 0, page.errors.join("; "));
	await page.context().close();
	return server;
}

main(async () => {
	const browser = await launch(modules);
	const server = await restart(browser);
	await browser.close();
	await server.end();
});
