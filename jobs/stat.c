/* SPDX-License-Identifier: MIT */
#include "jobs/stat.h"

#include <float.h>
#include <math.h>

#define TIE 1e-7 /* probabilities that differ by less, relatively, are equal but for rounding */
#define STEPS_MAX 1100 /* halvings until two doubles in [0, 1] are neighbours, denormal ones too */

/*
 * A law of a count with one peak. Only the ratios of neighbouring probabilities are needed: all are
 * computed relative to the peak and divided by their sum, so nothing large cancels, which leaves
 * more digits than differences of logarithms of factorials would.
 */
struct law {
	double low, high, peak; /* whole numbers */
	double (*ratio)(const struct law *l, double k); /* P(k + 1) / P(k) */
	double draws, marked, unmarked; /* hypergeometric; the binomial has draws */
	double odds; /* binomial: p / (1 - p) */
};

/* Sums over the law, as shares of the whole. */
struct shares {
	double from; /* at least as many as k */
	double at; /* k itself */
	double unlikely; /* not more probable than k */
};

static double hypergeometric_ratio(const struct law *l, double k)
{
	return (l->marked - k) / (k + 1) * (l->draws - k) / (l->unmarked - l->draws + k + 1);
}

static double binomial_ratio(const struct law *l, double k)
{
	return (l->draws - k) / (k + 1) * l->odds;
}

/* Relative to the peak. What is below DBL_MIN is not worth walking to, and must not be: a product
 * with a ratio near 1 does not shrink there any more. */
static double weight(const struct law *l, double k)
{
	double w = 1;

	for (double i = l->peak; i < k && w >= DBL_MIN; i++)
		w *= l->ratio(l, i);
	for (double i = l->peak; i > k && w >= DBL_MIN; i--)
		w /= l->ratio(l, i - 1);
	return w;
}

static struct shares shares_of(const struct law *l, double k)
{
	struct shares s = { .at = weight(l, k) };
	double limit = s.at * (1 + TIE), all = 0;

	for (double i = l->peak, w = 1; i <= l->high && w >= DBL_MIN; w *= l->ratio(l, i), i++) {
		all += w;
		s.from += i >= k ? w : 0;
		s.unlikely += w <= limit ? w : 0;
	}
	for (double i = l->peak, w = 1; i > l->low && w >= DBL_MIN; i--) {
		w /= l->ratio(l, i - 1);
		all += w;
		s.from += i - 1 >= k ? w : 0;
		s.unlikely += w <= limit ? w : 0;
	}
	s.from /= all;
	s.at /= all;
	s.unlikely /= all;
	return s;
}

static int within(int v, int low, int high)
{
	return v < low ? low : v > high ? high : v;
}

/* The fails of side a, when as many as there were fell on one of both sides by chance. */
static struct shares fisher(int fails_a, int runs_a, int fails_b, int runs_b)
{
	struct law l = { .ratio = hypergeometric_ratio };
	double a, total;

	runs_a = runs_a > 0 ? runs_a : 0;
	runs_b = runs_b > 0 ? runs_b : 0;
	a = within(fails_a, 0, runs_a);
	total = (double)runs_a + runs_b;
	l.draws = runs_a;
	l.marked = a + within(fails_b, 0, runs_b);
	l.unmarked = total - l.marked;
	l.low = fmax(0, l.draws - l.unmarked);
	l.high = fmin(l.draws, l.marked);
	l.peak = fmin(l.high, fmax(l.low, floor((l.draws + 1) * (l.marked + 1) / (total + 2))));
	return shares_of(&l, a);
}

double stat_fisher_two_sided(int fails_a, int runs_a, int fails_b, int runs_b)
{
	return fmax(DBL_MIN, fisher(fails_a, runs_a, fails_b, runs_b).unlikely);
}

double stat_fisher_greater(int fails_a, int runs_a, int fails_b, int runs_b)
{
	return fmax(DBL_MIN, fisher(fails_a, runs_a, fails_b, runs_b).from);
}

/* The rate at which `fails` or more of `runs` have the probability `tail`. 0 < fails. Newton's
 * steps, and halves of what is left where they lead out of it. */
static double rate_low(int fails, int runs, double tail)
{
	struct law l = { .high = runs, .draws = runs, .ratio = binomial_ratio };
	double low = 0, high = (double)fails / runs, rate = high / 2;

	for (int i = 0; i < STEPS_MAX; i++) {
		double before = rate;
		struct shares s;

		l.odds = rate / (1 - rate);
		l.peak = fmin(runs, floor((runs + 1.0) * rate));
		s = shares_of(&l, fails);
		if (s.from < tail)
			low = rate;
		else
			high = rate;
		/* The slope is fails / rate × P(fails). */
		rate -= (s.from - tail) / (s.at * fails / rate);
		if (fabs(rate - before) <= 16 * DBL_EPSILON * before)
			break;
		if (!(rate > low && rate < high))
			rate = low + (high - low) / 2;
	}
	return rate;
}

void stat_rate_interval(int fails, int runs, double confidence, double *ret_low, double *ret_high)
{
	double tail = (1 - fmin(1, fmax(0, confidence))) / 2;

	*ret_low = 0;
	*ret_high = 1;
	runs = runs > 0 ? runs : 0;
	fails = within(fails, 0, runs);
	if (tail <= 0)
		return;
	if (fails > 0)
		*ret_low = rate_low(fails, runs, tail);
	/* As many passes; none failing has a closed form, exact also where the rate is tiny. */
	if (runs > 0 && fails == 0)
		*ret_high = -expm1(log(tail) / runs);
	else if (fails < runs)
		*ret_high = 1 - rate_low(runs - fails, runs, tail);
}
