// SPDX-License-Identifier: MIT
// console.cjs MODULES SERVER CONF TOKEN GOLDEN: see ../live.sh. A log of 100 MB in a browser.
"use strict";

const fs = require("fs");
const path = require("path");
const { check, launch, main, open } = require("./check.cjs");
const { client, result, start } = require("./service.cjs");

const [modules, program, conf, tokenFile, golden] = process.argv.slice(2);
const token = fs.readFileSync(tokenFile, "utf8").trim();
const NODES = 2500; // of the box: a page of its own has not many more

// 100 MB: lines, one of 1 MB, what no terminal should see, and far behind the middle a part with an
// injection and a splat.
function makeLog() {
	const line = (i) => `[${String(i).padStart(7)}.000000] line ${i} of a long log, which says nothing at all\r\n`;
	const pieces = [];
	let text = "";
	for (let i = 0, bytes = 0; bytes < 60e6; i++) {
		text += line(i);
		if (text.length > 1 << 20) {
			pieces.push(Buffer.from(text));
			bytes += text.length;
			text = "";
		}
	}
	pieces.push(Buffer.from(text), Buffer.from("x".repeat(1 << 20) + "\r\n"),
		Buffer.from("\x1b[31mred\x1b[0m <b id=zqx>bold</b> \u202edesrever\u202c \xff\r\n", "latin1"),
		Buffer.from("\u202edesrever <b id=zqx>\r\n"));
	const part = Buffer.concat(pieces).length;
	pieces.push(Buffer.from("# the part\r\n"), fs.readFileSync(path.join(golden, "real/lazy-mprotect.log")),
		fs.readFileSync(path.join(golden, "synthetic/kasan-uaf.log")));
	const partEnd = Buffer.concat(pieces).length;
	for (let i = 0, bytes = partEnd; bytes < 100e6; i++) {
		const more = Buffer.from(line(i).repeat(1000));
		pieces.push(more);
		bytes += more.length;
	}
	pieces.push(Buffer.from("the needle\r\n", "latin1"), Buffer.from("this is the last line\r\n"));
	return { bytes: Buffer.concat(pieces), part, partEnd };
}

// A test that has answered with that log, and one that still runs.
async function fill(agent, log) {
	await agent.submit("main", "thp-split");
	let job = await agent.claim("one");
	for (; job.kind === "build"; job = await agent.claim("one")) {
		await agent.image(job);
		await agent.built(job);
	}
	await agent.log(job, log.bytes);
	const bad = 3;
	await agent.tested(job, job.cases.map((c, i) => i === bad ? result(c, "FAIL", "bug", {
		console: { offset: log.part, length: log.partEnd - log.part },
		splat: { kind: "bug", title: "KASAN: use-after-free", fingerprint: "00d1f2a3b4c5d6e7", excerpt: "",
			console_offset: log.part + 7000 } })
		: result(c, "PASS", "", { console: { offset: i < bad ? i * 1000 : log.partEnd + i * 1000, length: 900 } })));
	const { results } = await agent.get(`runs/${job.run}`);
	return { run: job.run, bad: results.find((r) => r.status === "FAIL").id, passed: results[5] };
}

const ready = (page) => page.waitForSelector("[data-console][data-ready]", { timeout: 10000 }).catch(async () => {
	const text = await page.locator("main").innerText();
	throw new Error(`the log does not come: ${page.errors.join("; ")} ${text.slice(0, 400)}`);
});
const nodes = (page) => page.evaluate(() => document.querySelectorAll("[data-console] *").length);
const marked = (page) => page.locator(".log mark").innerText();
const settled = (page, text) => page.waitForFunction((t) => document.querySelector("[data-console]").innerText
	.includes(t), text, { timeout: 10000 }).then(() => true, () => false);
const status = (page) => page.locator(".console-bar [role=status]").innerText();
const said = (page, text) => page.waitForFunction((t) => document.querySelector(".console-bar [role=status]")
	.textContent.includes(t), text, { timeout: 20000 }).then(() => true, () => false);
// The part of the log that is marked is in sight.
const inSight = (page) => page.evaluate(() => {
	const m = document.querySelector(".log mark").getBoundingClientRect();
	const b = document.querySelector("[data-console]").getBoundingClientRect();
	return m.top >= b.top && m.bottom <= b.bottom;
});

// The best of three: others may be busy on the machine.
async function opens(page, url, what) {
	let ms = Infinity;
	for (let i = 0; i < 3 && ms >= 1000; i++) {
		await page.goto("about:blank");
		const begin = Date.now();
		await page.goto(url);
		await ready(page);
		ms = Math.min(ms, Date.now() - begin);
	}
	check(`${what} opens within a second`, ms < 1000, `${ms} ms`);
	check(`${what}: few nodes`, (await nodes(page)) < NODES, String(await nodes(page)));
}

