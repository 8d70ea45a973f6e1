// SPDX-License-Identifier: MIT
#include "server/planner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "server/poked.h"
#include "server/server.h"
#include "server/url.h"

#define RETRY_MS 5000 /* after trouble of our own (store, disk) */

struct planner {
	struct server *srv;
	struct poked *thread;
};

/* Fetches one revision into `keep` and gives its commit. Branches go before tags. */
static int fetch_rev(const struct gitcmd *g, const char *dir, const char *url, const char *rev,
		     const char *keep, char ret_sha[SHA_MAX], struct error *err)
{
	bool full = str_starts(rev, "refs/"), sha = sha_is_full(rev);
	CLEANUP(free_p) char *branch = xasprintf("%s%s", full ? "" : "refs/heads/", rev);
	CLEANUP(free_p) char *tag = xasprintf("refs/tags/%s", rev), *spec = NULL;
	const char *const names[] = { branch, tag };
	struct remote_ref *refs = NULL;
	const char *from = rev;
	size_t n = 0;
	int r = 0;

	if (sha && !range_resolve(dir, rev, ret_sha, NULL))
		return gitcmd_update_ref(g, dir, keep, ret_sha, err);
	if (!sha)
		r = gitcmd_ls_remote(g, dir, url, names, full ? 1 : 2, &refs, &n, err);
	if (r)
		return r;
	/* Two at most; a tag only when there is no branch of that name. */
	for (size_t i = 0; i < n; i++)
		if (from == rev || from == tag)
			from = strcmp(refs[i].name, branch) ? tag : branch;
	remote_refs_free(refs, n);
	if (!sha && !n)
		return error_set(err, -ENOENT, "the repository has no branch or tag '%s'", rev);
	spec = xasprintf("+%s:%s", from, keep);
	r = gitcmd_fetch(g, dir, url, (const char *const[]){ spec }, 1, err);
	return r ? r : range_resolve(dir, keep, ret_sha, err);
}

static int find_base(const struct gitcmd *g, const char *dir, const struct range_request *req,
		     const char *head, char ret_sha[SHA_MAX], struct error *err)
{
	CLEANUP(free_p) char *keep = xasprintf("refs/faultline/%lld/base", (long long)req->id);
	const char *rev = req->base ? req->base : req->default_base;
	char sha[SHA_MAX] = "";
	int r = -ENOENT;

	if (rev) {
		r = fetch_rev(g, dir, req->url, rev, keep, sha, err);
		if (r)
			return error_wrap(err, r, "base");
		/* A base that is no ancestor (rebased branch): where the two parted. */
		r = range_merge_base(dir, sha, head, sha, err);
		if (r && (req->base || r != -ENOENT))
			return r;
	}
	if (!r && !strcmp(sha, head) && req->base)
		return error_set(err, -EINVAL, "nothing to test: the base contains '%s' already",
				 req->ref);
	if (r || !strcmp(sha, head)) {
		sha[0] = 0;
		r = range_first_parent(dir, head, sha, err);
	}
	if (r && r != -ENOENT)
		return r;
	memcpy(ret_sha, sha, SHA_MAX);
	return 0;
}

int planner_range(const struct gitcmd *g, const char *dir, const struct range_request *req,
		  struct commit_list *ret, struct error *err)
{
	CLEANUP(free_p) char *keep = xasprintf("refs/faultline/%lld/head", (long long)req->id);
	char head[SHA_MAX] = "", base[SHA_MAX] = "";
	int r = fetch_rev(g, dir, req->url, req->head ? req->head : req->ref, keep, head, err);

	if (r)
		return r;
	r = find_base(g, dir, req, head, base, err);
	if (r)
		return r;
	r = range_walk(dir, base[0] ? base : NULL, head,
		       req->every_max ? req->every_max : LIMIT_COMMITS, ret, err);
	if (r == -E2BIG && req->every_max)
		r = range_ends(dir, base, head, ret, err);
	return r;
}

/* The base that a submission to this repository has when it names none. */
static const char *default_base(const struct config_repo *repo, const char *ref)
{
	for (size_t i = 0; repo && i < repo->n_branches; i++)
		if (!strcmp(repo->branches[i].ref, ref) && repo->branches[i].base)
			return repo->branches[i].base;
	return repo ? repo->base : NULL;
}

