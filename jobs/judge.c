/* SPDX-License-Identifier: MIT */
/* docs/verdicts.md numbers the rules; the numbers here are the same. */
#include "jobs/judge.h"

#include <stdlib.h>
#include <string.h>

#include "jobs/metric.h"
#include "jobs/parts.h"
#include "jobs/selftest.h"
#include "lib/buf.h"
#include "lib/limits.h"

/* What was injected, as the rules need it. */
struct injections {
	int exact; /* the guest's count */
	int seen; /* by stacks in the log */
	int on; /* of these on target as the fault defines it */
	int split; /* of these in a PMD split, whatever the fault says */
	int unclassified; /* exact, but no stack was seen */
};

static void set_verdict(struct result *r, enum reason reason, char *detail)
{
	r->status = reason_status(reason);
	r->reason = reason;
	free(r->detail);
	r->detail = detail;
}

static const char *or_none(const char *s)
{
	return s && *s ? s : "no detail";
}

/* ---- facts ------------------------------------------------------------------------------ */

static void copy_stacks(const struct judge_input *in, struct result *r, struct injections *inj)
{
	struct fault split = r->fault;
	size_t n = in->log->n_stacks;

	split.within = FAULT_WITHIN_SPLIT;
	r->n_stacks = n < LIMIT_STACKS ? n : LIMIT_STACKS;
	r->stacks = r->n_stacks ? xcalloc(r->n_stacks, sizeof(*r->stacks)) : NULL;
	for (size_t i = 0; i < n; i++) {
		const struct stack *s = &in->log->stacks[i];
		const char *const *frames = (const char *const *)s->frames;
		bool on = fault_stack_on_target(&r->fault, frames, s->n);

		inj->seen += s->count;
		inj->on += on ? s->count : 0;
		inj->split += fault_stack_on_target(&split, frames, s->n) ? s->count : 0;
		if (i >= r->n_stacks)
			continue;
		stack_copy(s, &r->stacks[i]);
		r->stacks[i].on_target = on;
	}
}

static void copy_checks(const struct point *p, struct result *r)
{
	/* Two more than the guest's for the judge's own. */
	r->checks = xcalloc(p->n_checks + 2, sizeof(*r->checks));
	for (size_t i = 0; i < p->n_checks; i++) {
		const struct check *c = &p->checks[i];

		r->checks[r->n_checks++] = (struct check){ .name = xstrdup(c->name),
							   .ok = c->ok,
							   .detail = xstrdup(c->detail) };
	}
}

static void copy_numbers(const struct point *p, struct result *r)
{
	r->err_no = p->err_no;
	r->duration_us = p->duration_us;
	r->counters = p->n_counters ? xcalloc(p->n_counters, sizeof(*r->counters)) : NULL;
	for (size_t i = 0; i < p->n_counters; i++) {
		r->counters[i] = p->counters[i];
		r->counters[i].name = xstrdup(p->counters[i].name);
	}
	r->n_counters = p->n_counters;
	r->metrics = p->n_metrics ? xcalloc(p->n_metrics, sizeof(*r->metrics)) : NULL;
	for (size_t i = 0; i < p->n_metrics; i++) {
		r->metrics[i] = p->metrics[i];
		r->metrics[i].name = xstrdup(p->metrics[i].name);
		r->metrics[i].unit = xstrdup(p->metrics[i].unit);
	}
	r->n_metrics = p->n_metrics;
}

static void copy_facts(const struct judge_input *in, struct result *r, struct injections *inj)
{
	r->scenario = xstrdup(in->pcase->scenario);
	r->fault = in->pcase->fault;
	r->repeat = in->pcase->repeat;
	if (r->fault.mode == FAULT_SWEEP)
		r->fault.nth = in->point->nth;
	copy_stacks(in, r, inj);
	copy_checks(in->point, r);
	copy_numbers(in->point, r);
	splat_copy(&in->log->splat, &r->splat);
	inj->exact = in->point->injected;
	if (inj->exact > inj->seen)
		inj->unclassified = inj->exact - inj->seen;
	r->injected_on = inj->on;
	r->injected_off = inj->seen - inj->on;
	r->injected_unclassified = inj->unclassified;
}

