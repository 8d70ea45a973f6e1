/* SPDX-License-Identifier: MIT */
#include "jobs/rank.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/metric.h"
#include "lib/buf.h"
#include "lib/clean.h"

/* One sample: its finite values, ascending. */
struct sample {
	double *v;
	size_t n;
	double median; /* 0 of none */
};

/* Both samples in one order. Ranks are kept doubled: a mean of two whole ranks is whole then. */
struct pool {
	size_t n; /* of both */
	int64_t *twice_rank; /* ascending */
	int64_t twice_sum_b; /* of the ranks of b */
	double ties; /* sum of t^3 - t over the groups of t equal values */
};

static void sample_free(struct sample *s)
{
	free(s->v);
}

static void pool_free(struct pool *p)
{
	free(p->twice_rank);
}

static struct sample sample_of(const double *v, size_t n)
{
	struct sample s = { xcalloc(n + 1, sizeof(*s.v)), 0, 0 };
	struct metric_summary m;

	for (size_t i = 0; i < n; i++) {
		if (isfinite(v[i]))
			s.v[s.n++] = v[i];
	}
	if (s.n) {
		metric_summarise_values(s.v, s.n, &m); /* sorts */
		s.median = m.median;
	}
	return s;
}

/* How many of the values from *at on are x; *at moves behind them. */
static size_t take(const struct sample *s, size_t *at, double x)
{
	size_t from = *at;

	while (*at < s->n && s->v[*at] == x)
		++*at;
	return *at - from;
}

static struct pool pool_of(const struct sample *a, const struct sample *b)
{
	struct pool p = { a->n + b->n, xcalloc(a->n + b->n + 1, sizeof(*p.twice_rank)), 0, 0 };
	size_t i = 0, k = 0;

	while (i + k < p.n) {
		size_t before = i + k, in_b, t;
		double x = k == b->n || (i < a->n && a->v[i] < b->v[k]) ? a->v[i] : b->v[k];

		take(a, &i, x);
		in_b = take(b, &k, x);
		t = i + k - before;
		for (size_t m = before; m < i + k; m++)
			p.twice_rank[m] = (int64_t)(2 * before + t + 1);
		p.twice_sum_b += (int64_t)(in_b * (2 * before + t + 1));
		p.ties += pow((double)t, 3) - (double)t;
	}
	return p;
}

/*
 * Of all ways to choose `k` of the ranks, the share whose sum is at least `far` from the mean of
 * all such sums, both doubled. ways[j][s] is the number of ways to choose j ranks with sum s. Only
 * whole numbers are added, so a share is as precise as a double.
 */
static double exact_share(const struct pool *p, size_t k, int64_t far)
{
	size_t width = k * 2 * p->n + 1;
	CLEANUP(free_p) double *ways = xcalloc((k + 1) * width, sizeof(*ways));
	int64_t mean = (int64_t)(k * (p->n + 1));
	double all = 0, out = 0;

	ways[0] = 1;
	for (size_t i = 0; i < p->n; i++) {
		size_t rank = (size_t)p->twice_rank[i];

		/* Downwards, so that no rank is chosen twice. */
		for (size_t j = i + 1 < k ? i + 1 : k; j > 0; j--) {
			const double *from = ways + (j - 1) * width;
			double *to = ways + j * width;

			for (size_t s = rank; s < width; s++)
				to[s] += from[s - rank];
		}
	}
	for (size_t s = 0; s < width; s++) {
		double w = ways[k * width + s];

		all += w;
		out += llabs((int64_t)s - mean) >= far ? w : 0;
	}
	return out / all;
}

static double normal_share(const struct pool *p, double n_a, double n_b, double far)
{
	double n = (double)p->n;
	double variance = n_a * n_b / 12 * (n + 1 - p->ties / n / (n - 1));

	/* Far is doubled, and 1 or more; continuity takes half a rank. */
	return erfc((far / 2 - 0.5) / sqrt(2 * variance));
}

static double p_of(const struct sample *a, const struct sample *b, const struct pool *p)
{
	/* The sums of ranks of both sides are equally far from their means. */
	int64_t far = llabs(p->twice_sum_b - (int64_t)(b->n * (p->n + 1)));
	double share;

	/* So it is too when a sample is empty and when all values are equal. */
	if (!far)
		return 1;
	if (p->n <= RANK_EXACT_MAX)
		share = exact_share(p, a->n < b->n ? a->n : b->n, far);
	else
		share = normal_share(p, (double)a->n, (double)b->n, (double)far);
	return fmax(DBL_MIN, share);
}

