/* SPDX-License-Identifier: MIT */
/*
 * What is done next about a metric that got worse. Every value that decides is measured by a test of
 * its own, so by a machine of its own: what one machine has in common (where its memory lies, how
 * busy the host is) would pass for a difference between two kernels. Only what turned out to be exact
 * on both sides is searched for by one machine a commit.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/shift.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "server/regress_internal.h"

/* --- values --------------------------------------------------------------------------------- */

/* What the tests of a purpose measured; of one commit, or with sha NULL of any. */
struct fresh {
	double *v;
	struct shift_side side;
};

static void fresh_p(struct fresh *f)
{
	free(f->v);
}

static struct fresh fresh_of(const struct regression_state *g, const char *purpose, const char *sha)
{
	struct fresh f = { 0 };
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < g->n_probes; i++) {
		const struct probe_row *p = &g->probes[i];

		if (strcmp(p->purpose, purpose) != 0 || (sha && strcmp(p->sha, sha) != 0))
			continue;
		f.side.lost = p->n_values ? 0 : f.side.lost + 1;
		for (size_t k = 0; k < p->n_values; k++) {
			ARRAY_RESERVE(f.v, n, cap);
			f.v[n++] = p->values[k];
		}
	}
	f.side.values = (struct shift_values){ f.v, n };
	return f;
}

/* --- asking --------------------------------------------------------------------------------- */

static void ask_one(struct regress_decision *d, const char *purpose, const struct commit_info *c,
		    int runs)
{
	if (d->step.n_probes == REGRESS_PROBES_MAX)
		return;
	d->probes[d->step.n_probes++] =
		(struct probe_new){ .purpose = purpose, .commit = *c, .runs = runs };
	d->step.probes = d->probes;
	d->any = true;
}

/* Both sides by turns, so that a busy hour is both's. */
static int ask_sides(struct regress_decision *d, const struct regression_state *g,
		     const struct regress_history *h, int bad_runs, int good_runs,
		     struct error *err)
{
	struct commit_info bad, good;
	int r = h->commit(h->arg, g->row.bad, &bad, err);

	if (!r)
		r = h->commit(h->arg, g->row.good, &good, err);
	for (int i = 0; !r && (i < bad_runs || i < good_runs); i++) {
		if (i < bad_runs)
			ask_one(d, "bad", &bad, 1);
		if (i < good_runs)
			ask_one(d, "good", &good, 1);
	}
	return r;
}

static int ask_commit(struct regress_decision *d, const struct regress_history *h,
		      const char *purpose, const char *sha, int runs, struct error *err)
{
	struct commit_info c;
	int r = h->commit(h->arg, sha, &c, err);

	for (int i = 0; !r && i < runs; i++)
		ask_one(d, purpose, &c, 1);
	return r;
}

/* All values by one test. */
static int ask_together(struct regress_decision *d, const struct regress_history *h,
			const char *purpose, const char *sha, int runs, struct error *err)
{
	struct commit_info c;
	int r = h->commit(h->arg, sha, &c, err);

	if (!r)
		ask_one(d, purpose, &c, runs);
	return r;
}

static bool is_asked(const struct regress_decision *d, const char *sha)
{
	for (size_t i = 0; i < d->step.n_probes; i++)
		if (strcmp(d->probes[i].commit.sha, sha) == 0)
			return true;
	return false;
}

/* --- is it real? ---------------------------------------------------------------------------- */

int regress_metric_new(const struct regression_state *g, const struct regress_history *h,
		       struct regress_decision *d, struct error *err)
{
	const struct shift_opts o = SHIFT_DEFAULTS;
	CLEANUP(fresh_p) struct fresh bad = fresh_of(g, "bad", NULL);
	CLEANUP(fresh_p) struct fresh good = fresh_of(g, "good", NULL);
	struct shift_step s;

