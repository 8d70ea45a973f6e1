/* SPDX-License-Identifier: MIT */
#include "server/regress_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/bisect.h"
#include "lib/buf.h"
#include "lib/clean.h"

/* A commit that is good fails as rarely as that: the good side of a confirmed regression does. */
#define FALSE_RATE 0.01

/* Commits that are taken for good, one after the other, until one is. */
#define GOOD_SIDES_MAX 6

static bool waiting(const struct regression_state *g)
{
	for (size_t i = 0; i < g->n_probes; i++)
		if (!g->probes[i].ended)
			return true;
	return false;
}

/* What the runs of one commit came to; purpose NULL: whatever they were for. */
static void side_of(const struct regression_state *g, const char *sha, const char *purpose,
		    struct confirm_side *ret)
{
	*ret = (struct confirm_side){ 0 };
	for (size_t i = 0; i < g->n_probes; i++) {
		const struct probe_row *p = &g->probes[i];

		if (strcmp(p->sha, sha) != 0 || (purpose && strcmp(p->purpose, purpose) != 0))
			continue;
		ret->fails += p->fails;
		ret->runs += p->runs;
		ret->others += p->others;
		ret->control_fails += p->control_fails;
		ret->control_runs += p->control_runs;
		ret->lost = p->runs || p->others ? 0 : ret->lost + 1;
	}
}

void regress_change(struct regress_decision *d, const char *state, struct json_object *evidence)
{
	d->any = true;
	d->evidence = evidence;
	d->step.state = state;
	d->step.evidence = evidence;
}

struct json_object *regress_words(const char *why)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "why", json_str(why));
	return o;
}

static int ask(struct regress_decision *d, const struct regress_history *h, const char *purpose,
	       const char *sha, int runs, struct error *err)
{
	struct probe_new *p = &d->probes[d->step.n_probes];

	*p = (struct probe_new){ .purpose = purpose, .runs = runs };
	d->any = true;
	d->step.probes = d->probes;
	d->step.n_probes++;
	return h->commit(h->arg, sha, &p->commit, err);
}

/* How many commits were taken for good so far. */
static size_t good_sides(const struct regression_state *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n_probes; i++) {
		bool again = strcmp(g->probes[i].purpose, "good") != 0;

		for (size_t k = 0; k < i && !again; k++)
			again = strcmp(g->probes[k].purpose, "good") == 0 &&
				strcmp(g->probes[k].sha, g->probes[i].sha) == 0;
		n += !again;
	}
	return n;
}

/* An older commit that was seen to be good, and that the failing one comes from: 1 with its hash. The
 * stride grows, for how long a rare failure went unseen is not known. */
static int older_good(const struct regression_state *g, const struct regress_history *h,
		      char ret[41], struct error *err)
{
	size_t tries = good_sides(g), n, i;
	CLEANUP(free_p) char *list = NULL;
	int r = tries < GOOD_SIDES_MAX ? h->older(h->arg, &list, err) : 0;

	n = list ? strlen(list) / 41 : 0;
	if (r || !n)
		return r;
	i = ((size_t)1 << tries >> 1) - 1;
	for (i = i < n ? i : n - 1; i < n; i++) {
		CLEANUP(free_p) char *between = NULL;
		struct error none = ERROR_INIT;

		snprintf(ret, 41, "%.40s", list + 41 * i);
		if (!h->revlist(h->arg, ret, g->row.bad, &between, &none) && *between)
			return 1;
	}
	return 0;
}

static int decide_new(const struct confirm_opts *o, const struct regression_state *g,
		      const struct regress_history *h, struct regress_decision *d,
		      struct error *err)
{
	struct confirm_side bad, good;
	struct confirm_step s;
	int r = 0;

