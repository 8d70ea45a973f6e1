/* SPDX-License-Identifier: MIT */
/* /commits/{sha}/coverage: the places that can fail, and which were made to fail; /coverage and its API:
 * the same of the newest commits of a branch. */
#include <string.h>

#include "server/api.h"
#include "server/pages.h"

#define COMMITS 10 /* of a branch */

static void put_lacks(struct json_object *config)
{
	struct json_object *lacks = json_object_object_get(config, "lacks");
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	for (size_t i = 0; i < json_object_array_length(lacks); i++)
		buf_printf(&text, "%s%s", i ? ", " : "",
			   json_object_get_string(json_object_array_get_idx(lacks, i)));
	json_object_object_add(config, "lacks_text", json_str(buf_cstr(&text)));
}

/* For templates: the verdict that a cell is drawn as, by its state. */
static void put_look(struct json_object *cell)
{
	static const struct {
		const char *state, *status;
	} looks[] = { { "reached", "PASS" },
		      { "missed", "ERROR" },
		      { "skipped", "SKIP" },
		      { "not_run", "MISS" } };

	for (size_t i = 0; i < ARRAY_SIZE(looks); i++)
		if (!strcmp(page_str(cell, "state"), looks[i].state))
			json_object_object_add(cell, "look", json_str(looks[i].status));
}

static void prepare(struct json_object *view)
{
	struct json_object *chains = json_object_object_get(view, "chains");

	for (size_t i = 0; i < json_object_array_length(chains); i++) {
		struct json_object *chain = json_object_array_get_idx(chains, i);
		struct json_object *configs = json_object_object_get(chain, "configs");

		for (size_t k = 0; k < json_object_array_length(configs); k++) {
			struct json_object *c = json_object_array_get_idx(configs, k);

			put_lacks(c);
			put_look(c);
		}
	}
}

void page_coverage(struct server *srv, const struct http_req *req, struct http_res *res)
{
	const char *sha = req->params[0];
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	int r;

	if (!page_is_html(req)) {
		api_coverage(srv, req, res);
		return;
	}
	r = view_coverage(srv->store, sha, &view, &err);
	if (!r)
		prepare(view);
	page_answer(req, res, r, PAGE_COVERAGE, "none",
		    xasprintf("Coverage of %.12s %s", sha, r ? "" : page_str(view, "subject")),
		    view, &err);
}

/* --- of a branch ------------------------------------------------------------------------------- */

struct asked {
	const char *repo, *ref;
	int64_t limit;
};

/* False when the problem is answered. */
static bool read_asked(const struct http_req *req, struct http_res *res, struct asked *ret)
{
	*ret = (struct asked){ .repo = http_query(req, "repo"),
			       .ref = http_query(req, "ref"),
			       .limit = COMMITS };
	if (!api_query_i64(req, res, "limit", 1, COVERAGE_COMMITS_MAX, &ret->limit))
		return false;
	if (ret->repo && ret->ref)
		return true;
	http_res_problem(res, 400, "?repo= and ?ref= say of which branch");
	return false;
}

/* A line for each place, a column for each commit. */
static struct json_object *line_table(struct json_object *view)
{
	struct json_object *chains = json_object_object_get(view, "chains");
	struct json_object *commits = json_object_object_get(view, "commits");
	struct json_object *o = json_object_new_object(), *items = json_object_new_array();

	for (size_t i = 0; i < json_object_array_length(chains); i++) {
		struct json_object *chain = json_object_array_get_idx(chains, i);
		struct json_object *cells = json_object_object_get(chain, "cells");
		struct json_object *item = json_object_new_object();

		json_object_object_add(item, "known",
				       json_object_get(json_object_object_get(chain, "known")));
		json_object_object_add(item, "path", json_str(page_str(chain, "path")));
		for (size_t k = 0; k < json_object_array_length(cells); k++)
			json_object_object_add(
				item, page_str(json_object_array_get_idx(commits, k), "short"),
				json_str(page_str(json_object_array_get_idx(cells, k), "state")));
		json_object_array_add(items, item);
	}
	json_object_object_add(o, "items", items);
	return o;
}

void api_coverage_line(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *view = NULL, *table;
	struct error err = ERROR_INIT;
	struct asked a;
	int r;

	if (!read_asked(req, res, &a))
		return;
	r = view_coverage_line(srv->store, a.repo, a.ref, (int)a.limit, &view, &err);
	if (!r && (!strcmp(req->format, "csv") || !strcmp(req->format, "txt"))) {
		table = line_table(view);
		json_object_put(view);
		view = table;
	}
	api_view(req, res, r, view, &err);
}

static void prepare_line(struct json_object *view)
{
	struct json_object *chains = json_object_object_get(view, "chains");

	for (size_t i = 0; i < json_object_array_length(chains); i++) {
		struct json_object *cells =
			json_object_object_get(json_object_array_get_idx(chains, i), "cells");

		for (size_t k = 0; k < json_object_array_length(cells); k++)
			put_look(json_object_array_get_idx(cells, k));
	}
}

void page_coverage_line(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	struct asked a;
	int r;

	if (!page_is_html(req)) {
		api_coverage_line(srv, req, res);
		return;
	}
	if (!read_asked(req, res, &a)) {
		page_problem(req, res);
		return;
	}
	r = view_coverage_line(srv->store, a.repo, a.ref, (int)a.limit, &view, &err);
	if (!r)
		prepare_line(view);
	page_answer(req, res, r, PAGE_COVERAGE_LINE, "branches",
		    xasprintf("Coverage of %s %s", a.repo, a.ref), view, &err);
}
