/* SPDX-License-Identifier: MIT */
/*
 * One row for what each rule of docs/verdicts.md must say, and neighbours that differ in one fact
 * and must not. The zero of every member stands for a sweep's point that passes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "jobs/judge.h"
#include "lib/buf.h"

enum end_as { DONE, LOST, SKIP, TIMEOUT, SIGNAL, EXIT };
enum marks { ARMED, NOTHING, BEGUN, DISARMED };

struct row {
	const char *name;
	enum scenario_kind kind;
	bool none, any; /* mode none; within any */
	enum end_as outcome;
	enum machine_end end;
	enum marks marks;
	enum splat_kind splat;
	const char *inj; /* "exact/on/off" with stacks for on and off; NULL: 1/1/0, none: 0/0/0 */
	const char *failed; /* delta of thp_split_pmd_failed, "-" absent; NULL: as injected */
	bool old_name; /* the counter's first name */
	const char *bad; /* failing checks beside data.pattern, which holds */
	bool no_checks;
	enum reason skip;
	char state;
	bool survives; /* SIGKILL */
	bool cut; /* the log */
	enum reason reason;
	enum status status; /* 0: that of the reason */
	const char *says; /* the detail must hold it */
};

#define PASSES .status = STATUS_PASS
#define CONTROL .kind = SCENARIO_KIND_CONTROL
#define METRIC .kind = SCENARIO_KIND_METRIC