	if (strcmp(g->row.scenario, "build") == 0) {
		/* the same source gives the same errors: that is what builds are addressed by */
		regress_change(d, "confirmed", regress_words("a build is decided by its source"));
		return 0;
	}
	side_of(g, g->row.bad, NULL, &bad);
	side_of(g, g->row.good, NULL, &good);
	confirm_next(o, &bad, &good, &s);
	if (s.verdict == CONFIRM_OPEN) {
		if (s.bad_runs)
			r = ask(d, h, "bad", g->row.bad, s.bad_runs, err);
		if (!r && s.good_runs)
			r = ask(d, h, "good", g->row.good, s.good_runs, err);
		return r;
	}
	if (s.verdict == CONFIRM_FLAKY && s.old) {
		r = older_good(g, h, d->good, err);
		if (r < 0)
			return r;
		d->step.good = r ? d->good : NULL;
	}
	regress_change(d,
		       d->step.good		    ? "new"
		       : s.verdict == CONFIRM_YES   ? "confirmed"
		       : s.verdict == CONFIRM_FLAKY ? "flaky"
						    : "infrastructure",
		       confirm_evidence(o, &bad, &good, &s));
	json_object_object_add(d->evidence, "good_commit", json_str(g->row.good));
	json_object_object_add(d->evidence, "older", json_str(d->step.good));
	return 0;
}

/* Tells the search one probe. A commit that is not of its range does not matter to it. */
static int tell(struct bisect *b, const struct regression_state *g, const struct probe_row *p,
		struct error *err)
{
	int r = 0;

	if (!p->built)
		r = bisect_skip(b, p->sha, BISECT_WHY_BUILD, NULL, err);
	else if (!p->runs && !p->others)
		r = bisect_skip(b, p->sha, BISECT_WHY_INFRA, NULL, err);
	if (!r && p->others)
		r = bisect_record(b, p->sha, p->others, p->others, p->other, err);
	if (!r && p->runs)
		r = bisect_record(b, p->sha, p->runs, p->fails, p->fails ? g->row.signature : NULL,
				  err);
	return r == -ENOENT ? 0 : r;
}

/* Commits whose kernel is the parent's, bit for bit. Pairs that are no parent and child are refused. */
void regress_tell_images(struct bisect *b, const struct regression_state *g)
{
	for (size_t i = 0; i < g->n_probes; i++)
		for (size_t k = 0; k < g->n_probes; k++) {
			const struct probe_row *p = &g->probes[i], *q = &g->probes[k];

			if (p->image && q->image && strcmp(p->image, q->image) == 0 &&
			    strcmp(p->sha, q->sha) != 0)
				(void)!bisect_noop(b, p->sha, q->sha, NULL);
		}
}

struct json_object *regress_search_evidence(const struct bisect *b, const struct bisect_next *n)
{
	struct json_object *o = json_object_new_object(), *a = json_object_new_array();

	json_object_object_add(o, "result", json_str(bisect_kind_name(n->kind)));
	json_object_object_add(o, "confidence", json_object_new_double(n->confidence));
	json_object_object_add(o, "commits", json_object_new_int64((int64_t)bisect_commits(b)));
	for (size_t i = 0; i < n->n_suspects; i++)
		json_object_array_add(a, json_str(n->suspects[i]));
	json_object_object_add(o, "suspects", a);
	json_object_object_add(o, "why", json_str(n->reason));
	return o;
}

static int search(const struct regression_state *g, const struct regress_history *h,
		  struct bisect *b, struct regress_decision *d, struct error *err)
{
	struct bisect_next n;
	int r = 0;

	regress_tell_images(b, g);
	for (size_t i = 0; i < g->n_probes && !r; i++)
		r = tell(b, g, &g->probes[i], err);
	if (r < 0)
		return r;
	bisect_next(b, &n);
	d->search = bisect_to_json(b);
	d->step.search = d->search;
	if (n.kind == BISECT_ASK)
		return ask(d, h, "search", n.commit, n.runs, err);
	if (n.kind == BISECT_CULPRIT) {
		snprintf(d->culprit, sizeof(d->culprit), "%s", n.commit);
		d->step.culprit = d->culprit;
	}
	regress_change(d, n.kind == BISECT_REFUSED ? "flaky" : "bisected",
		       regress_search_evidence(b, &n));
	return 0;
}

/* A build is tried at every commit of a submission: between the two there is what could not be. */
static void decide_build(const struct regression_state *g, const char *revlist,
			 struct regress_decision *d)
{
	struct json_object *o = regress_words(""), *a = json_object_new_array();
	bool one = strchr(revlist, '\n') == NULL || strchr(revlist, '\n')[1] == '\0';

	for (const char *p = revlist; *p; p += strcspn(p, "\n") + (strchr(p, '\n') != NULL))
		json_object_array_add(a, json_object_new_string_len(p, 40));
	json_object_object_add(o, "suspects", one ? json_object_new_array() : json_object_get(a));
	json_object_put(a);
	if (one) {
		snprintf(d->culprit, sizeof(d->culprit), "%s", g->row.bad);
		d->step.culprit = d->culprit;
	}
	regress_change(d, "bisected", o);
}

