/* SPDX-License-Identifier: MIT */
#include <float.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "jobs/stat.h"

/* R's answers, tests/golden/stat/make.R. */
#define FISHER "tests/golden/stat/fisher.tsv"
#define INTERVAL "tests/golden/stat/interval.tsv"

static void assert_near(double got, double wanted, double tolerance)
{
	if (!(fabs(got - wanted) <= tolerance))
		fail_msg("%.15g, not %.15g", got, wanted);
}

/* The lady who tells tea into milk from milk into tea: 8 cups, 4 of a kind, C(8, 4) = 70 answers
 * (Fisher, The Design of Experiments, chapter 2). */
static void test_tea(void **state)
{
	static const double greater[] = { 1, 69 / 70.0, 53 / 70.0, 17 / 70.0, 1 / 70.0 };
	static const double two_sided[] = { 2 / 70.0, 34 / 70.0, 1, 34 / 70.0, 2 / 70.0 };

	(void)state;
	for (int right = 0; right <= 4; right++) {
		assert_near(stat_fisher_greater(right, 4, 4 - right, 4), greater[right], 1e-14);
		assert_near(stat_fisher_two_sided(right, 4, 4 - right, 4), two_sided[right], 1e-14);
	}
}

/* Fisher's table of convicted twins: 10 of 13 and 2 of 17, one-sided p = 0.0004652, two-sided
 * 0.0005367 (example "Convictions" of R's fisher.test). */
static void test_convictions(void **state)
{
	(void)state;
	assert_near(stat_fisher_two_sided(10, 13, 2, 17), 0.0005367, 5e-8);
	assert_near(stat_fisher_two_sided(2, 17, 10, 13), 0.0005367, 5e-8);
	assert_near(stat_fisher_greater(10, 13, 2, 17), 0.0004652, 5e-8);
	/* At least 2 of 17 is nearly every table. */
	assert_true(stat_fisher_greater(2, 17, 10, 13) > 0.9999);
}

