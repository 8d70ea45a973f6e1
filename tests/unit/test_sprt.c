/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "jobs/confirm.h"
#include "jobs/sprt.h"

#define NO_BUDGET INT_MAX

static void assert_near(double got, double wanted, double tolerance)
{
	if (!(fabs(got - wanted) <= tolerance))
		fail_msg("%.15g, not %.15g", got, wanted);
}

static struct sprt make(double p0, double p1, double alpha, double beta, int max_runs)
{
	struct error err = ERROR_INIT;
	struct sprt s;

	if (sprt_init(&s, p0, p1, alpha, beta, max_runs, &err))
		fail_msg("%s", err.msg);
	return s;
}

static void test_init(void **state)
{
	static const struct {
		double p0, p1, alpha, beta;
		int max_runs;
	} bad[] = {
		{ 0, 0.3, 0.01, 0.01, 9 },   { -0.1, 0.3, 0.01, 0.01, 9 },
		{ 0.3, 0.3, 0.01, 0.01, 9 }, { 0.4, 0.3, 0.01, 0.01, 9 },
		{ 0.1, 1, 0.01, 0.01, 9 },   { NAN, 0.3, 0.01, 0.01, 9 },
		{ 0.1, NAN, 0.01, 0.01, 9 }, { 0.1, 0.3, 0, 0.01, 9 },
		{ 0.1, 0.3, 0.5, 0.01, 9 },  { 0.1, 0.3, 0.01, 0, 9 },
		{ 0.1, 0.3, 0.01, 0.5, 9 },  { 0.1, 0.3, NAN, 0.01, 9 },
		{ 0.1, 0.3, 0.01, 0.01, 0 },
	};
	struct sprt s = { .runs = 77 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct error err = ERROR_INIT;

		assert_int_equal(sprt_init(&s, bad[i].p0, bad[i].p1, bad[i].alpha, bad[i].beta,
					   bad[i].max_runs, &err),
				 -EINVAL);
		assert_true(*err.msg);
		assert_int_equal(s.runs, 77);
	}
	s = make(0.1, 0.3, 0.02, 0.03, 9);
	assert_int_equal(s.runs, 0);
	assert_int_equal(s.fails, 0);
	assert_int_equal(sprt_verdict(&s), SPRT_OPEN);
}

/* p0 = 0.1, p1 = 0.3, alpha = 0.02, beta = 0.03: in terms of fails after n runs Wald's boundaries
 * are the lines -2.5827 + 0.18617 n and 2.8754 + 0.18617 n. */
static void test_boundaries(void **state)
{
	(void)state;
	for (int n = 0; n <= 200; n++) {
		for (int fails = 0; fails <= n; fails++) {
			struct sprt s = make(0.1, 0.3, 0.02, 0.03, NO_BUDGET);
			enum sprt_verdict wanted = SPRT_OPEN;

			if (fails <= -2.5827 + 0.18617 * n)
				wanted = SPRT_H0;
			if (fails >= 2.8754 + 0.18617 * n)
				wanted = SPRT_H1;
			sprt_add(&s, fails, n);
			if (sprt_verdict(&s) != wanted)
				fail_msg("%d of %d: %s", fails, n,
					 sprt_verdict_name(sprt_verdict(&s)));
		}
	}
}

static void test_llr(void **state)
{
	struct sprt s = make(0.1, 0.3, 0.02, 0.03, 100);

	(void)state;
	assert_near(sprt_llr(&s), 0, 0);
	sprt_add(&s, 1, 1);
	assert_near(sprt_llr(&s), log(3), 1e-15);
	sprt_add(&s, 0, 1);
	assert_near(sprt_llr(&s), log(3) + log(7.0 / 9), 1e-15);
	sprt_add(&s, 2, 5);
	assert_near(sprt_llr(&s), 3 * log(3) + 4 * log(7.0 / 9), 1e-14);
	assert_int_equal(s.runs, 7);
	assert_int_equal(s.fails, 3);
}

static void test_counts_that_cannot_be(void **state)
{
	struct sprt s = make(0.1, 0.3, 0.02, 0.03, 100);

	(void)state;
	sprt_add(&s, 5, 2);
	assert_int_equal(s.fails, 2);
	assert_int_equal(s.runs, 2);
	sprt_add(&s, -5, 2);
	sprt_add(&s, 5, -2);
	assert_int_equal(s.fails, 2);
	assert_int_equal(s.runs, 4);
	sprt_add(&s, 0, INT_MAX);
	assert_int_equal(s.runs, INT_MAX);
	assert_int_equal(sprt_verdict(&s), SPRT_H0);
}

