/* SPDX-License-Identifier: MIT */
/* /series and its API: what the newest commits of a branch counted and measured. */
#include <string.h>

#include "server/api.h"
#include "server/chart.h"
#include "server/pages.h"

#define COMMITS 30
#define COMMITS_MAX 200
#define CHOSEN_MAX 48 /* charts of one name: its cases and faults */

/* False when the problem is answered. */
static bool asked(const struct http_req *req, struct http_res *res, struct series_filter *ret)
{
	int64_t limit = COMMITS;

	*ret = (struct series_filter){ .repo = http_query(req, "repo"),
				       .ref = http_query(req, "ref"),
				       .metric = http_query(req, "metric") };
	if (!api_query_i64(req, res, "limit", 1, COMMITS_MAX, &limit))
		return false;
	ret->limit = (int)limit;
	if (ret->repo && ret->ref)
		return true;
	http_res_problem(res, 400, "?repo= and ?ref= say of which branch");
	return false;
}

static struct json_object *member(struct json_object *o, const char *key)
{
	return json_object_object_get(o, key);
}

/* A line for each value that there is, as a spreadsheet takes it: oldest commit first. */
static struct json_object *table(struct json_object *view)
{
	static const char *const keys[] = { "config", "accel", "scenario", "kind", "name", "unit" };
	struct json_object *points = member(view, "points"), *all = member(view, "series");
	struct json_object *o = json_object_new_object(), *items = json_object_new_array();
	size_t n = json_object_array_length(points), n_series = json_object_array_length(all);

	for (size_t i = 0; i < n * n_series; i++) {
		struct json_object *s = json_object_array_get_idx(all, i % n_series), *item;
		struct json_object *point = json_object_array_get_idx(points, i / n_series);
		struct json_object *v =
			json_object_array_get_idx(member(s, "values"), i / n_series);

		if (!v)
			continue;
		item = json_object_new_object();
		json_object_object_add(item, "commit", json_object_get(member(point, "sha")));
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
			json_object_object_add(item, keys[k], json_object_get(member(s, keys[k])));
		json_object_object_add(
			item, "fault",
			json_str(member(s, "fault") ? page_str(member(s, "fault"), "mode") : ""));
		json_object_object_add(item, "value", json_object_get(v));
		json_object_array_add(items, item);
	}
	json_object_object_add(o, "items", items);
	return o;
}

void api_series(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *view = NULL, *rows;
	struct error err = ERROR_INIT;
	struct series_filter f;
	int r;

	if (!asked(req, res, &f))
		return;
	r = view_series(srv->store, &f, &view, &err);
	if (!r && (!strcmp(req->format, "csv") || !strcmp(req->format, "txt"))) {
		rows = table(view);
		json_object_put(view);
		view = rows;
	}
	api_view(req, res, r, view, &err);
}

/* --- the page ---------------------------------------------------------------------------------- */

/* NULL when it is not drawn. */
static struct json_object *chart_of(struct json_object *charts, const char *key)
{
	for (size_t i = 0; i < json_object_array_length(charts); i++) {
		struct json_object *chart = json_object_array_get_idx(charts, i);

		if (!strcmp(page_str(chart, "key"), key))
			return chart;
	}
	return NULL;
}

static struct json_object *value_text(struct json_object *v)
{
	char text[CHART_NUMBER_MAX] = "";

	if (v)
		chart_number(json_object_get_double(v), text);
	return json_str(text);
}

/* What is drawn, as a table: newest commit first, a column a line. */
static void add_table(struct json_object *view)
{
	struct json_object *points = member(view, "points"), *all = member(view, "series");
	struct json_object *columns = json_object_new_array(), *rows = json_object_new_array();

	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object *s = json_object_array_get_idx(all, i);
		struct json_object *chart = chart_of(member(view, "charts"), page_str(s, "chart"));

		if (!chart)
			continue;
		json_object_object_add(s, "title", json_object_get(member(chart, "title")));
		json_object_object_add(s, "of", json_object_get(member(chart, "of")));
		json_object_array_add(columns, json_object_get(s));
	}
	for (size_t i = json_object_array_length(points); i > 0; i--) {
		struct json_object *row = json_object_array_get_idx(points, i - 1);
		struct json_object *cells = json_object_new_array();

		for (size_t k = 0; k < json_object_array_length(columns); k++) {
			struct json_object *s = json_object_array_get_idx(columns, k);

			json_object_array_add(cells, value_text(json_object_array_get_idx(
							     member(s, "values"), i - 1)));
		}
		json_object_object_add(row, "cells", cells);
		json_object_array_add(rows, json_object_get(row));
	}
	json_object_object_add(view, "columns", columns);
	json_object_object_add(view, "rows", rows);
}

void page_series(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	struct series_filter f;
	int r;

	if (!page_is_html(req)) {
		api_series(srv, req, res);
		return;
	}
	if (!asked(req, res, &f)) {
		page_problem(req, res);
		return;
	}
	r = view_series(srv->store, &f, &view, &err);
	if (!r) {
		json_object_object_add(view, "limit", json_object_new_int(f.limit));
		page_charts_prepare(view, f.metric ? CHOSEN_MAX : PAGE_CHARTS_MAX);
		add_table(view);
	}
	page_answer(req, res, r, PAGE_SERIES, "branches",
		    xasprintf("Charts of %s %s", f.repo, f.ref), view, &err);
}