	shift_confirm(g->row.metric.worse, &o, &bad.side, &good.side, &s);
	if (s.verdict == CONFIRM_OPEN)
		return ask_sides(d, g, h, s.bad_runs, s.good_runs, err);
	regress_change(d,
		       s.verdict == CONFIRM_YES	    ? "confirmed"
		       : s.verdict == CONFIRM_FLAKY ? "flaky"
						    : "infrastructure",
		       shift_evidence(&o, &bad.side, &good.side, &s));
	return 0;
}

/* --- where did it begin? -------------------------------------------------------------------- */

/* What is known of one commit: groups that were told, and values that do not make one yet. */
struct tally {
	const char *sha;
	int runs, fails; /* groups that are to be told */
	int n, beyond; /* of the group under way */
	int lost; /* tests in a row without a value */
	bool unbuilt;
};

struct search {
	const struct regression_state *g;
	struct bisect *b;
	const struct shift_values *bad, *good; /* fresh */
	int group;
	struct tally *v;
	size_t n, cap;
};

static void search_p(struct search *s)
{
	free(s->v);
}

static struct tally *tally_of(struct search *s, const char *sha)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->v[i].sha, sha) == 0)
			return &s->v[i];
	ARRAY_RESERVE(s->v, s->n, s->cap);
	s->v[s->n] = (struct tally){ .sha = sha };
	return &s->v[s->n++];
}

static void add_values(struct search *s, struct tally *t, const double *v, size_t n)
{
	const struct regression_metric *m = &s->g->row.metric;

	for (size_t i = 0; i < n; i++) {
		t->beyond += shift_is_beyond(m->worse, m->threshold, v[i]);
		if (++t->n < s->group)
			continue;
		t->runs++;
		t->fails += 2 * t->beyond > t->n;
		t->n = t->beyond = 0;
	}
}

/* A commit that is not of the range does not matter to the search. */
static int tell(struct search *s, struct tally *t, struct error *err)
{
	const struct shift_opts o = SHIFT_DEFAULTS;
	int r = 0;

	if (t->unbuilt)
		r = bisect_skip(s->b, t->sha, BISECT_WHY_BUILD, NULL, err);
	else if (t->lost >= o.max_lost)
		r = bisect_skip(s->b, t->sha, BISECT_WHY_INFRA, NULL, err);
	if (!r && t->runs)
		r = bisect_record(s->b, t->sha, t->runs, t->fails,
				  t->fails ? s->g->row.signature : NULL, err);
	t->runs = t->fails = 0;
	return r == -ENOENT ? 0 : r;
}

static void add_probe(struct search *s, const struct probe_row *p)
{
	struct tally *t = tally_of(s, p->sha);

	t->unbuilt |= !p->built;
	t->lost = p->n_values ? 0 : t->lost + 1;
	add_values(s, t, p->values, p->n_values);
}

/* How many runs of this commit the search waits for. Answers to two questions are told apart: only
 * what came after a commit was chosen speaks for the choice. */
static int asked_for(const struct search *s, const char *sha)
{
	struct bisect_next n;

	bisect_next(s->b, &n);
	return n.kind == BISECT_ASK && strcmp(n.commit, sha) == 0 ? n.runs : INT_MAX;
}

static int tell_probes(struct search *s, const char *purpose, struct error *err)
{
	const struct regression_state *g = s->g;
	const char *sha = NULL;
	int asked = 0, r = 0;

	for (size_t i = 0; i < g->n_probes && !r; i++) {
		const struct probe_row *p = &g->probes[i];

		if (strcmp(p->purpose, purpose) != 0)
			continue;
		if (sha && (strcmp(sha, p->sha) != 0 || tally_of(s, sha)->runs >= asked)) {
			r = tell(s, tally_of(s, sha), err);
			sha = NULL;
		}
		if (!sha)
			asked = asked_for(s, p->sha);
		sha = p->sha;
		add_probe(s, p);
	}
	return !r && sha ? tell(s, tally_of(s, sha), err) : r;
}

/* What a commit's values from before are worth. */
enum worth {
	WORTH_NOTHING, /* it has none, or fresh ones instead */
	WORTH_A_HINT, /* where to look; a busy hour may have made them what they are */
	WORTH_A_PROOF, /* exactly what one of the sides always is */
};

