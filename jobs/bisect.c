// SPDX-License-Identifier: MIT
#include "jobs/bisect.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/bisect_internal.h"
#include "jobs/stat.h"
#include "lib/buf.h"
#include "lib/limits.h"

/* Other failures that make a commit a skip: so many, and one run in so many. A single one may be
 * bad luck. Rarer ones leave enough runs to see the failure that is looked for. */
#define OTHER_MIN 2
#define OTHER_ONE_IN 10
/* A single failure makes no commit bad, however improbable it is for a good one: an accident of the
 * machine knows no rate. Another run costs little, a search led astray costs all of its builds. */
#define BAD_MIN 2

const struct bisect_config bisect_defaults = {
	.false_rate = 0.001,
	.error = 0.05,
	.batch = 10,
	.end_fails = 10,
	.end_runs = 200,
	.max_runs = 400,
};

/* ---- names ---------------------------------------------------------------------------------- */

const char *bisect_verdict_name(enum bisect_verdict v)
{
	static const char *const names[BISECT_VERDICT_COUNT] = { "open", "good", "bad", "skip" };

	return (unsigned int)v < BISECT_VERDICT_COUNT ? names[v] : "?";
}

const char *bisect_why_name(enum bisect_why w)
{
	static const char *const names[BISECT_WHY_COUNT] = { "",      "build", "boot",
							     "infra", "other", "undecided" };

	return (unsigned int)w < BISECT_WHY_COUNT ? names[w] : "?";
}

const char *bisect_purpose_name(enum bisect_purpose p)
{
	static const char *const names[BISECT_PURPOSE_COUNT] = { "given", "endpoint", "step",
								 "recheck" };

	return (unsigned int)p < BISECT_PURPOSE_COUNT ? names[p] : "?";
}

const char *bisect_kind_name(enum bisect_kind k)
{
	static const char *const names[BISECT_KIND_COUNT] = { "ask", "culprit", "suspects",
							      "refused" };

	return (unsigned int)k < BISECT_KIND_COUNT ? names[k] : "?";
}

/* ---- making --------------------------------------------------------------------------------- */

static bool in(int n, int min)
{
	return n >= min && n <= BISECT_RUNS_MAX;
}

static int check_config(const struct bisect_config *c, struct error *err)
{
	if (!(c->false_rate > 0 && c->false_rate <= 0.1))
		return error_set(err, -EINVAL, "false_rate: %g is not within 0 and 0.1",
				 c->false_rate);
	if (!(c->error > 0 && c->error <= 0.5))
		return error_set(err, -EINVAL, "error: %g is not within 0 and 0.5", c->error);
	if (!in(c->batch, 1) || !in(c->end_fails, 1) || !in(c->end_runs, 1) || !in(c->max_runs, 1))
		return error_set(err, -EINVAL,
				 "batch, end_fails, end_runs and max_runs are within 1 and %d",
				 BISECT_RUNS_MAX);
	return 0;
}

/* The ends in the graph, and the commits between them. */
static int find_ends(struct bisect *b, const char *good, const char *bad, struct error *err)
{
	const struct bisect_graph *g = &b->g;
	CLEANUP(free_p) bool *old = xcalloc(g->n, sizeof(*old));
	CLEANUP(free_p) bool *none = xcalloc(g->n, sizeof(*none));
	CLEANUP(free_p) bool *reached = xcalloc(g->n, sizeof(*reached));

	b->good = bisect_graph_find(g, good);
	b->bad = bisect_graph_find(g, bad);
	if (b->bad < 0 || !g->nodes[b->bad].listed)
		return error_set(err, -EINVAL, "the bad end %s is not among the commits", bad);
	bisect_graph_reach(g, b->bad, none, NULL, reached);
	if (b->good < 0 || b->good == b->bad || !reached[b->good])
		return error_set(err, -EINVAL, "the good end %s is no ancestor of the bad end %s",
				 good, bad);
	for (size_t i = 0; i < g->n; i++)
		old[i] = (int)i == b->good || !g->nodes[i].listed;
	bisect_graph_mark_ancestors(g, old);
	if (old[b->bad])
		return error_set(err, -EINVAL, "the bad end %s is an ancestor of the good end",
				 bad);
	b->n_range = (size_t)bisect_graph_reach(g, b->bad, old, NULL, NULL);
	return 0;
}

static int make(struct bisect *b, const char *good, const char *bad, const char *fingerprint,
		const char *revlist, struct error *err)
{
	size_t len = strlen(fingerprint);
	int tests = 2, r;

	if (!len || len > LIMIT_NAME_LEN)
		return error_set(err, -EINVAL, "the fingerprint has %zu characters, not 1..%d", len,
				 LIMIT_NAME_LEN);
	r = check_config(&b->config, err);
	if (r == 0)
		r = bisect_graph_parse(&b->g, revlist, err);
	if (r == 0)
		r = find_ends(b, good, bad, err);
	if (r < 0)
		return r;
	for (size_t n = 1; n < b->n_range; n *= 2)
		tests++;
	b->share = b->config.error / (tests + 1); /* one more for the rate at the bad end */
	b->fingerprint = xstrdup(fingerprint);
	return 0;
}

