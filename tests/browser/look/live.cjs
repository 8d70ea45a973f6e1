// SPDX-License-Identifier: MIT
// live.cjs MODULES SERVER CONF TOKEN: see ../live.sh. Starts and ends the server itself.
"use strict";

const fs = require("fs");
const { spawn } = require("child_process");
const { check, launch, main, open } = require("./check.cjs");

const [modules, program, conf, tokenFile] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${fs.readFileSync(tokenFile, "utf8").trim()}`,
	"Content-Type": "application/json" };
const NETWORK = /Failed to load resource: net::ERR_|the server responded with a status of 50/;
let base = "";

async function start(listen) {
	const server = spawn(program, ["--config", conf, "--listen", listen],
		{ stdio: ["ignore", "pipe", "inherit"] });
	base = await new Promise((done, failed) => {
		let out = "";
		server.on("exit", () => failed(new Error("the server ended")));
		server.stdout.on("data", (piece) => {
			const found = /listening on (\S+?)\/?\n/.exec(out += piece);
			if (found)
				done(found[1]);
		});
	});
	return server;
}

function end(server) {
	return new Promise((done) => {
		server.removeAllListeners("exit");
		server.on("exit", done);
		server.kill("SIGTERM");
	});
}

async function submit(ref) {
	const answer = await fetch(`${base}/api/v1/submissions`, { method: "POST", headers,
		body: JSON.stringify({ repo: "toy", ref, plan: "quick" }) });
	return (await answer.json()).id;
}

const has = (page, id) => page.waitForSelector(`main a[href='/submissions/${id}']`, { timeout: 40000 })
	.then(() => true, () => false);

// A page that stays open while the server is not there.
async function restart(browser) {
	let server = await start("127.0.0.1:0");
	const listen = base.replace("http://", "");
	const page = await open(browser, {}, NETWORK);
	await page.goto(`${base}/`);
	await page.evaluate(() => { window.same = true; });
	check("what happens shows", await has(page, await submit("main")));
	check("nothing is said while all is well", (await page.locator("#lost").innerText()) === "");
	await end(server);
	check("that the connection is lost is said", await page.waitForSelector("#lost:not(:empty)",
		{ timeout: 10000 }).then(() => true, () => false));
	check("as a status", (await page.locator("#lost").getAttribute("role")) === "status");
	check("what was there still is", (await page.locator("main a[href^='/submissions/']").count()) > 0);
	server = await start(listen);
	check("what happened since shows", await has(page, await submit("main")));
	check("and nothing is lost any more", await page.waitForSelector("#lost:empty",
		{ state: "attached", timeout: 10000 }).then(() => true, () => false));
	check("events come again", await has(page, await submit("main")));
	check("it was the same page all the time", await page.evaluate(() => window.same === true));
	check("no errors but the network's", page.errors.length === 0, page.errors.join("; "));
	await page.context().close();
	return server;
}

main(async () => {
	const browser = await launch(modules);
	const server = await restart(browser);
	await browser.close();
	await end(server);
});
