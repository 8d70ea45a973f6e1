// SPDX-License-Identifier: MIT
#include "server/tracker.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "server/gitcmd.h"
#include "server/planner.h"
#include "server/regress.h"
#include "server/server.h"
#include "server/url.h"

#define DELAY_MAX_S 3600

struct tracked {
	const struct config_repo *repo;
	int64_t *branch_ids; /* as repo->branches */
	int failures;
	int64_t due_us; /* monotonic */
};

struct tracker {
	struct server *srv;
	struct tracked *repos;
	size_t n;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool poked;
	atomic_bool stop;
};

int64_t tracker_delay_s(int failures, int interval_s)
{
	int64_t delay = interval_s ? interval_s : DELAY_MAX_S;
	int64_t max = delay > DELAY_MAX_S ? delay : DELAY_MAX_S;

	for (int i = 0; i < failures && delay < max; i++)
		delay *= 2;
	return delay < max ? delay : max;
}

int tracker_range_start(const char *dir, const char *old_tip, const char *base, const char *tip,
			char ret_sha[SHA_MAX], struct error *err)
{
	char sha[SHA_MAX] = "";
	bool grew = false;
	int r;

	/* An old tip that is gone (rewritten, collected) is no place to start. */
	if (old_tip && !range_is_ancestor(dir, old_tip, tip, &grew, NULL) && grew) {
		memcpy(ret_sha, old_tip, SHA_MAX);
		return 0;
	}
	r = base ? range_merge_base(dir, base, tip, sha, err) : -ENOENT;
	if (r && r != -ENOENT)
		return r;
	if (r || !strcmp(sha, tip)) {
		sha[0] = 0;
		r = range_first_parent(dir, tip, sha, err);
	}
	if (r && r != -ENOENT)
		return r;
	memcpy(ret_sha, sha, SHA_MAX);
	return 0;
}

static bool stopping(void *arg)
{
	struct tracker *t = arg;

	return atomic_load(&t->stop);
}

static char *full_ref(const char *ref)
{
	return str_starts(ref, "refs/") ? xstrdup(ref) : xasprintf("refs/heads/%s", ref);
}

/* Full names of the branches and their bases, each once. */
struct names {
	char **names;
	size_t n, cap;
};

static void names_add(struct names *l, const char *ref)
{
	char *full = full_ref(ref);

	for (size_t i = 0; i < l->n; i++) {
		if (!strcmp(l->names[i], full)) {
			free(full);
			return;
		}
	}
	ARRAY_RESERVE(l->names, l->n, l->cap);
	l->names[l->n++] = full;
}

static void names_free(struct names *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->names[i]);
	free(l->names);
}

struct poll {
	struct tracker *t;
	struct tracked *tr;
	struct gitcmd git;
	char *dir;
	struct remote_ref *refs;
	size_t n_refs;
	struct branch_row *rows;
	size_t n_rows;
};

static const char *remote_tip(const struct poll *p, const char *ref)
{
	CLEANUP(free_p) char *full = full_ref(ref);

	for (size_t i = 0; i < p->n_refs; i++)
		if (!strcmp(p->refs[i].name, full))
			return p->refs[i].sha;
	return NULL;
}

static const char *known_tip(const struct poll *p, int64_t branch_id)
{
	for (size_t i = 0; i < p->n_rows; i++)
		if (p->rows[i].id == branch_id)
			return p->rows[i].tip;
	return NULL;
}

static int ask(struct poll *p, struct error *err)
{
	CLEANUP(names_free) struct names names = { 0 };
	const struct config_repo *repo = p->tr->repo;
	int r = gitcmd_ensure(&p->git, repo->name, repo->url, &p->dir, err);

	for (size_t i = 0; i < repo->n_branches; i++) {
		names_add(&names, repo->branches[i].ref);
		if (repo->branches[i].base)
			names_add(&names, repo->branches[i].base);
	}
	if (!r)
		r = gitcmd_ls_remote(&p->git, p->dir, repo->url, (const char *const *)names.names,
				     names.n, &p->refs, &p->n_refs, err);
	return r ? r : store_branches(p->t->srv->store, &p->rows, &p->n_rows, err);
}