async function jumps(page, base, at, log) {
	await opens(page, `${base}/runs/${at.run}/log?result=${at.bad}#r${at.bad}`, "100 MB at a result");
	check("it is the result's part", (await marked(page)).includes("# the part"), await marked(page));
	check("in sight", await inSight(page));
	check("the injection is marked as one", (await page.locator(".log .inject").count()) > 0);
	check("the splat is marked as one", (await page.locator(".log .splat").count()) > 0);
	check("text of a guest is text", (await page.locator("#zqx").count()) === 0 &&
		await settled(page, "^[[31mred") && await settled(page, "[U+202E]desrever <b id=zqx>"));
	await page.keyboard.press("i");
	check("i goes to the injection", await said(page, "The first injection"), await status(page));
	check("which is the line that is marked", (await marked(page)).includes("FAULT_INJECTION"), await marked(page));
	await page.keyboard.press("s");
	await said(page, "The first splat");
	check("s goes to the splat", /BUG: KASAN/.test(await page.locator(".splat:has(mark)").innerText()));
	await page.keyboard.press("e");
	check("e goes to the end", await settled(page, "this is the last line"));
	check("at the end: few nodes", (await nodes(page)) < NODES, String(await nodes(page)));
	await page.keyboard.press("n");
	check("n knows of no failure behind the end", await said(page, "No failure behind"), await status(page));
	await page.keyboard.press("p");
	check("p goes back to the failure", await said(page, "FAIL bug"), await status(page));
	await page.waitForSelector(".splat mark");
	check("and its splat", await inSight(page));
	const url = new URL(page.url());
	check("which has an address", Number(url.hash.slice(2)) > log.part, url.href);
	await opens(page, url.href, "that address");
	check("the address leads to the splat", (await page.locator(".splat:has(mark)").count()) === 1);
}

// Takes the scroll bar to this part of the log, and waits for its text.
async function seek(page, part) {
	await page.locator("[data-console]").evaluate((b, p) => { b.scrollTop = b.scrollHeight * p; }, part);
	return page.waitForFunction(() => {
		const b = document.querySelector("[data-console]").getBoundingClientRect();
		return [...document.querySelectorAll(".log.block")].some((n) => {
			const r = n.getBoundingClientRect();
			return r.top < b.bottom && r.bottom > b.top && n.textContent.length > 60000;
		});
	}, null, { timeout: 5000 }).then(() => true, () => false);
}

// A slow browser, which tells of a scroll a second late, and a reader who goes elsewhere while a block
// is on its way: what lies between is not fetched block by block.
async function seeksSlowly(page) {
	const box = page.locator("[data-console]");
	let fetched = 0;
	await page.route(/log\.json/, async (route) => {
		fetched++;
		await page.waitForTimeout(20);
		await route.continue();
	});
	await page.evaluate(() => { window.requestAnimationFrame = (then) => setTimeout(then, 1000); });
	for (const part of [0.7, 0.2, 0.5]) {
		const block = page.waitForRequest(/log\.json/);
		await box.evaluate((b) => { b.scrollTop = b.querySelector(".block").offsetTop + 5; });
		await block;
		fetched = 0;
		check(`at ${part} there is text, late`, await seek(page, part));
		check(`at ${part} few blocks are fetched`, fetched < 10, `${fetched} blocks`);
	}
	await page.unrouteAll({ behavior: "wait" });
}

