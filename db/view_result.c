/* SPDX-License-Identifier: MIT */
/*
 * Results by filter. The order is always the same, newest run first and a run's results as the run
 * gave them, so that one kind of cursor serves every filter: run and result of the last one shown.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "db/store_internal.h"

struct page {
	const struct result_filter *f;
	struct db *db;
	struct json_object *items;
	int64_t run, after; /* where the page begins: behind this result of this run */
	int64_t last_run, last_id; /* of the last item */
	bool more;
};

/* null instead of an object that says nothing. */
void result_row_tidy(struct json_object *row)
{
	struct json_object *o = json_object_object_get(row, "splat");

	if (o && !json_object_object_get(o, "kind"))
		json_object_object_add(row, "splat", NULL);
	o = json_object_object_get(row, "console");
	if (o && json_object_get_int64(json_object_object_get(o, "offset")) < 0)
		json_object_object_add(row, "console", NULL);
}

/* The document with what the row knows besides; the row's words win. */
static int whole_result(struct db *db, int64_t id, struct json_object **ret, struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	CLEANUP(json_put_p) struct json_object *doc = NULL;
	const char *text;
	int r = query_start(&q, db, Q_RESULT_VIEW, ARGS(I(id)), err);

	if (!r)
		r = query_next(&q, err);
	if (r != 1)
		return r;
	text = query_text(&q, sqlite3_column_count(q.st) - 1);
	r = json_parse(text, strlen(text), &doc, err);
	if (r < 0)
		return r;
	query_row_into(&q, doc);
	json_object_object_del(doc, "document");
	if (!json_object_object_get_ex(doc, "console", NULL))
		json_object_object_add(doc, "console", NULL);
	*ret = STEAL(doc);
	return 1;
}

static int page_add(struct page *p, int64_t run, int64_t id, struct error *err)
{
	struct json_object *o = NULL;
	int r;

	if ((int)json_object_array_length(p->items) >= p->f->limit) {
		p->more = true;
		return 0;
	}
	if (p->f->full)
		r = whole_result(p->db, id, &o, err);
	else
		r = db_row(p->db, Q_RESULT_ROW_VIEW, ARGS(I(id)), &o, err);
	if (r != 1)
		return r < 0 ? r
			     : error_set(err, -EBADMSG, "result %lld is incomplete", (long long)id);
	if (!p->f->full)
		result_row_tidy(o);
	json_object_array_add(p->items, o);
	p->last_run = run;
	p->last_id = id;
	return 0;
}

/* Adds what a query of (run, id) gives. */
static int page_query(struct page *p, enum db_query name, const struct arg *args, int n,
		      struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	int r = query_start(&q, p->db, name, args, n, err);

	if (r < 0)
		return r;
	while (!p->more && (r = query_next(&q, err)) == 1) {
		r = page_add(p, query_i64(&q, 0), query_i64(&q, 1), err);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : 0;
}

static int page_run(struct page *p, int64_t run, struct error *err)
{
	const struct result_filter *f = p->f;
	int left = f->limit - (int)json_object_array_length(p->items) + 1;

	return page_query(p, Q_RESULTS_OF_RUN,
			  ARGS(I(run), I(run == p->run ? p->after : 0), I(left), S(f->status),
			       S(f->scenario)),
			  err);
}

/* Run after run, newest first, from a query of runs. */
static int page_runs(struct page *p, enum db_query name, const struct arg *args, int n,
		     struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	int r = query_start(&q, p->db, name, args, n, err);

	if (r < 0)
		return r;
	while (!p->more && (r = query_next(&q, err)) == 1) {
		int64_t run = query_i64(&q, 0);

		if (p->f->run && p->f->run != run)
			continue;
		r = page_run(p, run, err);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : 0;
}

static int fill(struct page *p, struct error *err)
{
	const struct result_filter *f = p->f;
	int limit = f->limit + 1;

	if (f->submission)
		return page_runs(p, Q_RUNS_OF_SUBMISSION,
				 ARGS(I(f->submission), I(p->run), S(f->commit), S(f->status)),
				 err);
	if (f->commit)
		return page_runs(p, Q_RUNS_OF_COMMIT, ARGS(S(f->commit), I(p->run), S(f->status)),
				 err);
	if (f->run)
		return f->run <= p->run ? page_run(p, f->run, err) : 0;
	if (f->scenario && f->status)
		return page_query(
			p, Q_RESULTS_BY_SCENARIO_STATUS,
			ARGS(I(p->run), I(p->after), I(limit), S(f->status), S(f->scenario)), err);
	if (f->scenario)
		return page_runs(p, Q_RUNS_OF_SCENARIO, ARGS(S(f->scenario), I(p->run)), err);
	if (f->status)
		return page_query(p, Q_RESULTS_BY_STATUS,
				  ARGS(I(p->run), I(p->after), I(limit), S(f->status)), err);
	return page_query(p, Q_RESULTS_ALL, ARGS(I(p->run), I(p->after), I(limit)), err);
}

int view_results(struct store *s, const struct result_filter *f, struct json_object **ret,
		 struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(json_put_p) struct json_object *items = json_object_new_array();
	int64_t at[2] = { INT64_MAX, 0 };
	struct page p = { .f = f, .items = items };
	struct json_object *list;
	char next[64];
	int r = cursor_parse(f->cursor, 'r', at, 2, err);

	if (!r)
		r = limit_check(f->limit, err);
	if (!r)
		r = reader_begin(&rd, s, err);
	if (r < 0)
		return r;
	p.db = rd.db;
	p.run = at[0];
	p.after = at[1];
	r = fill(&p, err);
	if (r < 0)
		return r;
	list = view_list(STEAL(items));
	if (p.more) {
		snprintf(next, sizeof(next), "r%lld.%lld", (long long)p.last_run,
			 (long long)p.last_id);
		json_object_object_add(list, "next", json_object_new_string(next));
	}
	*ret = list;
	return 0;
}

int view_result(struct store *s, int64_t id, struct json_object **ret, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = whole_result(rd.db, id, ret, err);
	if (r == 0)
		return error_set(err, -ENOENT, "there is no result %lld", (long long)id);
	return r < 0 ? r : 0;
}

int view_run_bad(struct store *s, int64_t run, int limit, struct json_object **ret,
		 struct error *err)
{
	CLEANUP(json_put_p) struct json_object *items = json_object_new_array();
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(query_end) struct query q = { 0 };
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = query_start(&q, rd.db, Q_RUN_BAD_RESULTS, ARGS(I(run), I(limit)), err);
	while (r >= 0 && (r = query_next(&q, err)) == 1) {
		struct json_object *o = NULL;

		r = whole_result(rd.db, query_i64(&q, 0), &o, err);
		if (r != 1)
			continue;
		json_object_object_add(o, "alike", json_object_new_int64(query_i64(&q, 1)));
		json_object_array_add(items, o);
	}
	if (!r)
		*ret = STEAL(items);
	return r;
}