int bisect_new(const struct bisect_config *config, const char *good, const char *bad,
	       const char *fingerprint, const char *revlist, struct bisect **ret, struct error *err)
{
	CLEANUP(bisect_p) struct bisect *b = xcalloc(1, sizeof(*b));
	int r;

	b->config = config ? *config : bisect_defaults;
	r = make(b, good, bad, fingerprint, revlist, err);
	if (r < 0)
		return r;
	*ret = STEAL(b);
	return 0;
}

void bisect_free(struct bisect *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->n_steps; i++) {
		free(b->steps[i].fingerprint);
		free(b->steps[i].detail);
	}
	free(b->steps);
	free(b->suspects);
	free(b->fingerprint);
	bisect_graph_free(&b->g);
	free(b);
}

/* ---- judging -------------------------------------------------------------------------------- */

struct bisect_node *bisect_image(const struct bisect *b, int node)
{
	while (b->g.nodes[node].image != node)
		node = b->g.nodes[node].image;
	return &b->g.nodes[node];
}

struct sprt bisect_test(const struct bisect *b, const struct bisect_runs *r)
{
	return (struct sprt){ .p0 = b->config.false_rate,
			      .p1 = b->rate,
			      .alpha = b->share,
			      .beta = b->share,
			      .max_runs = INT_MAX, /* the caps are ours: bisect_judge() */
			      .fails = r->fails,
			      .runs = r->runs - r->other };
}

static enum bisect_verdict skip(enum bisect_why *ret, enum bisect_why why)
{
	*ret = why;
	return BISECT_SKIP;
}

enum bisect_verdict bisect_judge(const struct bisect *b, int node, enum bisect_why *ret_why)
{
	const struct bisect_node *image = bisect_image(b, node);
	const struct bisect_runs *r = &image->seen;
	bool other = r->other >= OTHER_MIN && (long long)r->other * OTHER_ONE_IN >= r->runs;
	enum sprt_verdict v = SPRT_OPEN;

	*ret_why = BISECT_WHY_NONE;
	if (b->rate > 0) {
		struct sprt test = bisect_test(b, r);

		/* The rate is that of the bad end: as long as it has one, it is bad. */
		v = image == bisect_image(b, b->bad) ? SPRT_H1 : sprt_verdict(&test);
	}
	if (v == SPRT_H1 && r->fails >= BAD_MIN)
		return BISECT_BAD;
	if (image->skip)
		return skip(ret_why, image->skip);
	if (other && (v == SPRT_H0 || !r->fails))
		return skip(ret_why, BISECT_WHY_OTHER);
	if (v == SPRT_H0)
		return BISECT_GOOD;
	if (b->rate > 0 && r->runs >= b->config.max_runs * (image->fresh.runs ? 2 : 1))
		return skip(ret_why, BISECT_WHY_UNDECIDED);
	return BISECT_OPEN;
}

double bisect_end_rate(const struct bisect *b)
{
	const struct bisect_runs *r = &bisect_image(b, b->bad)->seen;
	double low, high;

	/* Each end of the interval is wrong with half of what is left. */
	stat_rate_interval(r->fails, r->runs - r->other, 1 - 2 * b->share, &low, &high);
	return low;
}

int bisect_clean_runs(const struct bisect *b, double p1)
{
	struct sprt test = { .p0 = b->config.false_rate,
			     .p1 = p1,
			     .alpha = b->share,
			     .beta = b->share,
			     .max_runs = INT_MAX };

	return p1 > b->config.false_rate ? sprt_shortest(&test, false) : INT_MAX;
}

bool bisect_end_is_known(const struct bisect *b)
{
	const struct bisect_runs *r = &bisect_image(b, b->bad)->seen;

	return r->fails >= b->config.end_fails || r->runs >= b->config.end_runs;
}

/* The rate is set once: were it to move later, verdicts that were relied on would move with it. */
static void settle_rate(struct bisect *b)
{
	double low;

	if (b->rate > 0 || !bisect_end_is_known(b))
		return;
	low = bisect_end_rate(b);
	if (bisect_clean_runs(b, low) <= b->config.max_runs)
		b->rate = low;
}

/* ---- telling -------------------------------------------------------------------------------- */

/* The commit's node, or -ENOENT. */
static int find(const struct bisect *b, const char *commit, struct error *err)
{
	int node = bisect_graph_find(&b->g, commit);

	if (node < 0)
		return error_set(err, -ENOENT, "commit '%.70s' is not part of this search", commit);
	return node;
}

/* The commit's node, and a step for it with what it was asked for; or -ENOENT, -E2BIG. */
static int begin_step(struct bisect *b, const char *commit, struct bisect_step *ret,
		      struct error *err)
{
	struct bisect_next next;
	int node = find(b, commit, err);

