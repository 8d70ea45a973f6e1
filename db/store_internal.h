/* SPDX-License-Identifier: MIT */
/*
 * store_internal: what the store's files share: transactions of the writer thread, readers,
 * events, and what ends a job. May be included by db/ only.
 */
#ifndef FAULTLINE_DB_STORE_INTERNAL_H
#define FAULTLINE_DB_STORE_INTERNAL_H

#include "db/db.h"
#include "db/store.h"

#define EVENTS_KEPT 10000
#define AGENT_LIVE_US (120 * US_PER_S) /* an agent polls or heartbeats several times in this */
#define AGENT_LATE_US \
	(80 * US_PER_S) /* an idle one asks once a minute, and that is written down late */
#define AGENT_SEEN_EVERY_US (20 * US_PER_S) /* idle polls are written down no more often */

/* One transaction's work; runs in the writer thread. A negative result undoes it alone. */
typedef int (*write_fn)(struct db *db, void *arg, struct error *err);

/* Hands `fn` to the writer thread and returns its result after the commit. `arg` stays the
 * caller's; both are used until the return only. */
must_check int store_write(struct store *s, write_fn fn, void *arg, struct error *err);
/* One statement as a transaction; *ret_changes may be NULL. */
must_check int store_run(struct store *s, enum db_query name, const struct arg *args, int n,
			 int *ret_changes, struct error *err);
/* One statement with RETURNING: 1 with *ret_id, 0 when there is no row. */
must_check int store_insert(struct store *s, enum db_query name, const struct arg *args, int n,
			    int64_t *ret_id, struct error *err);

void store_counts(struct store *s, int64_t *ret_writes, int64_t *ret_groups);

/* A read-only connection inside a transaction: everything read is of one moment. */
struct reader {
	struct store *store;
	struct db *db;
};
must_check int reader_begin(struct reader *rd, struct store *s, struct error *err);
void reader_end(struct reader *rd); /* for CLEANUP() */

/* writer.c: the thread behind store_write(). Owns the writable connection. */
struct writer;
must_check int writer_start(struct db *db, struct writer **ret, struct error *err);
void writer_stop(struct writer *w); /* after what was accepted is committed; closes the db */
must_check int writer_do(struct writer *w, write_fn fn, void *arg, struct error *err);
/* Transactions asked for, and commits that were made for them. */
void writer_counts(struct writer *w, int64_t *ret_writes, int64_t *ret_groups);
void writer_on_events(struct writer *w, void (*fn)(void *arg), void *arg);
void writer_on_queued(struct writer *w, void (*fn)(void *arg), void *arg);

struct regression_state;
/* store_metric.c: of a regression that is of a metric, the values of its probes and of the commits
 * between; the probes' counts follow from them. */
must_check int metric_load(struct db *db, struct regression_state *g, struct error *err);

/* Adds an event about row `id` by one of the event_* queries. */
must_check int event_add(struct db *db, enum db_query name, int64_t id, struct error *err);

/* Valid UTF-8 copy of what may be any bytes; owned, NULL in NULL out. */
char *text_utf8(const char *s);

/* Counts and state of one submission anew; DONE when nothing is open. */
must_check int submission_refresh(struct db *db, int64_t id, struct error *err);
/* The same for all submissions that a job belongs to. */
must_check int job_refresh(struct db *db, int64_t job_id, struct error *err);
/* Cheaper, for the usual case: exactly this job ended, for the first time, with this run. */
must_check int job_ended(struct db *db, int64_t job_id, int64_t run_id, struct error *err);

/* A job and the lease that somebody shows. */
struct lease_row {
	int64_t job_id, build_id, test_id; /* test_id 0: a build */
	int64_t run_id;
	int attempt;
	bool again; /* it ended before and was revived */
	bool live; /* the lease is the job's own, and the job is leased */
	char outcome[16]; /* of the lease's run; "" while it has none */
};
/* LEASE_OK: *ret is filled and live. LEASE_LOST: filled, when the lease once was the job's, with
 * its run's outcome. */