/* ---- rules 1 to 5: what ended the point --------------------------------------------------- */

static bool has_begun(const struct point_log *log)
{
	return log->reached_begin || log->reached_armed || log->reached_disarmed;
}

static const char *where_lost(const struct point_log *log)
{
	if (log->reached_disarmed)
		return "after the operation under test";
	return log->reached_armed ? "in the operation under test" : "before the fault was armed";
}

static void judge_splat(const struct splat *s, struct result *r)
{
	set_verdict(r, splat_kind_reason(s->kind),
		    xstrdup(s->title ? s->title : splat_kind_name(s->kind)));
}

/* The machine did not live through the point, or the host gave it up. */
static void judge_machine(const struct judge_input *in, struct result *r)
{
	const char *where = where_lost(in->log);
	bool begun = has_begun(in->log);

	switch (in->end) {
	case MACHINE_RESET:
		set_verdict(r, begun ? REASON_PANIC : REASON_BOOT_HOST,
			    begun ? xasprintf("the machine reset without a word in its log, %s",
					      where)
				  : xstrdup("the machine reset before the case began"));
		return;
	case MACHINE_SILENT:
		set_verdict(r, begun ? REASON_HANG : REASON_TIMEOUT_HOST,
			    begun ? xasprintf("the machine fell silent %s", where)
				  : xstrdup("the machine fell silent before the case began"));
		return;
	case MACHINE_FLOOD:
		set_verdict(r, REASON_LIVELOCK,
			    xasprintf("the log ran over and the case did not end, %s", where));
		return;
	case MACHINE_QEMU_DIED:
		set_verdict(r, REASON_QEMU, xstrdup("QEMU ended by itself"));
		return;
	case MACHINE_HOST_STOP:
		set_verdict(r, REASON_AGENT, xstrdup("the host stopped the machine"));
		return;
	case MACHINE_GARBAGE:
		set_verdict(r, REASON_TRUNCATED,
			    xasprintf("the guest's records broke the protocol: %s",
				      in->protocol ? in->protocol : "nobody knows how"));
		return;
	case MACHINE_ALIVE:
		break;
	}
	set_verdict(r, REASON_TRUNCATED, xstrdup("the guest went on without a record"));
}

static void judge_timeout(const struct point *p, struct result *r)
{
	const char *where = p->stuck_where ? p->stuck_where : "an unknown place";

	if (!p->stuck_killed)
		set_verdict(r, REASON_UNKILLABLE,
			    xasprintf("SIGKILL does not end the task, state %c in %s",
				      p->stuck_state ? p->stuck_state : '?', where));
	else if (p->stuck_state == 'R')
		set_verdict(r, REASON_LIVELOCK,
			    xasprintf("still running at the deadline, in %s", where));
	else
		set_verdict(r, REASON_HANG, xasprintf("asleep at the deadline, in %s", where));
}

/* Not this kernel's own: the baseline of a selftest has the same splat, or the program filled the
 * machine's memory by itself, which then shows in its exit code. */
static bool is_excused_splat(const struct judge_input *in)
{
	if (in->scenario->kind == SCENARIO_KIND_SELFTEST && in->log->splat.kind == SPLAT_OOM)
		return true;
	return in->baseline && in->baseline->splat.kind == in->log->splat.kind &&
	       strcmp(in->baseline->splat.fingerprint, in->log->splat.fingerprint) == 0;
}

/* A program that did not end may just be slow, and the machine that it keeps busy may be too: its
 * baseline tells. Where allocations were made to fail there is none. */
static bool baseline_tells(const struct judge_input *in)
{
	const struct point *p = in->point;
	bool compared = in->pcase->fault.mode == FAULT_NONE;

	if (in->scenario->kind != SCENARIO_KIND_SELFTEST)
		return false;
	if (p->outcome == POINT_TIMEOUT)
		return compared || p->stuck_killed;
	return compared && p->outcome == POINT_LOST && in->end == MACHINE_SILENT &&
	       has_begun(in->log);
}

