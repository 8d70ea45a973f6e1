/* SPDX-License-Identifier: MIT */
/*
 * The shape is that of Linux 6.12 in the plan thp-split: a split scenario gives a point without a
 * fault, a swept one, the sweep's closing result and a burst; the counters are those of
 * /proc/vmstat that the guest reports.
 */
#include "tests/bench/api_doc.h"

#include <stdlib.h>

#include "lib/buf.h"

static const char *const scenarios[] = {
	"split.mprotect", "split.munmap",	 "split.mlock",
	"split.mremap",	  "split.madv_dontneed", "split.madv_pageout",
	"split.cow_fork", "split.reclaim",	 "control.nosplit",
};

static const char *const check_names[] = {
	"errno.allowed",  "invariant.mapping",
	"data.pattern",	  "invariant.writable",
	"leak.rss",	  "invariant.neighbours_writable",
	"leak.pgtables",  "invariant.thp_state",
	"errno.unmap",	  "invariant.pagemap",
	"leak.rss_after", "counter.split_failed",
	"fault.injected",
};

static const char *const counter_names[] = {
	"nr_page_table_pages",
	"pswpin",
	"pswpout",
	"pgmigrate_success",
	"pgmigrate_fail",
	"thp_migration_success",
	"thp_migration_fail",
	"thp_migration_split",
	"thp_fault_alloc",
	"thp_fault_fallback",
	"thp_fault_fallback_charge",
	"thp_collapse_alloc",
	"thp_collapse_alloc_failed",
	"thp_file_alloc",
	"thp_file_fallback",
	"thp_file_fallback_charge",
	"thp_file_mapped",
	"thp_split_page",
	"thp_split_page_failed",
	"thp_deferred_split_page",
	"thp_underused_split_page",
	"thp_split_pmd",
	"thp_split_pmd_failed",
	"thp_scan_exceed_none_pte",
	"thp_scan_exceed_swap_pte",
	"thp_scan_exceed_share_pte",
	"thp_split_pud",
	"thp_zero_page_alloc",
	"thp_zero_page_alloc_failed",
	"thp_swpout",
	"thp_swpout_fallback",
};

static const char *const frames[] = {
	"pte_alloc_one",
	"__split_huge_pmd",
	"split_huge_pmd_address",
	"split_huge_pmd_if_needed",
	"vma_adjust_trans_huge",
	"__split_vma",
	"split_vma",
	"vma_modify",
	"vma_modify_flags",
	"mprotect_fixup",
	"do_mprotect_pkey",
	"__x64_sys_mprotect",
	"x64_sys_call",
	"do_syscall_64",
	"entry_SYSCALL_64_after_hwframe",
};

static void add_checks(struct result *r)
{
	r->n_checks = ARRAY_SIZE(check_names);
	r->checks = xcalloc(r->n_checks, sizeof(*r->checks));
	for (size_t i = 0; i < r->n_checks; i++) {
		r->checks[i].name = xstrdup(check_names[i]);
		r->checks[i].ok = true;
	}
	r->checks[r->n_checks - 2].detail = xstrdup("1 failed splits counted, 1 injected");
	r->checks[r->n_checks - 1].detail =
		xstrdup("1 injected, on target 1, off target 0, without a stack 0");
}

static void add_numbers(struct result *r, int salt)
{
	static const char *const names[] = { "pgtables.before", "pgtables.after" };

	r->n_counters = ARRAY_SIZE(counter_names);
	r->counters = xcalloc(r->n_counters, sizeof(*r->counters));
	for (size_t i = 0; i < r->n_counters; i++) {
		int64_t before = i % 7 ? 0 : salt;

		r->counters[i] = (struct counter){ .name = xstrdup(counter_names[i]),
						   .before = before,
						   .after = before + (i % 5 == 0) };
	}
	r->n_metrics = ARRAY_SIZE(names);
	r->metrics = xcalloc(r->n_metrics, sizeof(*r->metrics));
	for (size_t i = 0; i < r->n_metrics; i++)
		r->metrics[i] = (struct metric){ .name = xstrdup(names[i]),
						 .value = 40,
						 .unit = xstrdup("kB") };
}

/* Two, the second without the outermost callers of the first. */
static void add_stacks(struct result *r)
{
	r->n_stacks = 2;
	r->stacks = xcalloc(r->n_stacks, sizeof(*r->stacks));
	for (size_t s = 0; s < r->n_stacks; s++) {
		struct stack *to = &r->stacks[s];

		*to = (struct stack){ .n = (int)(ARRAY_SIZE(frames) - s),
				      .count = 1,
				      .on_target = true };
		to->frames = xcalloc((size_t)to->n, sizeof(*to->frames));
		for (int i = 0; i < to->n; i++)
			to->frames[i] = xstrdup(frames[i]);
	}
	r->injected_on = (int)r->n_stacks;
}

void api_doc_make(struct result_doc *doc, int n, int salt)
{
	static const enum fault_mode modes[] = { FAULT_NONE, FAULT_SWEEP, FAULT_SWEEP,
						 FAULT_BURST };
	const int n_modes = ARRAY_SIZE(modes);

	*doc = (struct result_doc){
		.kernel = { .release = xstrdup("6.12.117"),
			    .commit = xstrdup("0123456789abcdef0123456789abcdef01234567"),
			    .symbols = xstrdup("System.map") },
		.machine = { .accel = xstrdup("tcg"),
			     .qemu = xstrdup("7.2.22"),
			     .cpus = 2,
			     .memory_mib = 512,
			     .boots = 2,
			     .boot_us = 2000000 + salt },
	};
	for (int i = 0; i < n; i++) {
		const char *scenario = scenarios[(size_t)(i / n_modes) % ARRAY_SIZE(scenarios)];
		struct result *r = result_doc_add(doc);

		result_init(r);
		r->scenario = xstrdup(scenario);
		r->config = xstrdup("default");
		r->fault.mode = modes[i % n_modes];
		r->repeat = 1 + i / (n_modes * (int)ARRAY_SIZE(scenarios));
		r->status = STATUS_PASS;
		r->duration_us = 8000 + salt;
		r->repro = xasprintf("faultline run --kernel bzImage --scenario %s --fault %s"
				     " --memory 512 --cpus 2 --accel tcg",
				     scenario, fault_mode_name(r->fault.mode));
		r->closing = i % n_modes == 2;
		if (r->closing) {
			r->points = 1;
			r->detail = xstrdup("swept 1 point");
			continue;
		}
		if (r->fault.mode == FAULT_SWEEP)
			r->fault.nth = 1;
		r->console_offset = 262 + i;
		r->console_len = 2269;
		add_checks(r);
		add_numbers(r, salt);
		if (r->fault.mode != FAULT_NONE)
			add_stacks(r);
	}
}
