// SPDX-License-Identifier: MIT
// A button at each command that is there to be copied. Pages that came without encryption have no
// clipboard of their own: there the selection is copied.
"use strict";

(() => {
	async function copy(box) {
		if (navigator.clipboard) {
			await navigator.clipboard.writeText(box.textContent.trim());
			return true;
		}
		document.getSelection().selectAllChildren(box);
		return document.execCommand("copy");
	}

	function add(box) {
		const button = document.createElement("button");
		button.type = "button";
		button.className = "copy";
		button.textContent = "Copy";
		button.addEventListener("click", async () => {
			const done = await copy(box).catch(() => false);
			button.textContent = done ? "Copied" : "Select it and copy";
			setTimeout(() => { button.textContent = "Copy"; }, 2000);
		});
		box.after(button);
	}
	const addAll = () => document.querySelectorAll("pre.command, code.command").forEach((box) => {
		if (!box.nextElementSibling?.matches(".copy"))
			add(box);
	});
	document.addEventListener("refreshed", addAll);
	addAll();
})();
