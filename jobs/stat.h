/* SPDX-License-Identifier: MIT */
/*
 * stat: what counts of failing runs allow to say. Pure functions; docs/regressions.md says where
 * they are used. See jobs/sprt.h for the test that goes on until it knows, jobs/rank.h for metrics.
 *
 * A count that cannot be is taken as the nearest that can: fewer than no runs as none, fails below
 * 0 or above `runs` as that bound. No answer is ever NaN. Cost grows with the square root of the
 * runs. Thread: any.
 */
#ifndef FAULTLINE_JOBS_STAT_H
#define FAULTLINE_JOBS_STAT_H

/* Fisher's exact test of the table (fails, passes) × (side a, side b): how probable a table that is
 * at least as far off is when both sides fail at one rate and only chance divides the fails among
 * them (R. A. Fisher, The Design of Experiments, 1935, chapter 2). In (0, 1]: what is too small for
 * a double is DBL_MIN. A side without a run says nothing: 1. */

/* The sides differ. A table is as far off when it is not more probable than the one that was seen,
 * with a relative tolerance of 1e-7 for rounding: the definition and the tolerance of R's
 * fisher.test. */
double stat_fisher_two_sided(int fails_a, int runs_a, int fails_b, int runs_b);

/* Side a fails more often than side b. */
double stat_fisher_greater(int fails_a, int runs_a, int fails_b, int runs_b);

/* The interval of Clopper and Pearson (Biometrika 26, 1934) for the rate at which one run fails. It
 * holds the true rate with a probability of at least `confidence` (0.95; taken as a bound of 0..1
 * when outside), and each of its ends is wrong with at most half of the rest. No run: 0 to 1. */
void stat_rate_interval(int fails, int runs, double confidence, double *ret_low, double *ret_high);

#endif
