/* SPDX-License-Identifier: MIT */
/*
 * What a program's exit code and output come to: alone, and against a baseline. Each row is judged
 * through judge_point(), as it is in a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "jobs/judge.h"
#include "jobs/selftest.h"
#include "lib/buf.h"
#include "lib/clean.h"

#define GOOD "TAP version 13\n1..2\nok 1 a\nok 2 b\n"
#define BAD_A "TAP version 13\n1..2\nnot ok 1 a\nok 2 b\n"
#define BAD_B "TAP version 13\n1..2\nok 1 a\nnot ok 2 b\n"
#define BAD_BOTH "TAP version 13\n1..2\nnot ok 1 a\nnot ok 2 b\n"
#define TWINS "TAP version 13\n1..2\nok 1 a\nnot ok 2 a\n"
#define TWINS_BAD "TAP version 13\n1..2\nnot ok 1 a\nnot ok 2 a\n"

struct run {
	int exit, signal;
	const char *output;
	bool timeout, unkillable, silent, not_run, dropped;
	enum splat_kind splat;
	const char *fingerprint;
};

struct row {
	const char *name;
	struct run run, base;
	bool with_base;
	enum status status;
	enum reason reason;
	const char *says;
};

#define BASE(...) .with_base = true, .base = { __VA_ARGS__ }
#define RUN(...) .run = { __VA_ARGS__ }

static const struct row rows[] = {
	{ "passes", RUN(.output = GOOD), .status = STATUS_PASS },
	{ "passes without KTAP", RUN(.output = "all fine\n"), .status = STATUS_PASS },
	{ "says nothing", RUN(.exit = 0), .status = STATUS_PASS },
	{ "expected failure", RUN(.exit = 2), .status = STATUS_PASS },
	{ "unexpected pass", RUN(.exit = 3), .status = STATUS_DONE, .says = "unexpected pass" },
	{ "skips", RUN(.exit = 4, .output = "TAP version 13\n1..0 # SKIP no swap\n"),
	  .status = STATUS_SKIP, .reason = REASON_KCONFIG, .says = "no swap" },
	{ "skips with 0", RUN(.exit = 0, .output = "TAP version 13\n1..0 # SKIP no swap\n"),
	  .status = STATUS_SKIP, .reason = REASON_KCONFIG, .says = "no swap" },
	{ "skips, but a subtest failed", RUN(.exit = 4, .output = BAD_A), .status = STATUS_DONE },
	{ "was not run", RUN(.not_run = true), .status = STATUS_ERROR, .reason = REASON_HARNESS },
	/* failures without a baseline are measurements, never the kernel's */
	{ "fails", RUN(.exit = 1, .output = BAD_A), .status = STATUS_DONE, .says = "no baseline" },
	{ "odd exit code", RUN(.exit = 127), .status = STATUS_DONE, .says = "exit code 127" },
	{ "exit 0 and a failing subtest", RUN(.output = BAD_A), .status = STATUS_DONE,
	  .says = "compare with: a" },
	{ "a plan that is not kept", RUN(.output = "TAP version 13\n1..3\nok 1 a\n"),
	  .status = STATUS_DONE, .says = "disagree" },
	{ "the same, cut off", RUN(.output = "TAP version 13\n1..3\nok 1 a\n", .dropped = true),
	  .status = STATUS_PASS },
	{ "killed", RUN(.signal = 11), .status = STATUS_DONE, .says = "signal 11" },
	{ "slow", RUN(.timeout = true), .status = STATUS_DONE, .says = "in time" },
	{ "unkillable", RUN(.timeout = true, .unkillable = true), .status = STATUS_DONE,
	  .says = "SIGKILL does not end it" },
	{ "silent", RUN(.silent = true), .status = STATUS_DONE, .says = "fell silent" },
	/* against a baseline */
	{ "fails, passed before", RUN(.exit = 1, .output = BAD_A), BASE(.output = GOOD),
	  .status = STATUS_FAIL, .reason = REASON_INVARIANT, .says = "passes in the baseline: a" },
	{ "fails as before", RUN(.exit = 1, .output = BAD_A), BASE(.exit = 1, .output = BAD_A),
	  .status = STATUS_DONE, .says = "in the baseline too: a" },
	{ "fails elsewhere", RUN(.exit = 1, .output = BAD_B), BASE(.exit = 1, .output = BAD_A),
	  .status = STATUS_FAIL, .reason = REASON_INVARIANT, .says = "passes in the baseline: b" },
	{ "fails more", RUN(.exit = 1, .output = BAD_BOTH), BASE(.exit = 1, .output = BAD_A),
	  .status = STATUS_FAIL, .reason = REASON_INVARIANT, .says = "baseline: b" },
	{ "fails less", RUN(.exit = 1, .output = BAD_A), BASE(.exit = 1, .output = BAD_BOTH),
	  .status = STATUS_DONE },
	{ "a twin as before", RUN(.exit = 1, .output = TWINS), BASE(.exit = 1, .output = TWINS),
	  .status = STATUS_DONE },
	{ "both twins", RUN(.exit = 1, .output = TWINS_BAD), BASE(.exit = 1, .output = TWINS),
	  .status = STATUS_FAIL, .reason = REASON_INVARIANT },
	{ "a subtest that is new in a failing program", RUN(.exit = 1, .output = BAD_A),
	  BASE(.exit = 1, .output = "TAP version 13\n1..1\nnot ok 1 c\n"), .status = STATUS_DONE },
	{ "killed, passed before", RUN(.signal = 11), BASE(.output = GOOD), .status = STATUS_FAIL,
	  .reason = REASON_INVARIANT, .says = "signal 11" },
	{ "killed, gave up before", RUN(.signal = 11), BASE(.exit = 1), .status = STATUS_FAIL,
	  .reason = REASON_INVARIANT },
	{ "another exit code than before", RUN(.exit = 1), BASE(.exit = 5), .status = STATUS_DONE },
	{ "slow, in time before", RUN(.timeout = true), BASE(.output = GOOD), .status = STATUS_FAIL,
	  .reason = REASON_HANG },
	{ "unkillable, in time before", RUN(.timeout = true, .unkillable = true),
	  BASE(.output = GOOD), .status = STATUS_FAIL, .reason = REASON_UNKILLABLE },
	{ "silent, in time before", RUN(.silent = true), BASE(.output = GOOD),
	  .status = STATUS_FAIL, .reason = REASON_HANG, .says = "fell silent" },
	{ "silent before too", RUN(.silent = true), BASE(.silent = true), .status = STATUS_DONE },
	{ "silent, with a splat", RUN(.silent = true, .splat = SPLAT_OOPS, .fingerprint = "1"),
	  .status = STATUS_FAIL, .reason = REASON_OOPS },
	{ "slow before too", RUN(.timeout = true), BASE(.timeout = true), .status = STATUS_DONE },
	{ "the baseline skips", RUN(.exit = 1), BASE(.exit = 4), .status = STATUS_DONE,
	  .says = "no baseline" },
	{ "passes, failed before", RUN(.output = GOOD), BASE(.exit = 1, .output = BAD_A),
	  .status = STATUS_PASS },
	/* the kernel's own word */
	{ "splat", RUN(.splat = SPLAT_WARN, .fingerprint = "1"), .status = STATUS_FAIL,
	  .reason = REASON_WARN },
	{ "out of memory", RUN(.signal = 9, .splat = SPLAT_OOM), .status = STATUS_DONE,
	  .says = "signal 9" },
	{ "out of memory, and passes", RUN(.splat = SPLAT_OOM), .status = STATUS_DONE },
	{ "out of memory where it was not", RUN(.signal = 9, .splat = SPLAT_OOM), BASE(.exit = 0),
	  .status = STATUS_FAIL, .reason = REASON_INVARIANT },
	{ "splat, not before", RUN(.splat = SPLAT_WARN, .fingerprint = "1"), BASE(.output = GOOD),
	  .status = STATUS_FAIL, .reason = REASON_WARN },
	{ "splat as before", RUN(.splat = SPLAT_WARN, .fingerprint = "1"),
	  BASE(.splat = SPLAT_WARN, .fingerprint = "1"), .status = STATUS_DONE,
	  .says = "the baseline has the same splat" },
	{ "another splat than before", RUN(.splat = SPLAT_WARN, .fingerprint = "1"),
	  BASE(.splat = SPLAT_WARN, .fingerprint = "2"), .status = STATUS_FAIL,
	  .reason = REASON_WARN },
	{ "splat as before, and fails", RUN(.exit = 1, .splat = SPLAT_WARN, .fingerprint = "1"),
	  BASE(.splat = SPLAT_WARN, .fingerprint = "1"), .status = STATUS_DONE },
};

