/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "jobs/judge.h"
#include "lib/buf.h"

#define SPLIT SCENARIO_KIND_SPLIT
#define CONTROL SCENARIO_KIND_CONTROL
#define METRIC SCENARIO_KIND_METRIC

/* One letter a point: P pass, D done, F fail/bug, H fail/hang, I error/ineffective, Q miss/qemu,
 * S skip/predeposit. */
static const struct {
	const char *points;
	enum scenario_kind kind;
	bool ended, capped;
	enum status status;
	enum reason reason;
	int n;
	const char *says;
} rows[] = {
	{ "P", SPLIT, true, false, STATUS_PASS, REASON_NONE, 1, "swept 1 point" },
	{ "PPP", SPLIT, true, false, STATUS_PASS, REASON_NONE, 3, "swept 3 points" },
	{ "", SPLIT, true, false, STATUS_ERROR, REASON_INEFFECTIVE, 0, "swept 0 points" },
	{ "", METRIC, true, false, STATUS_ERROR, REASON_INEFFECTIVE, 0, "swept 0 points" },
	{ "", CONTROL, true, false, STATUS_PASS, REASON_NONE, 0, "swept 0 points" },
	{ "P", CONTROL, true, false, STATUS_PASS, REASON_NONE, 1, "" },
	{ "DD", METRIC, true, false, STATUS_DONE, REASON_NONE, 2, "" },
	/* the worst point */
	{ "PFP", SPLIT, true, false, STATUS_FAIL, REASON_BUG, 3, "point 2: words of F" },
	{ "PFH", SPLIT, true, false, STATUS_FAIL, REASON_BUG, 3, "point 2" },
	{ "HF", SPLIT, true, false, STATUS_FAIL, REASON_HANG, 2, "point 1" },
	{ "IPF", SPLIT, true, false, STATUS_FAIL, REASON_BUG, 3, "point 3" },
	{ "PI", SPLIT, true, false, STATUS_ERROR, REASON_INEFFECTIVE, 2, "point 2" },
	{ "PQ", SPLIT, true, false, STATUS_MISS, REASON_QEMU, 2, "point 2" },
	{ "F", CONTROL, true, false, STATUS_FAIL, REASON_BUG, 1, "" },
	/* the sweep did not end */
	{ "PP", SPLIT, false, false, STATUS_ERROR, REASON_TRUNCATED, 2, "not be finished" },
	{ "", SPLIT, false, false, STATUS_ERROR, REASON_TRUNCATED, 0, "not be finished" },
	{ "", CONTROL, false, false, STATUS_ERROR, REASON_TRUNCATED, 0, "not be finished" },
	{ "PF", SPLIT, false, false, STATUS_FAIL, REASON_BUG, 2, "point 2" },
	{ "PI", SPLIT, false, false, STATUS_ERROR, REASON_TRUNCATED, 2, "not be finished" },
	{ "PQ", SPLIT, false, false, STATUS_MISS, REASON_QEMU, 2, "point 2" },
	{ "PP", SPLIT, false, true, STATUS_ERROR, REASON_TRUNCATED, 2, "stopped" },
	{ "PP", SPLIT, true, true, STATUS_ERROR, REASON_TRUNCATED, 2, "stopped" },
	{ "PF", SPLIT, false, true, STATUS_FAIL, REASON_BUG, 2, "" },
	/* skips */
	{ "S", SPLIT, true, false, STATUS_SKIP, REASON_PREDEPOSIT, 0, "words of S" },
	{ "S", SPLIT, false, false, STATUS_SKIP, REASON_PREDEPOSIT, 0, "words of S" },
	{ "PS", SPLIT, true, false, STATUS_ERROR, REASON_HARNESS, 2, "contradict" },
};

static void point_make(char letter, int nth, struct result *r)
{
	char words[] = "words of ?";

	result_init(r);
	r->fault.mode = FAULT_SWEEP;
	r->fault.nth = nth;
	r->injected_on = 1;
	r->injected_off = 2;
	r->injected_unclassified = 3;
	r->duration_us = 10;
	r->reason = letter == 'F'   ? REASON_BUG
		    : letter == 'H' ? REASON_HANG
		    : letter == 'I' ? REASON_INEFFECTIVE
		    : letter == 'Q' ? REASON_QEMU
		    : letter == 'S' ? REASON_PREDEPOSIT
				    : REASON_NONE;
	r->status = letter == 'D' ? STATUS_DONE : reason_status(r->reason);
	words[sizeof(words) - 2] = letter;
	r->detail = xstrdup(words);
}

static void test_closings(void **state)
{
	struct plan_case pcase = { .scenario = "split.test", .repeat = 2 };

	(void)state;
	fault_defaults(&pcase.fault);
	pcase.fault.mode = FAULT_SWEEP;
	pcase.fault.nth = 9;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct scenario scenario = { .name = "split.test", .kind = rows[i].kind };
		const struct judge_input in = { .scenario = &scenario, .pcase = &pcase };
		struct result points[4], r;
		const struct result *list[4];
		int n = (int)strlen(rows[i].points);

		for (int k = 0; k < n; k++) {
			point_make(rows[i].points[k], k + 1, &points[k]);
			list[k] = &points[k];
		}
		judge_sweep(&in, list, n, rows[i].ended, rows[i].capped, &r);
		if (r.status != rows[i].status || r.reason != rows[i].reason)
			fail_msg("'%s' ended %d capped %d: %s %s", rows[i].points, rows[i].ended,
				 rows[i].capped, status_name(r.status), reason_name(r.reason));
		if (!strstr(r.detail, rows[i].says))
			fail_msg("'%s': '%s'", rows[i].points, r.detail);
		assert_true(r.closing);
		assert_int_equal(r.points, rows[i].n);
		assert_int_equal(r.fault.mode, FAULT_SWEEP);
		assert_int_equal(r.fault.nth, 0);
		assert_int_equal(r.repeat, 2);
		assert_string_equal(r.scenario, "split.test");
		assert_int_equal(r.injected_on, n);
		assert_int_equal(r.injected_off, 2 * n);
		assert_int_equal(r.injected_unclassified, 3 * n);
		assert_int_equal(r.duration_us, 10 * n);
		result_free(&r);
		for (int k = 0; k < n; k++)
			result_free(&points[k]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_closings) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
