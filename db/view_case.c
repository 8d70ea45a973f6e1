/* SPDX-License-Identifier: MIT */
/* One case over time: a row for each run that had it, newest first. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "db/store_internal.h"
#include "db/store_regress.h"
#include "jobs/scenario.h"
#include "lib/clock.h"

#define EXAMINED_MAX 500 /* rows that a page looks at; a filter may leave out most of them */
#define REGRESSIONS_SHOWN 20

/* What the results of a case in one run come to. */
struct outcome {
	int results, fails;
	int64_t on, off, duration_us;
	int rank; /* of the worst, result_rank() */
	struct json_object *worst; /* its members of a row; NULL: there is no result */
};

static void outcome_free(struct outcome *o)
{
	json_object_put(o->worst);
}

/* Columns of case_results. */
enum { COL_STATUS, COL_MODE, COL_CLOSING, COL_ON, COL_OFF, COL_DURATION, COLS_SUMMED };

static int rank_of(const struct query *q)
{
	struct result x = { .status = STATUS_SKIP };

	/* Both words are this program's own. */
	(void)status_parse(query_text(q, COL_STATUS), &x.status);
	if (query_text(q, COL_MODE))
		(void)fault_mode_parse(query_text(q, COL_MODE), &x.fault.mode);
	return result_rank(&x);
}

/* A sweep's closing result repeats what its points did. */
static int sum_up(struct db *db, const struct case_filter *f, int64_t run, struct outcome *ret,
		  struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	int r = query_start(&q, db, Q_CASE_RESULTS, ARGS(S(f->scenario), I(run), S(f->fault)), err);

	if (r < 0)
		return r;
	while ((r = query_next(&q, err)) == 1) {
		int rank = rank_of(&q);

		if (!ret->worst || rank < ret->rank) {
			json_object_put(ret->worst);
			ret->worst = query_row(&q);
			ret->rank = rank;
		}
		if (query_i64(&q, COL_CLOSING))
			continue;
		ret->results++;
		ret->fails += strcmp(query_text(&q, COL_STATUS), "FAIL") == 0;
		ret->on += query_i64(&q, COL_ON);
		ret->off += query_i64(&q, COL_OFF);
		ret->duration_us += query_i64(&q, COL_DURATION);
	}
	return r;
}

static void put_outcome(struct json_object *row, const struct outcome *o)
{
	static const char *const members[] = { "status", "reason", "detail", "fault", "result" };
	struct json_object *injected = json_object_new_object();

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		json_object_object_add(
			row, members[i],
			json_object_get(json_object_object_get(o->worst, members[i])));
	json_object_object_add(injected, "on_target", json_object_new_int64(o->on));
	json_object_object_add(injected, "off_target", json_object_new_int64(o->off));
	json_object_object_add(row, "injected", injected);
	json_object_object_add(row, "duration_us", json_object_new_int64(o->duration_us));
	json_object_object_add(row, "results", json_object_new_int(o->results));
	json_object_object_add(row, "fails", json_object_new_int(o->fails));
}

static const char *text_of(struct json_object *o, const char *key)
{
	const char *s = json_object_get_string(json_object_object_get(o, key));

	return s ? s : "";
}

static bool is_wanted(const char *want, struct json_object *o, const char *key)
{
	return !want || strcmp(want, text_of(o, key)) == 0;
}

/* Adds the row if the filter lets it. */
static int add_row(struct db *db, const struct case_filter *f, struct json_object *row,
		   struct json_object *items, struct error *err)
{
	CLEANUP(outcome_free) struct outcome o = { 0 };
	int64_t run = json_object_get_int64(json_object_object_get(row, "run"));
	int r;

	if (!is_wanted(f->repo, row, "repo") || !is_wanted(f->config, row, "config") ||
	    !json_object_get_boolean(json_object_object_get(row, "of_ref")))
		return 0;
	r = sum_up(db, f, run, &o, err);
	if (r < 0 || !o.worst || !is_wanted(f->status, o.worst, "status"))
		return r;
	json_object_object_del(row, "of_ref");
	json_object_object_del(row, "worst");
	put_outcome(row, &o);
	json_object_array_add(items, json_object_get(row));
	return 0;
}

/* Columns of case_runs. */
enum { COL_RUN, COL_WORST };

/* *ret_next: where to go on, 0: there is no more. */
static int add_items(struct db *db, const struct case_filter *f, int64_t before,
		     struct json_object *items, int64_t *ret_next, struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	int64_t last = 0;
	int examined = 0;
	int r = query_start(&q, db, Q_CASE_RUNS,
			    ARGS(S(f->scenario), I(before), S(f->repo), S(f->ref)), err);

	while (!r && (r = query_next(&q, err)) == 1) {
		CLEANUP(json_put_p) struct json_object *row = NULL;

		if (examined++ == EXAMINED_MAX ||
		    (int)json_object_array_length(items) == f->limit) {
			*ret_next = last;
			return 0;
		}
		last = query_i64(&q, COL_RUN);
		r = 0;
		/* of all faults the worst is kept; of one it has to be looked for */
		if (!f->fault && f->status && strcmp(f->status, query_text(&q, COL_WORST)) != 0)
			continue;
		row = query_row(&q);
		r = add_row(db, f, row, items, err);
	}
	return r < 0 ? r : 0;
}

/* --- series ------------------------------------------------------------------------------------ */

