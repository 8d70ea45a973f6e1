// SPDX-License-Identifier: MIT
// live.cjs MODULES SERVER CONF TOKEN: see ../live.sh. Starts and ends the server itself.
"use strict";

const fs = require("fs");
const { check, launch, main, open } = require("./check.cjs");
const { client, start } = require("./service.cjs");

const [modules, program, conf, tokenFile] = process.argv.slice(2);
const token = fs.readFileSync(tokenFile, "utf8").trim();
const BEFORE_MS = 2500; // what happened longer ago is no news to a page that is new
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

// What is on a page when it comes is not fetched once more, and nothing is missed in between.
async function quiet(browser, server) {
	const page = await open(browser);
	const fetched = [];
	page.on("request", (request) => {
		if (["document", "fetch"].includes(request.resourceType()))
			fetched.push(request.url());
	});
	const stream = page.waitForResponse(/\/api\/v1\/events/);
	await page.waitForTimeout(BEFORE_MS);
	await page.goto(`${server.url}/agents`);
	await stream;
	await page.waitForTimeout(3000); // twice what a refresh waits for
	check("a quiet page is fetched once", fetched.length === 1, fetched.join(" "));
	const submitted = new Promise((resolve) => {
		page.route(/\/api\/v1\/events/, async (route) => {
			resolve(await client(server.url, token).submit("main"));
			await page.waitForTimeout(BEFORE_MS);
			await route.continue();
		});
	});
	await page.goto(`${server.url}/`);
	check("what happened before the stream was there shows", await has(page, await submitted));
	await page.context().close();
}

main(async () => {
	const browser = await launch(modules);
	const server = await restart(browser);
	await quiet(browser, server);
	await browser.close();
	await server.end();
});