must_check int lease_find(struct db *db, int64_t job_id, const char *lease_hash,
			  struct lease_row *ret, enum lease *ret_lease, struct error *err);
/* The lease's run failed for want of infrastructure: requeues, or gives up at the cap. */
must_check int job_missed(struct db *db, const struct lease_row *l, const char *outcome,
			  enum reason reason, const char *detail, struct error *err);
/* The job of `l` ends in `state` with its run as the answer. */
must_check int job_end(struct db *db, const struct lease_row *l, const char *state,
		       struct error *err);

/* Results ready to be written: the JSON is made in the caller's thread. */
struct result_rows {
	const struct result *results; /* borrowed */
	size_t n;
	char **faults, **documents; /* owned */
};
void result_rows_make(struct result_rows *rows, const struct result *results, size_t n);
void result_rows_free(struct result_rows *rows);
/* What charts show of the run: the sums of its counters and injections, the medians of its metrics
 * (store_values.c). Of counters the first RUN_COUNTERS_MAX names: the kernel's own, which are some
 * dozen, not what a guest makes up. */
#define RUN_COUNTERS_MAX 128
must_check int run_values_write(struct db *db, int64_t run_id, const struct result_rows *rows,
				struct error *err);
/* Writes rows, documents, cells, values, totals and the run's counts; *ret_worst indexes the worst
 * result, -1 when there is none. */
must_check int result_rows_write(struct db *db, int64_t run_id, const struct result_rows *rows,
				 int *ret_worst, struct error *err);

/* The matrix under construction (view_matrix.c). */
struct matrix;
struct matrix *matrix_new(void);
void matrix_free_p(struct matrix **m);
/* Adds the rows of matrix_of_submission or matrix_of_commit, which takes `id`; rows that are there
 * already are left out. Stops before commit number max_commits + 1. */
must_check int matrix_add(struct matrix *m, struct db *db, enum db_query name, int64_t id,
			  int max_commits, struct error *err);
int matrix_commits(const struct matrix *m); /* how many distinct ones so far */
/* {"cases":[…],"rows":[…]}; brief: the rows have a "strip" instead of "cells". */
must_check int matrix_finish(struct matrix *m, struct db *db, bool brief, struct json_object **ret,
			     struct error *err);

/* Series under construction (view_series.c). */
struct series_set;
struct series_set *series_new(size_t n_points);
void series_free_p(struct series_set **set);
/* Values of a run at a point (0..n_points - 1) of the lines of `config` and `accel`; those that are there
 * already stay. `metric`, `scenario`: only of this name, only of metrics of this case; or NULL. */
must_check int series_add(struct series_set *set, struct db *db, size_t point, int64_t run,
			  const char *config, const char *accel, const char *metric,
			  const char *scenario, struct error *err);
/* One value of what the case itself came to; the same rules. */
void series_put(struct series_set *set, size_t point, const char *scenario, const char *name,
		const char *unit, const char *config, const char *accel, double value);
/* The array "series" of view_series(). */
struct json_object *series_finish(struct series_set *set);

/* How far a submission is, as "progress" (view_progress.c); null once it is done or refused. */
must_check int progress_add(struct db *db, int64_t submission, struct json_object *o,
			    struct error *err);

/* {"items":[…]}; takes over `items`. */
struct json_object *view_list(struct json_object *items);
/* The rows of a query whose first column is the cursor's number, at most `limit`; it has to ask for
 * one more. "next" is there when there are more: `prefix` and the number of the last. */
must_check int view_page(struct query *q, char prefix, int limit, struct json_object **ret,
			 struct error *err);
/* "s12" and the like: letter and numbers, joined by dots. NULL cursor leaves ret[] alone. */
must_check int cursor_parse(const char *cursor, char prefix, int64_t *ret, int n,
			    struct error *err);
must_check int limit_check(int limit, struct error *err);
/* splat and console of a result row become null when there is none. */
void result_row_tidy(struct json_object *row);

#endif