static void test_fisher_says_nothing(void **state)
{
	static const int tables[][4] = {
		{ 0, 0, 0, 0 }, { 0, 0, 3, 9 }, { 3, 9, 0, 0 },	   { 0, 5, 0, 9 },
		{ 5, 5, 9, 9 }, { 0, 1, 0, 1 }, { 3, -4, -2, -1 }, { 50, 100, 50, 100 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		const int *t = tables[i];

		assert_near(stat_fisher_two_sided(t[0], t[1], t[2], t[3]), 1, 1e-14);
		if (i < 7)
			assert_near(stat_fisher_greater(t[0], t[1], t[2], t[3]), 1, 1e-14);
	}
	/* Half of the table that is most probable lies beyond the half. */
	assert_near(stat_fisher_greater(1, 1, 0, 1), 0.5, 1e-15);
	assert_near(stat_fisher_two_sided(1, 1, 0, 1), 1, 1e-15);
}

/* Wrong counts are taken as the nearest that can be. */
static void test_fisher_bad_counts(void **state)
{
	(void)state;
	assert_near(stat_fisher_two_sided(9, 4, -1, 4), 2 / 70.0, 1e-14);
	assert_near(stat_fisher_greater(9, 4, -1, 4), 1 / 70.0, 1e-14);
	/* No run is none, however many fails are said. */
	assert_near(stat_fisher_two_sided(2, -9, 1, 4), 1, 0);
	assert_near(stat_fisher_greater(1, 4, 2, -9), 1, 0);
	assert_near(stat_fisher_greater(-1, 4, 2, -9), 1, 0);
}

static void test_fisher_large(void **state)
{
	const int half = 1 << 30;
	double p;

	(void)state;
	/* 2 × 1 / C(4000, 2000) is below every double; the answer stays in (0, 1]. */
	assert_true(stat_fisher_two_sided(2000, 2000, 0, 2000) == DBL_MIN);
	assert_true(stat_fisher_greater(2000, 2000, 0, 2000) == DBL_MIN);
	assert_near(stat_fisher_greater(0, 2000, 2000, 2000), 1, 1e-12);
	/* 2 × 1 / C(200, 100) = 2.2087e-59: far below what sums of ordinary terms resolve. */
	p = stat_fisher_two_sided(100, 100, 0, 100);
	assert_near(p / 2.208761e-59, 1, 1e-6);
	/* No count overflows, and none is walked one by one. */
	p = stat_fisher_two_sided(half / 2, half, half / 2, half);
	assert_near(p, 1, 1e-9);
	/* A normal deviate of 2.0000: off by 2 × 2^-16 × 2^30 / sqrt(2^31 / 4). */
	p = stat_fisher_two_sided(half / 2 + 23170, half, half / 2 - 23170, half);
	assert_near(p, erfc(2 * 23170 / sqrt(half / 2.0) / sqrt(2)), 1e-4);
	p = stat_fisher_greater(INT_MAX, INT_MAX, 0, INT_MAX);
	assert_true(p == DBL_MIN);
}

/* Newcombe, Statistics in Medicine 17 (1998), table I, method 5, and a textbook's rows of 10. */
static void test_interval(void **state)
{
	static const struct {
		int fails, runs;
		double low, high;
	} rows[] = {
		{ 81, 263, 0.2527, 0.3676 }, { 15, 148, 0.0578, 0.1617 }, { 0, 20, 0, 0.1684 },
		{ 1, 29, 0.0009, 0.1776 },   { 0, 10, 0, 0.3085 },	  { 1, 10, 0.0025, 0.4450 },
		{ 2, 10, 0.0252, 0.5561 },   { 3, 10, 0.0667, 0.6525 },	  { 5, 10, 0.1871, 0.8129 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int n = rows[i].runs;
		double low, high;

		stat_rate_interval(rows[i].fails, n, 0.95, &low, &high);
		assert_near(low, rows[i].low, 5.1e-5);
		assert_near(high, rows[i].high, 5.1e-5);
		stat_rate_interval(n - rows[i].fails, n, 0.95, &low, &high);
		assert_near(low, 1 - rows[i].high, 5.1e-5);
		assert_near(high, 1 - rows[i].low, 5.1e-5);
	}
}

static void assert_interval(int fails, int runs, double confidence, double low, double high)
{
	double got_low = -1, got_high = -1;

	stat_rate_interval(fails, runs, confidence, &got_low, &got_high);
	assert_near(got_low, low, 1e-15);
	assert_near(got_high, high, 1e-15);
}

static void test_interval_bounds(void **state)
{
	double low, high;

	(void)state;
	assert_interval(0, 0, 0.95, 0, 1);
	assert_interval(3, -2, 0.95, 0, 1);
	assert_interval(3, 9, 1, 0, 1);
	assert_interval(3, 9, 7, 0, 1);
	assert_interval(0, 1, 0.95, 0, 0.975);
	assert_interval(1, 1, 0.95, 0.025, 1);
	assert_interval(7, 1, 0.95, 0.025, 1);
	assert_interval(-7, 1, 0.95, 0, 0.975);
	/* No confidence wanted: each end is as often too low as too high. */
	assert_interval(1, 1, -3, 0.5, 1);
	/* ln 40 / 10^9 but for its square: no digit is lost next to 0. */
	stat_rate_interval(0, 1000000000, 0.95, &low, &high);
	assert_near(high / 3.6888794473100e-9, 1, 1e-12);
	/* All confidence leaves nothing out, to the last digit. */
	stat_rate_interval(3, 9, 1, &low, &high);
	assert_true(low == 0 && high == 1);
	/* Where the normal approximation holds it is met. */
	stat_rate_interval(1000000, 4000000, 0.95, &low, &high);
	assert_near(low, 0.25 - 1.959964 * sqrt(0.1875 / 4e6), 1e-6);
	assert_near(high, 0.25 + 1.959964 * sqrt(0.1875 / 4e6), 1e-6);
}

/* What the interval is for: the true rate is outside in at most 5 % of all experiments, counted
 * exactly over all outcomes. */
static void test_interval_covers(void **state)
{
	const int runs = 30;
	double low[31], high[31];

	(void)state;
	for (int k = 0; k <= runs; k++)
		stat_rate_interval(k, runs, 0.95, &low[k], &high[k]);
	for (double rate = 0.01; rate < 1; rate += 0.01) {
		double below = 0, above = 0, p = pow(1 - rate, runs);

		for (int k = 0; k <= runs; k++) {
			below += rate < low[k] ? p : 0;
			above += rate > high[k] ? p : 0;
			p *= (double)(runs - k) / (k + 1) * rate / (1 - rate);
		}
		if (below > 0.025 + 1e-12 || above > 0.025 + 1e-12)
			fail_msg("at %g: %g below, %g above", rate, below, above);
	}
}

/* The next line that is no comment; false at the end. */
static bool read_row(FILE *f, char *line, size_t size)
{
	do {
		if (!fgets(line, (int)size, f))
			return false;
	} while (*line == '#');
	return true;
}

static void assert_close(double got, double wanted, const char *row)
{
	if (!(fabs(got - wanted) <= 1e-9 * wanted))
		fail_msg("%.15g, not %.15g: %s", got, wanted, row);
}

static void test_fisher_as_r(void **state)
{
	char row[256];
	FILE *f = fopen(FISHER, "r");
	int n = 0;

	(void)state;
	assert_non_null(f);
	for (; read_row(f, row, sizeof(row)); n++) {
		int fails_a, runs_a, fails_b, runs_b;
		double two_sided, greater;

		assert_int_equal(sscanf(row, "%d %d %d %d %lf %lf", &fails_a, &runs_a, &fails_b,
					&runs_b, &two_sided, &greater),
				 6);
		assert_close(stat_fisher_two_sided(fails_a, runs_a, fails_b, runs_b), two_sided,
			     row);
		assert_close(stat_fisher_two_sided(fails_b, runs_b, fails_a, runs_a), two_sided,
			     row);
		assert_close(stat_fisher_greater(fails_a, runs_a, fails_b, runs_b), greater, row);
		/* Side b passes more often when side a fails more often. */
		assert_close(stat_fisher_greater(runs_b - fails_b, runs_b, runs_a - fails_a,
						 runs_a),
			     greater, row);
	}
	assert_int_equal(n, 368);
	fclose(f);
}

static void test_interval_as_r(void **state)
{
	char row[256];
	FILE *f = fopen(INTERVAL, "r");
	int n = 0;

	(void)state;
	assert_non_null(f);
	for (; read_row(f, row, sizeof(row)); n++) {
		double confidence, low, high, got_low, got_high;
		int fails, runs;

		assert_int_equal(sscanf(row, "%d %d %lf %lf %lf", &fails, &runs, &confidence, &low,
					&high),
				 5);
		stat_rate_interval(fails, runs, confidence, &got_low, &got_high);
		assert_close(got_low, low, row);
		assert_close(got_high, high, row);
	}
	assert_int_equal(n, 167);
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tea),
		cmocka_unit_test(test_convictions),
		cmocka_unit_test(test_fisher_says_nothing),
		cmocka_unit_test(test_fisher_bad_counts),
		cmocka_unit_test(test_fisher_large),
		cmocka_unit_test(test_interval),
		cmocka_unit_test(test_interval_bounds),
		cmocka_unit_test(test_interval_covers),
		cmocka_unit_test(test_fisher_as_r),
		cmocka_unit_test(test_interval_as_r),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
