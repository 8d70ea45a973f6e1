// SPDX-License-Identifier: MIT
/* What was found: runs, logs, results, commits, builds, agents, numbers. */
#include <errno.h>
#include <string.h>

#include "jobs/plan.h"
#include "jobs/scenario.h"
#include "jobs/verdict.h"
#include "lib/limits.h"
#include "lib/path.h"
#include "server/api.h"
#include "server/blob.h"
#include "server/url.h"

void api_run(struct server *srv, const struct http_req *req, struct http_res *res)
{
	api_view_by_id(srv, req, res, view_run);
}

/* --- results ------------------------------------------------------------------------------------ */

bool api_result_filter(const struct http_req *req, struct http_res *res, struct result_filter *f)
{
	enum status status;

	if (!api_query_i64(req, res, "submission", 1, INT64_MAX, &f->submission) ||
	    !api_query_i64(req, res, "run", 1, INT64_MAX, &f->run))
		return false;
	if (f->status && !status_parse(f->status, &status))
		http_res_problem(res, 400,
				 "?status= is one of FAIL, ERROR, MISS, PASS, DONE, SKIP");
	else if (f->commit && !sha_is_full(f->commit))
		http_res_problem(res, 400, "?commit= is a hash of 40 hex digits");
	else
		return true;
	return false;
}

void api_results(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct result_filter f = { .scenario = http_query(req, "scenario"),
				   .status = http_query(req, "status"),
				   .commit = http_query(req, "commit"),
				   .cursor = http_query(req, "cursor") };
	const struct export_format *format = export_format_find(req->format);
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	int64_t limit = 100, full = 0;
	int r;

	if (!api_query_i64(req, res, "limit", 1, 500, &limit) ||
	    !api_query_i64(req, res, "full", 0, 1, &full) || !api_result_filter(req, res, &f))
		return;
	f.limit = (int)limit;
	f.full = full || format;
	r = view_results(srv->store, &f, &view, &err);
	if (!r && format)
		api_export(srv, req, res, format, &f, view);
	else
		api_view(req, res, r, view, &err);
}

void api_result(struct server *srv, const struct http_req *req, struct http_res *res)
{
	api_view_by_id(srv, req, res, view_result);
}

/* --- commits and builds --------------------------------------------------------------------------- */

/* The commit in the address; else 404 is answered. */
static const char *commit_param(const struct http_req *req, struct http_res *res)
{
	const char *sha = req->params[0];
	size_t len = strlen(sha);

	if (len >= 7 && len <= 40 && strspn(sha, "0123456789abcdef") == len)
		return sha;
	http_res_problem(res, 404, "a commit is named by 7 to 40 hex digits");
	return NULL;
}

void api_commit(struct server *srv, const struct http_req *req, struct http_res *res)
{
	const char *sha = commit_param(req, res);
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	int r;

	if (!sha)
		return;
	r = view_commit(srv->store, sha, &view, &err);
	api_view(req, res, r, view, &err);
}

/* As a table: a line for each place, a column for each configuration. */
static struct json_object *coverage_table(struct json_object *view)
{
	struct json_object *chains = json_object_object_get(view, "chains");
	struct json_object *o = json_object_new_object(), *items = json_object_new_array();
	static const char *const members[] = { "state", "known", "injections", "path" };

	for (size_t i = 0; i < json_object_array_length(chains); i++) {
		struct json_object *chain = json_object_array_get_idx(chains, i);
		struct json_object *configs = json_object_object_get(chain, "configs");
		struct json_object *item = json_object_new_object();

		for (size_t k = 0; k < ARRAY_SIZE(members); k++)
			json_object_object_add(
				item, members[k],
				json_object_get(json_object_object_get(chain, members[k])));
		for (size_t k = 0; k < json_object_array_length(configs); k++) {
			struct json_object *c = json_object_array_get_idx(configs, k);
			CLEANUP(free_p)
			char *name =
				xasprintf("in %s", json_object_get_string(
							   json_object_object_get(c, "config")));

			json_object_object_add(item, name,
					       json_object_get(json_object_object_get(c, "state")));
		}
		json_object_array_add(items, item);
	}
	json_object_object_add(o, "items", items);
	return o;
}

