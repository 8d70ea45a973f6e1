/* SPDX-License-Identifier: MIT */
/*
 * store_regress: what the store knows of regressions. Same rules as db/store.h: one transaction a
 * call, free of SQLite.
 *
 * A regression is derived from results: who acts on one (server/regress.c) reads its row and what
 * its probes came to, decides, and writes the decision together with the new probes in one
 * transaction. Nothing else is remembered between two decisions, so it goes on after a restart.
 */
#ifndef FAULTLINE_DB_STORE_REGRESS_H
#define FAULTLINE_DB_STORE_REGRESS_H

#include "db/store.h"
#include "jobs/badge.h"
#include "jobs/signature.h"

/* --- finding ------------------------------------------------------------------------------- */

/* A submission that is done and was not compared: 1 with *ret_id, 0 = none. */
must_check int store_compare_due(struct store *s, int64_t *ret_id, struct error *err);

/* What a case came to at one commit of a submission. */
struct case_seen {
	char *config, *scenario, *fault; /* fault: JSON, a sweep's without its point */
	int position; /* of the commit; 0 is the base */
	int64_t commit_id;
	bool failed, held; /* neither: nothing can be said (MISS, ERROR) */
	int64_t failure; /* its first failing result; 0 = none */
	int64_t duration_us;
};

/* All cases of a submission that fail at some commit of it, at all of its commits that gave an
 * answer; ordered by configuration, scenario, fault and position. Owned array. */
must_check int store_compare_cases(struct store *s, int64_t submission, struct case_seen **ret,
				   size_t *ret_n, struct error *err);
void case_seen_free(struct case_seen *rows, size_t n);

/* Of a failing result: its signature, and what it says; *ret_title owned. -ENOENT. */
must_check int store_compare_failure(struct store *s, int64_t result,
				     char ret_signature[SIGNATURE_MAX], enum reason *ret_reason,
				     char **ret_title, struct error *err);

/* What a submission measured of one metric of one case under one accelerator. */
struct metric_value {
	int position; /* of the commit; 0 is the base */
	int64_t commit_id, result;
	double value;
};

struct metric_series {
	char *config, *scenario, *fault; /* fault: JSON */
	char *accel, *name, *unit; /* "" = not known, none */
	struct metric_value *values; /* by position */
	size_t n;
};

/* All metrics of a submission. What commits with the same source share is with the first of them.
 * Owned array. */
must_check int store_compare_metrics(struct store *s, int64_t submission,
				     struct metric_series **ret, size_t *ret_n, struct error *err);
void metric_series_free(struct metric_series *all, size_t n);

/* The metric that a regression is of. */
struct regression_metric {
	char *name, *unit, *accel; /* name NULL: it is of failures */
	enum metric_worse worse;
	bool measured; /* there are fresh values of both sides: `threshold` lies between them */
	double threshold; /* in the metric's unit; beyond it a value is on the bad side */
};

/* A new regression as found in a submission. Borrowed. */
struct regression_new {
	const char *signature, *title;
	const char *reason; /* of a FAIL, or "metric" */
	const struct regression_metric *metric; /* NULL: of failures */
	int64_t good_id, bad_id; /* commits */
	const struct case_seen *const *cases; /* at the bad commit; the first is the one to repeat */
	size_t n_cases;
};

/* The submission was compared: keeps what was found. One that is open on the same line of history
 * with the same signature and one of its cases gets the others; the rest become rows of state
 * "new". A second call for a submission changes nothing. *ret_found: how many are new. */
must_check int store_compare_done(struct store *s, int64_t submission,
				  const struct regression_new *found, size_t n, int *ret_found,
				  struct error *err);

/* --- one regression ------------------------------------------------------------------------- */

struct regression_row {
	int64_t id, repo_id, submission_id;
	char *repo, *ref, *title, *reason, *state;
	char signature[SIGNATURE_MAX];
	char *good, *bad, *culprit; /* 40 hex; culprit may be NULL */
	char *config, *config_hash, *arch, *compiler;
	struct plan_machine machine;
	char *scenario;
	struct fault fault;
	struct regression_metric metric;
	char *search; /* JSON, may be NULL */
};

/* What one probe came to. A run is one repeat of the case. */
struct probe_row {
	int64_t id;
	char *purpose; /* bad, good, search, fix */
	char *sha;
	bool ended; /* its job needs no more waiting */
	bool built; /* there is an image of this commit */
	/* With the regression's signature, of so many that can tell; of a metric: beyond the
	 * threshold, of so many values. */
	int fails, runs;
	int others; /* runs that failed in another way */
	char *other; /* signature of one of those, or NULL */
	int control_fails,
		control_runs; /* without a fault; 0 of 0 where the case has none itself */
	char *image; /* SHA-256 of the kernel that was booted, or NULL */
	double *values; /* of a metric: what was measured */
	size_t n_values;
};

/* What was measured of a metric at a commit before anybody asked for it. */
struct commit_values {
	char *sha;
	double *values;
	size_t n;
};

struct regression_state {
	struct regression_row row;
	struct probe_row *probes; /* in the order in which they were asked for */
	size_t n_probes;
	/* Of a metric: commits between its ends, as the submission that showed it measured them. */
	struct commit_values *between;
	size_t n_between;
};

/* Those about which something is to be decided: no probe of theirs is under way. */
must_check int store_regressions_due(struct store *s, int64_t **ret_ids, size_t *ret_n,
				     struct error *err);
