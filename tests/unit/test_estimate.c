/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "jobs/estimate.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"

#define S US_PER_S
#define MIN (60 * S)

static const struct estimate_jobs none;

static void left(const struct estimate_jobs *builds, const struct estimate_jobs *tests, int64_t low,
		 int64_t high)
{
	int64_t a = 0, b = 0;

	assert_int_equal(estimate_left(builds, tests, &a, &b), ESTIMATE_RANGE);
	assert_int_equal(a / S, low / S);
	assert_int_equal(b / S, high / S);
}

/* Nothing is said that nobody knows. */
static void test_unknown(void **state)
{
	static const int64_t took[] = { 60 * S };
	struct estimate_jobs open = { .waiting = 1, .slots = 1 }, away = open, ended = open;
	int64_t low = 1, high = 2;

	(void)state;
	assert_int_equal(estimate_left(&none, &none, &low, &high), ESTIMATE_NOTHING_LEFT);
	assert_int_equal(estimate_left(&open, &none, &low, &high), ESTIMATE_UNKNOWN);
	assert_int_equal(estimate_left(&none, &open, &low, &high), ESTIMATE_UNKNOWN);
	away.slots = 0;
	away.known_us = took;
	away.n_known = 1;
	assert_int_equal(estimate_left(&away, &none, &low, &high), ESTIMATE_NO_SLOTS);
	/* Builds are known, the tests behind them are not. */
	ended.known_us = took;
	ended.n_known = 1;
	assert_int_equal(estimate_left(&ended, &open, &low, &high), ESTIMATE_UNKNOWN);
	assert_int_equal(low, 1);
	assert_int_equal(high, 2);
}

static void test_one(void **state)
{
	static const int64_t took[] = { 100 * S }, since[] = { 40 * S }, late[] = { 300 * S };
	struct estimate_jobs j = { .waiting = 1, .slots = 1, .known_us = took, .n_known = 1 };

	(void)state;
	/* At least the job itself; at most as long again, by the bound. */
	left(&none, &j, 100 * S, 200 * S);
	j.waiting = 0;
	j.running_us = since;
	j.n_running = 1;
	left(&none, &j, 60 * S, 120 * S);
	/* It takes longer than any did: it may end now, or need a quarter more. */
	j.running_us = late;
	left(&none, &j, 10 * S, 50 * S);
}

static void test_quartiles(void **state)
{
	static const int64_t took[] = { 900 * S, 10 * S, 20 * S, 30 * S, 40 * S };
	struct estimate_jobs j = { .waiting = 10, .slots = 10, .known_us = took, .n_known = 5 };

	(void)state;
	left(&none, &j, 20 * S, 80 * S); /* 20 and 40: one that took for ever says nothing */
}

static void test_slots_and_others(void **state)
{
	static const int64_t took[] = { MIN };
	struct estimate_jobs j = { .waiting = 8, .slots = 1, .known_us = took, .n_known = 1 };

	(void)state;
	left(&none, &j, 8 * MIN, 9 * MIN);
	j.slots = 4;
	left(&none, &j, 2 * MIN, 3 * MIN);
	j.slots = 100;
	left(&none, &j, MIN, 70 * S); /* none is quicker than one job */
	j.slots = 4;
	j.others = 12;
	left(&none, &j, 2 * MIN, 6 * MIN);
}

/* A test cannot begin before its build ended, however many slots there are. */
static void test_chain(void **state)
{
	static const int64_t build_took[] = { 3 * MIN }, test_took[] = { 5 * MIN };
	struct estimate_jobs b = { .waiting = 1, .slots = 50, .known_us = build_took, .n_known = 1 };
	struct estimate_jobs t = { .waiting = 1, .slots = 50, .known_us = test_took, .n_known = 1 };

	(void)state;
	left(&b, &t, 8 * MIN, 9 * MIN);
	t.waiting = 0;
	t.slots = 0; /* no test is left that would need one */
	left(&b, &t, 3 * MIN, 190 * S);
}

static void test_rounding(void **state)
{
	static const int64_t took[] = { 1 }, longer[] = { 301 * S }, day[] = { 7201 * S };
	struct estimate_jobs j = { .waiting = 1, .slots = 1000, .known_us = took, .n_known = 1 };

	(void)state;
	left(&none, &j, 10 * S, 10 * S);
	j.known_us = longer;
	left(&none, &j, 6 * MIN, 6 * MIN);
	j.known_us = day;
	left(&none, &j, 130 * MIN, 130 * MIN);
}

static void text_is(int64_t low, int64_t high, const char *want)
{
	CLEANUP(free_p) char *text = estimate_text(low, high);

	assert_string_equal(text, want);
}

static void test_text(void **state)
{
	(void)state;
	text_is(40 * S, 40 * S, "about 40 s");
	text_is(70 * S, 6 * MIN, "1 min 10 s to 6 min");
	text_is(60 * MIN, 130 * MIN, "1 h to 2 h 10 min");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown),	  cmocka_unit_test(test_one),
		cmocka_unit_test(test_quartiles), cmocka_unit_test(test_slots_and_others),
		cmocka_unit_test(test_chain),	  cmocka_unit_test(test_rounding),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
