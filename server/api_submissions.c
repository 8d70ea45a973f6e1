// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "jobs/plan.h"
#include "lib/limits.h"
#include "lib/path.h"
#include "server/api.h"
#include "server/planner.h"
#include "server/url.h"

struct wanted {
	const char *git, *repo, *ref, *base, *plan;
};

static int parse_wanted(const struct jval *v, struct wanted *w, struct error *err)
{
	static const char *const keys[] = { "git", "repo", "ref", "base", "plan", NULL };
	int r = json_only_keys(v, keys, err);

	if (!r)
		r = json_opt_str(v, "git", LIMIT_URL_LEN, &w->git, err);
	if (!r)
		r = json_opt_str(v, "repo", LIMIT_NAME_LEN, &w->repo, err);
	if (!r)
		r = json_get_str(v, "ref", LIMIT_REF_LEN, &w->ref, err);
	if (!r)
		r = json_opt_str(v, "base", LIMIT_REF_LEN, &w->base, err);
	if (!r)
		r = json_opt_str(v, "plan", LIMIT_NAME_LEN, &w->plan, err);
	if (r)
		return r;
	if (!w->git == !w->repo)
		return error_set(err, -EINVAL,
				 "$: exactly one of 'git' (an address) and 'repo' (a "
				 "configured repository's name) is needed");
	r = rev_check(w->ref, err);
	if (r)
		return error_wrap(err, r, "$.ref");
	r = w->base ? rev_check(w->base, err) : 0;
	return r ? error_wrap(err, r, "$.base") : 0;
}

/* "linux-1a2b3c4d5e6f7081": readable, and one for each address. */
static char *name_for(const char *url)
{
	const char *slash = strrchr(url, '/');
	CLEANUP(free_p) char *stem = xstrdup(slash ? slash + 1 : url);
	size_t len = strlen(stem);
	char hex[HASH_HEX_MAX];

	if (len > 4 && !strcmp(stem + len - 4, ".git"))
		stem[len - 4] = 0;
	if (strlen(stem) > 40)
		stem[40] = 0;
	hash_bytes(url, strlen(url), hex);
	return xasprintf("%s-%.16s", path_name_is_safe(stem) ? stem : "repo", hex);
}

/* A configured repository is taken by its name or its own address; any other address must be
 * allowed. Paths on this machine are only ever reached by a configured name. */
static int find_repo(struct server *srv, const struct wanted *w, int64_t *ret_id, struct error *err)
{
	const struct config *cfg = srv->config;
	CLEANUP(repo_row_free) struct repo_row row = { 0 };
	CLEANUP(free_p) char *name = NULL;
	const struct config_repo *known = w->repo ? config_repo(cfg, w->repo) : NULL;
	int r;

	if (w->repo && !known)
		return error_set(err, -EINVAL, "$.repo: there is no configured repository '%s'",
				 w->repo);
	for (size_t i = 0; !known && i < cfg->n_repos; i++)
		if (!strcmp(cfg->repos[i].url, w->git) && !cfg->repos[i].local)
			known = &cfg->repos[i];
	if (known) {
		r = store_repo_by_name(srv->store, known->name, &row, err);
		if (!r)
			*ret_id = row.id;
		return r;
	}
	r = url_check_allowed(w->git, cfg->allow, cfg->n_allow, err);
	if (r) /* content of the request, whatever the reason */
		return error_wrap(err, -EINVAL, "$.git");
	name = name_for(w->git);
	return store_repo_put(srv->store, name, w->git, false, ret_id, err);
}

static int check_plan(struct server *srv, const char *name, struct error *err)
{
	CLEANUP(plan_free_p) struct plan *plan = NULL;
	int r;

	if (!path_name_is_safe(name))
		return error_set(err, -EINVAL, "$.plan: this is not a plan's name");
	r = plan_load(srv->jobs_dir, name, &plan, err);
	return r ? error_wrap(err, r == -ENOENT ? -EINVAL : r, "$.plan") : 0;
}

void api_submission_post(struct server *srv, const struct http_req *req, struct http_res *res)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	CLEANUP(free_p) char *at = NULL;
	struct json_object *answer;
	struct error err = ERROR_INIT;
	struct wanted w = { 0 };
	int64_t repo = 0, id = 0;
	struct jval v;
	int r;

	if (!api_body(req, res, &o))
		return;
	v = json_root(o);
	r = parse_wanted(&v, &w, &err);
	if (!r && !w.plan)
		w.plan = srv->config->plan;
	if (!r)
		r = check_plan(srv, w.plan, &err);
	if (!r)
		r = find_repo(srv, &w, &repo, &err);
	if (!r)
		r = store_submission_add(srv->store, repo, w.ref, w.base, w.plan, req->token_id,
					 &id, &err);
	if (r) {
		api_error(req, res, &err);
		return;
	}
	planner_poke(srv->planner);
	at = xasprintf("/api/v1/submissions/%lld", (long long)id);
	answer = json_object_new_object();
	json_object_object_add(answer, "id", json_object_new_int64(id));
	json_object_object_add(answer, "state", json_str(submission_state_name(SUBMISSION_NEW)));
	json_object_object_add(answer, "url", json_str(at));
	http_res_json(res, 201, answer);
	http_res_header(res, "Location", at);
}

void api_submissions(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	int64_t limit = 50;
	int r;

	if (!api_query_i64(req, res, "limit", 1, 500, &limit))
		return;
	r = view_submissions(srv->store, http_query(req, "cursor"), (int)limit, &view, &err);
	api_view(req, res, r, view, &err);
}

void api_submission(struct server *srv, const struct http_req *req, struct http_res *res)
{
	api_view_by_id(srv, req, res, view_submission);
}
