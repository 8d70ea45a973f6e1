/* SPDX-License-Identifier: MIT */
/*
 * confirm: is a new failure real, and new? The same case is repeated on the commit that failed and
 * on the last one that was good, always beside the case without a fault, until a sequential test
 * decides on each side (jobs/sprt.h) and the counts of both sides differ (Fisher, jobs/stat.h).
 *
 *   bad side    H1: fails at `p1` or more → real.       H0: at `p0` or less → flaky.
 *   good side   H0: at `p0` or less → new.              H1: as often as the bad side may → not new:
 *                                                       flaky, for nobody knows since when.
 *
 * Only failures with the regression's signature count. Others are shown, and count as runs in which
 * nothing can be said. What infrastructure lost is not a run at all.
 * Pure functions; docs/regressions.md has the defaults' meaning. Thread: any.
 */
#ifndef FAULTLINE_JOBS_CONFIRM_H
#define FAULTLINE_JOBS_CONFIRM_H

#include <stdbool.h>

#include "jobs/sprt.h"
#include "lib/json.h"

struct confirm_opts {
	double p0, p1; /* rates of failing, 0 < p0 < p1 < 1 */
	double alpha, beta; /* wanted errors of either test; alpha also bounds Fisher's p */
	int max_runs; /* a side */
	int batch; /* fewest runs that are asked for at once */
	int max_lost; /* batches of a side in a row that infrastructure may lose */
};

/* 2 % of runs may fail by other causes; what fails in fewer than a quarter takes more runs than it
 * is worth and stays flaky; 1 % and 5 % wanted errors; 100 runs of one case take half a minute. */
#define CONFIRM_DEFAULTS                         \
	((struct confirm_opts){ .p0 = 0.02,      \
				.p1 = 0.25,      \
				.alpha = 0.01,   \
				.beta = 0.05,    \
				.max_runs = 100, \
				.batch = 8,      \
				.max_lost = 3 })

/* What the runs of one side came to so far. */
struct confirm_side {
	int fails, runs; /* with the signature; runs that could have */
	int others; /* runs that failed with another signature */
	int control_fails, control_runs; /* of the case without a fault */
	int lost; /* batches in a row, up to the newest, that gave no run at all */
};

enum confirm_verdict {
	CONFIRM_OPEN, /* more runs are needed: ask for them */
	CONFIRM_YES,
	CONFIRM_FLAKY,
	CONFIRM_INFRASTRUCTURE
};

struct confirm_step {
	enum confirm_verdict verdict;
	int bad_runs, good_runs; /* OPEN: how many more to ask for; 0: none on that side now */
	double p; /* Fisher's, one-sided: bad fails more often than good; 1 without runs */
	const char *why; /* a sentence about a verdict; static */
	bool old; /* FLAKY: real on the bad side, but the good side fails too: since when? */
};

void confirm_next(const struct confirm_opts *o, const struct confirm_side *bad,
		  const struct confirm_side *good, struct confirm_step *ret);

/* Whether a side that ought to be good is: the test of the rate at which it would fail if it were as
 * bad as `bad` may be. SPRT_OPEN: *ret_runs more decide at the earliest, at least a batch of them and
 * no more than the budget has left; else 0. */
enum sprt_verdict confirm_good(const struct confirm_opts *o, const struct confirm_side *bad,
			       const struct confirm_side *side, int *ret_runs);

/* What a change of state keeps as evidence: {"bad":{"fails","runs","others","control_fails",
 * "control_runs"},"good":{…},"p","why","p0","p1","alpha","beta","max_runs"}. */
struct json_object *confirm_evidence(const struct confirm_opts *o, const struct confirm_side *bad,
				     const struct confirm_side *good,
				     const struct confirm_step *step);

#endif