/* True when the point's end alone decides (rules 1 to 5). */
static bool judge_end(const struct judge_input *in, struct result *r)
{
	const struct point *p = in->point;
	bool program = in->scenario->kind == SCENARIO_KIND_SELFTEST;

	if (in->log->splat.kind != SPLAT_NONE && !is_excused_splat(in)) {
		judge_splat(&in->log->splat, r);
		return true;
	}
	if (baseline_tells(in))
		return false;
	switch (p->outcome) {
	case POINT_LOST:
		judge_machine(in, r);
		return true;
	case POINT_TIMEOUT:
		judge_timeout(p, r);
		return true;
	case POINT_SIGNAL:
		if (program) { /* not the program: what runs it */
			set_verdict(r, REASON_HARNESS, xstrdup(or_none(p->detail)));
			return true;
		}
		set_verdict(r, REASON_INVARIANT,
			    xasprintf("killed by a signal: %s", or_none(p->detail)));
		return true;
	case POINT_EXIT:
		set_verdict(r, REASON_HARNESS,
			    xasprintf("the scenario ended early: %s", or_none(p->detail)));
		return true;
	case POINT_DONE:
	case POINT_SKIP:
		break;
	}
	/* The record came, and still the machine did not survive the point. */
	if (in->end == MACHINE_RESET || in->end == MACHINE_SILENT || in->end == MACHINE_GARBAGE) {
		judge_machine(in, r);
		return true;
	}
	if (p->outcome == POINT_SKIP)
		set_verdict(r, p->skip, xstrdup(or_none(p->detail)));
	return p->outcome == POINT_SKIP;
}

/* ---- rules 7 and 8: the judge's own checks ------------------------------------------------ */

static void add_check(struct result *r, const char *name, bool ok, char *detail)
{
	r->checks[r->n_checks++] =
		(struct check){ .name = xstrdup(name), .ok = ok, .detail = detail };
}

static const struct counter *split_failed_counter(const struct result *r)
{
	/* The second is the name in the first posting of the change. */
	static const char *const names[] = { "thp_split_pmd_failed",
					     "thp_split_pmd_pte_alloc_failed" };

	for (size_t k = 0; k < ARRAY_SIZE(names); k++)
		for (size_t i = 0; i < r->n_counters; i++)
			if (strcmp(r->counters[i].name, names[k]) == 0)
				return &r->counters[i];
	return NULL;
}

static void check_counter(const struct judge_input *in, const struct injections *inj,
			  struct result *r)
{
	const struct counter *c = split_failed_counter(r);
	int most = inj->exact > inj->seen ? inj->exact : inj->seen;
	const char *name = "counter.split_failed";
	long long failed;

	if (in->scenario->kind != SCENARIO_KIND_SPLIT)
		return;
	if (!c) {
		add_check(r, name, true, xstrdup("not applicable: the kernel has no such counter"));
		return;
	}
	failed = (long long)(c->after - c->before);
	if (r->fault.mode == FAULT_NONE)
		add_check(r, name, failed == 0,
			  xasprintf("%lld failed splits counted, nothing injected", failed));
	else if (r->fault.within == FAULT_WITHIN_SPLIT && inj->on > 0 && failed == 0)
		add_check(r, name, false,
			  xasprintf("the failed split was not counted: %d injected on target",
				    inj->on));
	else
		add_check(r, name, failed >= 0 && failed <= most,
			  xasprintf("%lld failed splits counted, %d injected", failed, most));
}

/* A control must not be hit: it is proven innocent by its stacks, never by their absence. */
static void check_control(const struct injections *inj, struct result *r)
{
	if (inj->split > 0)
		add_check(r, "invariant.no_split_allocation", false,
			  xasprintf("%d allocations for a split where none may be", inj->split));
	else
		add_check(r, "harness.classified", inj->unclassified == 0,
			  xasprintf("%d injected, %d without a stack", inj->exact,
				    inj->unclassified));
}

