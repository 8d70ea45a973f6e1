/* SPDX-License-Identifier: MIT */
/* /results with filters, and /results/{id}: why it is what it is. */
#include <string.h>

#include "jobs/trace.h"
#include "jobs/verdict.h"
#include "lib/clean.h"
#include "server/api.h"
#include "server/pages.h"
#include "server/url.h"

#define PER_PAGE 100

/* Which filters are set, so that the page can say so and its next page keep them. */
static void add_filter(struct json_object *view, const struct result_filter *f)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "submission", json_object_new_int64(f->submission));
	json_object_object_add(o, "run", json_object_new_int64(f->run));
	json_object_object_add(o, "scenario", json_str(f->scenario));
	json_object_object_add(o, "status", json_str(f->status));
	json_object_object_add(o, "commit", json_str(f->commit));
	json_object_object_add(view, "filter", o);
}

void page_results(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct result_filter f = { .scenario = http_field(req, "scenario"),
				   .status = http_field(req, "status"),
				   .commit = http_field(req, "commit"),
				   .cursor = http_field(req, "cursor"),
				   .limit = PER_PAGE };
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	int r;

	if (!page_is_html(req)) {
		api_results(srv, req, res);
		return;
	}
	if (!api_result_filter(req, res, &f)) {
		page_problem(req, res);
		return;
	}
	r = view_results(srv->store, &f, &view, &err);
	if (!r)
		add_filter(view, &f);
	page_answer(req, res, r, PAGE_RESULTS, "results", xstrdup("Results"), view, &err);
}

/* {"thp_split_pmd":{"before",…}} → [{"name","before",…}]. */
static void list_counters(struct json_object *view)
{
	struct json_object *counters = json_object_object_get(view, "counters");
	struct json_object *rows = json_object_new_array();

	if (json_object_is_type(counters, json_type_object)) {
		json_object_object_foreach(counters, name, counter)
		{
			struct json_object *row = json_object_new_object();

			json_object_object_add(row, "name", json_str(name));
			json_object_object_add(row, "before",
					       json_object_new_int64(page_i64(counter, "before")));
			json_object_object_add(row, "after",
					       json_object_new_int64(page_i64(counter, "after")));
			json_object_object_add(row, "delta",
					       json_object_new_int64(page_i64(counter, "delta")));
			json_object_array_add(rows, row);
		}
	}
	json_object_object_add(view, "counter_rows", rows);
}

/* A frame as its page shows it: {"what": "f+0x1/0x2", "where": "mm/x.c:12", "inlined"}. */
static void list_frame(const struct frame *f, struct json_object *rows)
{
	CLEANUP(buf_free) struct buf what = BUF_INIT;
	CLEANUP(free_p) char *where = f->file ? xasprintf("%s:%d", f->file, f->line) : NULL;
	struct frame place = *f;
	struct json_object *row = json_object_new_object();

	place.file = NULL;
	place.inlined = false;
	frame_text(&place, &what);
	json_object_object_add(row, "what", json_str(what.data));
	json_object_object_add(row, "where", json_str(where ? where : ""));
	json_object_object_add(row, "inlined", json_object_new_boolean(f->inlined));
	json_object_array_add(rows, row);
}

/* The frames of member `key`; `names`, an array, when there are none of them. */
static struct json_object *list_trace(struct json_object *of, const char *key,
				      struct json_object *names)
{
	struct json_object *rows = json_object_new_array();
	struct jval v = json_root(of);
	struct trace t = { 0 };

	if (of && trace_from_json(&v, key, &t, NULL) < 0)
		t = (struct trace){ 0 };
	for (size_t i = 0; i < t.n; i++)
		list_frame(&t.frames[i], rows);
	for (size_t i = 0; !t.n && names && i < json_object_array_length(names); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(names, i));
		const struct frame f = { .function = (char *)(name ? name : "") };

		list_frame(&f, rows);
	}
	trace_free(&t);
	return rows;
}

/* Where the kernel was when it said so. */
static void list_splat(struct json_object *view)
{
	struct json_object *splat = json_object_object_get(view, "splat");

	if (splat)
		json_object_object_add(splat, "trace", list_trace(splat, "stack", NULL));
	if (!json_object_object_get_ex(view, "undecoded", NULL))
		json_object_object_add(view, "undecoded", json_str(""));
}

/* Each stack with what is known of it. */
static void list_stacks(struct json_object *view)
{
	struct json_object *stacks = json_object_object_get(view, "stacks");
	struct json_object *info = json_object_object_get(view, "stack_info");
	struct json_object *rows = json_object_new_array();
	size_t n = json_object_is_type(stacks, json_type_array) ? json_object_array_length(stacks)
								: 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *row = json_object_new_object();
		struct json_object *of = json_object_is_type(info, json_type_array)
						 ? json_object_array_get_idx(info, i)
						 : NULL;
		struct json_object *on = json_object_object_get(of, "on_target");

		json_object_object_add(row, "trace",
				       list_trace(of, "frames",
						  json_object_array_get_idx(stacks, i)));
		json_object_object_add(row, "count", json_object_new_int64(page_i64(of, "count")));
		json_object_object_add(row, "on_target",
				       json_object_new_boolean(json_object_get_boolean(on)));
		json_object_array_add(rows, row);
	}
	json_object_object_add(view, "stack_rows", rows);
}

void page_result_prepare(struct json_object *view)
{
	list_counters(view);
	list_stacks(view);
	list_splat(view);
}

static char *prepare(struct json_object *view, int64_t id)
{
	(void)id;
	page_result_prepare(view);
	return xasprintf("%s: %s %s", page_str(view, "case"), page_str(view, "status"),
			 page_str(view, "reason"));
}

void page_result(struct server *srv, const struct http_req *req, struct http_res *res)
{
	static const struct page_of page = { PAGE_RESULT, "results", api_result, view_result,
					     prepare };

	page_show(srv, req, res, &page);
}