static int list_commits(struct planner *p, const struct submission_row *sub,
			const struct repo_row *row, struct commit_list *ret, struct error *err)
{
	const struct config *cfg = p->srv->config;
	const struct config_repo *repo = row->configured ? config_repo(cfg, row->name) : NULL;
	struct gitcmd g = { .root = p->srv->git_dir,
			    .local = repo && repo->local,
			    .fsck = cfg->fsck,
			    .timeout_ms = (int64_t)cfg->fetch_timeout_s * 1000,
			    .cancelled = poked_stopping,
			    .arg = p->thread };
	struct range_request req = { .id = sub->id,
				     .url = repo ? repo->url : row->url,
				     .ref = sub->ref,
				     .head = sub->head_sha,
				     .base = sub->base,
				     .default_base = default_base(repo, sub->ref),
				     .every_max = sub->branch_id ? (size_t)cfg->every_max : 0 };
	CLEANUP(free_p) char *dir = NULL;
	int r = 0;

	/* The allow-list may have changed since the submission was taken. */
	if (!repo)
		r = url_check_allowed(row->url, cfg->allow, cfg->n_allow, err);
	if (!r)
		r = gitcmd_ensure(&g, row->name, req.url, &dir, err);
	return r ? r : planner_range(&g, dir, &req, ret, err);
}

static int refuse(struct planner *p, const struct submission_row *sub, const struct error *why,
		  struct error *err)
{
	CLEANUP(free_p) char *quoted = log_quote(why->msg);

	log_event(LOG_WARN, "submission-refused", "id=%lld why=%s", (long long)sub->id, quoted);
	return store_submission_state(p->srv->store, sub->id, SUBMISSION_REFUSED, why->msg, err);
}

static int plan_one(struct planner *p, const struct submission_row *sub,
		    const struct repo_row *repo, struct error *err)
{
	CLEANUP(commit_list_free) struct commit_list commits = { 0 };
	CLEANUP(plan_free_p) struct plan *plan = NULL;
	struct error why = ERROR_INIT;
	int r = store_submission_state(p->srv->store, sub->id, SUBMISSION_FETCHING, NULL, err);

	if (r)
		return r;
	r = plan_load(p->srv->jobs_dir, sub->plan, &plan, &why);
	if (!r)
		r = list_commits(p, sub, repo, &commits, &why);
	if (poked_stopping(p->thread))
		return 0;
	if (r)
		return refuse(p, sub, &why, err);
	r = store_submission_plan(p->srv->store, sub->id, commits.items, commits.n, plan, err);
	if (!r)
		log_event(LOG_INFO, "submission-planned", "id=%lld commits=%zu plan=%s head=%s",
			  (long long)sub->id, commits.n, plan->name,
			  commits.items[commits.n - 1].sha);
	return r;
}

static int handle(struct planner *p, int64_t id, struct error *err)
{
	CLEANUP(submission_row_free) struct submission_row sub = { 0 };
	CLEANUP(repo_row_free) struct repo_row repo = { 0 };
	int r = store_submission_get(p->srv->store, id, &sub, err);

	if (!r)
		r = store_repo_get(p->srv->store, sub.repo_id, &repo, err);
	return r ? r : plan_one(p, &sub, &repo, err);
}

/* Plans what is open. True when something went wrong on our side and is to be tried again. */
static bool handle_all(void *arg)
{
	struct planner *p = arg;
	CLEANUP(free_p) int64_t *ids = NULL;
	struct error err = ERROR_INIT;
	size_t n = 0;
	bool again = false;
	int r = store_submissions_open(p->srv->store, &ids, &n, &err);

	for (size_t i = 0; !r && i < n && !poked_stopping(p->thread); i++) {
		struct error one = ERROR_INIT;

		if (handle(p, ids[i], &one)) {
			CLEANUP(free_p) char *quoted = log_quote(one.msg);

			log_event(LOG_ERROR, "planning-failed", "id=%lld why=%s", (long long)ids[i],
				  quoted);
			again = true;
		}
	}
	if (r) {
		CLEANUP(free_p) char *quoted = log_quote(err.msg);

		log_event(LOG_ERROR, "planning-failed", "why=%s", quoted);
	}
	return again || r;
}

int planner_start(struct server *srv, struct planner **ret, struct error *err)
{
	struct planner *p = xcalloc(1, sizeof(*p));
	const struct poked_conf conf = {
		.name = "planner", .work = handle_all, .arg = p, .retry_ms = RETRY_MS
	};
	int r;

	p->srv = srv;
	*ret = p;
	r = poked_start(&conf, &p->thread, err);
	if (r) {
		*ret = NULL;
		free(p);
	}
	return r;
}

void planner_poke(struct planner *p)
{
	if (p)
		poked_poke(p->thread);
}

void planner_stop(struct planner *p)
{
	if (!p)
		return;
	poked_free(p->thread);
	free(p);
}