// The scroll bar covers the whole log; what was passed is not kept.
async function scrolls(page, base, at) {
	await page.goto(`${base}/runs/${at.run}/log`);
	await ready(page);
	check("a log begins at its beginning", await settled(page, "line 0 of"));
	const box = page.locator("[data-console]");
	for (const part of [0.3, 0.9, 0.1, 0.61])
		check(`at ${part} of the scroll bar there is text`, await seek(page, part));
	await seeksSlowly(page);
	await page.goto(`${base}/runs/${at.run}/log`);
	await ready(page);
	await page.waitForTimeout(300); // the blocks around
	check("after that: few nodes", (await nodes(page)) < NODES, String(await nodes(page)));
	await box.evaluate((b) => { b.scrollTop = 0; });
	check("back at the top", await settled(page, "line 0 of"));
	// line after line, as a wheel does: nothing jumps, nothing is left out
	let before = 0, broken = "";
	for (let i = 0; i < 60; i++) {
		await box.evaluate((b) => { b.scrollTop += 700; });
		const n = await (await page.waitForFunction(() => {
			const b = document.querySelector("[data-console]").getBoundingClientRect();
			const lineAt = (y) => {
				const at = document.caretRangeFromPoint(b.left + 40, y);
				const text = at.startContainer.textContent;
				const from = text.lastIndexOf("\n", at.startOffset - 1) + 1;
				return /line (\d+)/.exec(text.slice(from, from + 60))?.[1];
			};
			// none between two blocks, and while the next one is on its way
			return lineAt(b.top + 10) ?? lineAt(b.top + 25);
		}, null, { timeout: 5000 })).jsonValue();
		if (Number(n) <= before || Number(n) > before + 60)
			broken = broken || `line ${n} behind line ${before}`;
		before = Number(n);
	}
	check("scrolled line by line nothing jumps", !broken, broken);
	await page.fill(".console-bar input", "the needle");
	await page.keyboard.press("Enter");
	check("what is 100 MB away is found", await said(page, "Found"), await status(page));
	check("and shown", (await marked(page)) === "the needle", await marked(page));
	await page.fill(".console-bar input", "line 7 of a long log");
	await page.click("text=Back");
	check("also backwards", (await said(page, "Found")) && /^\[\s+7\./.test(await marked(page)), await marked(page));
}

// What comes while one looks.
async function follows(page, agent, base) {
	await agent.submit("other");
	let job = await agent.claim("two");
	while (job.kind !== "build") { // the other commit's test
		await agent.tested(job, job.cases.map((c) => result(c, "PASS", "")));
		job = await agent.claim("two");
	}
	const say = async (text, from) => {
		await agent.log(job, Buffer.from(text), from);
		return from + Buffer.byteLength(text);
	};
	let at = await say("  CC      mm/one.o\n", 0);
	await page.goto(`${base}/runs/${job.run}/log`);
	await ready(page);
	check("the beginning is there", await settled(page, "mm/one.o"));
	at = await say("  CC      mm/two.o\n  CC      mm/th", at);
	check("what comes is shown", await settled(page, "mm/two.o"));
	check("but no half of a line", !(await page.locator("[data-console]").innerText()).includes("mm/th"));
	at = await say("ree.o\n", at);
	check("the line once it is whole", await settled(page, "mm/three.o"));
	at = await say(Array.from({ length: 4000 }, (x, i) => `  CC      mm/file${i}.o\n`).join(""), at);
	check("a flood is followed", await settled(page, "mm/file3999.o"));
	const end = () => page.locator("[data-console]").evaluate((b) => b.scrollHeight - b.scrollTop - b.clientHeight);
	check("to its end", (await end()) < 3, String(await end()));
	const pressed = () => page.locator("button:has-text('Follow')").getAttribute("aria-pressed");
	check("and says so", (await pressed()) === "true");
	await page.locator("[data-console]").evaluate((b) => { b.scrollTop -= 2000; });
	await page.waitForFunction(() => document.querySelector("button[aria-pressed]").getAttribute("aria-pressed") === "false");
	at = await say("  CC      mm/unseen.o\n", at);
	check("who reads is left alone", (await end()) > 1000);
	await page.click("text=Follow");
	check("Follow goes on", await settled(page, "mm/unseen.o"));
	await agent.image(job);
	await agent.built(job);
	check("the end of the run is said", await said(page, "The run has ended."), await status(page));
	check("nothing is left to follow", !(await page.locator("button:has-text('Follow')").isVisible()));
	// A stream that is asked for behind an event goes on there, without a gap, to the end.
	const seen = "  CC      mm/one.o\n".length;
	const stream = await (await fetch(`${base}/api/v1/runs/${job.run}/log?follow=1`,
		{ headers: { Accept: "text/event-stream", "Last-Event-ID": String(seen) } })).text();
	const events = stream.trim().split("\n\n").map((e) => Object.fromEntries(e.split("\n").map((l) => {
		const [, key, value] = /^(\w+): (.*)$/.exec(l);
		return [key, value];
	})));
	const last = events.pop();
	let goes = seen;
	check("events follow one another", events.length > 1 && events.every((e) => {
		const { from, to } = JSON.parse(e.data);
		const fits = e.event === "log" && from === goes && Number(e.id) === to;
		goes = to;
		return fits;
	}), String(goes));
	check("to the end", last.event === "end" && Number(last.id) === at && goes === at, JSON.stringify(last));
	const whole = await (await fetch(`${base}/api/v1/runs/${job.run}/log`)).text();
	const text = (await page.locator("[data-console]").innerText()).trimEnd();
	check("and no byte is missing", whole.length === at && whole.trimEnd().endsWith(text.slice(-5000)));
}

main(async () => {
	const server = await start(program, conf, "127.0.0.1:0");
	const agent = client(server.url, token);
	const log = makeLog();
	const at = await fill(agent, log);
	const browser = await launch(modules);
	const page = await open(browser, { viewport: { width: 1280, height: 900 } });
	await page.goto(`${server.url}/runs/${at.run}`); // scripts and style are kept from here on
	await jumps(page, server.url, at, log);
	await scrolls(page, server.url, at);
	await follows(page, agent, server.url);
	check("no errors on the console", page.errors.length === 0, page.errors.join("; "));
	await browser.close();
	await server.end();
});
