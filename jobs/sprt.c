/* SPDX-License-Identifier: MIT */
#include "jobs/sprt.h"

#include <errno.h>
#include <limits.h>
#include <math.h>

#define HALVINGS 1100 /* until two doubles in [0, 1] are neighbours, denormal ones too: 1074 */
/* Wald's formulas are 0/0 where a run moves the ratio neither way; below this |h| their limits are
 * nearer than what rounding leaves of them. */
#define H_FLAT 1e-5

static double step_fail(const struct sprt *s)
{
	return log(s->p1 / s->p0);
}

static double step_pass(const struct sprt *s)
{
	return log1p(-s->p1) - log1p(-s->p0);
}

static double bound_h1(const struct sprt *s)
{
	return log((1 - s->beta) / s->alpha);
}

static double bound_h0(const struct sprt *s)
{
	return log(s->beta / (1 - s->alpha));
}

int sprt_init(struct sprt *ret, double p0, double p1, double alpha, double beta, int max_runs,
	      struct error *err)
{
	/* Written so that NaN is refused. */
	if (!(p0 > 0 && p0 < p1 && p1 < 1))
		return error_set(err, -EINVAL, "rates %g and %g: 0 < p0 < p1 < 1 is wanted", p0,
				 p1);
	if (!(alpha > 0 && alpha < 0.5 && beta > 0 && beta < 0.5))
		return error_set(err, -EINVAL, "errors %g and %g: between 0 and 0.5 is wanted",
				 alpha, beta);
	if (max_runs < 1)
		return error_set(err, -EINVAL, "budget of %d runs: 1 or more is wanted", max_runs);
	*ret = (struct sprt){ p0, p1, alpha, beta, max_runs, 0, 0 };
	return 0;
}

void sprt_add(struct sprt *s, int fails, int runs)
{
	if (runs < 0)
		runs = 0;
	if (runs > INT_MAX - s->runs)
		runs = INT_MAX - s->runs;
	s->runs += runs;
	s->fails += fails < 0 ? 0 : fails > runs ? runs : fails;
}

static double llr_of(const struct sprt *s, int fails, int passes)
{
	return fails * step_fail(s) + passes * step_pass(s);
}

double sprt_llr(const struct sprt *s)
{
	return llr_of(s, s->fails, s->runs - s->fails);
}

enum sprt_verdict sprt_verdict(const struct sprt *s)
{
	double llr = sprt_llr(s);

	if (llr >= bound_h1(s))
		return SPRT_H1;
	if (llr <= bound_h0(s))
		return SPRT_H0;
	return s->runs >= s->max_runs ? SPRT_EXHAUSTED : SPRT_OPEN;
}

const char *sprt_verdict_name(enum sprt_verdict v)
{
	static const char *const names[] = { "open", "H0", "H1", "exhausted" };

	return names[v];
}

static double drift(const struct sprt *s, double rate)
{
	return rate * step_fail(s) + (1 - rate) * step_pass(s);
}

/* E(exp(h × step)) - 1. */
static double moment(const struct sprt *s, double rate, double h)
{
	return rate * expm1(h * step_fail(s)) + (1 - rate) * expm1(h * step_pass(s));
}

/* The h other than 0 with E(exp(h × step)) = 1, for 0 < rate < 1: 1 at p0, -1 at p1. The moment is
 * convex in h and 0 at 0, so the other zero lies where its slope there, the drift, falls to. */
static double solve_h(const struct sprt *s, double rate)
{
	double sign = drift(s, rate) < 0 ? 1 : -1, low = 0, high = 1;

	while (moment(s, rate, sign * high) < 0) {
		low = high;
		high *= 2;
	}
	for (int i = 0; i < HALVINGS; i++) {
		double h = low + (high - low) / 2;

		if (h <= low || h >= high)
			break;
		if (moment(s, rate, sign * h) < 0)
			low = h;
		else
			high = h;
	}
	return sign * high;
}

static double within_rates(double rate)
{
	return fmin(1, fmax(0, rate));
}

double sprt_accept_probability(const struct sprt *s, double rate)
{
	double up = bound_h1(s), down = bound_h0(s), h;

	rate = within_rates(rate);
	if (rate <= 0 || rate >= 1)
		return rate <= 0;
	h = solve_h(s, rate);
	if (fabs(h) < H_FLAT)
		return up / (up - down);
	/* Divided by the greater power, which could overflow. */
	if (h > 0)
		return -expm1(-h * up) / (1 - exp(h * (down - up)));
	return (exp(h * (up - down)) - exp(-h * down)) / expm1(h * (up - down));
}

double sprt_expected_runs(const struct sprt *s, double rate)
{
	double up = bound_h1(s), down = bound_h0(s), accept, runs;

	rate = within_rates(rate);
	accept = sprt_accept_probability(s, rate);
	if (rate > 0 && rate < 1 && fabs(solve_h(s, rate)) < H_FLAT)
		runs = -up * down /
		       (rate * pow(step_fail(s), 2) + (1 - rate) * pow(step_pass(s), 2));
	else
		runs = (accept * down + (1 - accept) * up) / drift(s, rate);
	return fmin(s->max_runs, runs);
}

int sprt_shortest(const struct sprt *s, bool h1)
{
	double bound = h1 ? bound_h1(s) : bound_h0(s), step = h1 ? step_fail(s) : step_pass(s);
	double missing = (bound - sprt_llr(s)) / step;
	struct sprt then = *s;
	int n;

	if (!(missing > 0))
		return 0;
	if (missing > INT_MAX - s->runs - 1)
		return INT_MAX;
	/* A quotient of rounded numbers may miss what the verdict's own sum says by one run. */
	n = (int)missing;
	sprt_add(&then, h1 ? n : 0, n);
	while (sprt_verdict(&then) != (h1 ? SPRT_H1 : SPRT_H0)) {
		sprt_add(&then, h1, 1);
		n++;
	}
	return n;
}