static const struct row rows[] = {
	{ "a point that passes", PASSES },
	{ "mode none passes", .none = true, PASSES },
	/* 1: the record did not come */
	{ "lost, splat", .outcome = LOST, .end = MACHINE_RESET, .splat = SPLAT_BUG,
	  .reason = REASON_BUG },
	{ "lost, splat, QEMU gone", .outcome = LOST, .end = MACHINE_QEMU_DIED, .splat = SPLAT_OOPS,
	  .reason = REASON_OOPS },
	{ "lost, reset", .outcome = LOST, .end = MACHINE_RESET, .reason = REASON_PANIC,
	  .says = "without a word in its log, in the operation" },
	{ "lost, reset, begun", .outcome = LOST, .end = MACHINE_RESET, .marks = BEGUN,
	  .reason = REASON_PANIC, .says = "before the fault was armed" },
	{ "lost, reset, disarmed", .outcome = LOST, .end = MACHINE_RESET, .marks = DISARMED,
	  .reason = REASON_PANIC, .says = "after the operation" },
	{ "lost, reset, not begun", .outcome = LOST, .end = MACHINE_RESET, .marks = NOTHING,
	  .reason = REASON_BOOT_HOST },
	{ "lost, silent", .outcome = LOST, .end = MACHINE_SILENT, .reason = REASON_HANG,
	  .says = "in the operation" },
	{ "lost, silent, begun", .outcome = LOST, .end = MACHINE_SILENT, .marks = BEGUN,
	  .reason = REASON_HANG },
	{ "lost, silent, not begun", .outcome = LOST, .end = MACHINE_SILENT, .marks = NOTHING,
	  .reason = REASON_TIMEOUT_HOST },
	{ "lost, flood", .outcome = LOST, .end = MACHINE_FLOOD, .reason = REASON_LIVELOCK },
	{ "lost, garbage", .outcome = LOST, .end = MACHINE_GARBAGE, .reason = REASON_TRUNCATED,
	  .says = "the protocol: not a line of it" },
	{ "lost, alive", .outcome = LOST, .end = MACHINE_ALIVE, .reason = REASON_TRUNCATED },
	{ "lost, QEMU gone", .outcome = LOST, .end = MACHINE_QEMU_DIED, .reason = REASON_QEMU },
	{ "lost, stopped", .outcome = LOST, .end = MACHINE_HOST_STOP, .reason = REASON_AGENT },
	{ "record and reset", .end = MACHINE_RESET, .reason = REASON_PANIC },
	{ "record and silence", .end = MACHINE_SILENT, .reason = REASON_HANG },
	{ "record and garbage", .end = MACHINE_GARBAGE, .reason = REASON_TRUNCATED },
	{ "record, then QEMU gone", .end = MACHINE_QEMU_DIED, PASSES },
	{ "record, then stopped", .end = MACHINE_HOST_STOP, PASSES },
	/* 2: the log holds a splat */
	{ "bug", .splat = SPLAT_BUG, .reason = REASON_BUG, .says = "a title" },
	{ "warn", .splat = SPLAT_WARN, .reason = REASON_WARN },
	{ "oops", .splat = SPLAT_OOPS, .reason = REASON_OOPS },
	{ "gpf", .splat = SPLAT_GPF, .reason = REASON_OOPS },
	{ "kasan", .splat = SPLAT_KASAN, .reason = REASON_KASAN },
	{ "lockdep", .splat = SPLAT_LOCKDEP, .reason = REASON_LOCKDEP },
	{ "rcu stall", .splat = SPLAT_RCU_STALL, .reason = REASON_RCU_STALL },
	{ "soft lockup", .splat = SPLAT_SOFT_LOCKUP, .reason = REASON_SOFT_LOCKUP },
	{ "hard lockup", .splat = SPLAT_HARD_LOCKUP, .reason = REASON_HANG },
	{ "hung task", .splat = SPLAT_HUNG_TASK, .reason = REASON_HANG },
	{ "panic", .splat = SPLAT_PANIC, .reason = REASON_PANIC },
	{ "bad page", .splat = SPLAT_BAD_PAGE, .reason = REASON_BUG },
	{ "bad rss", .splat = SPLAT_BAD_RSS, .reason = REASON_LEAK },
	{ "bad pgtables", .splat = SPLAT_BAD_PGTABLES, .reason = REASON_LEAK },
	{ "oom", .splat = SPLAT_OOM, .reason = REASON_INVARIANT },
	{ "kfence", .splat = SPLAT_KFENCE, .reason = REASON_KASAN },
	{ "kmsan", .splat = SPLAT_KMSAN, .reason = REASON_KASAN },
	{ "kcsan", .splat = SPLAT_KCSAN, .reason = REASON_BUG },
	{ "ubsan", .splat = SPLAT_UBSAN, .reason = REASON_BUG },
	{ "sleep in atomic", .splat = SPLAT_ATOMIC, .reason = REASON_BUG },
	{ "memory leak", .splat = SPLAT_MEMLEAK, .reason = REASON_LEAK },
	{ "refcount", .splat = SPLAT_REFCOUNT, .reason = REASON_WARN },
	{ "list", .splat = SPLAT_LIST, .reason = REASON_BUG },
	{ "slab", .splat = SPLAT_SLAB, .reason = REASON_BUG },
	{ "stack", .splat = SPLAT_STACK, .reason = REASON_OOPS },
	{ "double fault", .splat = SPLAT_DOUBLE_FAULT, .reason = REASON_OOPS },
	{ "device not released", .splat = SPLAT_NETDEV, .reason = REASON_LEAK },
	{ "does not boot", .splat = SPLAT_BOOT, .reason = REASON_PANIC },
	{ "silence", .splat = SPLAT_SILENCE, .reason = REASON_HANG },
	{ "other splat", .splat = SPLAT_OTHER, .reason = REASON_BUG },
	{ "splat in a control", CONTROL, .inj = "0/0/0", .splat = SPLAT_WARN,
	  .reason = REASON_WARN },
	{ "splat in a metric", METRIC, .splat = SPLAT_WARN, .reason = REASON_WARN },
	{ "splat without a fault", .none = true, .splat = SPLAT_WARN, .reason = REASON_WARN },
	{ "splat and skip", .outcome = SKIP, .skip = REASON_ARCH, .splat = SPLAT_WARN,
	  .reason = REASON_WARN },
	{ "splat and timeout", .outcome = TIMEOUT, .state = 'D', .splat = SPLAT_BUG,
	  .reason = REASON_BUG },
	{ "splat and a bad harness", .bad = "harness.fixture", .splat = SPLAT_BUG,
	  .reason = REASON_BUG },
	/* 3: timeouts */
	{ "unkillable", .outcome = TIMEOUT, .state = 'D', .survives = true,
	  .reason = REASON_UNKILLABLE, .says = "folio_wait_bit" },
	{ "unkillable, running", .outcome = TIMEOUT, .state = 'R', .survives = true,
	  .reason = REASON_UNKILLABLE },
	{ "livelock", .outcome = TIMEOUT, .state = 'R', .reason = REASON_LIVELOCK,
	  .says = "folio_wait_bit" },
	{ "hang", .outcome = TIMEOUT, .state = 'D', .reason = REASON_HANG,
	  .says = "folio_wait_bit" },
	{ "hang, interruptible", .outcome = TIMEOUT, .state = 'S', .reason = REASON_HANG },
	/* 4: the scenario process ended in another way */
	{ "signal", .outcome = SIGNAL, .reason = REASON_INVARIANT, .says = "guest's words" },
	{ "exit", .outcome = EXIT, .reason = REASON_HARNESS, .says = "guest's words" },
	/* 5: skip */
	{ "predeposit", .outcome = SKIP, .skip = REASON_PREDEPOSIT, .inj = "0/0/0",
	  .reason = REASON_PREDEPOSIT, .says = "guest's words" },
	{ "kconfig", .outcome = SKIP, .skip = REASON_KCONFIG, .inj = "0/0/0",
	  .reason = REASON_KCONFIG },
	{ "arch", .outcome = SKIP, .skip = REASON_ARCH, .inj = "0/0/0", .reason = REASON_ARCH },
	/* 6: failing checks */
	{ "data", .bad = "data.tail", .reason = REASON_DATA, .says = "data.tail" },
	{ "leak", .bad = "leak.rss", .reason = REASON_LEAK },
	{ "invariant", .bad = "invariant.vma", .reason = REASON_INVARIANT },
	{ "errno", .bad = "errno.allowed", .reason = REASON_ERRNO },
	{ "counter", .bad = "counter.split", .reason = REASON_COUNTER },
	{ "harness", .bad = "harness.fixture", .reason = REASON_HARNESS },
	{ "harness beats data", .bad = "data.tail harness.fixture", .reason = REASON_HARNESS },
	{ "data beats leak", .bad = "leak.rss data.tail", .reason = REASON_DATA },
	{ "leak beats invariant", .bad = "invariant.vma leak.rss", .reason = REASON_LEAK },
	{ "invariant beats errno", .bad = "errno.allowed invariant.vma",
	  .reason = REASON_INVARIANT },
	{ "errno beats counter", .bad = "counter.split errno.allowed", .reason = REASON_ERRNO },
	{ "unknown word", .bad = "colour.red", .reason = REASON_HARNESS },
	{ "a word that only begins alike", .bad = "database.x", .reason = REASON_HARNESS },
	{ "no dot", .bad = "data", .reason = REASON_HARNESS },
	{ "lost data needs no injection", .inj = "0/0/0", .bad = "data.tail",
	  .reason = REASON_DATA },
	/* 7: the counter of failed splits */
	{ "failure not counted", .failed = "0", .reason = REASON_COUNTER, .says = "not counted" },
	{ "not counted, first name", .failed = "0", .old_name = true, .reason = REASON_COUNTER },
	{ "counted, first name", .old_name = true, PASSES },
	{ "one of three counted", .inj = "3/3/0", .failed = "1", PASSES },
	{ "counted twice", .failed = "2", .reason = REASON_COUNTER, .says = "2 failed splits" },
	{ "counted off target", .inj = "2/1/1", .failed = "2", PASSES },
	{ "counted without a stack", .inj = "2/1/0", .failed = "2", PASSES },
	{ "no such counter", .failed = "-", PASSES },
	{ "none, but counted", .none = true, .failed = "1", .reason = REASON_COUNTER,
	  .says = "nothing injected" },
	{ "none, no such counter", .none = true, .failed = "-", PASSES },
	{ "within any may fail elsewhere", .any = true, .failed = "0", PASSES },
	{ "within any, counted twice", .any = true, .failed = "2", .reason = REASON_COUNTER },
	{ "counter of a control", CONTROL, .inj = "0/0/0", .failed = "1", PASSES },
	/* 8: proof of injection */
	{ "nothing hit", .inj = "0/0/0", .reason = REASON_INEFFECTIVE, .says = "nothing was hit" },
	{ "off target only", .inj = "1/0/1", .failed = "0", .reason = REASON_INEFFECTIVE,
	  .says = "off target" },
	{ "without a stack", .inj = "1/0/0", .failed = "1", .reason = REASON_INEFFECTIVE,
	  .says = "without a stack" },
	{ "seen, but not counted by the guest", .inj = "0/1/0", .failed = "1",
	  .reason = REASON_INEFFECTIVE, .says = "the guest counted none" },
	{ "one on target is enough", .inj = "3/1/2", .failed = "1", PASSES },
	{ "within any: off target", .any = true, .inj = "1/0/1", .failed = "0", PASSES },
	{ "within any: without a stack", .any = true, .inj = "1/0/0", .failed = "0", PASSES },
	{ "within any: nothing hit", .any = true, .inj = "0/0/0", .failed = "0",
	  .reason = REASON_INEFFECTIVE },
	{ "control not hit", CONTROL, .inj = "0/0/0", PASSES },
	{ "control hit elsewhere", CONTROL, .inj = "1/0/1", .failed = "0", PASSES },
	{ "control hit", CONTROL, .inj = "1/1/0", .reason = REASON_INVARIANT },
	{ "control hit, within any", CONTROL, .any = true, .reason = REASON_INVARIANT },
	{ "control, any, hit elsewhere", CONTROL, .any = true, .inj = "1/0/1", PASSES },
	{ "control, hit who knows where", CONTROL, .inj = "1/0/0", .reason = REASON_HARNESS },
	{ "control without a fault", CONTROL, .none = true, PASSES },
	{ "metric", METRIC, .none = true, .status = STATUS_DONE },
	{ "metric with a fault", METRIC, .status = STATUS_DONE },
	{ "metric, nothing hit", METRIC, .inj = "0/0/0", .reason = REASON_INEFFECTIVE },
	{ "metric, bad check", METRIC, .none = true, .bad = "data.tail", .reason = REASON_DATA },
	/* 9: nothing checked */
	{ "no checks", .no_checks = true, .reason = REASON_HARNESS, .says = "checked nothing" },
	{ "no checks, none", .no_checks = true, .none = true, .reason = REASON_HARNESS },
	{ "no checks, metric", METRIC, .no_checks = true, .reason = REASON_HARNESS },
	/* 10: the log was cut */
	{ "cut log", .cut = true, .reason = REASON_TRUNCATED },
	{ "record and flood", .end = MACHINE_FLOOD, .reason = REASON_TRUNCATED },
	{ "cut log, bad data", .cut = true, .bad = "data.tail", .reason = REASON_DATA },
};

