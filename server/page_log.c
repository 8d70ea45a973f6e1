/* SPDX-License-Identifier: MIT */
/*
 * /runs/{id}/log: a window of a run's log. Splats and injection traces are marked, and where the
 * part of a result begins there is an anchor. The whole log is there as .txt; .json is what scripts
 * show more than a window with.
 */
#include <errno.h>
#include <string.h>

#include "server/api.h"
#include "server/logview.h"
#include "server/pages.h"
#include "server/runlog.h"

#define LEAD_BYTES 512 /* shown before what was asked for, for what led to it */

/* What of the log was asked for. */
struct wanted {
	int64_t offset; /* -1: not said */
	int64_t result; /* 0: none */
	enum log_mark mark; /* of the result's part */
};

static void add_i64(struct json_object *o, const char *key, int64_t n)
{
	json_object_object_add(o, key, json_object_new_int64(n));
}

static struct json_object *window_json(const struct log_window *w, bool truncated)
{
	struct json_object *o = json_object_new_object();

	add_i64(o, "from", w->from);
	add_i64(o, "to", w->to);
	add_i64(o, "size", w->size);
	json_object_object_add(o, "truncated", json_object_new_boolean(truncated));
	json_object_object_add(o, "has_previous", json_object_new_boolean(w->from > 0));
	json_object_object_add(o, "has_next", json_object_new_boolean(w->to < w->size));
	add_i64(o, "previous", w->from > LOGVIEW_BYTES ? w->from - LOGVIEW_BYTES : 0);
	add_i64(o, "next", w->to);
	add_i64(o, "last", w->size > LOGVIEW_BYTES ? w->size - LOGVIEW_BYTES : 0);
	return o;
}

/* Where the window is to begin; *ret_target is what it is about, -1: nothing of its own. */
static int find_place(struct server *srv, int64_t run, int fd, const struct wanted *a,
		      int64_t *ret_at, int64_t *ret_target, struct error *err)
{
	int64_t from = 0, len = 0, found = -1;
	struct error why = ERROR_INIT;
	int r = 0;

	*ret_at = a->offset >= 0 ? a->offset : 0;
	*ret_target = -1;
	if (a->offset >= 0 || !a->result)
		return 0;
	r = store_result_part(srv->store, run, a->result, &from, &len, &why);
	if (r == -ENOENT)
		return 0; /* it said nothing: the log's beginning */
	if (r)
		*err = why;
	if (!r && a->mark != LOG_MARK_NONE)
		r = logview_find_mark(fd, from, len, a->mark, &found, err);
	if (r)
		return r;
	*ret_target = found >= 0 ? found : from;
	*ret_at = *ret_target > LEAD_BYTES ? *ret_target - LEAD_BYTES : 0;
	return 0;
}

static int view_window(struct server *srv, int64_t run, const struct wanted *a,
		       struct json_object **ret, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *view = NULL, *results = NULL;
	struct json_object *chunks = NULL, *window;
	struct log_window w = { 0 };
	CLEANUP(close_p) int fd = -1;
	bool truncated = false;
	int64_t size = 0, at, target;
	int r = view_run_head(srv->store, run, &view, err);

	if (!r)
		r = runlog_read(srv->runlog, run, &fd, &size, &truncated, err);
	if (!r)
		r = find_place(srv, run, fd, a, &at, &target, err);
	if (!r)
		r = logview_window(fd, size, at, &w, err);
	if (!r)
		r = view_run_results_at(srv->store, run, w.from, w.to, &results, err);
	if (!r)
		r = logview_chunks(fd, &w, results, &chunks, err);
	if (r)
		return r;
	window = window_json(&w, truncated);
	json_object_object_add(window, "target", target < 0 ? NULL : json_object_new_int64(target));
	json_object_object_add(view, "window", window);
	json_object_object_add(view, "chunks", chunks);
	*ret = STEAL(view);
	return 0;
}

/* False when the problem is answered. */
static bool read_wanted(const struct http_req *req, struct http_res *res, int64_t *ret_id,
			struct wanted *ret)
{
	const char *mark = http_query(req, "mark");

	if (!api_id(req, res, 0, ret_id) ||
	    !api_query_i64(req, res, "offset", 0, INT64_MAX, &ret->offset) ||
	    !api_query_i64(req, res, "result", 1, INT64_MAX, &ret->result))
		return false;
	if (!mark || log_mark_parse(mark, &ret->mark))
		return true;
	http_res_problem(res, 400, "?mark= is splat or inject");
	return false;
}

void page_run_log(struct server *srv, const struct http_req *req, struct http_res *res)
{
	bool html = page_is_html(req);
	struct wanted a = { .offset = -1 };
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	int64_t id;
	int r;

	if (!html && strcmp(req->format, "json")) {
		api_run_log(srv, req, res);
		return;
	}
	if (!read_wanted(req, res, &id, &a)) {
		if (html)
			page_problem(req, res);
		return;
	}
	r = view_window(srv, id, &a, &view, &err);
	if (html)
		page_answer(req, res, r, PAGE_LOG, "none",
			    xasprintf("Log of run %lld", (long long)id), view, &err);
	else
		api_view(req, res, r, view, &err);
}
