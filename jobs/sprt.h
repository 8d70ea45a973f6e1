/* SPDX-License-Identifier: MIT */
/*
 * sprt: Wald's sequential probability ratio test of the rate at which a run fails. Pure functions.
 * Source: A. Wald, "Sequential Tests of Statistical Hypotheses", Annals of Mathematical Statistics
 * 16 (1945) 117-186.
 *
 * H0: the rate is p0 or less. H1: it is p1 or more. Runs are added, and after each batch of them
 * the verdict is asked, until it is not open any more. Between p0 and p1 either answer is right.
 *
 * A rate of p0 or less is called H1 with a probability of at most alpha / (1 - beta), one of p1 or
 * more H0 with at most beta / (1 - alpha), and both together are at most alpha + beta.
 * That holds for batches of any size too, which only decide later than single runs, and for a
 * test that runs out of its budget, which then does not decide.
 *
 * Thread: any.
 */
#ifndef FAULTLINE_JOBS_SPRT_H
#define FAULTLINE_JOBS_SPRT_H

#include <stdbool.h>

#include "lib/error.h"

/* A plain struct, to be stored as it is. After sprt_init() only sprt_add() changes it. */
struct sprt {
	double p0, p1; /* rates, 0 < p0 < p1 < 1 */
	double alpha, beta; /* error wanted of saying H1 and H0, each in (0, 0.5) */
	int max_runs; /* budget */
	int fails, runs; /* seen so far, 0 <= fails <= runs */
};

enum sprt_verdict {
	SPRT_OPEN,
	SPRT_H0, /* as rare as p0 */
	SPRT_H1, /* as frequent as p1 */
	SPRT_EXHAUSTED /* max_runs are spent and nothing is decided */
};

/* -EINVAL: a rate, an error or the budget (1 or more) is out of range; the message says which. */
must_check int sprt_init(struct sprt *ret, double p0, double p1, double alpha, double beta,
			 int max_runs, struct error *err);

/* `fails` of `runs` more runs failed. Add only while the verdict is open: what comes after a
 * decision could take it back. Counts that cannot be are taken as the nearest that can. */
void sprt_add(struct sprt *s, int fails, int runs);

/* Logarithm (natural) of how many times more probable H1 makes what was seen than H0. */
double sprt_llr(const struct sprt *s);

enum sprt_verdict sprt_verdict(const struct sprt *s);
const char *sprt_verdict_name(enum sprt_verdict v); /* "open", "H0", "H1", "exhausted" */

/* How many runs a whole test takes on average when one fails at `rate` (taken as a bound of 0..1
 * when outside), by Wald's approximation; at most max_runs. It leaves out how far the last run goes
 * beyond the boundary, so it is too low where one run weighs much: with alpha 0.05 and beta 0.02 it
 * says 8 runs at p1 where simulation finds 11 for p0 = 0.001 and p1 = 0.1, 18 where it finds 21 for
 * 0.1 and 0.3. */
double sprt_expected_runs(const struct sprt *s, double rate);

/* The probability that a whole test ends with H0 when one run fails at `rate`, by Wald's
 * approximation, without regard to max_runs. */
double sprt_accept_probability(const struct sprt *s, double rate);

/* How many more runs decide at the earliest: for H1 when all of them fail, for H0 when none does.
 * That is the batch to order. It may be more than the budget has left. 0 when it is decided so. */
int sprt_shortest(const struct sprt *s, bool h1);

#endif
