/* SPDX-License-Identifier: MIT */
/*
 * compare: two sets of results, side by side: what regressed, what was fixed, what cannot be
 * compared. Pure functions; docs/regressions.md says how the words are meant.
 *
 * Results are of the same case when scenario, fault, configuration, architecture and accelerator
 * are the same; a sweep's points are aligned by their n, its closing result on its own. Several
 * results of one case on one side are its repeats. An architecture or accelerator that is not known
 * (of a run that never began, of a document) is the one that all others of its configuration have.
 * Infrastructure is never a regression: a side that has only ERROR or MISS for a case says nothing
 * about the kernel. One that has only SKIP does not fail: a failure beside it is new. A fix it is not.
 * Thread: any.
 */
#ifndef FAULTLINE_JOBS_COMPARE_H
#define FAULTLINE_JOBS_COMPARE_H

#include <stddef.h>
#include <stdint.h>

#include "jobs/metric.h"
#include "jobs/rank.h"
#include "jobs/result.h"
#include "jobs/signature.h"

struct buf;

/* One result and what it does not know itself. All of it is borrowed. */
struct compare_item {
	const struct result *result;
	const char *arch, *accel; /* NULL or "": not known, or a build's accelerator */
	int64_t run; /* the document it is of: there, case, fault and repeat name one result */
	int64_t id; /* the server's, 0 = none */
};

/* One of the two sets. */
struct compare_side {
	const char *what; /* as it was asked for; borrowed */
	const char *commit, *subject; /* borrowed, NULL: not known */
	int64_t submission; /* whose results these are, 0 = not one's alone */
	struct compare_item *items; /* owned */
	size_t n, cap;
};

void compare_side_add(struct compare_side *s, const struct compare_item *item);
/* All results of a document (borrowed), as one run. The architecture is not known. */
void compare_side_doc(struct compare_side *s, const struct result_doc *d);
void compare_side_free(struct compare_side *s); /* the items; what they point to is not its own */

enum { COMPARE_A, COMPARE_B, COMPARE_SIDES };

/* In the order that people want to read. "Good": PASS or DONE, and no FAIL among the repeats. */
enum compare_class {
	COMPARE_REGRESSED, /* A good or only SKIP, B FAIL; a sweep also by one of its points alone */
	COMPARE_STILL_FAILING, /* FAIL in both; same_failure says whether it is the same one */
	COMPARE_FIXED, /* A FAIL, B good */
	COMPARE_APPEARED, /* only B has the case */
	COMPARE_DISAPPEARED, /* only A has the case */
	COMPARE_NOT_COMPARABLE, /* a side has no verdict about its kernel; `why` says more */
	COMPARE_UNCHANGED, /* good in both */
	COMPARE_CLASS_COUNT
};

const char *compare_class_name(enum compare_class c); /* "still_failing" */

/* FAIL results that are the same failure (jobs/signature.h). */
struct compare_failure {
	enum reason reason;
	char signature[SIGNATURE_MAX];
	const char *fingerprint; /* of the first one's splat; "" without one */
	char *title; /* owned */
	int count;
};

/* Distinct failures kept for one side of a case; more are a kernel that dies differently each time. */
#define COMPARE_FAILURES_MAX 16

/* One side of one case. */
struct compare_tally {
	const struct compare_item **items; /* its results, most severe first within a repeat */
	size_t n;
	int fails, runs; /* FAIL, and FAIL + PASS + DONE: what says something about the kernel */
	int skips; /* SKIP */
	const struct compare_item *worst; /* by the order of enum status, the first; NULL: none */
	struct compare_failure *failures; /* in the order of their first result */
	size_t n_failures;
	int failures_dropped; /* FAIL results beyond the cap */
};

struct compare_row {
	enum compare_class class;
	const struct compare_item *item; /* names the case: of B, or else of A */
	const char *arch, *accel; /* as far as either side knows; "" if neither does */
	int point; /* n of a sweep's point; 0: a whole case */
	struct compare_tally side[COMPARE_SIDES];
	double p; /* Fisher's, two-sided; 1 when a side has no runs */
	bool same_failure; /* still failing, and B fails in no way that A does not */
	bool counted; /* stands for its case in the counts; a point does not */
	bool shown; /* says something: a table for people has it */
	bool sweep; /* a sweep's whole; then: */
	int points[COMPARE_SIDES]; /* how many of its points are there */
	bool points_differ; /* both sides have it, but not with the same points */
	const char *why; /* static text; NULL when the class says it all */
	size_t group, at; /* which case it belongs to; its place among the results */
};

/* One metric of one case. */
struct compare_metric {
	const struct compare_row *row;
	const char *name, *unit;
	/* One value for each repeat that is DONE, the first COMPARE_VALUES_MAX of them. */
	struct metric_summary side[COMPARE_SIDES]; /* n 0: the side did not measure it */
	struct rank_comparison rank;
};

#define COMPARE_VALUES_MAX 1000 /* the cost of a comparison grows with its square */

struct compare {
	const struct compare_side *side[COMPARE_SIDES]; /* borrowed */
	/* By class, then in the order of B's results, then of A's. A sweep's points follow it. */
	struct compare_row *rows;
	size_t n_rows;
	struct compare_metric *metrics; /* moved ones first, else in the order of the rows */
	size_t n_metrics;
	int counts[COMPARE_CLASS_COUNT]; /* of cases; a point counts when its sweep has no whole */
	int moved; /* metrics */
	int duplicates[COMPARE_SIDES]; /* results that were there twice; the worse one counts */
	const struct compare_item **items; /* what the tallies point into */
};

/* The sides and what they borrow must outlive *ret, which is the caller's: compare_free(). */
void compare_sides(const struct compare_side *a, const struct compare_side *b, struct compare *ret);
void compare_free(struct compare *c);

/* The view: {"a","b","summary","cases","metrics"} of docs/regressions.md. New reference. */
struct json_object *compare_to_json(const struct compare *c);

/* --- the view as text (compare_print.c) ------------------------------------------------------- */

/* For people: the two sides, the counts, a table of what is `shown`, the metrics that moved.
 * -EINVAL naming the path when it is not such a view. */
must_check int compare_txt(struct json_object *view, struct buf *out, struct error *err);
/* RFC 4180, everything that is in the view; a metric is a line too. -EINVAL as above. */
must_check int compare_csv(struct json_object *view, struct buf *out, struct error *err);
/* Of the command line: 1 something regressed, 2 no case has a verdict on both sides, else 0. -EINVAL
 * as above. */
must_check int compare_exit_code(struct json_object *view, int *ret, struct error *err);

#endif