static void judge(const struct run *run, enum fault_mode mode, int injected,
		  const struct result *baseline, struct result *ret)
{
	static struct plan_case pcase = { .scenario = (char *)"selftests.cow", .repeat = 1 };
	struct point p = { .outcome = run->silent    ? POINT_LOST
				      : run->timeout ? POINT_TIMEOUT
						     : POINT_DONE,
			   .hits = -1,
			   .injected = injected,
			   .detail = (char *)"not done after 1 ms",
			   .stuck_state = 'S',
			   .stuck_killed = !run->unkillable,
			   .output = (char *)run->output };
	struct point_log log = { .splat = { .kind = run->splat, .title = (char *)"WARNING in f" },
				 .reached_begin = true };
	const struct judge_input in = { .scenario = scenario_find("selftests.cow"),
					.pcase = &pcase,
					.point = &p,
					.log = &log,
					.end = run->silent ? MACHINE_SILENT : MACHINE_ALIVE,
					.baseline = baseline };

	fault_defaults(&pcase.fault);
	pcase.fault.mode = mode;
	pcase.fault.within = FAULT_WITHIN_ANY;
	p.program.ended = !run->timeout && !run->not_run;
	p.program.exit = run->exit;
	p.program.signal = run->signal;
	p.program.dropped = run->dropped;
	snprintf(log.splat.fingerprint, sizeof(log.splat.fingerprint), "%s",
		 run->fingerprint ? run->fingerprint : "");
	judge_point(&in, ret);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct result base, r;

		judge(&row->base, FAULT_NONE, 0, NULL, &base);
		judge(&row->run, FAULT_NONE, 0, row->with_base ? &base : NULL, &r);
		if (r.status != row->status || r.reason != row->reason)
			fail_msg("%s: %s %s (%s)", row->name, status_name(r.status),
				 reason_name(r.reason), r.detail ? r.detail : "");
		if (row->says && (!r.detail || !strstr(r.detail, row->says)))
			fail_msg("%s says '%s'", row->name, r.detail ? r.detail : "");
		result_free(&base);
		result_free(&r);
	}
}