/* ---- from a row to the judge's input ------------------------------------------------------ */

static char *on_frames[] = { "should_fail_ex", "pte_alloc_one", "__split_huge_pmd" };
static char *off_frames[] = { "should_fail_ex", "pte_alloc_one", "__do_huge_pmd_anonymous_page" };

struct facts {
	struct scenario scenario;
	struct plan_case pcase;
	struct point point;
	struct point_log log;
	struct stack stacks[2];
	struct check checks[8];
	struct counter counter;
	char bad[100];
};

static void facts_injected(const struct row *row, struct facts *f)
{
	int exact, on, off;

	assert_int_equal(sscanf(row->inj    ? row->inj
				: row->none ? "0/0/0"
					    : "1/1/0",
				"%d/%d/%d", &exact, &on, &off),
			 3);
	f->point.injected = exact;
	f->stacks[0] = (struct stack){ .frames = on_frames, .n = 3, .count = on };
	f->stacks[1] =
		(struct stack){ .frames = off_frames, .n = 3, .count = off, .on_target = true };
	f->log.stacks = f->stacks;
	f->log.n_stacks = 2;
	if (!row->failed || *row->failed != '-') {
		f->counter = (struct counter){ row->old_name ? "thp_split_pmd_pte_alloc_failed"
							     : "thp_split_pmd_failed",
					       7, 7 };
		f->counter.after += row->failed ? *row->failed - '0' : exact;
		f->point.counters = &f->counter;
		f->point.n_counters = 1;
	}
}

