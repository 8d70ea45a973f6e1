// SPDX-License-Identifier: MIT
// Cells of a matrix that say PASS, DONE or SKIP are letters without a link: a page has thousands of
// them. Here a click on one leads to its results, and under the pointer each says what it is.
"use strict";

(() => {
	const cellOf = (event) => event.target.closest("table.matrix tbody td");

	// {what, verdict, run} of a cell without a link; null for any other.
	function read(cell) {
		const letter = cell && cell.querySelector(":scope > b.c:not(.none)");
		const run = letter && cell.parentElement.querySelector("td:last-child a[href]");
		const head = letter && cell.closest("table").tHead.rows[0].cells[cell.cellIndex];
		if (!run || !head)
			return null;
		return { what: head.textContent, verdict: letter.className.match(/s-(\w+)/)[1], run };
	}

	document.addEventListener("mouseover", (event) => {
		const cell = cellOf(event);
		const it = !cell || cell.title ? null : read(cell);
		if (it)
			cell.title = `${it.what}: ${it.verdict}`;
	});
	document.addEventListener("click", (event) => {
		const it = read(cellOf(event));
		if (!it)
			return;
		const run = it.run.getAttribute("href").match(/\/runs\/(\d+)$/);
		// a mirror has no pages of single cells
		location.assign(run ? `/results?run=${run[1]}&scenario=${encodeURIComponent(it.what)}` : it.run.href);
	});
})();
