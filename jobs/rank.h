/* SPDX-License-Identifier: MIT */
/*
 * rank: whether a metric moved between two samples of repeats. Pure functions.
 *
 * Everything here looks at the order of the values and at differences only: how values are
 * distributed does not matter, and one wild repeat does not decide. Values that are not finite are
 * left out, as in jobs/metric.h. `a` is the sample that is compared with (the base), `b` the other.
 * The samples are not changed. Thread: any.
 */
#ifndef FAULTLINE_JOBS_RANK_H
#define FAULTLINE_JOBS_RANK_H

#include <stddef.h>

/* Up to so many values on both sides together the probability is exact (at most some 10 ms). The
 * normal approximation beyond errs towards no difference where p is small: of 65 values it says
 * 0.0103 instead of 0.0097 for 32 and 33, 0.0134 instead of 0.0100 for 5 and 60. */
#define RANK_EXACT_MAX 64

/* Test of Mann and Whitney (Wilcoxon's rank sum; Annals of Mathematical Statistics 18, 1947): how
 * probable it is that the sum of ranks is at least as far from its mean, to either side, when both
 * samples come from one distribution. Ties share their mean rank, and the exact answer counts the
 * divisions of these very ranks, so ties cost nothing of its exactness. The approximation is
 * corrected for ties and for continuity. In (0, 1]; an empty sample, or all values equal: 1. */
double rank_p_two_sided(const double *a, size_t n_a, const double *b, size_t n_b);

/* How far b lies above a: the median of all differences b - a (Hodges and Lehmann, Annals of
 * Mathematical Statistics 34, 1963), in the unit of the values. An empty sample: 0. */
double rank_shift(const double *a, size_t n_a, const double *b, size_t n_b);

/* Cliff's delta: the share of pairs where b is greater less the share where a is, -1 to 1. An empty
 * sample: 0. */
double rank_delta(const double *a, size_t n_a, const double *b, size_t n_b);

/* When a metric counts as moved: all three at once. */
struct rank_rule {
	double p_max; /* rank_p_two_sided() is at most this */
	double effect_min; /* the shift over the base's median is at least this */
	size_t repeats_min; /* values on each side */
};

/* 5 and 5 values that do not overlap have p = 2/252 = 0.0079: 5 is the least number of repeats that
 * can pass 0.01. A difference that is real and below 5 % is rarely worth a report. */
/* clang-format off */
#define RANK_RULE_DEFAULT { .p_max = 0.01, .effect_min = 0.05, .repeats_min = 5 }
/* clang-format on */

enum rank_verdict {
	RANK_TOO_FEW, /* fewer repeats than wanted, or so few that no p could be p_max */
	RANK_SAME,
	RANK_MOVED
};

struct rank_comparison {
	size_t n_a, n_b; /* finite values */
	double p, shift, delta; /* as of the functions above; also when there are too few */
	/* shift / |median of a|: 0.1 is 10 % more. Infinite, with the shift's sign, when the median
	 * is 0 and the shift is not: not for JSON. */
	double effect;
	enum rank_verdict verdict;
};

void rank_compare(const double *a, size_t n_a, const double *b, size_t n_b,
		  const struct rank_rule *rule, struct rank_comparison *ret);

const char *rank_verdict_name(enum rank_verdict v); /* "too few", "same", "moved" */

#endif