static void facts_checks(const struct row *row, struct facts *f)
{
	char *rest = f->bad, *word;

	f->point.checks = f->checks;
	if (row->no_checks)
		return;
	f->checks[f->point.n_checks++] = (struct check){ "data.pattern", true, "" };
	snprintf(f->bad, sizeof(f->bad), "%s", row->bad ? row->bad : "");
	while (*f->bad && (word = strsep(&rest, " ")))
		f->checks[f->point.n_checks++] = (struct check){ word, false, "it is not" };
}

static void facts_make(const struct row *row, struct facts *f)
{
	static const enum point_outcome outcomes[] = { POINT_DONE,    POINT_LOST,   POINT_SKIP,
						       POINT_TIMEOUT, POINT_SIGNAL, POINT_EXIT };

	memset(f, 0, sizeof(*f));
	f->scenario = (struct scenario){ .name = "split.test", .kind = row->kind };
	f->pcase = (struct plan_case){ .scenario = "split.test", .repeat = 2 };
	fault_defaults(&f->pcase.fault);
	f->pcase.fault.mode = row->none ? FAULT_NONE : FAULT_SWEEP;
	f->pcase.fault.within = row->any ? FAULT_WITHIN_ANY : FAULT_WITHIN_SPLIT;
	f->point.nth = row->none ? 0 : 3;
	f->point.outcome = outcomes[row->outcome];
	f->point.skip = row->skip;
	f->point.detail = "the guest's words";
	f->point.stuck_state = row->state;
	f->point.stuck_killed = !row->survives;
	f->point.stuck_where = "folio_wait_bit";
	f->log.splat.kind = row->splat;
	f->log.splat.title = row->splat ? "a title" : NULL;
	f->log.reached_begin = row->marks != NOTHING;
	f->log.reached_armed = row->marks == ARMED || row->marks == DISARMED;
	f->log.reached_disarmed = row->marks == DISARMED;
	f->log.truncated = row->cut;
	facts_injected(row, f);
	if (row->outcome == DONE)
		facts_checks(row, f);
}