/* With a fault a program may fail, but the fault must have been hit, and a splat stays one. */
static void test_fault(void **state)
{
	const struct run fails = { .exit = 1, .output = BAD_A };
	const struct run splat = { .splat = SPLAT_BUG };
	const struct run unkillable = { .timeout = true, .unkillable = true };
	const struct run silent = { .silent = true };
	struct result r;

	(void)state;
	judge(&fails, FAULT_BURST, 2, NULL, &r);
	assert_int_equal(r.status, STATUS_DONE);
	result_free(&r);
	judge(&fails, FAULT_BURST, 0, NULL, &r);
	assert_int_equal(r.status, STATUS_ERROR);
	assert_int_equal(r.reason, REASON_INEFFECTIVE);
	result_free(&r);
	judge(&splat, FAULT_BURST, 2, NULL, &r);
	assert_int_equal(r.reason, REASON_BUG);
	result_free(&r);
	judge(&unkillable, FAULT_BURST, 2, NULL, &r);
	assert_int_equal(r.reason, REASON_UNKILLABLE);
	result_free(&r);
	judge(&silent, FAULT_BURST, 2, NULL, &r);
	assert_int_equal(r.reason, REASON_HANG);
	result_free(&r);
}

static void test_names(void **state)
{
	size_t n;
	const struct selftest *table = selftest_table(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		CLEANUP(free_p) char *name = xasprintf("selftests.%s", table[i].name);

		assert_string_equal(selftest_program(name), table[i].program);
		assert_null(selftest_left_out(table[i].program));
		assert_int_equal(scenario_find(name)->kind, SCENARIO_KIND_SELFTEST);
	}
	assert_string_equal(selftest_program("selftests.brand-new"), "brand-new");
	assert_int_equal(scenario_find("selftests.brand-new")->kind, SCENARIO_KIND_SELFTEST);
	assert_null(selftest_program("split.mprotect"));
	assert_null(scenario_find("selftests."));
	assert_null(scenario_find("selftests.a/b"));
	assert_non_null(selftest_left_out("hugetlb-soft-offline"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_fault),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