double rank_p_two_sided(const double *a, size_t n_a, const double *b, size_t n_b)
{
	CLEANUP(sample_free) struct sample x = sample_of(a, n_a);
	CLEANUP(sample_free) struct sample y = sample_of(b, n_b);
	CLEANUP(pool_free) struct pool p = pool_of(&x, &y);

	return p_of(&x, &y, &p);
}

static double delta_of(const struct sample *a, const struct sample *b, const struct pool *p)
{
	double n_a = (double)a->n, n_b = (double)b->n;

	/* Mann and Whitney's U of b, whose half is the mean, in terms of its sum of ranks. */
	if (!a->n || !b->n)
		return 0;
	return ((double)p->twice_sum_b - n_b * (n_b + 1)) / (n_a * n_b) - 1;
}

double rank_delta(const double *a, size_t n_a, const double *b, size_t n_b)
{
	CLEANUP(sample_free) struct sample x = sample_of(a, n_a);
	CLEANUP(sample_free) struct sample y = sample_of(b, n_b);
	CLEANUP(pool_free) struct pool p = pool_of(&x, &y);

	return delta_of(&x, &y, &p);
}

/* Doubles in their order are whole numbers in theirs, one apart for neighbours. -0 is 0. */
static int64_t to_order(double d)
{
	int64_t i;

	memcpy(&i, &d, sizeof(i));
	return i < 0 ? INT64_MIN - i : i;
}

static double from_order(int64_t i)
{
	double d;

	i = i < 0 ? INT64_MIN - i : i;
	memcpy(&d, &i, sizeof(d));
	return d;
}

/* How many differences b - a are x or less. */
static uint64_t differences_up_to(const struct sample *a, const struct sample *b, double x)
{
	uint64_t n = 0;
	size_t below = 0;

	for (size_t i = 0; i < a->n; i++) {
		while (below < b->n && b->v[below] - a->v[i] <= x)
			below++;
		n += below;
	}
	return n;
}

/* The difference that `k` others come before, 0 <= k < n_a × n_b: the pairs are counted, never
 * stored, in as many passes as a double has bits. */
static double nth_difference(const struct sample *a, const struct sample *b, uint64_t k)
{
	int64_t low = to_order(-INFINITY), high = to_order(INFINITY);

	while (low < high) {
		/* Their sum could overflow. One below the half, of two odd ones, is not below low. */
		int64_t middle = (low >> 1) + (high >> 1);

		if (differences_up_to(a, b, from_order(middle)) > k)
			high = middle;
		else
			low = middle + 1;
	}
	return from_order(low);
}

static double shift_of(const struct sample *a, const struct sample *b)
{
	uint64_t n = (uint64_t)a->n * b->n;

	if (!n)
		return 0;
	if (n % 2)
		return nth_difference(a, b, n / 2);
	return nth_difference(a, b, n / 2 - 1) / 2 + nth_difference(a, b, n / 2) / 2;
}

double rank_shift(const double *a, size_t n_a, const double *b, size_t n_b)
{
	CLEANUP(sample_free) struct sample x = sample_of(a, n_a);
	CLEANUP(sample_free) struct sample y = sample_of(b, n_b);

	return shift_of(&x, &y);
}

/* The least p that two samples of these sizes can have: 2 of all divisions, that is
 * 2 × n_a! × n_b! / (n_a + n_b)!. */
static double least_p(size_t n_a, size_t n_b)
{
	double p = 2;

	for (size_t i = 1; i <= n_a && p > 0; i++)
		p *= (double)i / (double)(n_b + i);
	return p;
}

void rank_compare(const double *a, size_t n_a, const double *b, size_t n_b,
		  const struct rank_rule *rule, struct rank_comparison *ret)
{
	CLEANUP(sample_free) struct sample x = sample_of(a, n_a);
	CLEANUP(sample_free) struct sample y = sample_of(b, n_b);
	CLEANUP(pool_free) struct pool p = pool_of(&x, &y);
	struct rank_comparison c = { .n_a = x.n, .n_b = y.n, .verdict = RANK_SAME };

	c.p = p_of(&x, &y, &p);
	c.shift = shift_of(&x, &y);
	c.delta = delta_of(&x, &y, &p);
	c.effect = c.shift == 0 ? 0 : c.shift / fabs(x.median);
	if (x.n < rule->repeats_min || y.n < rule->repeats_min || least_p(x.n, y.n) > rule->p_max)
		c.verdict = RANK_TOO_FEW;
	else if (c.p <= rule->p_max && fabs(c.effect) >= rule->effect_min)
		c.verdict = RANK_MOVED;
	*ret = c;
}

const char *rank_verdict_name(enum rank_verdict v)
{
	static const char *const names[] = { "too few", "same", "moved" };

	return names[v];
}