static void judge_row(const struct row *row, struct result *ret)
{
	struct facts f;

	facts_make(row, &f);
	judge_point(&(struct judge_input){ .scenario = &f.scenario,
					   .pcase = &f.pcase,
					   .point = &f.point,
					   .log = &f.log,
					   .end = row->end,
					   .protocol = "not a line of it" },
		    ret);
}

static void test_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		enum status want = row->status ? row->status : reason_status(row->reason);
		struct result r;

		judge_row(row, &r);
		if (r.status != want || r.reason != row->reason)
			fail_msg("%s: %s '%s' (%s), not %s '%s'", row->name, status_name(r.status),
				 reason_name(r.reason), r.detail ? r.detail : "", status_name(want),
				 reason_name(row->reason));
		if (row->says && (!r.detail || !strstr(r.detail, row->says)))
			fail_msg("%s: '%s' does not say '%s'", row->name, r.detail, row->says);
		if (r.status != STATUS_PASS && r.status != STATUS_DONE)
			assert_non_null(r.detail);
		result_free(&r);
	}
}

/* Whoever adds a reason that the judge can give adds a row for it. */
static void test_every_reason_has_a_row(void **state)
{
	static const enum reason not_the_judges[] = { REASON_BUILD, REASON_LEASE, REASON_DISK };

	(void)state;
	for (int reason = 0; reason < REASON_COUNT; reason++) {
		bool covered = false;

		for (size_t i = 0; i < ARRAY_SIZE(not_the_judges); i++)
			covered |= (int)not_the_judges[i] == reason;
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
			covered |= (int)rows[i].reason == reason;
		if (!covered)
			fail_msg("no row for '%s'", reason_name((enum reason)reason));
	}
	for (int kind = 1; kind < SPLAT_KIND_COUNT; kind++) {
		bool covered = false;

		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
			covered |= (int)rows[i].splat == kind;
		if (!covered)
			fail_msg("no row for splat '%s'", splat_kind_name((enum splat_kind)kind));
	}
}

static const struct check *find_check(const struct result *r, const char *name)
{
	for (size_t i = 0; i < r->n_checks; i++)
		if (strcmp(r->checks[i].name, name) == 0)
			return &r->checks[i];
	return NULL;
}

static void test_facts_are_kept(void **state)
{
	const struct row row = { .inj = "5/1/2", .failed = "1" };
	struct result r;

	(void)state;
	judge_row(&row, &r);
	assert_string_equal(r.scenario, "split.test");
	assert_int_equal(r.fault.mode, FAULT_SWEEP);
	assert_int_equal(r.fault.nth, 3); /* the point's, not the case's */
	assert_int_equal(r.repeat, 2);
	assert_int_equal(r.injected_on, 1);
	assert_int_equal(r.injected_off, 2);
	assert_int_equal(r.injected_unclassified, 2);
	assert_int_equal(r.n_stacks, 2);
	assert_true(r.stacks[0].on_target);
	assert_false(r.stacks[1].on_target); /* decided here, whatever the log's reader set */
	assert_string_equal(r.stacks[0].frames[1], "pte_alloc_one");
	assert_int_equal(r.n_checks, 3);
	assert_true(find_check(&r, "counter.split_failed")->ok);
	assert_true(find_check(&r, "fault.injected")->ok);
	assert_int_equal(r.n_counters, 1);
	assert_null(r.detail);
	result_free(&r);
}

/* The judge's own checks are there when they apply, and only then. */
static void test_own_checks(void **state)
{
	static const struct {
		struct row row;
		bool counter, injected, control;
	} want[] = {
		{ { .none = true }, true, false, false },
		{ { .failed = "-" }, true, true, false },
		{ { CONTROL, .inj = "0/0/0" }, false, false, true },
		{ { CONTROL, .none = true }, false, false, false },
		{ { METRIC, .failed = "-" }, false, true, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		struct result r;

		judge_row(&want[i].row, &r);
		assert_int_equal(!!find_check(&r, "counter.split_failed"), want[i].counter);
		assert_int_equal(!!find_check(&r, "fault.injected"), want[i].injected);
		assert_int_equal(!!find_check(&r, "harness.classified"), want[i].control);
		result_free(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_every_reason_has_a_row),
		cmocka_unit_test(test_facts_are_kept),
		cmocka_unit_test(test_own_checks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
