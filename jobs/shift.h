/* SPDX-License-Identifier: MIT */
/*
 * shift: a metric that got worse. Whether one is suspected to have, whether fresh values confirm it,
 * and on which side of the two a value lies. Pure functions; docs/regressions.md explains them.
 *
 * A submission compares many metrics at once, so what raised a suspicion never confirms it: that
 * takes values that were measured afterwards, each by a machine of its own, for both sides by turns.
 * A metric that did not move is suspected with at most 0.5 % (one side of `p_max` 0.01) and then
 * confirmed with at most 0.15 % (one side of 0.001, three looks), whatever else was compared.
 * Thread: any.
 */
#ifndef FAULTLINE_JOBS_SHIFT_H
#define FAULTLINE_JOBS_SHIFT_H

#include "jobs/confirm.h"
#include "jobs/metric.h"
#include "jobs/rank.h"

/* Values of one commit, or of one side. Borrowed. */
struct shift_values {
	const double *v;
	size_t n;
};

/* --- suspicion ------------------------------------------------------------------------------ */

/* Where it seems to have got worse: between all values before and all behind. */
struct shift_onset {
	size_t at; /* the first commit behind */
	struct rank_comparison rank;
	struct metric_summary before, after; /* n, median, min, max, spread */
};

/* `commits`: their values, oldest first; those without any say nothing. True with *ret where a split
 * of them satisfies the rule and lies the worse way: both sides have `repeats_min` values, and p is
 * `p_max` over the number of splits that have, so that a long series is not suspected more often. Of
 * several the one with the least p, and of equals the first. METRIC_WORSE_NEITHER: false. */
bool shift_find(enum metric_worse worse, const struct rank_rule *rule,
		const struct shift_values *commits, size_t n, struct shift_onset *ret);

/* "memory.pgtables: pgtables.per_thp 0 → 4 kB", with "(+12.5 %)" where it has a base; owned. */
char *shift_title(const char *scenario, const char *name, const char *unit,
		  const struct shift_onset *o);

/* --- confirmation --------------------------------------------------------------------------- */

#define SHIFT_LOOKS 3

struct shift_opts {
	size_t looks[SHIFT_LOOKS]; /* values on each side when it is looked at; the last: budget */
	struct rank_rule rule; /* of one look */
	double p_futile; /* so far from it that more values are not worth it */
	int max_lost; /* tests of a side in a row that gave no value */
};

/* 10 values of each side that do not overlap have p = 0.00001. What is 10 % worse where one run is
 * 5 % from another is confirmed in 99 of 100 cases, with 16 values of each side on average. */
#define SHIFT_DEFAULTS                                                                          \
	((struct shift_opts){ .looks = { 10, 20, 40 },                                          \
			      .rule = { .p_max = 0.001, .effect_min = 0.05, .repeats_min = 5 }, \
			      .p_futile = 0.5,                                                  \
			      .max_lost = 10 })

/* One side: its fresh values, and how many tests up to the newest gave none. */
struct shift_side {
	struct shift_values values;
	int lost;
};

struct shift_step {
	enum confirm_verdict verdict;
	int bad_runs, good_runs; /* OPEN: how many more values to ask for */
	struct rank_comparison rank; /* of the good side to the bad one */
	const char *why; /* a sentence about a verdict; static */
};

void shift_confirm(enum metric_worse worse, const struct shift_opts *o,
		   const struct shift_side *bad, const struct shift_side *good,
		   struct shift_step *ret);
/* Whether it is back: `fix` differs from `bad` as the good side does, and lies on the good side of
 * the threshold. The bad side is as it is: only good_runs are asked for. */
void shift_mended(enum metric_worse worse, const struct shift_opts *o, const struct shift_side *bad,
		  const struct shift_side *fix, double threshold, struct shift_step *ret);

/* What a change of state keeps: {"bad":{"n","median","min","max","spread"},"good":{…},"p","shift",
 * "effect" (null without a base),"why","p_max","effect_min","values_max"}. */
struct json_object *shift_evidence(const struct shift_opts *o, const struct shift_side *bad,
				   const struct shift_side *good, const struct shift_step *step);
/* {"n","median","min","max","spread"}; what is not defined is null. */
struct json_object *shift_side_to_json(const struct shift_values *v);

/* --- which side a value is on --------------------------------------------------------------- */

/* In the middle between both medians. Both sides have values. */
double shift_threshold(const struct shift_values *bad, const struct shift_values *good);
/* On the bad side of it. */
bool shift_is_beyond(enum metric_worse worse, double threshold, double value);
int shift_count_beyond(enum metric_worse worse, double threshold, const struct shift_values *v);

#define SHIFT_GROUP_MAX 11

/* Of how many values, an odd number, the median is to be taken, so that at most one of ten medians of
 * either side lies beyond the threshold: 1 where the sides do not overlap. 0: even SHIFT_GROUP_MAX
 * are too few to tell commits apart. */
int shift_group(enum metric_worse worse, const struct shift_values *bad,
		const struct shift_values *good);

#endif
