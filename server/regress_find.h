/* SPDX-License-Identifier: MIT */
/*
 * regress_find: the new failures of a submission. A case that held at one commit and fails at a later
 * one is new there, between these two; commits at which nothing can be said lie between them. Cases
 * that began to fail between the same two commits with the same signature are one regression.
 *
 * And the metrics that seem to have got worse in it (jobs/shift.h): between the first and the last
 * commit that were measured, for only what is run again tells where in between.
 */
#ifndef FAULTLINE_SERVER_REGRESS_FIND_H
#define FAULTLINE_SERVER_REGRESS_FIND_H

#include "db/store_regress.h"

/* store_compare_failure() without the store. */
typedef int (*regress_failure_fn)(void *arg, int64_t result, char ret_signature[SIGNATURE_MAX],
				  enum reason *ret_reason, char **ret_title, struct error *err);

struct regress_found {
	struct regression_new *v;
	size_t n;
	const struct case_seen **cases; /* that v[].cases point into */
	char **texts; /* signatures and titles of v[] */
	size_t n_texts;
	/* Of metrics: what v[].cases and v[].metric point to. */
	struct case_seen *seen;
	struct regression_metric *metrics;
};

/* `rows` as store_compare_cases() gives them; they have to live as long as *ret. The first case of
 * each regression is the one that took the least time. */
must_check int regress_find(const struct case_seen *rows, size_t n, regress_failure_fn failure,
			    void *arg, struct regress_found *ret, struct error *err);
/* `all` as store_compare_metrics() gives it; it has to live as long as *ret. The first case of each
 * regression is the one where it is clearest. */
void regress_find_metrics(const struct metric_series *all, size_t n, struct regress_found *ret);
void regress_found_free(struct regress_found *f);

#endif
