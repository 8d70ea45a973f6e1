/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "jobs/confirm.h"
#include "lib/buf.h"
#include "lib/clean.h"

static const struct {
	struct confirm_side bad, good;
	enum confirm_verdict verdict;
	bool more_bad, more_good;
	const char *why;
} rows[] = {
	/* nothing is known: both sides at once */
	{ { 0 }, { 0 }, CONFIRM_OPEN, true, true, "" },
	/* it always fails there, and never here */
	{ { .fails = 8, .runs = 8 },
	  { .runs = 8 },
	  CONFIRM_YES,
	  false,
	  false,
	  "fails where it is new" },
	/* the good side waits until there is something to compare with */
	{ { .fails = 1, .runs = 8 }, { .runs = 8 }, CONFIRM_OPEN, true, false, "" },
	{ { .fails = 8, .runs = 8 }, { 0 }, CONFIRM_OPEN, false, true, "" },
	/* never again */
	{ { .runs = 20 }, { .runs = 20 }, CONFIRM_FLAKY, false, false, "did not happen again" },
	/* now and then */
	{ { .fails = 10, .runs = 100 }, { .runs = 8 }, CONFIRM_FLAKY, false, false, "too rarely" },
	/* on both sides */
	{ { .fails = 8, .runs = 8 },
	  { .fails = 8, .runs = 8 },
	  CONFIRM_FLAKY,
	  false,
	  false,
	  "good as well" },
	{ { .fails = 40, .runs = 100 },
	  { .fails = 8, .runs = 100 },
	  CONFIRM_FLAKY,
	  false,
	  false,
	  "now and then" },
	/* it fails at four of ten here, and a good side that is clean takes longer to tell */
	{ { .fails = 4, .runs = 10 }, { .runs = 8 }, CONFIRM_OPEN, false, true, "" },
	{ { .fails = 4, .runs = 10 }, { .runs = 40 }, CONFIRM_YES, false, false, "" },
	/* decided on both sides, but on too few runs to differ: the good side is the cheaper proof */
	{ { .fails = 2, .runs = 3 }, { .runs = 20 }, CONFIRM_OPEN, false, true, "" },
	{ { .fails = 2, .runs = 3 }, { .runs = 28 }, CONFIRM_YES, false, false, "" },
	{ { .fails = 2, .runs = 2 }, { .runs = 9 }, CONFIRM_OPEN, false, true, "" },
	/* other failures and lost runs are none */
	{ { .others = 50 }, { .runs = 8 }, CONFIRM_OPEN, true, false, "" },
	{ { .lost = 2 }, { .lost = 2 }, CONFIRM_OPEN, true, true, "" },
	{ { .lost = 3 }, { 0 }, CONFIRM_INFRASTRUCTURE, false, false, "could not be run" },
	{ { .fails = 8, .runs = 8 },
	  { .lost = 3 },
	  CONFIRM_INFRASTRUCTURE,
	  false,
	  false,
	  "could not be run" },
};

static void test_rows(void **state)
{
	const struct confirm_opts o = CONFIRM_DEFAULTS;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct confirm_step s;

		confirm_next(&o, &rows[i].bad, &rows[i].good, &s);
		if (s.verdict != rows[i].verdict || (s.bad_runs > 0) != rows[i].more_bad ||
		    (s.good_runs > 0) != rows[i].more_good || !strstr(s.why, rows[i].why))
			fail_msg("row %zu: %d '%s', %d bad, %d good, p %g", i, s.verdict, s.why,
				 s.bad_runs, s.good_runs, s.p);
		if (s.verdict == CONFIRM_OPEN)
			assert_true(s.bad_runs + s.good_runs >= o.batch);
	}
}

static uint64_t seed;

/* xorshift64*: the same runs in every version. */
static bool happens(double rate)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (double)((seed * UINT64_C(0x2545f4914f6cdd1d)) >> 11) / 9007199254740992.0 < rate;
}

static void run(struct confirm_side *side, int runs, double rate)
{
	for (int i = 0; i < runs; i++)
		side->fails += happens(rate);
	side->runs += runs;
}

/* A whole confirmation of sides that fail at these rates. */
static enum confirm_verdict confirm(double bad_rate, double good_rate, int *runs)
{
	const struct confirm_opts o = CONFIRM_DEFAULTS;
	struct confirm_side bad = { 0 }, good = { 0 };
	struct confirm_step s;

	for (;;) {
		confirm_next(&o, &bad, &good, &s);
		if (s.verdict != CONFIRM_OPEN)
			break;
		assert_true(s.bad_runs || s.good_runs);
		run(&bad, s.bad_runs, bad_rate);
		run(&good, s.good_runs, good_rate);
		assert_true(bad.runs <= o.max_runs && good.runs <= o.max_runs);
	}
	*runs += bad.runs + good.runs;
	return s.verdict;
}

#define TIMES 2000

/* What comes of failures at these rates: how many of a hundred are confirmed. */
static const struct {
	double bad, good;
	double least, most; /* percent confirmed */
	int runs; /* on average, at most */
} lives[] = {
	{ 1, 0, 100, 100, 16 },	   { 0.9, 0, 99.9, 100, 24 }, { 0.4, 0, 97, 100, 80 },
	{ 0.25, 0, 80, 100, 120 }, { 0, 0, 0, 0, 60 },	      { 0.01, 0, 0, 1, 80 },
	{ 0.02, 0.02, 0, 1, 90 },  { 0.4, 0.4, 0, 1, 100 },   { 1, 1, 0, 0, 32 },
	{ 0.9, 0.1, 0, 100, 100 }, { 0.25, 0.25, 0, 1, 120 },
};

static void test_lives(void **state)
{
	(void)state;
	seed = 20261121;
	for (size_t i = 0; i < ARRAY_SIZE(lives); i++) {
		int yes = 0, runs = 0;
		double percent;

		for (int k = 0; k < TIMES; k++)
			yes += confirm(lives[i].bad, lives[i].good, &runs) == CONFIRM_YES;
		percent = 100.0 * yes / TIMES;
		print_message("bad %.2f good %.2f: %.1f %% confirmed, %.1f runs\n", lives[i].bad,
			      lives[i].good, percent, (double)runs / TIMES);
		assert_true(percent >= lives[i].least && percent <= lives[i].most);
		assert_true(runs <= lives[i].runs * TIMES);
	}
}

static void test_evidence(void **state)
{
	const struct confirm_opts o = CONFIRM_DEFAULTS;
	const struct confirm_side bad = { .fails = 8, .runs = 8, .control_runs = 8 };
	const struct confirm_side good = { .runs = 8, .control_runs = 8 };
	CLEANUP(json_put_p) struct json_object *e = NULL;
	CLEANUP(free_p) char *text = NULL;
	struct confirm_step s;

	(void)state;
	confirm_next(&o, &bad, &good, &s);
	e = confirm_evidence(&o, &bad, &good, &s);
	text = json_text(e);
	assert_non_null(strstr(text, "\"bad\":{\"fails\":8,\"runs\":8,\"others\":0,"
				     "\"control_fails\":0,\"control_runs\":8}"));
	assert_non_null(strstr(text, "\"good\":{\"fails\":0,\"runs\":8"));
	assert_non_null(strstr(text, "\"why\":\"it fails where it is new, and not"));
	assert_non_null(strstr(text, "\"p\":7.77"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_lives),
		cmocka_unit_test(test_evidence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
