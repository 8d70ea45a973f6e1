// SPDX-License-Identifier: MIT
// A log of any size in one box: only the blocks around what is seen are in the page, the rest is room
// above and below them. Lines have no numbers, since nobody counts to the middle of 100 MB: places are
// bytes, "#b12345" is the line with that one. Without this, the server's windows of the log are there.
"use strict";

(() => {
	const BLOCK = 65536; // bytes; the server's windows at multiples of it fit together
	const KEEP = 5; // blocks in the page; more only while they are near
	const NEAR_PX = 1500; // so far ahead of what is seen blocks are fetched
	const ROOM_PX = 8e6; // browsers cut boxes that are higher than some 17 million
	const LONG = 1000; // bytes of a line from which on its block is wrapped: no block is low then
	const QUIET_MS = 80; // of the scroll bar, before what is there is fetched
	const box = document.querySelector("[data-console]");
	const run = box && box.dataset.console;
	const above = document.createElement("div");
	const below = document.createElement("div");
	let size = 0, ended = false;
	let perByte = 0; // pixels: how high what is not there is taken to be
	let blocks = []; // [{n, from, to, node, chunks}], one after the other; n: of the window
	let searches = 0;
	let turn = 0; // of jumps: a later one makes what the earlier one waits for void
	let filling = false, seeking = 0, here = -1;
	let results = null; // of the run, in the log's order; fetched when they are asked for
	let following = false, source = null, retry = 1000;
	let bar = null, status = null, followButton = null;

	/* --- text --- */

	const MARKS = /[\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/gu;

	// As the server shows it: what a terminal would obey and what reorders text is spelled out.
	function visible(text) {
		// eslint-disable-next-line no-control-regex
		return text.replace(/[\x00-\x08\x0b-\x1f\x7f]/g, (c) => `^${String.fromCharCode(c.charCodeAt(0) ^ 0x40)}`)
			.replace(/[\x80-\x9f]/g, "\ufffd")
			.replace(MARKS, (c) => `[U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}]`);
	}

	function element(tag, className, text) {
		const node = document.createElement(tag);
		if (className)
			node.className = className;
		if (text !== undefined)
			node.textContent = text;
		return node;
	}

	function resultLine(result) {
		const line = element("a", "at");
		line.href = `/results/${result.id}`;
		line.append(element("span", `c s-${result.status}`, result.status[0]),
			` ${visible(result.case)} ${result.status} ${result.reason || ""}`.trimEnd());
		return line;
	}

	function addChunks(block, chunks) {
		for (const chunk of chunks) {
			const span = element("span", chunk.mark || "", visible(chunk.text));
			if (chunk.result)
				block.node.append(resultLine(chunk.result));
			block.node.append(span);
			block.chunks.push({ at: chunk.at, lines: chunk.lines, span });
			if (chunk.lines.some((bytes) => bytes > LONG))
				block.node.classList.add("long");
		}
	}

	function makeBlock(n, from, to, chunks) {
		const block = { n, from, to, node: element("pre", "log block"), chunks: [] };
		addChunks(block, chunks);
		return block;
	}

	async function fetchBlock(n) {
		const answer = await fetch(`/runs/${run}/log.json?offset=${n * BLOCK}`);
		if (!answer.ok)
			throw new Error(`the server says ${answer.status}`);
		const { window: w, chunks, ended: end } = await answer.json();
		size = Math.max(size, w.size);
		ended = Boolean(end);
		return makeBlock(n, w.from, w.to, chunks);
	}

	/* --- blocks in the box --- */

	const first = () => blocks[0];
	const last = () => blocks[blocks.length - 1];
	const number = (at) => Math.floor(Math.max(0, Math.min(at, size - 1)) / BLOCK);
	const top = (block) => block.node.offsetTop;
	const bottom = (block) => block.node.offsetTop + block.node.offsetHeight;
	const toEnd = () => { box.scrollTop = box.scrollHeight; };

	function layOut() {
		const real = first().to > first().from ? first().node.offsetHeight / (first().to - first().from) : 0.2;
		perByte = Math.min(perByte || real, ROOM_PX / Math.max(size, 1));
		above.style.height = `${first().from * perByte}px`;
		below.style.height = `${Math.max(0, size - last().to) * perByte}px`;
	}

	// What is seen stays where it is while something changes above it.
	function keep(change) {
		const seen = blocks.find((b) => bottom(b) > box.scrollTop);
		const before = seen && top(seen) - box.scrollTop;
		change();
		layOut();
		if (seen && seen.node.isConnected)
			box.scrollTop = top(seen) - before;
	}

	// What is far away; what is near would only be fetched again.
	function drop() {
		while (blocks.length > KEEP) {
			const up = box.scrollTop - bottom(first());
			const down = top(last()) - box.scrollTop - box.clientHeight;
			if (Math.max(up, down) < NEAR_PX)
				return;
			(up > down ? blocks.shift() : blocks.pop()).node.remove();
		}
	}

	// Whether what is seen, or soon will be, is what is there: else somebody took the scroll bar away.
	const near = () => box.scrollTop < bottom(last()) + NEAR_PX &&
		box.scrollTop + box.clientHeight > top(first()) - NEAR_PX;

	// The block before or behind those that are there, when what is seen comes near it.
	async function fillOne() {
		const mine = turn;
		if (!near())
			return false;
		const up = first().from > 0 && box.scrollTop - top(first()) < NEAR_PX;
		const down = last().to < size && bottom(last()) - box.scrollTop - box.clientHeight < NEAR_PX;
		if (!up && !down)
			return false;
		const block = await fetchBlock(down ? last().n + 1 : first().n - 1);
		if (mine !== turn)
			return true;
		// The last one grew beyond its window while the log was followed.
		if (down ? block.from !== last().to : block.to !== first().from)
			return showAt(reading(), block.n);
		keep(() => {
			if (down) {
				last().node.after(block.node);
				blocks.push(block);
			} else {
				first().node.before(block.node);
				blocks.unshift(block);
			}
			drop();
		});
		return true;
	}

	async function fill() {
		if (filling)
			return;
		filling = true;
		try {
			while (await fillOne())
				;
		} catch (e) {
			say(`Not fetched: ${e.message}`);
		}
		filling = false;
	}

	// Only this block is there then; false when a later jump was faster.
	async function show(n) {
		const mine = ++turn;
		const block = await fetchBlock(n);
		if (mine !== turn)
			return false;
		blocks.forEach((b) => b.node.remove());
		blocks = [block];
		above.after(block.node);
		layOut();
		return true;
	}

	// The same with the byte `at` on top, unless somebody has gone on meanwhile.
	async function showAt(at, n = number(at)) {
		const seen = box.scrollTop;
		const shown = await show(n);
		if (shown && box.scrollTop === seen)
			box.scrollTop = top(first()) + first().node.offsetHeight * (at - first().from) /
				Math.max(first().to - first().from, 1);
		return shown;
	}

	/* --- places --- */

	const blockAt = (at) => blocks.find((b) => b.from <= at && at < b.to);

	function unmark() {
		const mark = box.querySelector("mark");
		const parent = mark?.parentNode;
		if (!mark)
			return;
		mark.replaceWith(...mark.childNodes);
		parent.normalize();
	}

	// The line with the byte `at`, marked.
	function markLine(block, at) {
		const chunk = block.chunks.findLast((c) => c.at <= at) || block.chunks[0];
		if (!chunk)
			return null;
		let begin = 0, next = chunk.at, text = chunk.span.textContent;
		for (const length of chunk.lines) {
			next += length;
			if (next > at)
				break;
			begin = text.indexOf("\n", begin) + 1;
		}
		const end = text.indexOf("\n", begin);
		const range = document.createRange();
		const mark = element("mark");
		range.setStart(chunk.span.firstChild, begin);
		range.setEnd(chunk.span.firstChild, end < 0 ? text.length : end);
		mark.append(range.extractContents());
		range.insertNode(mark);
		return mark;
	}

	async function jump(at) {
		follow(false);
		if (!blockAt(at) && !(await show(number(at))))
			return;
		// A line belongs to the block that it begins in: behind its end it is the next one's.
		if (!blockAt(at) && at >= last().to && at < size && !(await show(last().n + 1)))
			return;
		const block = blockAt(at) || last();
		unmark();
		const mark = markLine(block, at);
		if (mark)
			box.scrollTop += mark.getBoundingClientRect().top - box.getBoundingClientRect().top -
				box.clientHeight / 4;
		here = at;
		history.replaceState(null, "", `?offset=${at}#b${at}`);
		fill(); // what is around it is not waited for
	}

	async function end() {
		if (last().to < size && !(await show(number(size - 1))))
			return;
		toEnd();
		await fill();
		toEnd();
	}

	// Where the reader is: what was jumped to, as long as it is seen, else the first byte that is.
	function reading() {
		const mark = box.querySelector("mark");
		const rect = mark && mark.getBoundingClientRect();
		const frame = box.getBoundingClientRect();
		if (rect && rect.bottom > frame.top && rect.top < frame.bottom)
			return here;
		const block = blocks.find((b) => bottom(b) > box.scrollTop) || last();
		const part = (box.scrollTop - top(block)) / Math.max(block.node.offsetHeight, 1);
		return Math.round(block.from + Math.max(0, part) * (block.to - block.from));
	}

	// The byte that belongs to a place far from the blocks.
	function byteAt(place) {
		return place < top(first()) ? place / perByte : last().to + (place - bottom(last())) / perByte;
	}

	function onScroll() {
		const at = box.scrollTop;
		const atEnd = at + box.clientHeight >= box.scrollHeight - 2;
		if (source && box.scrollHeight - at - box.clientHeight > 80)
			follow(false); // somebody reads
		if (!blocks.length)
			return;
		if (near()) {
			fill(); // line after line, also when the lines are slower than the reader
			return;
		}
		// The scroll bar was taken somewhere else.
		clearTimeout(seeking);
		seeking = setTimeout(tried(async () => {
			if (atEnd)
				await end();
			else if (near() || (await showAt(byteAt(box.scrollTop))))
				await fill();
		}), QUIET_MS);
	}

	/* --- what one looks for --- */

	function say(text) {
		status.textContent = text;
	}

	const tried = (act) => () => Promise.resolve().then(act).catch((e) => say(`Not fetched: ${e.message}`));

	async function find(back) {
		const text = bar.querySelector("input").value;
		const mine = ++searches;
		let at = reading() + (!back && here === reading() ? 1 : 0);
		if (!text)
			return;
		say("Searching…");
		while (at !== null) {
			const answer = await (await fetch(`/api/v1/runs/${run}/log/find?offset=${at}&back=${back ? 1 : 0}&q=${
				encodeURIComponent(text)}`)).json();
			if (mine !== searches)
				return;
			if (Number.isInteger(answer.at)) {
				await jump(answer.at);
				say(`Found at byte ${answer.at}.`);
				return;
			}
			at = answer.next ?? null;
		}
		say(back ? "Not before this place." : "Not behind this place.");
	}

	async function parts() {
		if (!results) {
			const whole = await (await fetch(`/api/v1/runs/${run}`)).json();
			results = whole.results.filter((r) => r.console).sort((a, b) => a.console.offset - b.console.offset);
		}
		return results;
	}

	async function jumpToMark(result, mark) {
		const answer = await fetch(`/api/v1/runs/${run}/log/find?result=${result.id}&mark=${mark}`);
		const { at } = answer.ok ? await answer.json() : {};
		if (!Number.isInteger(at))
			return false;
		await jump(at);
		return true;
	}

	const BAD = ["FAIL", "ERROR"];

	async function failure(step) {
		const all = await parts();
		const at = all.findLastIndex((r) => r.console.offset <= reading());
		const to = step > 0 ? all.find((r, i) => i > at && BAD.includes(r.status))
			: all.findLast((r, i) => i < at && BAD.includes(r.status));
		if (!to) {
			say(step > 0 ? "No failure behind this place." : "No failure before this place.");
			return;
		}
		if (!to.splat || !(await jumpToMark(to, "splat")))
			await jump(to.console.offset);
		say(`${to.case}: ${to.status} ${to.reason}`);
	}

	async function mark(kind, name) {
		const all = await parts();
		const result = all.findLast((r) => r.console.offset <= reading()) || all[0];
		const found = result && (await jumpToMark(result, kind));
		if (!found)
			say(`${result ? result.case : "This log"} has no ${name}.`);
		else
			say(`The first ${name} of ${result.case}.`);
	}

	/* --- the end, as it comes --- */

	function append(event) {
		const { from, to, size: now, chunks } = JSON.parse(event.data);
		retry = 1000;
		size = Math.max(size, now);
		if (last().to === from && to - last().from <= 2 * BLOCK) {
			addChunks(last(), chunks);
			last().to = to;
			layOut();
			toEnd();
		} else {
			tried(end)();
		}
	}

	function ran() {
		follow(false);
		ended = true;
		results = null;
		followButton.hidden = true;
		say("The run has ended.");
		return show(number(size - 1)).then(end); // with its results
	}

	async function follow(on) {
		if (following === on || (on && ended))
			return;
		following = on;
		followButton.setAttribute("aria-pressed", String(on));
		if (!on) {
			source?.close();
			source = null;
			return;
		}
		await end();
		if (!following)
			return;
		// A stream that is cut goes on behind the last event, whose id is its last byte.
		const mine = source = new EventSource(`/api/v1/runs/${run}/log?follow=1&offset=${last().to}`);
		source.addEventListener("log", append);
		source.addEventListener("end", tried(ran));
		source.addEventListener("error", () => {
			if (mine !== source || mine.readyState !== EventSource.CLOSED)
				return;
			follow(false);
			setTimeout(tried(() => follow(true)), retry);
			retry = Math.min(2 * retry, 30000);
		});
	}

	/* --- the bar --- */

	const ACTS = {
		p: ["Previous failure", tried(() => failure(-1))], n: ["Next failure", tried(() => failure(1))],
		i: ["Injection", tried(() => mark("inject", "injection"))],
		s: ["Splat", tried(() => mark("splat", "splat"))], e: ["End", tried(end)],
	};

	function button(text, act) {
		const node = element("button", "", text);
		node.type = "button";
		node.addEventListener("click", act);
		return node;
	}

	function makeBar() {
		const field = element("input");
		const whole = element("a", "", "The whole log as text");
		bar = element("form", "console-bar");
		status = element("span", "quiet");
		status.setAttribute("role", "status");
		field.type = "search";
		field.size = 18;
		field.placeholder = "Find in the log  /";
		field.setAttribute("aria-label", "Find in the log");
		field.title = "without capitals: in either case";
		whole.href = `/api/v1/runs/${run}/log`;
		for (const [key, [text, act]] of Object.entries(ACTS)) {
			const node = button(text, act);
			node.title = `key ${key}`;
			bar.append(node);
		}
		followButton = button("Follow", tried(() => follow(!following)));
		followButton.setAttribute("aria-pressed", "false");
		followButton.hidden = ended;
		bar.append(followButton, field, button("Back", tried(() => find(true))), whole, status);
		field.after(Object.assign(button("Find", () => {}), { type: "submit" }));
		bar.addEventListener("submit", (event) => {
			event.preventDefault();
			tried(() => find(false))();
		});
		document.querySelectorAll("nav.pager, main > .empty").forEach((node) => node.remove());
		box.before(bar);
	}

	function press(event) {
		const act = ACTS[event.key];
		if (!act || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey ||
		    event.target.closest("input, textarea, select") || document.querySelector("dialog[open]"))
			return;
		event.preventDefault();
		act[1]();
	}

	// Where the address leads: a result's part, a byte, what the server was asked for; -1: nowhere.
	function wanted() {
		const [, kind, id] = /^#([rb])(\d+)$/.exec(location.hash) || [];
		if (kind === "b")
			return Number(id);
		if (kind === "r" && document.getElementById(`r${id}`))
			return Number(document.getElementById(`r${id}`).dataset.at);
		if (box.dataset.target)
			return Number(box.dataset.target);
		return new URLSearchParams(location.search).has("offset") ? Number(box.dataset.from) : -1;
	}

	async function begin() {
		const at = wanted();
		size = Number(box.dataset.size);
		const block = await fetchBlock(at < 0 ? 0 : number(at));
		makeBar();
		box.classList.add("console");
		box.replaceChildren(above, block.node, below);
		blocks = [block];
		layOut();
		box.addEventListener("scroll", () => requestAnimationFrame(onScroll), { passive: true });
		document.addEventListener("keydown", press);
		addEventListener("hashchange", () => {
			if (wanted() >= 0)
				jump(wanted()).catch(() => {});
		});
		if (at >= 0)
			await jump(at);
		else if (!ended)
			await follow(true);
		else
			fill();
		box.dataset.ready = "1";
	}
	if (box)
		begin().catch((e) => status && say(`Not fetched: ${e.message}`)); // else the server's window stays
})();