void api_coverage(struct server *srv, const struct http_req *req, struct http_res *res)
{
	const char *sha = commit_param(req, res);
	struct json_object *view = NULL, *table;
	struct error err = ERROR_INIT;
	int r;

	if (!sha)
		return;
	r = view_coverage(srv->store, sha, &view, &err);
	if (!r && (!strcmp(req->format, "csv") || !strcmp(req->format, "txt"))) {
		table = coverage_table(view);
		json_object_put(view);
		view = table;
	}
	api_view(req, res, r, view, &err);
}

void api_build(struct server *srv, const struct http_req *req, struct http_res *res)
{
	api_view_by_id(srv, req, res, view_build);
}

void api_artifact(struct server *srv, const struct http_req *req, struct http_res *res)
{
	CLEANUP(artifact_row_free) struct artifact_row row = { 0 };
	CLEANUP(free_p) char *etag = NULL, *disposition = NULL;
	const char *have = http_header(req, "If-None-Match");
	struct error err = ERROR_INIT;
	int64_t id, size = 0;
	int fd = -1, r;

	if (!api_id(req, res, 0, &id))
		return;
	r = store_artifact_get(srv->store, id, req->params[1], &row, &err);
	if (!r)
		r = blob_get(srv->blobs, row.sha256, &fd, &size, &err);
	if (r) {
		api_error(req, res, &err);
		return;
	}
	etag = xasprintf("\"%s\"", row.sha256);
	/* The name passed path_name_is_safe() when it was uploaded. */
	disposition = xasprintf("attachment; filename=\"%s\"", row.name);
	http_res_header(res, "ETag", etag);
	http_res_header(res, "Faultline-SHA256", row.sha256);
	http_res_header(res, "Content-Disposition", disposition);
	if (have && !strcmp(have, etag)) {
		close(fd);
		res->status = 304;
		return;
	}
	res->content_type = "application/octet-stream";
	res->file_fd = fd;
	res->file_len = size;
}

/* --- agents, numbers, catalogues -------------------------------------------------------------------- */

void api_agents(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	int r = view_agents(srv->store, &view, &err);

	api_view(req, res, r, view, &err);
}

void api_stats(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	int r = view_stats(srv->store, &view, &err);

	api_view(req, res, r, view, &err);
}

void api_plans(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *view, *items = json_object_new_array();
	struct error err = ERROR_INIT;
	char **names = NULL;
	size_t n = 0;
	int r = plan_list(srv->jobs_dir, &names, &n, &err);

	for (size_t i = 0; i < n; i++) {
		CLEANUP(plan_free_p) struct plan *p = NULL;
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "name", json_str(names[i]));
		json_object_object_add(
			o, "default",
			json_object_new_boolean(!strcmp(names[i], srv->config->plan)));
		if (!plan_load(srv->jobs_dir, names[i], &p, NULL)) {
			json_object_object_add(o, "summary", json_str(p->summary));
			json_object_object_add(o, "configs",
					       json_object_new_int64((int64_t)p->n_configs));
			json_object_object_add(o, "cases",
					       json_object_new_int64((int64_t)p->n_cases));
		}
		json_object_array_add(items, o);
		free(names[i]);
	}
	free(names);
	view = json_object_new_object();
	json_object_object_add(view, "items", items);
	if (r)
		json_object_put(view);
	api_view(req, res, r, view, &err);
}

void api_scenarios(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *view = json_object_new_object(), *items = json_object_new_array();
	size_t n = 0;
	const struct scenario *table = scenario_table(&n);

	(void)srv;
	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "name", json_str(table[i].name));
		json_object_object_add(o, "summary", json_str(table[i].summary));
		json_object_object_add(o, "needs", json_str(table[i].needs));
		json_object_object_add(o, "path", json_str(table[i].path));
		json_object_array_add(items, o);
	}
	json_object_object_add(view, "items", items);
	api_view(req, res, 0, view, NULL);
}
