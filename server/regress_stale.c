// SPDX-License-Identifier: MIT
#include "server/regress_stale.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "server/tracker_range.h"

static int end(struct store *s, int64_t id, struct json_object *evidence, struct error *err)
{
	CLEANUP(regression_state_free) struct regression_state g = { 0 };
	const struct regression_step step = { .state = "stale", .evidence = evidence };
	CLEANUP(free_p) char *why = NULL;
	int r = store_regression_load(s, id, &g, err);

	if (!r)
		r = store_regression_step(s, &g.row, &step, err);
	/* it ended in another way meanwhile */
	if (r == -ENOENT)
		return 0;
	if (r)
		return r;
	why = log_quote(json_object_get_string(json_object_object_get(evidence, "why")));
	log_event(LOG_INFO, "regression", "id=%lld state=stale why=%s", (long long)id, why);
	return 0;
}

int regress_stale_branches(struct store *s, struct error *err)
{
	CLEANUP(free_p) struct regression_lost *lost = NULL;
	size_t n = 0;
	int r = store_regressions_lost(s, &lost, &n, err);

	for (size_t i = 0; i < n && !r; i++) {
		CLEANUP(json_put_p) struct json_object *o = json_object_new_object();
		char at[CLOCK_TEXT_MAX];

		json_object_object_add(
			o, "why",
			json_str(lost[i].followed ? "the repository has no such branch any more"
						  : "the branch is not followed any more"));
		if (lost[i].followed)
			json_object_object_add(o, "since",
					       json_str(clock_text(lost[i].gone_us, at)));
		r = end(s, lost[i].id, o, err);
	}
	return r;
}

int regress_stale_cases(struct store *s, int64_t submission, struct error *err)
{
	CLEANUP(free_p) int64_t *ids = NULL;
	size_t n = 0;
	int r = store_regressions_without(s, submission, REGRESS_STALE_SUBMISSIONS, &ids, &n, err);

	for (size_t i = 0; i < n && !r; i++) {
		CLEANUP(json_put_p) struct json_object *o = json_object_new_object();

		json_object_object_add(
			o, "why", json_str("the newest submissions do not run its case any more"));
		json_object_object_add(o, "submissions",
				       json_object_new_int(REGRESS_STALE_SUBMISSIONS));
		json_object_object_add(o, "submission", json_object_new_int64(submission));
		r = end(s, ids[i], o, err);
	}
	return r;
}

int regress_stale_rewritten(const char *dir, const struct regression_row *g,
			    struct regression_step *step, struct error *err)
{
	const char *brought = g->culprit ? g->culprit : g->bad;
	bool there = false;
	int r = range_is_ancestor(dir, brought, step->fixed, &there, err);

	/* a commit that is not even here any more is in no branch */
	if ((r && r != -ENOENT) || there)
		return r == -ENOENT ? 0 : r;
	json_object_object_add(
		step->evidence, "why",
		json_str("history was rewritten: the commit that brought it is not in "
			 "it any more, and it does not happen"));
	json_object_object_add(step->evidence, "missing", json_str(brought));
	step->state = "stale";
	step->fixed = NULL;
	return 0;
}
