// SPDX-License-Identifier: MIT
#include "server/regress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "server/outbox.h"
#include "server/poked.h"
#include "server/regress_find.h"
#include "server/regress_stale.h"
#include "server/regress_step.h"
#include "server/revlist.h"
#include "server/server.h"
#include "server/tracker_range.h"

#define RETRY_MS 5000 /* after trouble of our own (store, disk) */
#define PAUSE_MS 200 /* results come by the dozen */

struct regress {
	struct server *srv;
	struct poked *thread;
};

static void log_trouble(const char *what, int64_t id, const struct error *why)
{
	CLEANUP(free_p) char *quoted = log_quote(why->msg);

	log_event(LOG_ERROR, what, "id=%lld why=%s", (long long)id, quoted);
}

/* --- finding -------------------------------------------------------------------------------- */

static int failure(void *arg, int64_t result, char ret_signature[SIGNATURE_MAX],
		   enum reason *ret_reason, char **ret_title, struct error *err)
{
	return store_compare_failure(arg, result, ret_signature, ret_reason, ret_title, err);
}

/* Failures and metrics are found apart and kept together. */
static int keep(struct store *s, int64_t submission, const struct regress_found *failures,
		const struct regress_found *metrics, int *ret_new, struct error *err)
{
	size_t n = failures->n + metrics->n;
	CLEANUP(free_p) struct regression_new *all = xcalloc(n + 1, sizeof(*all));

	memcpy(all, failures->v, failures->n * sizeof(*all));
	memcpy(all + failures->n, metrics->v, metrics->n * sizeof(*all));
	return store_compare_done(s, submission, all, n, ret_new, err);
}

static int compare(struct store *s, int64_t submission, int *ret_new, struct error *err)
{
	struct regress_found failures = { 0 }, metrics = { 0 };
	struct metric_series *series = NULL;
	struct case_seen *rows = NULL;
	size_t n = 0, n_series = 0;
	int r = store_compare_cases(s, submission, &rows, &n, err);

	if (!r)
		r = store_compare_metrics(s, submission, &series, &n_series, err);
	if (!r)
		r = regress_find(rows, n, failure, s, &failures, err);
	if (!r) {
		regress_find_metrics(series, n_series, &metrics);
		r = keep(s, submission, &failures, &metrics, ret_new, err);
	}
	regress_found_free(&failures);
	regress_found_free(&metrics);
	metric_series_free(series, n_series);
	case_seen_free(rows, n);
	return r;
}

/* A test of the commit that seems to mend it. */
static int probe_fix(struct regress *e, int64_t id, int64_t submission, struct error *err)
{
	struct store *s = e->srv->store;
	CLEANUP(regression_state_free) struct regression_state g = { 0 };
	CLEANUP(submission_fix_free) struct submission_fix fix = { 0 };
	CLEANUP(json_put_p) struct json_object *evidence = NULL;
	CLEANUP(free_p) char *dir = NULL;
	struct probe_new probes[REGRESS_PROBES_MAX];
	struct regression_step step = { .probes = probes };
	int r = store_regression_load(s, id, &g, err);

	if (!r)
		r = store_regression_fix(s, &g.row, submission, &fix, err);
	if (r != 1)
		return r;
	step.n_probes = regress_fix_probes(&e->srv->config->confirm, &g, &fix.commit, probes);
	/* a build that succeeds was its own proof */
	if (strcmp(g.row.scenario, "build") == 0) {
		evidence = json_object_new_object();
		step = (struct regression_step){ .state = "fixed",
						 .evidence = evidence,
						 .fixed = fix.commit.sha };
		dir = xasprintf("%s/%s.git", e->srv->git_dir, g.row.repo);
		r = regress_stale_rewritten(dir, &g.row, &step, err);
	}
	return r < 0 ? r : store_regression_step(s, &g.row, &step, err);
}

static int look_for_fixes(struct regress *e, int64_t submission, struct error *err)
{
	struct store *s = e->srv->store;
	CLEANUP(free_p) int64_t *ids = NULL;
	size_t n = 0;
	int r = store_regressions_of_line(s, submission, &ids, &n, err);

	for (size_t i = 0; i < n && !r; i++)
		r = probe_fix(e, ids[i], submission, err);
	return r;
}

/* True when it is to be tried again. */
static bool compare_all(struct regress *e)
{
	struct store *s = e->srv->store;
	struct error err = ERROR_INIT;
	int64_t id = 0;
	int found = 0, r;

	while ((r = store_compare_due(s, &id, &err)) == 1 && !poked_stopping(e->thread)) {
		/* fixes first: once it is compared nobody comes back to it */
		r = look_for_fixes(e, id, &err);
		if (!r)
			r = regress_stale_cases(s, id, &err);
		if (!r)
			r = compare(s, id, &found, &err);
		if (r < 0)
			break;
		log_event(LOG_INFO, "submission-compared", "id=%lld regressions=%d", (long long)id,
			  found);
	}
	if (r < 0)
		log_trouble("comparison-failed", id, &err);
	return r < 0;
}

/* --- one step further ------------------------------------------------------------------------ */

/* The repository and the store that a decision asks. */
struct history {
	struct store *store;
	int64_t id; /* of the regression */
	const char *dir;
	struct commit_list lists[3]; /* what it was told, as long as the decision lives */
	size_t n;
};

