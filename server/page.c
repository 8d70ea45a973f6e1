/* SPDX-License-Identifier: MIT */
/* What the pages share. */
#include <errno.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "server/api.h"
#include "server/pages.h"
#include "version.h"

bool page_is_html(const struct http_req *req)
{
	return !strcmp(req->format, "html") || !*req->format;
}

const char *page_str(struct json_object *o, const char *key)
{
	struct json_object *v = json_object_object_get(o, key);

	return json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";
}

int64_t page_i64(struct json_object *o, const char *key)
{
	return json_object_get_int64(json_object_object_get(o, key));
}

void page_name_items(struct json_object *view, const char *name)
{
	json_object_object_add(view, name, json_object_get(json_object_object_get(view, "items")));
}

/* When the request came: all that a page does not show has happened since. */
static struct json_object *asked_at(const struct http_req *req)
{
	char text[CLOCK_TEXT_MAX];

	return json_str(
		clock_text(clock_now_us() - (clock_mono_us() - req->started_mono_us), text));
}

static struct json_object *page_member(const struct http_req *req, const char *nav,
				       const char *title)
{
	struct json_object *o = json_object_new_object(), *lit = json_object_new_object();

	json_object_object_add(o, "title", json_str(title));
	json_object_object_add(o, "path", json_str(req->path));
	json_object_object_add(o, "query", json_str(req->query));
	json_object_object_add(o, "version", json_str(FAULTLINE_VERSION));
	json_object_object_add(o, "since", asked_at(req));
	json_object_object_add(lit, nav, json_object_new_boolean(true));
	json_object_object_add(o, "nav", lit);
	return o;
}

static void send_html(struct http_res *res)
{
	res->content_type = "text/html; charset=utf-8";
	http_res_header(res, "Vary", "Accept");
	http_res_header(res, "Cache-Control", "no-cache");
}

void page_problem(const struct http_req *req, struct http_res *res)
{
	CLEANUP(json_put_p) struct json_object *view = NULL;
	CLEANUP(buf_free) struct buf html = BUF_INIT;
	struct error err = ERROR_INIT;

	if (json_parse(buf_cstr(&res->body), res->body.len, &view, &err) < 0)
		return;
	json_object_object_add(view, "page", page_member(req, "none", page_str(view, "title")));
	if (render_template(PAGE_ERROR, view, &html, &err) < 0) {
		/* The problem as it was is an answer too. */
		log_event(LOG_ERROR, "render-failed", "why=%s", err.msg);
		return;
	}
	buf_reset(&res->body);
	buf_add(&res->body, html.data, html.len);
	send_html(res);
}

bool page_id(const struct http_req *req, struct http_res *res, int64_t *ret_id)
{
	if (api_id(req, res, 0, ret_id))
		return true;
	page_problem(req, res);
	return false;
}

void page_answer(const struct http_req *req, struct http_res *res, int r, enum template_id id,
		 const char *nav, char *title, struct json_object *view, const struct error *err)
{
	CLEANUP(json_put_p) struct json_object *taken = view;
	CLEANUP(free_p) char *title_taken = title;
	struct error broken = ERROR_INIT;

	if (!r) {
		json_object_object_add(view, "page", page_member(req, nav, title));
		r = render_template(id, view, &res->body, &broken);
		if (!r) {
			send_html(res);
			return;
		}
		/* The template's fault, not the request's. */
		broken.code = EIO;
		err = &broken;
	}
	api_error(req, res, err);
	page_problem(req, res);
}

void page_show(struct server *srv, const struct http_req *req, struct http_res *res,
	       const struct page_of *p)
{
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	char *title = NULL;
	int64_t id;
	int r;

	if (!page_is_html(req)) {
		p->api(srv, req, res);
		return;
	}
	if (!page_id(req, res, &id))
		return;
	r = p->view(srv->store, id, &view, &err);
	if (!r)
		title = p->prepare(view, id);
	page_answer(req, res, r, p->id, p->nav, title, view, &err);
}

/* "FAIL bug", or what the row waits for. */
static struct json_object *cell_text(struct json_object *cell)
{
	CLEANUP(free_p) char *text = NULL;

	if (!cell)
		return json_str("");
	text = xasprintf("%s%s%s", page_str(cell, "status"), *page_str(cell, "reason") ? " " : "",
			 page_str(cell, "reason"));
	return json_str(text);
}

void page_matrix_table(const struct http_req *req, struct http_res *res, int r,
		       struct json_object *view, const struct error *err)
{
	struct json_object *matrix, *cases, *rows, *items, *list;

	if (r) {
		api_error(req, res, err);
		return;
	}
	matrix = json_object_object_get(view, "matrix");
	cases = json_object_object_get(matrix, "cases");
	rows = json_object_object_get(matrix, "rows");
	items = json_object_new_array();
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		struct json_object *cells = json_object_object_get(row, "cells");
		struct json_object *item = json_object_new_object();

		json_object_object_add(item, "commit", json_str(page_str(row, "sha")));
		json_object_object_add(item, "subject", json_str(page_str(row, "subject")));
		json_object_object_add(item, "config", json_str(page_str(row, "config")));
		json_object_object_add(item, "build",
				       cell_text(json_object_object_get(row, "build")));
		for (size_t k = 0; k < json_object_array_length(cells); k++)
			json_object_object_add(
				item, json_object_get_string(json_object_array_get_idx(cases, k)),
				cell_text(json_object_array_get_idx(cells, k)));
		json_object_array_add(items, item);
	}
	list = json_object_new_object();
	json_object_object_add(list, "items", items);
	json_object_put(view);
	api_view(req, res, 0, list, err);
}
