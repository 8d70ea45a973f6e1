// SPDX-License-Identifier: MIT
// Keeps a page fresh while something on it still runs: an event of the server has the page fetched
// again, and the part that may change is exchanged. Pages are complete without this.
//
// A server that restarts ends the stream. It is asked for again with growing pauses, by all pages at
// other times; once it is back the page is fetched, since events were missed.
"use strict";

(() => {
	const QUIET_MS = 1500; // events come in bursts
	const FIRST_MS = 1000; // the pause after the first failure, doubled by each further one
	const LONGEST_MS = 30000;
	const EVENTS = ["submission", "branch", "job", "run", "result", "agent", "regression"];
	let timer = 0; // of a refresh
	let again = 0; // of the next try
	let failures = 0;
	let source = null;
	let shown = "";
	let note = null;

	const part = () => document.querySelector("#live[data-live]");

	function say(text) {
		if (note.textContent !== text)
			note.textContent = text;
	}

	// What a hand has done to the part that is exchanged: the row it is at, what it has opened.
	function remember(old) {
		const href = (row) => row && row.querySelector("a[href]")?.getAttribute("href");
		const row = href(old.querySelector("tr.at"));
		const focus = old.contains(document.activeElement) && document.activeElement.getAttribute("href");
		const open = [...old.querySelectorAll("details")].map((box) => box.open);
		const left = [...old.querySelectorAll(".scroll")].map((box) => box.scrollLeft);
		return (fresh) => {
			const boxes = fresh.querySelectorAll("details");
			if (row)
				[...fresh.querySelectorAll("tbody tr")].find((r) => href(r) === row)?.classList.add("at");
			if (focus)
				[...fresh.querySelectorAll("a[href]")].find((a) => a.getAttribute("href") === focus)
					?.focus({ preventScroll: true });
			if (boxes.length === open.length)
				boxes.forEach((box, i) => { box.open = open[i]; });
			fresh.querySelectorAll(".scroll").forEach((box, i) => { box.scrollLeft = left[i] || 0; });
		};
	}

	function exchange(html) {
		const fresh = new DOMParser().parseFromString(html, "text/html").querySelector("#live");
		const old = part();
		if (!fresh || !old || fresh.outerHTML === shown || document.getSelection().type === "Range")
			return;
		shown = fresh.outerHTML;
		const restore = remember(old);
		const node = document.importNode(fresh, true);
		old.replaceWith(node);
		restore(node);
		document.dispatchEvent(new Event("refreshed")); // for scripts that add to pages
	}

	async function refresh() {
		timer = 0;
		const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
		if (answer.status >= 500)
			throw new Error(answer.statusText);
		if (answer.ok)
			exchange(await answer.text());
		failures = 0;
		say("");
		if (!part())
			stop(); // nothing on it runs any more
	}

	function soon() {
		if (!timer && !document.hidden)
			timer = setTimeout(() => refresh().catch(lost), QUIET_MS);
	}

	function stop() {
		if (source)
			source.close();
		source = null;
		clearTimeout(timer);
		timer = 0;
	}

	// A stream may end for no reason of weight (a proxy's patience): nothing is said of the first time.
	function lost() {
		const pause = Math.min(FIRST_MS * 2 ** failures, LONGEST_MS);
		stop();
		if (failures++)
			say("Connection lost, trying again.");
		clearTimeout(again);
		again = setTimeout(connect, pause * (0.75 + Math.random() / 2));
	}

	// Between the page and its stream something may have happened: the stream begins with what did
	// since the page was made. Later, when nobody knows what a page shows, it is fetched.
	function connect(since = "") {
		const known = failures > 0;
		clearTimeout(again);
		again = 0;
		source = new EventSource(`/api/v1/events${since && `?since=${since}`}`);
		for (const type of EVENTS)
			source.addEventListener(type, soon);
		source.addEventListener("error", lost);
		source.addEventListener("open", () => {
			if (known)
				refresh().catch(lost);
			else if (!since)
				soon();
		});
	}

	if (!part() || !window.EventSource)
		return;
	// Empty from the beginning: what is put into it is read out, what comes with it is not.
	note = document.body.appendChild(Object.assign(document.createElement("p"),
		{ id: "lost", role: "status" }));
	connect(document.body.dataset.since);
	document.addEventListener("visibilitychange", () => {
		if (document.hidden || !part())
			return;
		if (again)
			connect(); // whoever looks does not wait for the pause to end
		else
			soon();
	});
	// The page comes out of the browser's memory: its stream was closed.
	addEventListener("pageshow", (event) => {
		if (event.persisted && part()) {
			stop();
			connect();
			soon();
		}
	});
})();
