// SPDX-License-Identifier: MIT
// Hands on the keyboard: "/" searches, "j" and "k" go through the rows of the page's tables, Enter opens
// one, "g" and a letter a page, "?" tells all that. Everything can be reached without it.
"use strict";

(() => {
	const PAGES = { o: "/", b: "/branches", s: "/submissions", r: "/regressions", c: "/compare", a: "/agents",
		u: "/builds" };
	const HELP = [["/", "search"], ["j, k", "next, previous row"], ["Enter", "open the row"],
		["g o", "overview"], ["g b", "branches"], ["g s", "submissions"], ["g r", "regressions"],
		["g c", "compare"], ["g a", "agents"], ["g u", "builds"], ["?", "this list"], ["Esc", "close it, leave the field"]];
	const IN_LOG = [["n, p", "next, previous failure"], ["i", "the injection of a part"],
		["s", "its splat"], ["e", "end of the log"]];
	let going = false;

	const rows = () => [...document.querySelectorAll("main tbody tr")].filter((row) => link(row));
	const link = (row) => row.querySelector("th a[href], td a[href]");
	const current = () => document.querySelector("main tbody tr.at");

	function move(step) {
		const all = rows();
		const at = all.indexOf(current());
		const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1);
		if (!all.length)
			return;
		if (at >= 0)
			all[at].classList.remove("at");
		all[next].classList.add("at");
		link(all[next]).focus({ preventScroll: true });
		all[next].scrollIntoView({ block: "nearest" });
	}

	function help() {
		let box = document.getElementById("keys");
		if (!box) {
			const list = document.createElement("dl");
			for (const [key, what] of document.querySelector("[data-console]") ? IN_LOG.concat(HELP) : HELP) {
				const dt = document.createElement("dt");
				const dd = document.createElement("dd");
				dt.append(Object.assign(document.createElement("kbd"), { textContent: key }));
				dd.textContent = what;
				list.append(dt, dd);
			}
			box = document.createElement("dialog");
			box.id = "keys";
			box.setAttribute("aria-label", "Keys");
			box.append(list);
			document.body.append(box);
		}
		box.showModal();
	}

	function press(event) {
		const field = event.target.closest("input, textarea, select, [contenteditable]");
		if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing)
			return;
		if (field) {
			if (event.key === "Escape")
				field.blur();
			return;
		}
		if (document.querySelector("dialog[open]"))
			return; // Esc closes it by itself
		if (going && PAGES[event.key]) {
			location.assign(PAGES[event.key]);
		} else if (event.key === "/") {
			const find = document.querySelector("main input[type=search], .find input");
			if (!find)
				return;
			find.focus();
			find.select();
		} else if (event.key === "j" || event.key === "k") {
			move(event.key === "j" ? 1 : -1);
		} else if (event.key === "Enter" && current() && event.target === document.body) {
			link(current()).click();
		} else if (event.key === "?") {
			help();
		} else {
			going = event.key === "g";
			return;
		}
		going = false;
		event.preventDefault();
	}
	document.addEventListener("keydown", press);
})();
