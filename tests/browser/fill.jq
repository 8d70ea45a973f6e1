# SPDX-License-Identifier: MIT
#
# A claimed test job → a result document with every verdict in it, and with texts that try to be
# markup, terminal commands or another line. Arguments: $seed (number), $log (the console).
def evil($s): $s + " <b id=zqx>&amp;\"'</td><script>zqx()</script>\u001b[31m\u202eabc\u0007 {{x}}";
def word($i): ["PASS","PASS","FAIL","PASS","SKIP","PASS","MISS","ERROR","PASS","DONE"][$i % 10];
def reason($s; $i): {PASS:"", DONE:"", FAIL:["bug","data","counter","leak"][$i % 4],
	SKIP:"predeposit", MISS:"qemu", ERROR:"ineffective"}[$s];
def vma($f): ["vma_adjust_trans_huge", "__split_vma", $f];
def callers($name): {"split.mprotect": vma("mprotect_fixup"), "split.munmap": vma("do_vmi_align_munmap"),
	"split.madv_dontneed": ["unmap_page_range", "zap_page_range_single", "do_madvise"],
	"split.mremap": ["move_page_tables", "move_vma"]}[$name] // ["found", "elsewhere"];
def frames($name): ["pte_alloc_one", "__split_huge_pmd"] + callers($name) + ["do_syscall_64"];
def trace($functions): [{function: evil("inlined"), offset: 0, size: 0, file: evil("mm/a.h"), line: 7,
	inlined: true}] + [$functions[] | {function: ., offset: 26, size: 256, module: evil("module"),
	file: evil("mm/huge_memory.c"), line: 2410, inlined: false}] + [{function: "unknown", offset: 1,
	size: 2, file: "", line: 0, inlined: false}];
def counters($fail): {thp_split_pmd: {before: 3, after: 4, delta: 1},
	thp_split_pmd_failed: {before: 0, after: (if $fail then 0 else 1 end),
		delta: (if $fail then 0 else 1 end)},
	nr_page_table_pages: {before: 212, after: 213, delta: 1}};

def result($case; $i; $fault; $closing):
	word($i) as $s | ($s == "FAIL") as $fail | reason($s; $i) as $why |
	{case: $case.scenario, config: "default", fault: $fault, repeat: $case.repeat,
	 closing: $closing, status: $s, reason: $why,
	 detail: (if $s == "PASS" then "every check held" else evil("thp_split_pmd_failed stayed at 0") end),
	 injected: {on_target: (if $s == "SKIP" or $s == "ERROR" then 0 else 1 end), off_target: ($i % 3),
		unclassified: 0},
	 stacks: [frames($case.scenario), [evil("frame")]],
	 stack_info: [{count: 1, on_target: ($s != "SKIP"), frames: trace(frames($case.scenario))},
		{count: 2, on_target: ($i % 7 == 0)}],
	 undecoded: (if $i % 4 == 0 then evil("the build has no vmlinux.debug") else "" end),
	 errno: (if $i % 3 == 0 then 12 else 0 end),
	 checks: [{name: "data.pattern", ok: ($why != "data"), detail: "512 pages of 512"},
		{name: "counter.thp_split_pmd_failed", ok: ($fail | not), detail: evil("wanted at least 1")},
		{name: "log.no_splat", ok: ($why != "bug"), detail: ""}],
	 counters: counters($fail),
	 metrics: [{name: "split_ns", value: (1834.5 + $i), unit: "ns"}],
	 splat: (if $why == "bug" then {kind: "bug", title: evil("kernel BUG in __split_huge_pmd_locked"),
		fingerprint: "00d1f2a3b4c5d6e7", excerpt: $log[0:4000], console_offset: 200,
		stack: trace([evil("split"), "__split_huge_pmd_locked"])} else null end),
	 duration_us: (1500000 + $i * 17345),
	 console: {offset: ($i * 400), length: 390},
	 repro: "faultline run --kernel bzImage --scenario \($case.scenario) --fault mode=nth,nth=\($i % 3 + 1)"}
	| if $closing then .points = 3 else . end;

([.cases | to_entries[] | . as $c
	| if $c.value.fault.mode == "sweep"
	  then (range(1; 4) as $n | result($c.value; $c.key + $seed + $n;
			$c.value.fault + {mode: "nth", nth: $n} | del(.times, .probability); false)),
		result($c.value; $c.key + $seed; $c.value.fault; true)
	  else result($c.value; $c.key + $seed; $c.value.fault; false) end]) as $results
| {version: 1, kind: "test", document: {version: 1,
	kernel: {release: evil("6.12.0-rc3"), commit: .commit, tree: "", config_hash: "", symbols: "",
		lacks: ["zap_pmd_range", "<b id=zqx>"]},
	machine: {accel: "tcg", qemu: "7.2.22", cpus: 2, memory_mib: 512, isolation: "snapshot",
		boots: 3, restores: 274, boot_us: 2345678, result_us: 18500},
	results: $results,
	summary: (["FAIL","ERROR","MISS","PASS","DONE","SKIP"]
		| map(. as $s | {key: $s, value: ([$results[] | select(.status == $s)] | length)})
		| from_entries)}}