static int ask_revlist(void *arg, const char *good, const char *bad, char **ret, struct error *err)
{
	const struct history *h = arg;
	struct revlist l = { 0 };
	int r = revlist_read(h->dir, good, bad, LIMIT_BISECT_COMMITS, &l, err);

	if (!r)
		*ret = STEAL(l.text);
	revlist_free(&l);
	return r;
}

static int ask_commit(void *arg, const char *sha, struct commit_info *ret, struct error *err)
{
	struct history *h = arg;
	int r = range_walk(h->dir, NULL, sha, 1, &h->lists[h->n], err);

	if (!r)
		*ret = h->lists[h->n++].items[0];
	return r;
}

static int ask_older(void *arg, char **ret, struct error *err)
{
	const struct history *h = arg;

	return store_regression_older(h->store, h->id, ret, err);
}

static void history_free(struct history *h)
{
	for (size_t i = 0; i < ARRAY_SIZE(h->lists); i++)
		commit_list_free(&h->lists[i]);
}

/* Writes the decision; that a search has ended is what people want to hear of. */
static int decided(struct regress *e, const struct regression_state *g,
		   const struct regress_history *h, struct regression_step *step, struct error *err)
{
	bool found = step->state && strcmp(step->state, "bisected") == 0 &&
		     strcmp(g->row.state, "bisected") != 0;
	struct recipient_new to[2];
	char *texts[2] = { NULL };
	struct commit_info culprit = { 0 };
	int r = found && step->culprit ? h->commit(h->arg, step->culprit, &culprit, err) : 0;

	if (!r && step->fixed)
		r = regress_stale_rewritten(((const struct history *)h->arg)->dir, &g->row, step,
					    err);
	if (r)
		return r;
	if (found) {
		step->report_to = to;
		step->n_report_to = outbox_recipients(e->srv->config, g->row.repo, g->row.ref,
						      culprit.author, to, texts);
	}
	r = store_regression_step(e->srv->store, &g->row, step, err);
	free(texts[0]);
	free(texts[1]);
	return r;
}

/* *ret_more: there may be another step at once: a new state has its own, and what was asked for may be
 * known already (a commit whose build is known to fail), which nobody would wake us for. */
static int advance(struct regress *e, int64_t id, bool *ret_more, struct error *err)
{
	const struct confirm_opts *o = &e->srv->config->confirm;
	CLEANUP(regression_state_free) struct regression_state g = { 0 };
	CLEANUP(regress_decision_free) struct regress_decision d = { 0 };
	CLEANUP(history_free) struct history past = { .store = e->srv->store, .id = id };
	CLEANUP(free_p) char *dir = NULL;
	const struct regress_history h = { ask_revlist, ask_commit, ask_older, &past };
	int r = store_regression_load(e->srv->store, id, &g, err);

	*ret_more = false;
	if (r)
		return r;
	dir = xasprintf("%s/%s.git", e->srv->git_dir, g.row.repo);
	past.dir = dir;
	r = regress_decide(o, &g, &h, &d, err);
	if (r || !d.any)
		return r;
	r = decided(e, &g, &h, &d.step, err);
	*ret_more = !r;
	if (!r && d.step.state) {
		CLEANUP(free_p) char *title = log_quote(g.row.title);

		log_event(LOG_INFO, "regression", "id=%lld state=%s title=%s culprit=%s",
			  (long long)id, d.step.state, title,
			  d.step.culprit ? d.step.culprit : "-");
	}
	return r;
}

static bool advance_all(struct regress *e)
{
	CLEANUP(free_p) int64_t *ids = NULL;
	struct error err = ERROR_INIT;
	bool again = false, more = true;
	size_t n = 0;

	if (regress_stale_branches(e->srv->store, &err) ||
	    store_regressions_due(e->srv->store, &ids, &n, &err)) {
		log_trouble("regressions-failed", 0, &err);
		return true;
	}
	for (size_t i = 0; i < n && !poked_stopping(e->thread); i += !more) {
		struct error one = ERROR_INIT;

		if (advance(e, ids[i], &more, &one)) {
			if (one.code != -ENOENT)
				log_trouble("regression-failed", ids[i], &one);
			again |= one.code != -ENOENT;
			more = false;
		}
	}
	return again;
}

static bool work(void *arg)
{
	struct regress *e = arg;
	bool again = compare_all(e);

	return advance_all(e) || again;
}

int regress_start(struct server *srv, struct regress **ret, struct error *err)
{
	struct regress *e = xcalloc(1, sizeof(*e));
	const struct poked_conf conf = { .name = "regression engine",
					 .work = work,
					 .arg = e,
					 .retry_ms = RETRY_MS,
					 .pause_ms = PAUSE_MS };
	int r;

	e->srv = srv;
	r = poked_start(&conf, &e->thread, err);
	if (r) {
		free(e);
		return r;
	}
	*ret = e;
	return 0;
}

void regress_poke(struct regress *e)
{
	if (e)
		poked_poke(e->thread);
}

void regress_stop(struct regress *e)
{
	if (!e)
		return;
	poked_stop(e->thread);
}

void regress_free(struct regress *e)
{
	if (!e)
		return;
	poked_free(e->thread);
	free(e);
}
