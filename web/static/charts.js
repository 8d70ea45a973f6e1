// SPDX-License-Identifier: MIT
// Charts that answer: the commit and its values under the pointer or, with the arrow keys, under the
// cursor; a click or Enter leads there. Where the values cannot be fetched, and without scripts, the
// images that came with the page stay.
"use strict";

(() => {
	const DASHES = [[], [5, 3], [2, 3], [7, 2, 2, 2]];
	const COLOURS = ["--link", "--accent", "--error", "--pass-ink"];
	const HEIGHT = 130;
	const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
	const href = (point) => `/commits/${point.sha}`;
	const drawn = [];

	function number(v) {
		for (const [unit, name] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]])
			if (Math.abs(v) >= Math.max(unit, 1e4))
				return `${+(v / unit).toPrecision(4)}${name}`;
		return `${+v.toPrecision(4)}`;
	}

	// Zero belongs to the scale unless what moves is small beside it.
	function range(u, low, high) {
		const top = Math.max(Math.abs(low), Math.abs(high));
		if (low === null)
			return [0, 1];
		if (high - low >= top / 4 || high === low) {
			low = Math.min(low, 0);
			high = Math.max(high, 0);
		} else if (high - low < top / 10) {
			const middle = low / 2 + high / 2;
			[low, high] = [middle - top / 20, middle + top / 20];
		}
		return high > low ? uPlot.rangeNum(low, high, 0.05, true) : [0, 1];
	}

	function marks(points) {
		return (u) => {
			u.ctx.save();
			u.ctx.strokeStyle = css("--fail");
			u.ctx.setLineDash([4, 3]);
			points.forEach((point, i) => {
				if (!(point.regressions || []).length)
					return;
				const x = Math.round(u.valToPos(i, "x", true));
				u.ctx.beginPath();
				u.ctx.moveTo(x, u.bbox.top);
				u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
				u.ctx.stroke();
			});
			u.ctx.restore();
		};
	}

	const name = (s) => `${s.config}${s.accel ? ` ${s.accel}` : ""}`;

	function options(points, lines, width, told) {
		const grid = { stroke: css("--line"), width: 1 };
		const axis = { stroke: css("--quiet"), grid, ticks: { show: false }, font: "11px monospace" };
		return {
			width, height: HEIGHT, padding: [8, 30, 0, 0],
			legend: { show: false },
			cursor: { drag: { x: false, y: false }, y: false, points: { size: 7 }, sync: { key: "charts" } },
			scales: { x: { time: false, range: (u, low, high) => (low === high ? [low - 1, high + 1] : [low, high]) },
				y: { range } },
			axes: [
				{ ...axis, size: 22, space: 80, incrs: [1, 2, 5, 10, 20, 50, 100],
					values: (u, at) => at.map((i) => (points[i] ? points[i].short.slice(0, 8) : "")) },
				{ ...axis, size: 52, space: 30, values: (u, at) => at.map(number) },
			],
			series: [{}, ...lines.map((s, i) => ({ label: name(s), width: 1.6, spanGaps: false,
				stroke: css(COLOURS[i % 4]), dash: DASHES[i % 4], points: { show: points.length < 40, size: 4,
					fill: css(COLOURS[i % 4]) } }))],
			hooks: { draw: [marks(points)], setCursor: [(u) => told(u.cursor.idx)] },
		};
	}

	function words(points, lines, i) {
		const point = points[i];
		const values = lines.filter((s) => s.values[i] !== null).map((s) =>
			`${lines.length > 1 ? `${name(s)} ` : ""}${number(s.values[i])}${s.unit ? ` ${s.unit}` : ""}`);
		return `${point.short} ${values.join(", ") || "nothing known"}: ${point.subject}`;
	}

	// A slider over the places: what it stands on is what a screen reader says.
	function keys(plot, root, points, lines, label) {
		let at = points.length - 1;
		const say = () => {
			root.setAttribute("aria-valuenow", at);
			root.setAttribute("aria-valuetext", words(points, lines, at));
		};
		root.tabIndex = 0;
		root.setAttribute("role", "slider");
		root.setAttribute("aria-label", `${label}. Enter opens`);
		root.setAttribute("aria-valuemin", 0);
		root.setAttribute("aria-valuemax", points.length - 1);
		say();
		root.addEventListener("keydown", (event) => {
			const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: points.length - 1 }[event.key];
			if (event.key === "Enter")
				location.assign(href(points[at]));
			if (to === undefined)
				return;
			at = Math.min(Math.max(to, 0), points.length - 1);
			say();
			plot().setCursor({ left: plot().valToPos(at, "x"), top: 0 });
			event.preventDefault();
		});
		return (i) => { at = i; say(); };
	}

	function enhance(figure, points, lines) {
		const image = figure.querySelector("svg");
		const box = document.createElement("div");
		const readout = document.createElement("p");
		const data = [points.map((_, i) => i), ...lines.map((s) => s.values)];
		let plot = null, moved = () => {};

		readout.className = "readout";
		const told = (i) => {
			readout.textContent = i === null || i === undefined ? "" : words(points, lines, i);
			readout.title = readout.textContent;
			if (i !== null && i !== undefined)
				moved(i);
		};
		const draw = () => {
			const width = figure.clientWidth;
			if (plot && plot.width === width && plot.colour === css("--ink"))
				return;
			if (plot)
				plot.destroy();
			plot = new uPlot(options(points, lines, width, told), data, box);
			plot.colour = css("--ink");
			plot.over.addEventListener("click", () => {
				if (plot.cursor.idx !== null && plot.cursor.idx !== undefined)
					location.assign(href(points[plot.cursor.idx]));
			});
		};
		image.replaceWith(box);
		figure.append(readout);
		draw();
		moved = keys(() => plot, box, points, lines, image.getAttribute("aria-label"));
		drawn.push(draw);
	}

	async function start(link) {
		const answer = await fetch(link.href, { headers: { Accept: "application/json" } });
		if (!answer.ok)
			return;
		const { points, series } = await answer.json();
		document.querySelectorAll("figure.chart").forEach((figure) => {
			const lines = series.filter((s) => s.chart === figure.dataset.key).slice(0, 8);
			if (lines.length && points.length)
				enhance(figure, points, lines);
		});
		const again = () => drawn.forEach((draw) => draw());
		addEventListener("resize", again);
		matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
	}

	const link = document.querySelector("a.chart-data");
	if (link && window.uPlot)
		start(link).catch(() => {});
})();