static void check_injected(const struct judge_input *in, const struct injections *inj,
			   struct result *r)
{
	bool any = r->fault.within == FAULT_WITHIN_ANY;
	bool ok = inj->exact > 0 && (any || inj->on > 0);
	const char *why = "";

	if (r->fault.mode == FAULT_NONE)
		return;
	if (in->scenario->kind == SCENARIO_KIND_CONTROL) {
		check_control(inj, r);
		return;
	}
	if (inj->exact == 0)
		why = inj->seen ? ": the guest counted none" : ": nothing was hit";
	else if (!ok && inj->unclassified > 0)
		why = ": without a stack there is no proof";
	else if (!ok)
		why = ": every stack is off target";
	add_check(r, "fault.injected", ok,
		  xasprintf("%d injected, on target %d, off target %d, without a stack %d%s",
			    inj->exact, inj->on, inj->seen - inj->on, inj->unclassified, why));
}

/* ---- rules 6 and 9: the checks ------------------------------------------------------------ */

/* The reason that a failing check stands for: the word before the first dot. */
static enum reason check_reason(const char *name)
{
	static const struct {
		const char *word;
		enum reason reason;
	} words[] = {
		{ "data.", REASON_DATA },	    { "leak.", REASON_LEAK },
		{ "invariant.", REASON_INVARIANT }, { "errno.", REASON_ERRNO },
		{ "counter.", REASON_COUNTER },	    { "fault.", REASON_INEFFECTIVE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_starts(name, words[i].word))
			return words[i].reason;
	return REASON_HARNESS;
}

/* A harness that doubts itself comes first: nothing else it says can be relied on. Then the
 * kernel's failures, worst first; a missing proof of injection last, since lost data is lost
 * data whether or not the fault was hit. */
static int reason_rank(enum reason r)
{
	static const enum reason order[] = { REASON_HARNESS,	REASON_DATA,  REASON_LEAK,
					     REASON_INVARIANT,	REASON_ERRNO, REASON_COUNTER,
					     REASON_INEFFECTIVE };

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (order[i] == r)
			return (int)i;
	return (int)ARRAY_SIZE(order);
}

static void judge_checks(const struct judge_input *in, struct result *r)
{
	const struct check *worst = NULL;

	if (in->point->n_checks == 0) {
		set_verdict(r, REASON_HARNESS, xstrdup("the scenario checked nothing"));
		return;
	}
	for (size_t i = 0; i < r->n_checks; i++) {
		const struct check *c = &r->checks[i];

		if (!c->ok && (!worst || reason_rank(check_reason(c->name)) <
						 reason_rank(check_reason(worst->name))))
			worst = c;
	}
	if (worst) {
		set_verdict(r, check_reason(worst->name),
			    xasprintf("%s: %s", worst->name, or_none(worst->detail)));
	} else if (in->log->truncated || in->end == MACHINE_FLOOD) {
		set_verdict(r, REASON_TRUNCATED,
			    xstrdup("the log was cut: what is missing may hold a splat"));
	} else if (in->scenario->kind == SCENARIO_KIND_METRIC) {
		set_verdict(r, REASON_NONE, metric_line(r->metrics, r->n_metrics));
		r->status = STATUS_DONE;
	} else {
		set_verdict(r, REASON_NONE, NULL);
	}
}

void judge_point(const struct judge_input *in, struct result *ret)
{
	struct injections inj = { 0 };

	result_init(ret);
	copy_facts(in, ret, &inj);
	if (judge_end(in, ret))
		return;
	if (in->scenario->kind == SCENARIO_KIND_SELFTEST) {
		check_injected(in, &inj, ret);
		selftest_judge(in, ret);
		return;
	}
	check_counter(in, &inj, ret);
	check_injected(in, &inj, ret);
	judge_checks(in, ret);
}
