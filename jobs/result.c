/* SPDX-License-Identifier: MIT */
#include "jobs/result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/parts.h"
#include "lib/buf.h"

static const struct {
	const char *name;
	enum reason reason;
} splat_kinds[SPLAT_KIND_COUNT] = {
	[SPLAT_NONE] = { "none", REASON_NONE },
	[SPLAT_BUG] = { "bug", REASON_BUG },
	[SPLAT_WARN] = { "warn", REASON_WARN },
	[SPLAT_OOPS] = { "oops", REASON_OOPS },
	[SPLAT_GPF] = { "gpf", REASON_OOPS },
	/* The words of a verdict are fewer than the kernel's checks; docs/verdicts.md has the list. */
	[SPLAT_KASAN] = { "kasan", REASON_KASAN },
	[SPLAT_KFENCE] = { "kfence", REASON_KASAN },
	[SPLAT_KMSAN] = { "kmsan", REASON_KASAN },
	[SPLAT_KCSAN] = { "kcsan", REASON_BUG },
	[SPLAT_UBSAN] = { "ubsan", REASON_BUG },
	[SPLAT_LOCKDEP] = { "lockdep", REASON_LOCKDEP },
	[SPLAT_ATOMIC] = { "atomic", REASON_BUG },
	[SPLAT_RCU_STALL] = { "rcu_stall", REASON_RCU_STALL },
	[SPLAT_SOFT_LOCKUP] = { "soft_lockup", REASON_SOFT_LOCKUP },
	[SPLAT_HARD_LOCKUP] = { "hard_lockup", REASON_HANG },
	[SPLAT_HUNG_TASK] = { "hung_task", REASON_HANG },
	[SPLAT_PANIC] = { "panic", REASON_PANIC },
	[SPLAT_BAD_PAGE] = { "bad_page", REASON_BUG },
	[SPLAT_BAD_RSS] = { "bad_rss", REASON_LEAK },
	[SPLAT_BAD_PGTABLES] = { "bad_pgtables", REASON_LEAK },
	[SPLAT_MEMLEAK] = { "memleak", REASON_LEAK },
	[SPLAT_REFCOUNT] = { "refcount", REASON_WARN },
	[SPLAT_LIST] = { "list", REASON_BUG },
	[SPLAT_SLAB] = { "slab", REASON_BUG },
	[SPLAT_STACK] = { "stack", REASON_OOPS },
	[SPLAT_DOUBLE_FAULT] = { "double_fault", REASON_OOPS },
	[SPLAT_NETDEV] = { "netdev", REASON_LEAK },
	/* The scenarios leave most of the machine free: the OOM killer came because a failed
	 * allocation was taken for a full machine. */
	[SPLAT_OOM] = { "oom", REASON_INVARIANT },
	[SPLAT_BOOT] = { "boot", REASON_PANIC },
	[SPLAT_SILENCE] = { "silence", REASON_HANG },
	[SPLAT_OTHER] = { "other", REASON_BUG },
};

const char *splat_kind_name(enum splat_kind k)
{
	return (unsigned int)k < SPLAT_KIND_COUNT ? splat_kinds[k].name : "?";
}

bool splat_kind_parse(const char *s, enum splat_kind *ret)
{
	for (int i = 0; i < SPLAT_KIND_COUNT; i++) {
		if (strcmp(s, splat_kinds[i].name) == 0) {
			*ret = (enum splat_kind)i;
			return true;
		}
	}
	return false;
}

enum reason splat_kind_reason(enum splat_kind k)
{
	return (unsigned int)k < SPLAT_KIND_COUNT ? splat_kinds[k].reason : REASON_BUG;
}

void result_init(struct result *r)
{
	*r = (struct result){ .repeat = 1, .console_offset = -1 };
	fault_defaults(&r->fault);
}