static int fetch(struct poll *p, struct error *err)
{
	const struct config_repo *repo = p->tr->repo;
	char **specs = xcalloc(p->n_refs + 1, sizeof(*specs));
	bool moved = false;
	int r = 0;

	for (size_t i = 0; i < repo->n_branches; i++) {
		const char *tip = remote_tip(p, repo->branches[i].ref);
		const char *known = known_tip(p, p->tr->branch_ids[i]);

		moved |= tip && (!known || strcmp(tip, known));
	}
	for (size_t i = 0; i < p->n_refs; i++)
		specs[i] = xasprintf("+%s:%s", p->refs[i].name, p->refs[i].name);
	if (moved)
		r = gitcmd_fetch(&p->git, p->dir, repo->url, (const char *const *)specs, p->n_refs,
				 err);
	for (size_t i = 0; i < p->n_refs; i++)
		free(specs[i]);
	free(specs);
	return r;
}

static int record(struct poll *p, size_t i, struct error *err)
{
	const struct config_branch *b = &p->tr->repo->branches[i];
	const char *tip = remote_tip(p, b->ref), *known = known_tip(p, p->tr->branch_ids[i]);
	const char *base = b->base ? remote_tip(p, b->base) : NULL;
	char start[SHA_MAX], name[SHA_MAX];
	int64_t id;
	int r;

	if (!tip)
		return error_set(err, -ENOENT, "the repository has no branch '%s'", b->ref);
	/* The remote may have moved on between the question and the fetch: what counts is what is
	 * here. The rest comes with the next poll. */
	r = range_resolve(p->dir, tip, name, err);
	if (r || (known && !strcmp(known, tip)))
		return r;
	r = tracker_range_start(p->dir, known, base, name, start, err);
	if (!r)
		r = store_branch_moved(p->t->srv->store, p->tr->branch_ids[i],
				       start[0] ? start : NULL, name, &id, err);
	if (r)
		return r;
	log_event(LOG_INFO, "branch-moved", "repo=%s ref=%s tip=%s submission=%lld",
		  p->tr->repo->name, b->ref, name, (long long)id);
	planner_poke(p->t->srv->planner);
	return 0;
}

static void poll_free(struct poll *p)
{
	remote_refs_free(p->refs, p->n_refs);
	branch_rows_free(p->rows, p->n_rows);
	free(p->dir);
}

static void say(const struct poll *p, const char *ref, const struct error *err)
{
	CLEANUP(free_p) char *why = log_quote(err->msg);

	log_event(LOG_WARN, "branch-check-failed", "repo=%s ref=%s why=%s", p->tr->repo->name, ref,
		  why);
}

/* Asks one repository; every branch gets its own outcome. */
static void check(struct tracker *t, struct tracked *tr)
{
	const struct config *cfg = t->srv->config;
	CLEANUP(poll_free) struct poll p = { .t = t, .tr = tr };
	struct error all = ERROR_INIT;
	int failed = 0, r;

	p.git = (struct gitcmd){ .root = t->srv->git_dir,
				 .local = tr->repo->local,
				 .fsck = cfg->fsck,
				 .timeout_ms = (int64_t)cfg->fetch_timeout_s * 1000,
				 .cancelled = stopping,
				 .arg = t };
	r = ask(&p, &all);
	if (!r)
		r = fetch(&p, &all);
	for (size_t i = 0; i < tr->repo->n_branches && !atomic_load(&t->stop); i++) {
		struct error err = all, other = ERROR_INIT;
		int one = r ? r : record(&p, i, &err);
		bool gone = !r && !remote_tip(&p, tr->repo->branches[i].ref);

		if (one)
			say(&p, tr->repo->branches[i].ref, &err);
		failed |= one;
		if (store_branch_checked(t->srv->store, tr->branch_ids[i], one ? err.msg : NULL,
					 gone, &other))
			say(&p, tr->repo->branches[i].ref, &other);
	}
	/* of branches that are gone, or here again */
	regress_poke(t->srv->regress);
	tr->failures = failed ? tr->failures + 1 : 0;
	tr->due_us = clock_mono_us() + tracker_delay_s(tr->failures, cfg->poll_s) * US_PER_S;
	if (!cfg->poll_s && !failed)
		tr->due_us = INT64_MAX;
}