static bool all_are(const struct shift_values *v, double value)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->v[i] != value)
			return false;
	return true;
}

/* Neither side ever varies: no machine and no hour makes a difference. */
static bool is_exact(const struct search *s)
{
	return all_are(s->bad, s->bad->v[0]) && all_are(s->good, s->good->v[0]);
}

static bool is_of_a_side(const struct search *s, const struct shift_values *v)
{
	return all_are(v, s->bad->v[0]) || all_are(v, s->good->v[0]);
}

static enum worth worth_of(const struct search *s, const struct commit_values *c)
{
	const struct shift_values v = { c->values, c->n };

	if (!c->n)
		return WORTH_NOTHING;
	if (is_exact(s) && is_of_a_side(s, &v))
		return WORTH_A_PROOF;
	for (size_t i = 0; i < s->g->n_probes; i++)
		if (s->g->probes[i].n_values && strcmp(s->g->probes[i].sha, c->sha) == 0)
			return WORTH_NOTHING;
	return WORTH_A_HINT;
}

static int tell_all(struct search *s, struct error *err)
{
	const struct regression_state *g = s->g;
	int r = tell_probes(s, "bad", err);

	if (!r)
		r = tell_probes(s, "good", err);
	for (size_t i = 0; i < g->n_between && !r; i++) {
		const struct commit_values *c = &g->between[i];

		if (worth_of(s, c) == WORTH_NOTHING)
			continue;
		add_values(s, tally_of(s, c->sha), c->values, c->n);
		r = tell(s, tally_of(s, c->sha), err);
	}
	return r ? r : tell_probes(s, "search", err);
}

/* What a verdict about a commit rests on until it has fresh values. */
static bool is_hint(const struct search *s, const char *sha)
{
	for (size_t i = 0; i < s->g->n_between; i++)
		if (strncmp(s->g->between[i].sha, sha, strlen(s->g->between[i].sha)) == 0)
			return worth_of(s, &s->g->between[i]) == WORTH_A_HINT;
	return false;
}

/* Nobody is named for what was measured at another time than the rest: commits of the result, and
 * their parents, that only have hints are measured anew. `revlist`: lines of a commit and its
 * parents. */
static int prove(const struct search *s, const char *const *result, size_t n, const char *revlist,
		 const struct regress_history *h, struct regress_decision *d, struct error *err)
{
	const struct shift_opts o = SHIFT_DEFAULTS;
	int r = 0;

	for (size_t i = 0; i < n && !r; i++) {
		const char *line = strstr(revlist, result[i]);

		/* as the name of a commit, not as that of a parent */
		while (line && line != revlist && line[-1] != '\n')
			line = strstr(line + 1, result[i]);
		for (const char *p = line; p && *p && *p != '\n' && !r;) {
			size_t len = strcspn(p, " \n");
			CLEANUP(free_p) char *sha = xstrndup(p, len);

			if (is_hint(s, sha) && !is_asked(d, sha))
				r = ask_commit(d, h, "search", sha, (int)o.looks[0], err);
			p += len + (p[len] == ' ');
		}
	}
	return r;
}

/* It is real, and the search cannot say more: every commit between the ends is a suspect. */
static int all_suspects(const struct regression_state *g, const struct regress_history *h,
			const char *why, struct regress_decision *d, struct error *err)
{
	CLEANUP(free_p) char *revlist = NULL;
	struct json_object *e, *a;
	int r = h->revlist(h->arg, g->row.good, g->row.bad, &revlist, err);

	if (r < 0)
		return r;
	e = regress_words(why);
	a = json_object_new_array();
	for (const char *p = revlist; *p; p += strcspn(p, "\n") + (strchr(p, '\n') != NULL))
		json_object_array_add(a, json_object_new_string_len(p, (int)strcspn(p, " \n")));
	json_object_object_add(e, "result", json_str(bisect_kind_name(BISECT_SUSPECTS)));
	json_object_object_add(e, "suspects", a);
	regress_change(d, "bisected", e);
	return 0;
}

