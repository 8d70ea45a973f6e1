/* SPDX-License-Identifier: MIT */
/* /runs/{id}: one attempt at a job, what went wrong in it, and its cases. */
#include <string.h>

#include "server/api.h"
#include "server/pages.h"

#define TOLD \
	12 /* ways to fail that are told in full: reading their documents is most of the page */
#define STACKS 4 /* of each of them; its own page has them all */

static bool is_closing(struct json_object *result)
{
	return json_object_get_boolean(json_object_object_get(result, "closing"));
}

/* Its stacks beyond the first ones become a number. */
static void cut_stacks(struct json_object *result)
{
	struct json_object *rows = json_object_object_get(result, "stack_rows");
	size_t n = json_object_array_length(rows);

	json_object_object_add(result, "n_stacks", json_object_new_int64((int64_t)n));
	if (n > STACKS)
		json_object_array_del_idx(rows, STACKS, n - STACKS);
	json_object_object_add(result, "stacks_more",
			       json_object_new_int64(n > STACKS ? (int64_t)(n - STACKS) : 0));
}

static void count_moved(struct json_object *result)
{
	struct json_object *rows = json_object_object_get(result, "counter_rows");
	int64_t n = 0;

	for (size_t i = 0; i < json_object_array_length(rows); i++)
		n += page_i64(json_object_array_get_idx(rows, i), "delta") != 0;
	json_object_object_add(result, "n_moved", json_object_new_int64(n));
}

/* Injections of all results. */
static void sum_injected(struct json_object *view)
{
	struct json_object *results = json_object_object_get(view, "results");
	struct json_object *o = json_object_new_object();
	int64_t on = 0, off = 0;

	for (size_t i = 0; i < json_object_array_length(results); i++) {
		struct json_object *r = json_object_array_get_idx(results, i);
		struct json_object *injected = json_object_object_get(r, "injected");

		/* A sweep's closing result says again what its points did. */
		if (is_closing(r))
			continue;
		on += page_i64(injected, "on_target");
		off += page_i64(injected, "off_target");
	}
	json_object_object_add(o, "on_target", json_object_new_int64(on));
	json_object_object_add(o, "off_target", json_object_new_int64(off));
	json_object_object_add(view, "injected_sum",
			       json_object_array_length(results) ? json_object_get(o) : NULL);
	json_object_put(o);
}

/* Results that went wrong; a sweep's closing one repeats what its points did. */
static int64_t count_bad(struct json_object *view)
{
	struct json_object *results = json_object_object_get(view, "results");
	int64_t n = 0;

	for (size_t i = 0; i < json_object_array_length(results); i++) {
		struct json_object *r = json_object_array_get_idx(results, i);
		const char *status = page_str(r, "status");

		n += !is_closing(r) && (!strcmp(status, "FAIL") || !strcmp(status, "ERROR"));
	}
	return n;
}

static void prepare(struct json_object *view, struct json_object *bad, int64_t id)
{
	int64_t left = count_bad(view);
	size_t told = json_object_array_length(bad);

	for (size_t i = 0; i < told; i++) {
		struct json_object *r = json_object_array_get_idx(bad, i);

		left -= is_closing(r) ? 0 : page_i64(r, "alike");
		json_object_object_add(r, "others",
				       json_object_new_int64(page_i64(r, "alike") - 1));
		page_result_prepare(r);
		cut_stacks(r);
		count_moved(r);
	}
	sum_injected(view);
	json_object_object_add(view, "bad", bad);
	json_object_object_add(view, "any_bad", json_object_new_boolean(told > 0));
	json_object_object_add(view, "bad_more", json_object_new_int64(left));
	/* Results have an id of their own; beside it their links need the run's. */
	json_object_object_add(view, "run", json_object_new_int64(id));
}

void page_run(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *view = NULL, *bad = NULL;
	struct error err = ERROR_INIT;
	int64_t id;
	int r;

	if (!page_is_html(req)) {
		api_run(srv, req, res);
		return;
	}
	if (!page_id(req, res, &id))
		return;
	r = view_run(srv->store, id, &view, &err);
	if (!r)
		r = view_run_bad(srv->store, id, TOLD, &bad, &err);
	if (!r)
		prepare(view, bad, id);
	page_answer(req, res, r, PAGE_RUN, "none", xasprintf("Run %lld", (long long)id), view,
		    &err);
}