static void test_budget(void **state)
{
	struct sprt s = make(0.1, 0.3, 0.02, 0.03, 10);

	(void)state;
	sprt_add(&s, 2, 9);
	assert_int_equal(sprt_verdict(&s), SPRT_OPEN);
	sprt_add(&s, 0, 1);
	assert_int_equal(sprt_verdict(&s), SPRT_EXHAUSTED);
	/* A decision counts also when it takes the last run. */
	s = make(0.1, 0.3, 0.02, 0.03, 14);
	sprt_add(&s, 0, 14);
	assert_int_equal(sprt_verdict(&s), SPRT_H0);
	s = make(0.1, 0.3, 0.02, 0.03, 4);
	sprt_add(&s, 4, 4);
	assert_int_equal(sprt_verdict(&s), SPRT_H1);
	assert_string_equal(sprt_verdict_name(SPRT_OPEN), "open");
	assert_string_equal(sprt_verdict_name(SPRT_H0), "H0");
	assert_string_equal(sprt_verdict_name(SPRT_H1), "H1");
	assert_string_equal(sprt_verdict_name(SPRT_EXHAUSTED), "exhausted");
}

/* For any state the answer decides, and one less does not. */
static void test_shortest(void **state)
{
	static const double rates[] = { 0.001, 0.02, 0.1, 0.3, 0.7, 0.999 };

	(void)state;
	for (size_t i = 0; i < 6 * 6 * 4; i++) {
		double p0 = rates[i % 6], p1 = rates[i / 6 % 6],
		       error = pow(10, -1 - (int)(i / 36));
		struct sprt s;

		if (p0 >= p1)
			continue;
		s = make(p0, p1, error, error / 3, NO_BUDGET);
		for (int h1 = 0; h1 < 2; h1++) {
			int n = sprt_shortest(&s, h1);
			struct sprt then = s;

			assert_true(n > 0);
			sprt_add(&then, h1 ? n - 1 : 0, n - 1);
			assert_int_equal(sprt_verdict(&then), SPRT_OPEN);
			assert_int_equal(sprt_shortest(&then, h1), 1);
			sprt_add(&then, h1, 1);
			assert_int_equal(sprt_verdict(&then), h1 ? SPRT_H1 : SPRT_H0);
			assert_int_equal(sprt_shortest(&then, h1), 0);
			/* Long decided. */
			sprt_add(&then, h1 ? 9 * n : 0, 9 * n);
			assert_int_equal(sprt_shortest(&then, h1), 0);
		}
	}
}

static void test_shortest_out_of_reach(void **state)
{
	struct sprt s = make(1e-12, 2e-12, 0.01, 0.01, NO_BUDGET);

	(void)state;
	assert_int_equal(sprt_shortest(&s, false), INT_MAX);
	assert_int_equal(sprt_shortest(&s, true), 7); /* log 99 / log 2 */
}

/* Wald's five points of the two curves, by hand for the test above. */
static void test_curves(void **state)
{
	struct sprt s = make(0.1, 0.3, 0.02, 0.03, NO_BUDGET);
	double flat;

	(void)state;
	assert_near(sprt_accept_probability(&s, 0), 1, 0);
	assert_near(sprt_accept_probability(&s, 0.1), 0.98, 1e-12);
	assert_near(sprt_accept_probability(&s, 0.186170), 2.87545 / (2.87545 + 2.58272), 1e-4);
	assert_near(sprt_accept_probability(&s, 0.3), 0.03, 1e-12);
	assert_near(sprt_accept_probability(&s, 1), 0, 0);
	assert_near(sprt_expected_runs(&s, 0), 13.87, 0.005);
	assert_near(sprt_expected_runs(&s, 0.1), 28.70, 0.01);
	assert_near(sprt_expected_runs(&s, 0.186170), 2.87545 * 2.58272 / (0.18617 * 0.81383),
		    0.01);
	assert_near(sprt_expected_runs(&s, 0.3), 23.82, 0.01);
	assert_near(sprt_expected_runs(&s, 1), 3.533, 0.005);
	/* Where a run moves the ratio neither way on average, to the last digit. */
	flat = log(9 / 7.0) / log(27 / 7.0);
	assert_near(sprt_accept_probability(&s, flat), log(48.5) / log(48.5 * 98 / 3), 1e-12);
	assert_near(sprt_expected_runs(&s, flat),
		    log(48.5) * log(98 / 3.0) / (log(3) * log(9 / 7.0)), 1e-9);
	s.max_runs = 20;
	assert_near(sprt_expected_runs(&s, 0.1), 20, 0);
	assert_near(sprt_expected_runs(&s, 0), 13.87, 0.005);
}