/* -ENOENT. */
must_check int store_regression_load(struct store *s, int64_t id, struct regression_state *ret,
				     struct error *err);
void regression_state_free(struct regression_state *r);

/* Open regressions, no longer new ones, of the line of history of a submission that came after them:
 * it may have mended them. */
must_check int store_regressions_of_line(struct store *s, int64_t submission, int64_t **ret_ids,
					 size_t *ret_n, struct error *err);
/* An open one whose branch is not followed any more, or gone from its repository. */
struct regression_lost {
	int64_t id;
	bool followed;
	int64_t gone_us; /* since when; 0 = it is there */
};
/* Owned array. */
must_check int store_regressions_lost(struct store *s, struct regression_lost **ret, size_t *ret_n,
				      struct error *err);
/* Open ones whose case neither `submission` has nor the `count` - 1 done ones before it of the same
 * line of history. Owned array. */
must_check int store_regressions_without(struct store *s, int64_t submission, int count,
					 int64_t **ret_ids, size_t *ret_n, struct error *err);
/* The commit of the submission from which on a regression's case holds: the one after its last
 * failure, or the head when there is no failure in it. Of a metric: most values are not beyond the
 * threshold. 1 with *ret (owned: submission_fix_free()),
 * 0 when it still fails, or nothing can be said of the head. */
struct submission_fix {
	struct commit_info commit;
	char *texts[5]; /* that commit points into */
};
must_check int store_regression_fix(struct store *s, const struct regression_row *row,
				    int64_t submission, struct submission_fix *ret,
				    struct error *err);
void submission_fix_free(struct submission_fix *f);

/* Commits of its line of history at which the case of a regression held in an earlier submission, or
 * earlier in its own: older than the one that is taken for good, and not repeated for it yet. One of
 * 40 hex a line, newest first, at most 64; *ret owned, "" without any. */
must_check int store_regression_older(struct store *s, int64_t id, char **ret, struct error *err);

/* A test that is wanted: `runs` more repeats of the case at a commit, and as many without a fault
 * where it has one. */
struct probe_new {
	const char *purpose;
	struct commit_info commit;
	int runs;
};

/* Somebody who is to be told that a regression was found. */
struct recipient_new {
	const char *channel; /* mail, hook */
	const char *recipient; /* addresses with commas between; an URL */
};

/* A decision. NULL and 0: nothing of the kind. */
struct regression_step {
	const char *state; /* the next one; the same one again is a change as well */
	struct json_object *evidence; /* why; borrowed; with a state only */
	const char *culprit, *fixed, *good; /* commits */
	struct json_object *search; /* bisect_to_json(); borrowed */
	const struct probe_new *probes;
	size_t n_probes;
	const struct recipient_new *report_to; /* once for a signature and its first bad commit */
	size_t n_report_to;
	/* state "fixed" is told to whom it was reported */
};

/* Writes a decision about the regression `row`, all in one transaction. Probes go to the front of the
 * queue. -ENOENT when it has ended. */
must_check int store_regression_step(struct store *s, const struct regression_row *row,
				     const struct regression_step *step, struct error *err);

/* What the badge of a branch says; one that is not followed is not known, which is no error. */
must_check int store_branch_badge(struct store *s, const char *repo, const char *ref,
				  struct badge_facts *ret, struct error *err);

/* --- views (new references) ------------------------------------------------------------------ */

struct regression_filter {
	const char *state; /* one of the states, or "open"; NULL = any */
	const char *repo, *ref; /* line of history; NULL = any */
	int64_t submission; /* that first showed it; 0 = any */
	const char *scenario; /* one of its cases; NULL = any */
	const char *cursor;
	int limit;
};

/* Newest first: {"items":[{"id","repo","ref","branch","state","open","title","reason","signature","submission",
 * "good","bad","culprit","culprit_short","culprit_subject","culprit_author","fixed","config","arch",
 * "scenario","fault","result","cases_total","created","changed","ended"}],"next"}; commits are full
 * hashes, what is not known is null. */
must_check int view_regressions(struct store *s, const struct regression_filter *f,
				struct json_object **ret, struct error *err);
/* The same of one, with "cases":[{"config","scenario","fault","result","status","reason","detail"}],
 * "changes":[{"at","state","evidence"}], "told":[{"kind","channel","state","at"}] (mails and hooks,
 * not to whom), "probes":[{"purpose","commit","ended","built","fails","runs","others",
 * "control_fails","control_runs","values"}] in their order, "search" (bisect_to_json() or null) and
 * "metric" (null, or {"name","unit","worse","accel","threshold","between":[{"commit","values"}]}, which
 * are regression_state's). "values" are of a metric only; the threshold is null until both sides were
 * measured. "trail" is the search as people look at it (jobs/bisect_trail.h), the good end first: [{"commit",
 * "subject","verdict","why","runs","fails","others","turn","left_after","left"}], or null. -ENOENT. */
must_check int view_regression(struct store *s, int64_t id, struct json_object **ret,
			       struct error *err);
/* The same with what a report of it (jobs/report.h) says besides: "repo_url" (null unless others can
 * fetch from it), "compiler", "config_hash", "plan" (of the submission that first showed it),
 * "commits":[{"sha","parent","author","subject"}] of every
 * commit that it may name, "shown" (view_result() of its result), "before" (the same case where it was
 * good, or null), "build" and "build_before" (view_build() of both sides, or null). -ENOENT. */
must_check int view_report(struct store *s, int64_t id, struct json_object **ret,
			   struct error *err);

#endif
