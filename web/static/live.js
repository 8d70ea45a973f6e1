// SPDX-License-Identifier: MIT
// Keeps a page fresh while something on it still runs: an event of the server has the page fetched
// again, and the part that may change is exchanged. Pages are complete without this.
"use strict";

(() => {
	const QUIET_MS = 1500; // events come in bursts
	let timer = 0;
	let source = null;

	const part = () => document.querySelector("#live[data-live]");

	async function refresh() {
		timer = 0;
		const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
		if (!answer.ok)
			return;
		const page = new DOMParser().parseFromString(await answer.text(), "text/html");
		const fresh = page.querySelector("#live");
		const old = part();
		if (!fresh || !old || document.getSelection().type === "Range")
			return;
		const at = [...old.querySelectorAll(".scroll")].map((box) => box.scrollLeft);
		old.replaceWith(document.importNode(fresh, true));
		document.querySelectorAll("#live .scroll").forEach((box, i) => {
			box.scrollLeft = at[i] || 0;
		});
		if (!part() && source)
			source.close();
	}

	function onEvent() {
		if (!timer && !document.hidden)
			timer = setTimeout(() => refresh().catch(() => {}), QUIET_MS);
	}

	if (!part() || !window.EventSource)
		return;
	source = new EventSource("/api/v1/events");
	for (const type of ["submission", "branch", "job", "run", "result", "agent", "regression"])
		source.addEventListener(type, onEvent);
	document.addEventListener("visibilitychange", onEvent);
})();
