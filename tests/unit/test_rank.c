/* SPDX-License-Identifier: MIT */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "jobs/rank.h"

#define RANK "tests/golden/stat/rank.tsv" /* R's answers, make.R beside it */
#define N(a) (sizeof(a) / sizeof((a)[0]))

static void assert_near(double got, double wanted, double tolerance)
{
	if (!(fabs(got - wanted) <= tolerance))
		fail_msg("%.15g, not %.15g", got, wanted);
}

/* Two samples without ties and with just `u` pairs where a is the greater. */
static void samples_of_u(size_t n_a, size_t n_b, size_t u, double *a, double *b)
{
	for (size_t i = 0; i < n_b; i++)
		b[i] = (double)i + 1;
	for (size_t i = 0; i < n_a; i++) {
		size_t above = u < n_b ? u : n_b;

		a[i] = (double)above + 0.5 + (double)i / 1000;
		u -= above;
	}
}

static double p_of_u(size_t n_a, size_t n_b, size_t u)
{
	double a[20], b[20];

	samples_of_u(n_a, n_b, u, a, b);
	return rank_p_two_sided(a, n_a, b, n_b);
}

/* The greatest U that is significant, from the tables of the two-sided test in textbooks (first
 * Auble, Bulletin of the Institute of Educational Research at Indiana University 1, 1953). -1: no
 * U is. */
static void test_critical_values(void **state)
{
	static const struct {
		size_t n_a, n_b;
		int at_5, at_1; /* per cent */
	} rows[] = {
		{ 3, 4, -1, -1 },   { 3, 5, 0, -1 },	  { 4, 4, 0, -1 },    { 4, 10, 5, 2 },
		{ 5, 5, 2, 0 },	    { 5, 8, 6, 2 },	  { 6, 6, 5, 2 },     { 7, 7, 8, 4 },
		{ 8, 8, 13, 7 },    { 9, 9, 17, 11 },	  { 10, 10, 23, 16 }, { 12, 12, 37, 27 },
		{ 15, 15, 64, 51 }, { 20, 20, 127, 105 },
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		for (int five = 0; five < 2; five++) {
			double level = five ? 0.05 : 0.01;
			int u = five ? rows[i].at_5 : rows[i].at_1;

			if (u >= 0)
				assert_true(p_of_u(rows[i].n_a, rows[i].n_b, (size_t)u) <= level);
			assert_true(p_of_u(rows[i].n_a, rows[i].n_b, (size_t)(u + 1)) > level);
			assert_near(p_of_u(rows[i].n_b, rows[i].n_a, (size_t)(u + 1)),
				    p_of_u(rows[i].n_a, rows[i].n_b, (size_t)(u + 1)), 1e-15);
		}
	}
}

/* By hand: of the ranks 1.5 1.5 3 4.5 4.5 there are 10 pairs; their sums lie from the mean, 6, by
 * 3 (1.5 1.5), 3 (4.5 4.5), 1.5 × 4, 1.5 × 2, 0 × 4 (a 1.5 and a 4.5). */
static void test_ties_by_hand(void **state)
{
	const double low[] = { 1, 1 }, low_rest[] = { 2, 3, 3 };
	const double mid[] = { 1, 2 }, mid_rest[] = { 1, 3, 3 };
	const double even[] = { 1, 3 }, even_rest[] = { 1, 2, 3 };

	(void)state;
	assert_near(rank_p_two_sided(low, 2, low_rest, 3), 0.2, 1e-15);
	assert_near(rank_p_two_sided(low_rest, 3, low, 2), 0.2, 1e-15);
	assert_near(rank_p_two_sided(mid, 2, mid_rest, 3), 0.6, 1e-15);
	assert_near(rank_p_two_sided(even, 2, even_rest, 3), 1, 1e-15);
	assert_near(rank_delta(low, 2, low_rest, 3), 1, 1e-15);
	/* 2 and 1 above: 2 > 1 once below, 4 above, a tie. */
	assert_near(rank_delta(mid, 2, mid_rest, 3), (4 - 1) / 6.0, 1e-15);
	assert_near(rank_delta(even, 2, even_rest, 3), 0, 1e-15);
}

