/* SPDX-License-Identifier: MIT */
/*
 * regress_step: what is done next about one regression. Pure but for the history that it asks for:
 * the same state gives the same decision, so it does not matter how often or after which crash it
 * is made.
 *
 *   new        repeated on both sides (jobs/confirm.h)         → confirmed | flaky | infrastructure,
 *              or new again, with an older good side
 *   confirmed  searched between them (jobs/bisect.h)           → bisected | flaky | stale
 *   bisected   repeated where a later commit seems to mend it  → fixed
 *
 * What a metric came to is decided by jobs/shift.h (regress_metric.c); the search is the same one.
 */
#ifndef FAULTLINE_SERVER_REGRESS_STEP_H
#define FAULTLINE_SERVER_REGRESS_STEP_H

#include "db/store_regress.h"
#include "jobs/confirm.h"

/* The past of one regression. Each may fail with -ENOENT for unknown commits. */
struct regress_history {
	/* `git rev-list --parents good..bad`; *ret owned. */
	int (*revlist)(void *arg, const char *good, const char *bad, char **ret, struct error *err);
	/* *ret is valid until the decision is freed. */
	int (*commit)(void *arg, const char *sha, struct commit_info *ret, struct error *err);
	/* store_regression_older(). */
	int (*older)(void *arg, char **ret, struct error *err);
	void *arg;
};

#define REGRESS_PROBES_MAX 48 /* asked for at once; most of a metric's have one run each */

struct regress_decision {
	bool any; /* something is to be written: `step` */
	struct regression_step step;
	/* What step points into; owned. */
	struct json_object *evidence, *search;
	struct probe_new probes[REGRESS_PROBES_MAX];
	char culprit[41], fixed[41], good[41];
};

/* Nothing while a probe is under way. -errno: nobody can say now (trouble of our own). */
must_check int regress_decide(const struct confirm_opts *o, const struct regression_state *g,
			      const struct regress_history *h, struct regress_decision *ret,
			      struct error *err);
/* The first tests of a commit that seems to mend it; their number. */
size_t regress_fix_probes(const struct confirm_opts *o, const struct regression_state *g,
			  const struct commit_info *commit,
			  struct probe_new ret[REGRESS_PROBES_MAX]);
void regress_decision_free(struct regress_decision *d);

#endif