/* Both curves are smooth everywhere, also where Wald's formulas are 0/0 and at the ends. */
static void test_curves_are_smooth(void **state)
{
	struct sprt s = make(0.02, 0.4, 1e-6, 1e-9, NO_BUDGET);
	double accept = 1, runs = sprt_expected_runs(&s, 0);

	(void)state;
	for (int i = 0; i <= 20000; i++) {
		double rate = i / 2e4;
		double a = sprt_accept_probability(&s, rate), r = sprt_expected_runs(&s, rate);

		if (!(a <= accept + 1e-9 && a >= accept - 0.03 && fabs(r / runs - 1) < 0.03))
			fail_msg("at %g: %g after %g, %g after %g", rate, a, accept, r, runs);
		accept = a;
		runs = r;
	}
	assert_near(accept, 0, 0);
}

/* splitmix64: the same numbers in every run. */
static uint64_t next(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static int fails_of(uint64_t *seed, double rate, int runs)
{
	int fails = 0;

	for (int i = 0; i < runs; i++)
		fails += (double)(next(seed) >> 11) * 0x1p-53 < rate;
	return fails;
}

struct seen {
	double h0, h1; /* shares */
	double runs; /* mean */
};

static struct seen simulate(const struct sprt *s, double rate, int batch, int trials)
{
	uint64_t seed = 20;
	struct seen seen = { 0, 0, 0 };

	for (int i = 0; i < trials; i++) {
		struct sprt t = *s;

		while (sprt_verdict(&t) == SPRT_OPEN) {
			int n = batch < t.max_runs - t.runs ? batch : t.max_runs - t.runs;

			sprt_add(&t, fails_of(&seed, rate, n), n);
		}
		seen.h0 += sprt_verdict(&t) == SPRT_H0;
		seen.h1 += sprt_verdict(&t) == SPRT_H1;
		seen.runs += t.runs;
	}
	seen.h0 /= trials;
	seen.h1 /= trials;
	seen.runs /= trials;
	return seen;
}

#define TRIALS 20000

/* Four deviations of a share that was counted over all trials. */
static double margin(double share)
{
	return 4 * sqrt(share / TRIALS);
}

/* Wald's identity: the mean of the sum at the end is the mean number of runs times that of one
 * step. The end lies beyond a boundary by less than one step to its side. */
static void check_runs(const struct sprt *s, double rate, struct seen seen)
{
	double up = log((1 - s->beta) / s->alpha), down = log(s->beta / (1 - s->alpha));
	double fail = log(s->p1 / s->p0), pass = log((1 - s->p1) / (1 - s->p0));
	double drift = rate * fail + (1 - rate) * pass, sum = seen.runs * drift;
	double slack = 0.03 * fabs(sum);

	assert_near(seen.h0 + seen.h1, 1, 1e-12);
	if (!(sum >= seen.h0 * (down + pass) + seen.h1 * up - slack &&
	      sum <= seen.h0 * down + seen.h1 * (up + fail) + slack))
		fail_msg("%g/%g at %g: %g runs", s->p0, s->p1, rate, seen.runs);
	/* Where steps are small against the boundaries the approximation is near. */
	if (fail < up / 2)
		assert_near(seen.runs / sprt_expected_runs(s, rate), 1.05, 0.15);
}

static void check_simulation(const struct sprt *s, int batch)
{
	struct seen at_p0 = simulate(s, s->p0, batch, TRIALS);
	struct seen at_p1 = simulate(s, s->p1, batch, TRIALS);
	double first = s->alpha / (1 - s->beta), second = s->beta / (1 - s->alpha);

	if (at_p0.h1 > first + margin(first))
		fail_msg("%g/%g: %g called H1 at p0", s->p0, s->p1, at_p0.h1);
	if (at_p1.h0 > second + margin(second))
		fail_msg("%g/%g: %g called H0 at p1", s->p0, s->p1, at_p1.h0);
	if (s->max_runs == NO_BUDGET && batch == 1) {
		check_runs(s, s->p0, at_p0);
		check_runs(s, s->p1, at_p1);
	}
}

static void test_simulation(void **state)
{
	static const double rates[][2] = {
		{ 0.01, 0.3 }, { 0.001, 0.1 }, { 0.1, 0.3 }, { 0.05, 0.9 }, { 0.2, 0.25 }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct sprt s = make(rates[i][0], rates[i][1], 0.05, 0.02, NO_BUDGET);

		check_simulation(&s, 1);
		check_simulation(&s, 7);
		s.max_runs = 12;
		check_simulation(&s, 1);
		s.alpha = s.beta = 0.01;
		s.max_runs = NO_BUDGET;
		check_simulation(&s, 1);
	}
}

/* Nothing drawn: the probabilities of all ends after `s->max_runs` single runs at most. */
static struct seen count_ends(const struct sprt *s, double rate)
{
	double *open = calloc((size_t)s->max_runs + 2, sizeof(*open)); /* by the number of fails */
	struct seen seen = { 0, 0, 0 };

	open[0] = 1;
	for (int n = 1; n <= s->max_runs; n++) {
		for (int fails = n; fails >= 0; fails--) {
			double p = open[fails] * (1 - rate) + (fails ? open[fails - 1] * rate : 0);
			enum sprt_verdict v;
			struct sprt t = *s;

			t.fails = fails;
			t.runs = n;
			v = sprt_verdict(&t);
			seen.runs += open[fails]; /* of those that take this run */
			open[fails] = v == SPRT_OPEN ? p : 0;
			seen.h0 += v == SPRT_H0 ? p : 0;
			seen.h1 += v == SPRT_H1 ? p : 0;
		}
	}
	free(open);
	return seen;
}

/* What jobs/sprt.h promises, without tolerance, for budgets that cut off much and nothing. */
static void test_errors_exactly(void **state)
{
	static const double rates[] = { 0.001, 0.01, 0.1, 0.3, 0.5, 0.9 };

	(void)state;
	for (size_t i = 0; i < 6 * 6 * 4; i++) {
		double p0 = rates[i % 6], p1 = rates[i / 6 % 6], beta = i / 36 % 2 ? 0.2 : 0.01;
		struct seen at_p0, at_p1;
		struct sprt s;

		if (p0 >= p1)
			continue;
		s = make(p0, p1, 0.05, beta, i / 72 ? 120 : 15);
		at_p0 = count_ends(&s, p0);
		at_p1 = count_ends(&s, p1);
		if (at_p0.h1 > s.alpha / (1 - beta) || at_p1.h0 > beta / (1 - s.alpha) ||
		    at_p0.h1 + at_p1.h0 > s.alpha + beta)
			fail_msg("%g/%g: %g and %g wrong", p0, p1, at_p0.h1, at_p1.h0);
	}
}

/* The table of docs/regressions.md, in per cent and runs, and what is said there. */
static void test_confirmation(void **state)
{
	static const double rows[][4] = {
		{ 0, 100, 0, 12 },	   { 0.01, 99.9, 0.1, 13.3 }, { 0.05, 93.5, 6.4, 20.6 },
		{ 0.1, 59.2, 39.8, 25.5 }, { 0.25, 4.1, 95.9, 12.2 }, { 0.5, 0, 100, 5.0 },
		{ 0.9, 0, 100, 2.3 },
	};
	const struct confirm_opts o = CONFIRM_DEFAULTS;
	struct sprt s = make(o.p0, o.p1, o.alpha, o.beta, o.max_runs);

	(void)state;
	assert_int_equal(sprt_shortest(&s, true), 2);
	assert_int_equal(sprt_shortest(&s, false), 12);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct seen seen = count_ends(&s, rows[i][0]);

		assert_near(100 * seen.h0, rows[i][1], 0.05);
		assert_near(100 * seen.h1, rows[i][2], 0.05);
		assert_near(seen.runs, rows[i][3], 0.05);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_boundaries),
		cmocka_unit_test(test_llr),
		cmocka_unit_test(test_counts_that_cannot_be),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_shortest),
		cmocka_unit_test(test_shortest_out_of_reach),
		cmocka_unit_test(test_curves),
		cmocka_unit_test(test_curves_are_smooth),
		cmocka_unit_test(test_simulation),
		cmocka_unit_test(test_errors_exactly),
		cmocka_unit_test(test_confirmation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