static void test_nothing_to_say(void **state)
{
	const double one[] = { 1 }, two[] = { 2 }, same[] = { 7, 7, 7, 7, 7, 7 };
	const double none[] = { NAN, INFINITY, -INFINITY };
	double many[200];

	(void)state;
	for (size_t i = 0; i < N(many); i++)
		many[i] = 7;
	assert_near(rank_p_two_sided(NULL, 0, NULL, 0), 1, 0);
	assert_near(rank_p_two_sided(one, 1, NULL, 0), 1, 0);
	assert_near(rank_p_two_sided(none, 3, same, 6), 1, 0);
	assert_near(rank_p_two_sided(one, 1, two, 1), 1, 0);
	assert_near(rank_p_two_sided(same, 6, same, 5), 1, 0);
	assert_near(rank_p_two_sided(many, 200, many, 200), 1, 0);
	assert_near(rank_shift(NULL, 0, one, 1), 0, 0);
	assert_near(rank_shift(none, 3, one, 1), 0, 0);
	assert_near(rank_shift(one, 1, two, 1), 1, 0);
	assert_near(rank_shift(many, 200, many, 200), 0, 0);
	assert_near(rank_delta(NULL, 0, one, 1), 0, 0);
	assert_near(rank_delta(one, 1, two, 1), 1, 0);
	assert_near(rank_delta(two, 1, one, 1), -1, 0);
	assert_near(rank_delta(same, 6, same, 5), 0, 0);
}

/* Differences 2 3 4, 1 2 3, -8 -7 -6 and, for the even count, 0 1 2. */
static void test_shift(void **state)
{
	const double a[] = { 1, 2, 11, 3 }, b[] = { 4, 3, 5 };
	const double big[] = { -1e308, -1e308, -1e308 }, bigger[] = { 1e308, 1e308, 1e308 };

	(void)state;
	assert_near(rank_shift(a, 3, b, 3), 2, 0);
	assert_near(rank_shift(b, 3, a, 3), -2, 0);
	/* -8 -7 -6 0 1 1 | 2 2 2 3 3 4 */
	assert_near(rank_shift(a, 4, b, 3), 1.5, 0);
	assert_true(isinf(rank_shift(big, 3, bigger, 3)));
	assert_true(rank_p_two_sided(big, 3, bigger, 3) == 0.1);
}

/* The approximation takes over where the exact answer ends, and says nearly the same. */
static void test_approximation_joins(void **state)
{
	double a[40] = { 0 }, b[40] = { 0 }, exact, normal;

	(void)state;
	for (size_t i = 0; i < 32; i++) {
		a[i] = (double)(i * 7 % 32);
		b[i] = (double)(i * 11 % 32) + 6.5;
	}
	b[32] = 22.5; /* amid the others */
	exact = rank_p_two_sided(a, 32, b, 32);
	normal = rank_p_two_sided(a, 32, b, 33);
	assert_true(exact > 0.005 && exact < 0.05);
	assert_near(normal / exact, 1, 0.1);
	assert_true(RANK_EXACT_MAX == 64);
	/* The same values on both sides: nothing is left for continuity. */
	assert_near(rank_p_two_sided(a, 40, a, 40), 1, 0);
}

static void test_far_tail(void **state)
{
	double *a = calloc(20000, sizeof(*a)), *b = a + 10000, p;

	(void)state;
	for (size_t i = 0; i < 10000; i++) {
		a[i] = (double)i;
		b[i] = (double)i + 1e6;
	}
	p = rank_p_two_sided(a, 10000, b, 10000);
	assert_true(p == DBL_MIN);
	assert_near(rank_shift(a, 10000, b, 10000), 1e6, 0);
	assert_near(rank_delta(a, 10000, b, 10000), 1, 0);
	/* Exact to the last: 2 of C(64, 32). */
	p = rank_p_two_sided(a, 32, b, 32);
	assert_near(p * 1832624140942590534.0, 2, 1e-12);
	free(a);
}

/* "1,2.5,3" into `v`; how many. */
static size_t read_values(const char *text, double *v, size_t max)
{
	size_t n = 0;
	char *end;

	for (;; text = end + 1) {
		assert_true(n < max);
		v[n++] = strtod(text, &end);
		assert_ptr_not_equal(end, text);
		if (*end != ',')
			return n;
	}
}

static void check_row(const char *row)
{
	char kind[16], text_a[1024], text_b[1024];
	double p, shift, delta, a[100], b[100];
	size_t n_a, n_b;

	assert_int_equal(sscanf(row, "%15s %1023s %1023s %lf %lf %lf", kind, text_a, text_b, &p,
				&shift, &delta),
			 6);
	n_a = read_values(text_a, a, N(a));
	n_b = read_values(text_b, b, N(b));
	assert_int_equal(n_a + n_b > RANK_EXACT_MAX, !strcmp(kind, "normal"));
	assert_near(rank_p_two_sided(a, n_a, b, n_b) / p, 1, 1e-9);
	assert_near(rank_p_two_sided(b, n_b, a, n_a) / p, 1, 1e-9);
	assert_near(rank_shift(a, n_a, b, n_b), shift, 0);
	assert_near(rank_shift(b, n_b, a, n_a), -shift, 0);
	assert_near(rank_delta(a, n_a, b, n_b), delta, 1e-14);
	assert_near(rank_delta(b, n_b, a, n_a), -delta, 1e-14);
}