static int decide_confirmed(const struct regression_state *g, const struct regress_history *h,
			    struct regress_decision *d, struct error *err)
{
	struct bisect_config config = bisect_defaults;
	CLEANUP(bisect_p) struct bisect *b = NULL;
	CLEANUP(free_p) char *revlist = NULL;
	struct error why = ERROR_INIT;
	int r = h->revlist(h->arg, g->row.good, g->row.bad, &revlist, &why);

	config.false_rate = g->row.metric.name ? REGRESS_METRIC_FALSE_RATE : FALSE_RATE;
	if (!r && strcmp(g->row.scenario, "build") == 0) {
		decide_build(g, revlist, d);
		return 0;
	}
	if (!r)
		r = bisect_new(&config, g->row.good, g->row.bad, g->row.signature, revlist, &b,
			       &why);
	if (r == -ENOENT || r == -EINVAL || r == -E2BIG) {
		/* rewritten history, or none between the two */
		regress_change(d, "stale", regress_words(why.msg));
		return 0;
	}
	if (r < 0)
		return error_set(err, r, "%s", why.msg);
	return g->row.metric.name ? regress_metric_search(g, h, b, d, err)
				  : search(g, h, b, d, err);
}

const char *regress_candidate(const struct regression_state *g)
{
	for (size_t i = g->n_probes; i > 0; i--)
		if (strcmp(g->probes[i - 1].purpose, "fix") == 0)
			return g->probes[i - 1].sha;
	return NULL;
}

static int decide_bisected(const struct confirm_opts *o, const struct regression_state *g,
			   const struct regress_history *h, struct regress_decision *d,
			   struct error *err)
{
	const char *sha = regress_candidate(g);
	struct confirm_side bad, fix;
	struct json_object *e;
	enum sprt_verdict v;
	bool fixed;
	int runs;

	if (!sha)
		return 0;
	side_of(g, g->row.bad, NULL, &bad);
	side_of(g, sha, "fix", &fix);
	v = confirm_good(o, &bad, &fix, &runs);
	if (v == SPRT_OPEN && fix.lost < o->max_lost)
		return ask(d, h, "fix", sha, runs, err);
	fixed = v == SPRT_H0;
	e = regress_words(fixed		   ? "it does not happen any more"
			  : v == SPRT_OPEN ? "it could not be run again"
					   : "it still happens");
	json_object_object_add(e, "commit", json_str(sha));
	json_object_object_add(e, "fails", json_object_new_int(fix.fails));
	json_object_object_add(e, "runs", json_object_new_int(fix.runs));
	if (fixed) {
		snprintf(d->fixed, sizeof(d->fixed), "%s", sha);
		d->step.fixed = d->fixed;
	}
	regress_change(d, fixed ? "fixed" : "bisected", e);
	return 0;
}

int regress_decide(const struct confirm_opts *o, const struct regression_state *g,
		   const struct regress_history *h, struct regress_decision *ret, struct error *err)
{
	bool metric = g->row.metric.name != NULL;
	int r = 0;

	*ret = (struct regress_decision){ 0 };
	if (waiting(g))
		return 0;
	if (strcmp(g->row.state, "new") == 0)
		r = metric ? regress_metric_new(g, h, ret, err) : decide_new(o, g, h, ret, err);
	else if (strcmp(g->row.state, "confirmed") == 0)
		r = decide_confirmed(g, h, ret, err);
	else if (strcmp(g->row.state, "bisected") == 0)
		r = metric ? regress_metric_bisected(g, h, ret, err)
			   : decide_bisected(o, g, h, ret, err);
	if (r < 0)
		regress_decision_free(ret);
	return r;
}

size_t regress_fix_probes(const struct confirm_opts *o, const struct regression_state *g,
			  const struct commit_info *commit,
			  struct probe_new ret[REGRESS_PROBES_MAX])
{
	if (g->row.metric.name)
		return regress_metric_fix_probes(commit, ret);
	ret[0] = (struct probe_new){ .purpose = "fix", .commit = *commit, .runs = o->batch };
	return 1;
}

void regress_decision_free(struct regress_decision *d)
{
	json_object_put(d->evidence);
	json_object_put(d->search);
	*d = (struct regress_decision){ 0 };
}
