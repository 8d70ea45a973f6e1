/* SPDX-License-Identifier: MIT */
/* /cases/{scenario} and its API: one case over time. */
#include <string.h>

#include "jobs/fault.h"
#include "jobs/verdict.h"
#include "server/api.h"
#include "server/pages.h"

#define PER_PAGE 50
#define API_PER_PAGE 100

/* The scenario of the address and its filter; false when the problem is answered. */
static bool asked(const struct http_req *req, struct http_res *res, int64_t limit,
		  struct case_filter *ret)
{
	enum fault_mode mode;
	enum status status;

	*ret = (struct case_filter){ .scenario = req->params[0],
				     .repo = http_field(req, "repo"),
				     .ref = http_field(req, "ref"),
				     .config = http_field(req, "config"),
				     .fault = http_field(req, "fault"),
				     .status = http_field(req, "status"),
				     .cursor = http_query(req, "cursor") };

	if (!api_query_i64(req, res, "limit", 1, 500, &limit))
		return false;
	ret->limit = (int)limit;
	if (ret->status && !status_parse(ret->status, &status))
		http_res_problem(res, 400,
				 "?status= is one of FAIL, ERROR, MISS, PASS, DONE, SKIP");
	else if (ret->fault && !fault_mode_parse(ret->fault, &mode))
		http_res_problem(res, 400, "?fault= is a mode of faults: none, nth, sweep, …");
	else
		return true;
	return false;
}

void api_case(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	struct case_filter f;
	int r;

	if (!asked(req, res, API_PER_PAGE, &f))
		return;
	r = view_case(srv->store, &f, &view, &err);
	api_view(req, res, r, view, &err);
}

/* --- the page ---------------------------------------------------------------------------------- */

static void put_part(struct buf *out, const char *name, const char *value)
{
	if (!value)
		return;
	buf_printf(out, "%s=", name);
	render_url_part(out, value, strlen(value));
	buf_char(out, '&');
}

/* This page from another place on, or in another format. */
static void put_address(struct json_object *view, const char *key, const struct case_filter *f,
			const char *cursor, const char *format)
{
	CLEANUP(buf_free) struct buf to = BUF_INIT;

	buf_str(&to, "/cases/");
	render_url_part(&to, f->scenario, strlen(f->scenario));
	buf_char(&to, '?');
	put_part(&to, "repo", f->repo);
	put_part(&to, "ref", f->ref);
	put_part(&to, "config", f->config);
	put_part(&to, "fault", f->fault);
	put_part(&to, "status", f->status);
	put_part(&to, "cursor", cursor);
	put_part(&to, "format", format);
	buf_printf(&to, "limit=%d", f->limit);
	json_object_object_add(view, key, json_str(buf_cstr(&to)));
}

static void put_filter(struct json_object *view, const struct case_filter *f)
{
	struct json_object *o = json_object_new_object();
	const char *next = page_str(view, "next");

	json_object_object_add(o, "repo", json_str(f->repo));
	json_object_object_add(o, "ref", json_str(f->ref));
	json_object_object_add(o, "config", json_str(f->config));
	json_object_object_add(o, "fault", json_str(f->fault));
	json_object_object_add(o, "status", json_str(f->status));
	json_object_object_add(view, "filter", o);
	json_object_object_add(view, "filtered",
			       json_object_new_boolean(f->repo || f->ref || f->config || f->fault ||
						       f->status));
	if (*next)
		put_address(view, "next_href", f, next, NULL);
	put_address(view, "json_href", f, f->cursor, "json");
	put_address(view, "csv_href", f, f->cursor, "csv");
	put_address(view, "txt_href", f, f->cursor, "txt");
}

/* The items from left to right as time goes. */
static void put_strip(struct json_object *view)
{
	struct json_object *items = json_object_object_get(view, "items");
	struct json_object *strip = json_object_new_array();

	for (size_t i = json_object_array_length(items); i > 0; i--)
		json_object_array_add(strip,
				      json_object_get(json_object_array_get_idx(items, i - 1)));
	json_object_object_add(view, "strip", strip);
}

void page_case(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	struct case_filter f;
	int r;

	if (!page_is_html(req)) {
		api_case(srv, req, res);
		return;
	}
	if (!asked(req, res, PER_PAGE, &f)) {
		page_problem(req, res);
		return;
	}
	r = view_case(srv->store, &f, &view, &err);
	if (!r) {
		page_regressions_prepare(view);
		page_charts_prepare(view, PAGE_CHARTS_MAX);
		put_filter(view, &f);
		put_strip(view);
	}
	page_answer(req, res, r, PAGE_CASE, "results", xasprintf("Case %s", f.scenario), view,
		    &err);
}