static struct tracked *next_due(struct tracker *t)
{
	struct tracked *first = NULL;

	for (size_t i = 0; i < t->n; i++)
		if (!first || t->repos[i].due_us < first->due_us)
			first = &t->repos[i];
	return first;
}

static void wait_until(struct tracker *t, int64_t due_us)
{
	int64_t left = due_us - clock_mono_us();
	struct timespec ts;

	if (left > 3600 * US_PER_S)
		left = 3600 * US_PER_S;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += left / US_PER_S;
	ts.tv_nsec += left % US_PER_S * 1000;
	ts.tv_sec += ts.tv_nsec / 1000000000L;
	ts.tv_nsec %= 1000000000L;
	if (left > 0)
		pthread_cond_timedwait(&t->cond, &t->lock, &ts);
}

static void *tracker_thread(void *arg)
{
	struct tracker *t = arg;

	pthread_mutex_lock(&t->lock);
	while (!atomic_load(&t->stop)) {
		struct tracked *tr = next_due(t);

		if (t->poked) {
			t->poked = false;
			for (size_t i = 0; i < t->n; i++)
				t->repos[i].due_us = 0;
			continue;
		}
		if (!tr || tr->due_us > clock_mono_us()) {
			wait_until(t, tr ? tr->due_us : INT64_MAX);
			continue;
		}
		pthread_mutex_unlock(&t->lock);
		check(t, tr);
		pthread_mutex_lock(&t->lock);
	}
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

static int put_repo(struct tracker *t, const struct config_repo *repo, struct error *err)
{
	struct tracked *tr = &t->repos[t->n];
	int64_t repo_id;
	int r = store_repo_put(t->srv->store, repo->name, repo->url, true, &repo_id, err);

	if (r)
		return r;
	t->n++;
	tr->repo = repo;
	tr->branch_ids = xcalloc(repo->n_branches + 1, sizeof(*tr->branch_ids));
	for (size_t i = 0; i < repo->n_branches; i++) {
		const struct config_branch *b = &repo->branches[i];

		r = store_branch_put(t->srv->store, repo_id, b->ref, b->base,
				     b->plan ? b->plan : t->srv->config->plan, &tr->branch_ids[i],
				     err);
		if (r)
			return r;
	}
	if (!repo->n_branches)
		tr->due_us = INT64_MAX;
	return 0;
}

static void tracker_free(struct tracker *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->repos[i].branch_ids);
	free(t->repos);
	pthread_mutex_destroy(&t->lock);
	pthread_cond_destroy(&t->cond);
	free(t);
}

int tracker_start(struct server *srv, struct tracker **ret, struct error *err)
{
	struct tracker *t = xcalloc(1, sizeof(*t));
	pthread_condattr_t attr;
	int r = 0;

	t->srv = srv;
	t->repos = xcalloc(srv->config->n_repos + 1, sizeof(*t->repos));
	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->cond, &attr);
	pthread_condattr_destroy(&attr);
	r = store_branches_unfollow(srv->store, err);
	for (size_t i = 0; !r && i < srv->config->n_repos; i++) {
		r = put_repo(t, &srv->config->repos[i], err);
		if (r)
			r = error_wrap(err, r, "repository '%s'", srv->config->repos[i].name);
	}
	if (!r) {
		r = -pthread_create(&t->thread, NULL, tracker_thread, t);
		if (r)
			r = error_errno(err, r, "starting the tracker");
	}
	if (r) {
		tracker_free(t);
		return r;
	}
	*ret = t;
	return 0;
}

void tracker_poke(struct tracker *t)
{
	pthread_mutex_lock(&t->lock);
	t->poked = true;
	pthread_cond_signal(&t->cond);
	pthread_mutex_unlock(&t->lock);
}

void tracker_stop(struct tracker *t)
{
	if (!t)
		return;
	pthread_mutex_lock(&t->lock);
	atomic_store(&t->stop, true);
	pthread_cond_signal(&t->cond);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
	tracker_free(t);
}
