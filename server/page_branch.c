/* SPDX-License-Identifier: MIT */
/* /branches and /branches/{repo}/{ref}: a branch's newest commits × cases. */
#include <errno.h>
#include <string.h>

#include "lib/clean.h"
#include "server/api.h"
#include "server/chart.h"
#include "server/pages.h"

#define COMMITS 30
#define COMMITS_MAX 200
#define CHART_COMMITS 60 /* finer lines say little in a small image; /series draws all */

void page_branches_prepare(struct json_object *view)
{
	struct json_object *branches = json_object_object_get(view, "branches");

	for (size_t i = 0; i < json_object_array_length(branches); i++) {
		struct json_object *o = json_object_array_get_idx(branches, i);

		json_object_object_add(o, "drawn", chart_bars(page_str(o, "lately")));
	}
}

void page_branches(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	int r;

	if (!page_is_html(req)) {
		api_branches(srv, req, res);
		return;
	}
	r = view_branches(srv->store, &view, &err);
	if (!r) {
		page_name_items(view, "branches");
		page_branches_prepare(view);
	}
	page_answer(req, res, r, PAGE_BRANCHES, "branches", xstrdup("Branches"), view, &err);
}

/* Which feed the head names. */
static void add_feed(struct json_object *view, const char *repo, const char *ref)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "repo", json_str(repo));
	json_object_object_add(o, "ref", json_str(ref));
	json_object_object_add(view, "feed", o);
}

/* What a README shows: whole addresses where others know the server by one. */
static void add_badge(struct json_object *view, const char *url, const char *repo, const char *ref)
{
	CLEANUP(buf_free) struct buf path = BUF_INIT;
	CLEANUP(free_p) char *text = NULL;
	int len = url ? (int)strlen(url) : 0;

	while (len && url[len - 1] == '/')
		len--;
	render_url_part(&path, repo, strlen(repo));
	buf_char(&path, '/');
	render_url_part(&path, ref, strlen(ref));
	text = xasprintf("[![faultline](%.*s/badge/%s.svg)](%.*s/branches/%s)", len, url ? url : "",
			 buf_cstr(&path), len, url ? url : "", buf_cstr(&path));
	json_object_object_add(view, "badge_markdown", json_str(text));
}

/* Charts of the same commits, or the newest of them. */
static int add_charts(struct store *s, const struct series_filter *f, struct json_object *view,
		      struct error *err)
{
	struct json_object *series = NULL;
	int r = view_series(s, f, &series, err);

	if (r)
		return r;
	page_charts_prepare(series, PAGE_CHARTS_MAX);
	json_object_object_add(view, "charted", json_object_new_int(f->limit));
	json_object_object_foreach(series, key, value)
		json_object_object_add(view, key, json_object_get(value));
	json_object_put(series);
	return 0;
}

void page_branch(struct server *srv, const struct http_req *req, struct http_res *res)
{
	const char *repo = req->params[0], *ref = req->params[1];
	struct series_filter f = { .repo = repo, .ref = ref };
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	int64_t limit = COMMITS;
	int r;

	if (!api_query_i64(req, res, "limit", 1, COMMITS_MAX, &limit)) {
		if (page_is_html(req))
			page_problem(req, res);
		return;
	}
	r = page_is_html(req) ? view_branch_brief(srv->store, repo, ref, (int)limit, &view, &err)
			      : view_branch(srv->store, repo, ref, (int)limit, &view, &err);
	if (!strcmp(req->format, "json")) {
		api_view(req, res, r, view, &err);
		return;
	}
	if (!page_is_html(req)) {
		page_matrix_table(req, res, r, view, &err);
		return;
	}
	f.limit = (int)(limit < CHART_COMMITS ? limit : CHART_COMMITS);
	if (!r)
		r = add_charts(srv->store, &f, view, &err);
	if (!r) {
		json_object_object_add(view, "limit", json_object_new_int64(limit));
		add_feed(view, repo, ref);
		add_badge(view, srv->config->url, repo, ref);
	}
	page_answer(req, res, r, PAGE_BRANCH, "branches", xasprintf("%s %s", repo, ref), view,
		    &err);
}
