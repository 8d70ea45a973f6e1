/* SPDX-License-Identifier: MIT */
/* regress_internal: what decisions about failures and about metrics share. For server/regress_*.c. */
#ifndef FAULTLINE_SERVER_REGRESS_INTERNAL_H
#define FAULTLINE_SERVER_REGRESS_INTERNAL_H

#include "jobs/bisect.h"
#include "server/regress_step.h"

/* How often a value, or the median of a group of them, may lie beyond the threshold at a commit that
 * is good: shift_group() sees to it. The most that jobs/bisect.h takes. */
#define REGRESS_METRIC_FALSE_RATE 0.1

/* The next state; takes the evidence. */
void regress_change(struct regress_decision *d, const char *state, struct json_object *evidence);
/* Evidence that is a sentence. */
struct json_object *regress_words(const char *why);
struct json_object *regress_search_evidence(const struct bisect *b, const struct bisect_next *n);
/* Commits whose kernel is the parent's, bit for bit. Pairs that are no parent and child are refused. */
void regress_tell_images(struct bisect *b, const struct regression_state *g);
/* The newest commit that seems to mend it; NULL = none. */
const char *regress_candidate(const struct regression_state *g);

/* What is done next about a metric, by its state. */
must_check int regress_metric_new(const struct regression_state *g, const struct regress_history *h,
				  struct regress_decision *d, struct error *err);
must_check int regress_metric_search(const struct regression_state *g,
				     const struct regress_history *h, struct bisect *b,
				     struct regress_decision *d, struct error *err);
must_check int regress_metric_bisected(const struct regression_state *g,
				       const struct regress_history *h, struct regress_decision *d,
				       struct error *err);
size_t regress_metric_fix_probes(const struct commit_info *commit,
				 struct probe_new ret[REGRESS_PROBES_MAX]);

#endif