static struct json_object *point_of(struct json_object *row)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "sha", json_object_get(json_object_object_get(row, "commit")));
	json_object_object_add(o, "short", json_object_get(json_object_object_get(row, "short")));
	json_object_object_add(o, "subject",
			       json_object_get(json_object_object_get(row, "subject")));
	return o;
}

/* The commits of the items, oldest first, and of each item which one is its. Owned. */
static size_t *points_of(struct json_object *items, struct json_object *points)
{
	CLEANUP(json_put_p) struct json_object *index = json_object_new_object();
	size_t n = json_object_array_length(items);
	size_t *at = xcalloc(n + 1, sizeof(*at));

	for (size_t i = n; i > 0; i--) {
		struct json_object *row = json_object_array_get_idx(items, i - 1), *known;
		size_t count = json_object_array_length(points);

		if (json_object_object_get_ex(index, text_of(row, "commit"), &known)) {
			at[i - 1] = (size_t)json_object_get_int64(known);
			continue;
		}
		at[i - 1] = count;
		json_object_object_add(index, text_of(row, "commit"),
				       json_object_new_int64((int64_t)count));
		json_object_array_add(points, point_of(row));
	}
	return at;
}

static int add_values(struct db *db, const char *scenario, struct json_object *row, size_t point,
		      struct series_set *set, struct error *err)
{
	const char *config = text_of(row, "config"), *accel = text_of(row, "accel");
	struct json_object *injected = json_object_object_get(row, "injected");
	int64_t us = json_object_get_int64(json_object_object_get(row, "duration_us"));
	int64_t on = json_object_get_int64(json_object_object_get(injected, "on_target"));

	series_put(set, point, scenario, "duration", "s", config, accel, (double)us / US_PER_S);
	series_put(set, point, scenario, "injected on target", "", config, accel, (double)on);
	return series_add(set, db, point, json_object_get_int64(json_object_object_get(row, "run")),
			  config, accel, NULL, scenario, err);
}

/* Newest first: of two runs of a commit the newer one gives the values. */
static int add_series(struct db *db, const char *scenario, struct json_object *items,
		      struct json_object *o, struct error *err)
{
	struct json_object *points = json_object_new_array();
	CLEANUP(series_free_p) struct series_set *set = NULL;
	CLEANUP(free_p) size_t *at = points_of(items, points);
	int r = 0;

	set = series_new(json_object_array_length(points));
	for (size_t i = 0; i < json_object_array_length(items) && !r; i++)
		r = add_values(db, scenario, json_object_array_get_idx(items, i), at[i], set, err);
	json_object_object_add(o, "points", points);
	json_object_object_add(o, "series", series_finish(set));
	return r;
}

/* --- the whole --------------------------------------------------------------------------------- */

static struct json_object *head(const struct case_filter *f, const struct scenario *known)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "case", json_str(f->scenario));
	json_object_object_add(o, "summary", json_str(known ? known->summary : NULL));
	json_object_object_add(o, "needs", json_str(known ? known->needs : NULL));
	json_object_object_add(o, "path", json_str(known ? known->path : NULL));
	return o;
}

static int add_regressions(struct store *s, const char *scenario, struct json_object *o,
			   struct error *err)
{
	const struct regression_filter f = { .scenario = scenario, .limit = REGRESSIONS_SHOWN };
	CLEANUP(json_put_p) struct json_object *list = NULL;
	int r = view_regressions(s, &f, &list, err);

	if (!r)
		json_object_object_add(o, "regressions",
				       json_object_get(json_object_object_get(list, "items")));
	return r;
}

static int fill(struct store *s, const struct case_filter *f, int64_t before, struct json_object *o,
		struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	struct json_object *items = json_object_new_array();
	int64_t next = 0;
	int r = reader_begin(&rd, s, err);
	char cursor[32];

	json_object_object_add(o, "items", items);
	if (!r)
		r = add_items(rd.db, f, before, items, &next, err);
	if (!r)
		r = add_series(rd.db, f->scenario, items, o, err);
	snprintf(cursor, sizeof(cursor), "c%lld", (long long)next);
	if (next)
		json_object_object_add(o, "next", json_str(cursor));
	return r;
}

/* Whether there is any result of a case that the catalogue does not have. */
static int ever_ran(struct store *s, const char *scenario, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	int64_t run;
	int r = reader_begin(&rd, s, err);

	return r < 0 ? r : db_find(rd.db, Q_CASE_EVER, ARGS(S(scenario)), &run, err);
}

int view_case(struct store *s, const struct case_filter *f, struct json_object **ret,
	      struct error *err)
{
	const struct scenario *known = scenario_find(f->scenario);
	CLEANUP(json_put_p) struct json_object *o = NULL;
	int64_t before = INT64_MAX;
	int r = cursor_parse(f->cursor, 'c', &before, 1, err);

	if (!r)
		r = limit_check(f->limit, err);
	if (r)
		return r;
	r = known ? 1 : ever_ran(s, f->scenario, err);
	if (r < 1)
		return r ? r : error_set(err, -ENOENT, "there is no case '%s'", f->scenario);
	o = head(f, known);
	r = add_regressions(s, f->scenario, o, err);
	if (!r)
		r = fill(s, f, f->cursor ? before - 1 : before, o, err);
	if (!r)
		*ret = STEAL(o);
	return r;
}