static void test_as_r(void **state)
{
	FILE *f = fopen(RANK, "r");
	char row[2048];
	int n = 0;

	(void)state;
	assert_non_null(f);
	while (fgets(row, sizeof(row), f)) {
		if (*row == '#')
			continue;
		check_row(row);
		n++;
	}
	assert_int_equal(n, 250);
	fclose(f);
}

static const struct rank_rule rule = RANK_RULE_DEFAULT;

static void assert_verdict(const double *a, size_t n_a, const double *b, size_t n_b,
			   enum rank_verdict wanted)
{
	struct rank_comparison c;

	rank_compare(a, n_a, b, n_b, &rule, &c);
	if (c.verdict != wanted)
		fail_msg("%s, not %s (p %g, effect %g)", rank_verdict_name(c.verdict),
			 rank_verdict_name(wanted), c.p, c.effect);
	rank_compare(b, n_b, a, n_a, &rule, &c);
	assert_int_equal(c.verdict, wanted);
}

static void test_verdicts(void **state)
{
	const double base[] = { 100, 101, 102, 103, 104 };
	const double more[] = { 110, 111, 112, 113, 114 };
	const double little[] = { 104.5, 104.6, 104.7, 104.8, 104.9 };
	const double wild[] = { 90, 111, 112, 113, 114 };
	const double holes[] = { 110, NAN, 111, 112, INFINITY, 113 };

	(void)state;
	assert_verdict(base, 5, more, 5, RANK_MOVED);
	assert_verdict(base, 4, more, 5, RANK_TOO_FEW);
	assert_verdict(base, 5, holes, 6, RANK_TOO_FEW);
	assert_verdict(base, 5, little, 5, RANK_SAME); /* sure, but 2.7 % */
	assert_verdict(base, 5, wild, 5, RANK_SAME); /* much, but p = 0.095 */
	assert_verdict(base, 5, base, 5, RANK_SAME);
	assert_verdict(NULL, 0, NULL, 0, RANK_TOO_FEW);
}

static void test_comparison(void **state)
{
	const double base[] = { 104, 100, 103, 101, 102 },
		     more[] = { 114, 113, 111, 112, 110, NAN };
	const double zero[] = { 0, 0, 0, 0, 0 }, debt[] = { -104, -103, -102, -101, -100 };
	struct rank_comparison c;

	(void)state;
	rank_compare(base, 5, more, 6, &rule, &c);
	assert_int_equal(c.n_a, 5);
	assert_int_equal(c.n_b, 5);
	assert_near(c.p, 2 / 252.0, 1e-15);
	assert_near(c.shift, 10, 0);
	assert_near(c.effect, 10 / 102.0, 1e-15);
	assert_near(c.delta, 1, 0);
	/* More is more below zero too. */
	rank_compare(debt, 5, base, 5, &rule, &c);
	assert_near(c.effect, 2, 1e-15);
	rank_compare(zero, 5, debt, 5, &rule, &c);
	assert_true(isinf(c.effect) && c.effect < 0);
	assert_int_equal(c.verdict, RANK_MOVED);
	rank_compare(zero, 5, zero, 5, &rule, &c);
	assert_near(c.effect, 0, 0);
	assert_int_equal(c.verdict, RANK_SAME);
}

/* A rule that so few repeats can never meet must not end as "same". */
static void test_rule_out_of_reach(void **state)
{
	const double base[] = { 1, 2, 3, 4, 5, 6 }, more[] = { 11, 12, 13, 14, 15, 16 };
	const struct rank_rule strict = { .p_max = 0.005, .effect_min = 0, .repeats_min = 1 };
	const struct rank_rule loose = { .p_max = 0.2, .effect_min = 0, .repeats_min = 4 };
	struct rank_comparison c;

	(void)state;
	/* Its own number of repeats holds on each side. */
	rank_compare(base, 3, more, 6, &loose, &c);
	assert_int_equal(c.verdict, RANK_TOO_FEW);
	rank_compare(base, 6, more, 3, &loose, &c);
	assert_int_equal(c.verdict, RANK_TOO_FEW);
	rank_compare(base, 4, more, 4, &loose, &c);
	assert_int_equal(c.verdict, RANK_MOVED);
	rank_compare(base, 5, more, 5, &strict, &c); /* 2/252 */
	assert_int_equal(c.verdict, RANK_TOO_FEW);
	rank_compare(base, 5, more, 6, &strict, &c); /* 2/462 */
	assert_int_equal(c.verdict, RANK_MOVED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_critical_values),
		cmocka_unit_test(test_ties_by_hand),
		cmocka_unit_test(test_nothing_to_say),
		cmocka_unit_test(test_shift),
		cmocka_unit_test(test_approximation_joins),
		cmocka_unit_test(test_far_tail),
		cmocka_unit_test(test_as_r),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_comparison),
		cmocka_unit_test(test_rule_out_of_reach),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