	if (node < 0)
		return node;
	if (b->n_steps == LIMIT_BISECT_STEPS)
		return error_set(err, -E2BIG, "the search has %d steps already",
				 LIMIT_BISECT_STEPS);
	bisect_next(b, &next);
	*ret = (struct bisect_step){ .commit = b->g.nodes[node].id };
	if (next.kind == BISECT_ASK &&
	    bisect_image(b, bisect_graph_find(&b->g, next.commit)) == bisect_image(b, node))
		ret->purpose = next.purpose;
	return node;
}

static void end_step(struct bisect *b, int node, struct bisect_step *step)
{
	enum bisect_why why;

	settle_rate(b);
	step->verdict = bisect_judge(b, node, &why);
	ARRAY_RESERVE(b->steps, b->n_steps, b->cap_steps);
	b->steps[b->n_steps++] = *step;
}

static void add_runs(struct bisect_runs *to, const struct bisect_runs *from)
{
	to->runs += from->runs;
	to->fails += from->fails;
	to->other += from->other;
}

static int check_counts(int runs, int fails, const char *fingerprint, struct error *err)
{
	if (runs < 1 || runs > BISECT_RUNS_MAX || fails < 0 || fails > runs)
		return error_set(err, -EINVAL, "%d fails of %d runs are not possible", fails, runs);
	if (!fails != !fingerprint)
		return error_set(err, -EINVAL,
				 fails ? "failures without a fingerprint"
				       : "a fingerprint without a failure");
	if (fails && (!*fingerprint || strlen(fingerprint) > LIMIT_NAME_LEN))
		return error_set(err, -EINVAL, "the fingerprint has not 1..%d characters",
				 LIMIT_NAME_LEN);
	return 0;
}

int bisect_record(struct bisect *b, const char *commit, int runs, int fails,
		  const char *fingerprint, struct error *err)
{
	struct bisect_runs add = { .runs = runs };
	struct bisect_node *image;
	struct bisect_step step;
	int node = check_counts(runs, fails, fingerprint, err);

	if (node == 0)
		node = begin_step(b, commit, &step, err);
	if (node < 0)
		return node;
	if (fails && strcmp(fingerprint, b->fingerprint) != 0)
		add.other = fails;
	else
		add.fails = fails;
	image = bisect_image(b, node);
	add_runs(&image->seen, &add);
	if (step.purpose == BISECT_RECHECK)
		add_runs(&image->fresh, &add);
	image->skip = BISECT_WHY_NONE;
	step.runs = runs;
	step.fails = fails;
	step.fingerprint = xstrdup(fingerprint);
	end_step(b, node, &step);
	return 0;
}

int bisect_skip(struct bisect *b, const char *commit, enum bisect_why why, const char *detail,
		struct error *err)
{
	struct bisect_step step;
	int node;

	if (why != BISECT_WHY_BUILD && why != BISECT_WHY_BOOT && why != BISECT_WHY_INFRA)
		return error_set(err, -EINVAL, "'%s' is no reason to be told",
				 bisect_why_name(why));
	node = begin_step(b, commit, &step, err);
	if (node < 0)
		return node;
	bisect_image(b, node)->skip = why;
	step.skip = why;
	step.detail = detail ? xstrndup(detail, LIMIT_TEXT_LEN) : NULL;
	end_step(b, node, &step);
	return 0;
}

static bool is_parent(const struct bisect_graph *g, int parent, int child)
{
	const struct bisect_node *node = &g->nodes[child];

	for (int k = 0; k < node->n_parents; k++)
		if (g->parents[node->first_parent + k] == parent)
			return true;
	return false;
}

int bisect_noop(struct bisect *b, const char *commit, const char *parent, struct error *err)
{
	struct bisect_node *from, *to;
	struct bisect_step step;
	int node, old = find(b, parent, err);

	if (old < 0)
		return old;
	node = begin_step(b, commit, &step, err);
	if (node < 0)
		return node;
	if (!is_parent(&b->g, old, node))
		return error_set(err, -EINVAL, "commit %s is no parent of %s", parent, commit);
	from = bisect_image(b, node);
	to = bisect_image(b, old);
	if (from != to) {
		add_runs(&to->seen, &from->seen);
		add_runs(&to->fresh, &from->fresh);
		if (from->seen.runs)
			to->skip = BISECT_WHY_NONE;
		from->image = (int)(to - b->g.nodes);
	}
	step.noop_of = b->g.nodes[old].id;
	end_step(b, node, &step);
	return 0;
}

/* ---- asking --------------------------------------------------------------------------------- */

int bisect_known(const struct bisect *b, const char *commit, struct bisect_known *ret,
		 struct error *err)
{
	const struct bisect_runs *seen;
	int node = find(b, commit, err);

	if (node < 0)
		return node;
	seen = &bisect_image(b, node)->seen;
	ret->verdict = bisect_judge(b, node, &ret->why);
	ret->runs = seen->runs;
	ret->fails = seen->fails;
	ret->other = seen->other;
	return 0;
}

const struct bisect_step *bisect_steps(const struct bisect *b, size_t *ret_n)
{
	*ret_n = b->n_steps;
	return b->steps;
}

size_t bisect_commits(const struct bisect *b)
{
	return b->n_range;
}

double bisect_rate(const struct bisect *b)
{
	return b->rate;
}
