/* SPDX-License-Identifier: MIT */
/*
 * test_compare: two sides made of results that a line each describes, for the tests of
 * jobs/compare*.c. Every test starts with two empty sides.
 */
#ifndef FAULTLINE_TESTS_UNIT_TEST_COMPARE_H
#define FAULTLINE_TESTS_UNIT_TEST_COMPARE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/compare.h"
#include "lib/buf.h"
#include "lib/clean.h"

static struct compare_side sides[COMPARE_SIDES];
static struct compare got;
static struct result *results[4096];
static size_t n_results;

static inline int setup(void **state)
{
	(void)state;
	n_results = 0;
	memset(sides, 0, sizeof(sides));
	memset(&got, 0, sizeof(got));
	sides[COMPARE_A].what = "old";
	sides[COMPARE_B].what = "new";
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	compare_free(&got);
	for (int s = 0; s < COMPARE_SIDES; s++)
		compare_side_free(&sides[s]);
	for (size_t i = 0; i < n_results; i++) {
		result_free(results[i]);
		free(results[i]);
	}
	return 0;
}

/* A result of split.mprotect with a fault of this text ("sweep,nth=2": a point) and a status of
 * "FAIL bug 00000000000000aa": status, reason, fingerprint. */
static inline struct result *add(int side, const char *fault, const char *status)
{
	struct compare_item item = { .arch = "x86_64", .accel = "tcg", .run = 1 + side };
	char word[16] = "", reason[32] = "", print[17] = "";
	struct result *r = xcalloc(1, sizeof(*r));
	struct error err = ERROR_INIT;
	const char *nth = strstr(fault, "sweep,nth=");

	result_init(r);
	r->scenario = xstrdup("split.mprotect");
	r->config = xstrdup("default");
	if (fault_from_text(nth ? "sweep" : fault, &r->fault, &err))
		fail_msg("%s", err.msg);
	if (nth)
		r->fault.nth = atoi(nth + strlen("sweep,nth="));
	r->closing = !nth && r->fault.mode == FAULT_SWEEP;
	assert_true(sscanf(status, "%15s %31s %16s", word, reason, print) >= 1);
	assert_true(status_parse(word, &r->status));
	assert_true(reason_parse(reason, &r->reason));
	if (*print) {
		r->splat.kind = SPLAT_BUG;
		r->splat.title = xasprintf("kernel BUG in %s", print + 12);
		memcpy(r->splat.fingerprint, print, sizeof(print));
	}
	assert_true(n_results < ARRAY_SIZE(results));
	results[n_results++] = r;
	item.result = r;
	compare_side_add(&sides[side], &item);
	return r;
}

static inline void add_metric(struct result *r, const char *name, double value)
{
	r->metrics = xrealloc(r->metrics, r->n_metrics + 1, sizeof(*r->metrics));
	r->metrics[r->n_metrics++] =
		(struct metric){ .name = xstrdup(name), .value = value, .unit = xstrdup("pages") };
}

/* n repeats, each of this status. */
static inline void repeat(int side, const char *fault, const char *status, int n)
{
	int first = 1;

	for (size_t i = 0; i < sides[side].n; i++)
		first += !strcmp(sides[side].items[i].result->scenario, "split.mprotect");
	for (int i = 0; i < n; i++)
		add(side, fault, status)->repeat = first + i;
}

static inline const struct compare_row *row_of(const char *scenario, const char *fault)
{
	for (size_t i = 0; i < got.n_rows; i++) {
		char text[FAULT_TEXT_MAX];

		fault_to_text(&got.rows[i].item->result->fault, text);
		if (!strcmp(got.rows[i].item->result->scenario, scenario) &&
		    !strcmp(text + strlen("mode="), fault))
			return &got.rows[i];
	}
	fail_msg("no row of %s %s", scenario, fault);
	return NULL;
}

#define assert_class(row, wanted)                                                                 \
	do {                                                                                      \
		if ((row)->class != (wanted))                                                     \
			fail_msg("%s, not %s (%s)", compare_class_name((row)->class),             \
				 compare_class_name(wanted), (row)->why ? (row)->why : "no why"); \
	} while (0)

static inline void compare_them(void)
{
	compare_free(&got);
	compare_sides(&sides[COMPARE_A], &sides[COMPARE_B], &got);
}

#endif