static int take_next(struct search *s, const struct regress_history *h, struct regress_decision *d,
		     struct error *err)
{
	CLEANUP(free_p) char *revlist = NULL;
	struct bisect_next n;
	int r;

	bisect_next(s->b, &n);
	d->search = bisect_to_json(s->b);
	d->step.search = d->search;
	if (n.kind == BISECT_ASK)
		return (is_exact(s) ? ask_together : ask_commit)(
			d, h, "search", n.commit, n.runs * s->group - tally_of(s, n.commit)->n,
			err);
	if (n.kind == BISECT_REFUSED)
		return all_suspects(s->g, h, n.reason, d, err);
	r = h->revlist(h->arg, s->g->row.good, s->g->row.bad, &revlist, err);
	if (!r)
		r = n.kind == BISECT_CULPRIT
			    ? prove(s, &n.commit, 1, revlist, h, d, err)
			    : prove(s, n.suspects, n.n_suspects, revlist, h, d, err);
	if (r < 0 || d->any)
		return r;
	if (n.kind == BISECT_CULPRIT) {
		snprintf(d->culprit, sizeof(d->culprit), "%s", n.commit);
		d->step.culprit = d->culprit;
	}
	regress_change(d, "bisected", regress_search_evidence(s->b, &n));
	return 0;
}

int regress_metric_search(const struct regression_state *g, const struct regress_history *h,
			  struct bisect *b, struct regress_decision *d, struct error *err)
{
	CLEANUP(fresh_p) struct fresh bad = fresh_of(g, "bad", NULL);
	CLEANUP(fresh_p) struct fresh good = fresh_of(g, "good", NULL);
	CLEANUP(search_p)
	struct search s = { .g = g, .b = b, .bad = &bad.side.values, .good = &good.side.values };
	int r;

	s.group = shift_group(g->row.metric.worse, &bad.side.values, &good.side.values);
	if (!s.group)
		return all_suspects(g, h,
				    "values of both sides are too much alike to tell one "
				    "commit from another",
				    d, err);
	regress_tell_images(b, g);
	r = tell_all(&s, err);
	return r ? r : take_next(&s, h, d, err);
}

/* --- is it mended? -------------------------------------------------------------------------- */

size_t regress_metric_fix_probes(const struct commit_info *commit,
				 struct probe_new ret[REGRESS_PROBES_MAX])
{
	const struct shift_opts o = SHIFT_DEFAULTS;

	for (size_t i = 0; i < o.looks[0]; i++)
		ret[i] = (struct probe_new){ .purpose = "fix", .commit = *commit, .runs = 1 };
	return o.looks[0];
}

int regress_metric_bisected(const struct regression_state *g, const struct regress_history *h,
			    struct regress_decision *d, struct error *err)
{
	const struct shift_opts o = SHIFT_DEFAULTS;
	const struct regression_metric *m = &g->row.metric;
	const char *sha = regress_candidate(g);
	struct json_object *e;
	struct shift_step s;

	if (!sha)
		return 0;
	CLEANUP(fresh_p) struct fresh bad = fresh_of(g, "bad", NULL);
	CLEANUP(fresh_p) struct fresh fix = fresh_of(g, "fix", sha);

	shift_mended(m->worse, &o, &bad.side, &fix.side, m->threshold, &s);
	if (s.verdict == CONFIRM_OPEN)
		return ask_commit(d, h, "fix", sha, s.good_runs, err);
	if (s.verdict == CONFIRM_YES)
		s.why = "it is back to where it was";
	e = shift_evidence(&o, &bad.side, &fix.side, &s);
	json_object_object_add(e, "commit", json_str(sha));
	if (s.verdict == CONFIRM_YES) {
		snprintf(d->fixed, sizeof(d->fixed), "%s", sha);
		d->step.fixed = d->fixed;
	}
	regress_change(d, s.verdict == CONFIRM_YES ? "fixed" : "bisected", e);
	return 0;
}