void result_free(struct result *r)
{
	if (!r)
		return;
	free(r->scenario);
	free(r->config);
	free(r->detail);
	free(r->repro);
	stacks_free(r->stacks, r->n_stacks);
	checks_free(r->checks, r->n_checks);
	counters_free(r->counters, r->n_counters);
	metrics_free(r->metrics, r->n_metrics);
	splat_free(&r->splat);
	free(r->undecoded);
	result_init(r);
}

void result_doc_free(struct result_doc *d)
{
	if (!d)
		return;
	free(d->kernel.release);
	free(d->kernel.commit);
	free(d->kernel.tree);
	free(d->kernel.config_hash);
	free(d->kernel.symbols);
	strings_free(d->kernel.lacks, d->kernel.n_lacks);
	free(d->machine.accel);
	free(d->machine.qemu);
	free(d->machine.isolation);
	for (size_t i = 0; i < d->n_results; i++)
		result_free(&d->results[i]);
	free(d->results);
	*d = (struct result_doc){ 0 };
}

struct result *result_doc_add(struct result_doc *d)
{
	struct result *r;

	ARRAY_RESERVE(d->results, d->n_results, d->cap_results);
	r = &d->results[d->n_results++];
	result_init(r);
	return r;
}

void result_doc_summary(const struct result_doc *d, int counts[STATUS_COUNT])
{
	memset(counts, 0, STATUS_COUNT * sizeof(counts[0]));
	for (size_t i = 0; i < d->n_results; i++)
		counts[d->results[i].status]++;
}

int result_rank(const struct result *r)
{
	bool good = r->status == STATUS_PASS || r->status == STATUS_DONE;

	return good && r->fault.mode == FAULT_NONE ? STATUS_COUNT : (int)r->status;
}

const char *result_explain(const struct result *r)
{
	if (r->splat.kind != SPLAT_NONE && r->splat.title)
		return r->splat.title;
	if (r->status == STATUS_FAIL || r->status == STATUS_ERROR) {
		for (size_t i = 0; !r->detail && i < r->n_checks; i++)
			if (!r->checks[i].ok)
				return r->checks[i].detail ? r->checks[i].detail : "";
	}
	return r->detail ? r->detail : "";
}

void result_title(const struct result *r, char *out, size_t size)
{
	const struct fault *f = &r->fault;
	const char *name = r->scenario ? r->scenario : "?";
	char what[64] = "", where[160] = "", repeat[24] = "";
	struct fault defaults;
	int n = 0;

	if (strcmp(name, "build") == 0) {
		snprintf(out, size, "build%s%s", r->config ? " " : "", r->config ? r->config : "");
		return;
	}
	fault_defaults(&defaults);
	if (f->mode == FAULT_NTH)
		snprintf(what, sizeof(what), "nth=%d", f->nth);
	else if (f->mode == FAULT_BURST)
		snprintf(what, sizeof(what), "burst times=%d", f->times);
	else if (f->mode == FAULT_PROBABILITY)
		snprintf(what, sizeof(what), "probability=%d seed=%llu", f->probability,
			 (unsigned long long)f->seed);
	else if (f->mode == FAULT_SWEEP && f->nth > 0)
		snprintf(what, sizeof(what), "sweep nth=%d", f->nth);
	else
		snprintf(what, sizeof(what), "%s", fault_mode_name(f->mode));
	if (f->mode == FAULT_PROBABILITY && f->times > 1)
		n += snprintf(where, sizeof(where), " times=%d", f->times);
	if (strcmp(f->site, defaults.site) != 0)
		n += snprintf(where + n, sizeof(where) - (size_t)n, " site=%s", f->site);
	if (f->within != defaults.within)
		n += snprintf(where + n, sizeof(where) - (size_t)n, " within=%s",
			      fault_within_name(f->within));
	if (f->facility != defaults.facility)
		snprintf(where + n, sizeof(where) - (size_t)n, " facility=%s",
			 fault_facility_name(f->facility));
	if (r->repeat > 1)
		snprintf(repeat, sizeof(repeat), " repeat=%d", r->repeat);
	snprintf(out, size, "%s %s%s%s", name, what, where, repeat);
}
