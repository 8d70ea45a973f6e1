// SPDX-License-Identifier: MIT
// A server that a script starts and ends, and what agents and maintainers say to it.
"use strict";

const crypto = require("crypto");
const { spawn } = require("child_process");

const JSON_TYPE = { "Content-Type": "application/json" };

// Resolves with { url, listen, end() }.
async function start(program, conf, listen) {
	const server = spawn(program, ["--config", conf, "--listen", listen],
		{ stdio: ["ignore", "pipe", "inherit"] });
	const over = new Promise((done) => server.on("exit", done));
	process.on("exit", () => server.kill("SIGKILL"));
	const url = await new Promise((done, failed) => {
		let out = "";
		over.then(() => failed(new Error("the server ended")));
		server.stdout.on("data", (piece) => {
			const found = /listening on (\S+?)\/?\n/.exec(out += piece);
			if (found)
				done(found[1]);
		});
	});
	const end = () => {
		server.kill("SIGTERM");
		return over;
	};
	return { url, listen: url.replace("http://", ""), end };
}

// With a token: calls of the API, which throw what the server says against them.
function client(url, token) {
	const ask = async (method, path, body, headers = {}) => {
		const answer = await fetch(`${url}/api/v1/${path}`, { method, body,
			headers: { Authorization: `Bearer ${token}`, ...headers } });
		const text = await answer.text();
		if (!answer.ok)
			throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 300)}`);
		return text ? JSON.parse(text) : null;
	};
	const post = (path, o, headers) => ask("POST", path, JSON.stringify(o), { ...JSON_TYPE, ...headers });
	const leased = (job) => ({ "Faultline-Lease": job.lease.token });

	return {
		get: (path) => ask("GET", path),
		submit: async (ref, plan = "quick") => (await post("submissions", { repo: "toy", ref, plan })).id,
		claim: (name) => post("jobs/claim?wait=20", { name, version: "1", slots: 2, can_build: true,
			can_test: true }),
		beat: (job, progress) => post(`jobs/${job.id}/heartbeat`, { progress }, leased(job)),
		// Bytes from `from` on, in pieces that a request may have.
		log: async (job, bytes, from = 0) => {
			for (let at = 0; at < bytes.length; at += 1 << 20)
				await ask("POST", `jobs/${job.id}/log?offset=${from + at}`,
					bytes.subarray(at, at + (1 << 20)), leased(job));
		},
		image: (job) => {
			const bytes = Buffer.from("image\n");
			const sum = crypto.createHash("sha256").update(bytes).digest("hex");
			return ask("PUT", `jobs/${job.id}/artifacts/bzImage`, bytes,
				{ ...leased(job), "Faultline-SHA256": sum });
		},
		built: (job, more) => post(`jobs/${job.id}/result`, { version: 1, kind: "build", status: "PASS",
			reason: "", release: "6.12.0", detail: "", warnings: [], errors: [], duration_us: 9e6,
			image: true, ...more }, leased(job)),
		tested: (job, results) => {
			const summary = { FAIL: 0, ERROR: 0, MISS: 0, PASS: 0, DONE: 0, SKIP: 0 };
			results.forEach((r) => summary[r.status]++);
			return post(`jobs/${job.id}/result`, { version: 1, kind: "test", document: { version: 1,
				kernel: { release: "6.12.0", commit: job.source.commit, tree: "", config_hash: "",
					symbols: "", lacks: [] },
				machine: { accel: "tcg", qemu: "7.2.22", cpus: 2, memory_mib: 512, shuffle_seed: 0,
					isolation: "snapshot", boots: 2, restores: results.length, boot_us: 2345678,
					result_us: 18500 },
				results, summary } }, leased(job));
		},
	};
}

// One result of a claimed job's case.
function result(c, status, reason, more) {
	return { case: c.scenario, config: "default", fault: c.fault, repeat: c.repeat, closing: false, status,
		reason, detail: "", injected: { on_target: 1, off_target: 0, unclassified: 0 }, stacks: [],
		stack_info: [], undecoded: "", errno: 0, checks: [], counters: {}, metrics: [], splat: null,
		duration_us: 1500, repro: "", ...more };
}

module.exports = { client, result, start };
