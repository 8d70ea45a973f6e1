// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/bisect_internal.h"
#include "lib/buf.h"

static const char *const why_words[BISECT_WHY_COUNT] = {
	[BISECT_WHY_NONE] = "is not decided",
	[BISECT_WHY_BUILD] = "does not build",
	[BISECT_WHY_BOOT] = "does not boot",
	[BISECT_WHY_INFRA] = "could not be run",
	[BISECT_WHY_OTHER] = "fails in another way",
	[BISECT_WHY_UNDECIDED] = "is undecided after all runs that are allowed",
};

static void refuse(struct bisect_next *ret)
{
	ret->kind = BISECT_REFUSED;
}

static void ask(struct bisect_next *ret, const struct bisect_node *image,
		enum bisect_purpose purpose, double runs, int max)
{
	ret->kind = BISECT_ASK;
	ret->commit = image->id;
	ret->purpose = purpose;
	ret->runs = runs < 1 ? 1 : runs > max ? max : (int)runs;
}

/* Runs without a failure until the test of an untouched or half tested image says good. */
static double runs_to_good(const struct bisect *b, const struct bisect_node *image)
{
	struct sprt test = bisect_test(b, &image->seen);

	return sprt_shortest(&test, false);
}

/* How far the runs of an image speak for what is expected of it, as a logarithm. */
static double support(const struct bisect *b, const struct bisect_runs *r, bool bad)
{
	struct sprt test = bisect_test(b, r);

	return bad ? sprt_llr(&test) : -sprt_llr(&test);
}

/* The probability that the runs mislead; 1 when they say the opposite. */
static double error_of(double log_ratio)
{
	return log_ratio > 0 ? exp(-log_ratio) : 1;
}

/* ---- the ends ------------------------------------------------------------------------------- */

static bool bad_end(const struct bisect *b, struct bisect_next *ret)
{
	const struct bisect_node *image = bisect_image(b, b->bad);
	const struct bisect_runs *r = &image->seen;
	enum bisect_why why;

	if (bisect_judge(b, b->bad, &why) == BISECT_BAD)
		return true;
	if (why) {
		snprintf(ret->reason, sizeof(ret->reason), "the bad end %s", why_words[why]);
		refuse(ret);
	} else if (!bisect_end_is_known(b)) {
		ask(ret, image, BISECT_ENDPOINT, b->config.end_runs - r->runs, b->config.batch);
	} else if (!r->fails) {
		snprintf(ret->reason, sizeof(ret->reason),
			 "not reproducible: none of %d runs of the bad end failed this way",
			 r->runs);
		refuse(ret);
	} else {
		snprintf(ret->reason, sizeof(ret->reason),
			 "too rare: %d of %d runs of the bad end failed, which could mean a rate "
			 "of %.2g, and %d runs do not tell that from a good commit's",
			 r->fails, r->runs, bisect_end_rate(b), b->config.max_runs);
		refuse(ret);
	}
	return false;
}

static bool good_end(const struct bisect *b, struct bisect_next *ret)
{
	const struct bisect_node *image = bisect_image(b, b->good);
	const struct bisect_runs *r = &image->seen;
	enum bisect_why why;

	switch (bisect_judge(b, b->good, &why)) {
	case BISECT_GOOD:
		return true;
	case BISECT_OPEN:
		ask(ret, image, BISECT_ENDPOINT, runs_to_good(b, image), b->config.batch);
		return false;
	case BISECT_BAD:
		snprintf(ret->reason, sizeof(ret->reason),
			 "the good end fails as well: %d of %d runs", r->fails, r->runs);
		break;
	default:
		snprintf(ret->reason, sizeof(ret->reason), "the good end %s", why_words[why]);
	}
	refuse(ret);
	return false;
}

/* ---- what is left --------------------------------------------------------------------------- */

struct search {
	enum bisect_verdict *verdicts;
	bool *out; /* cannot be the first: ancestors of good commits */
	bool *set; /* what is left */
	bool *open; /* of it, what can be tested */
	int top; /* the bad commit above it */
	int n;
};

static struct search search_new(const struct bisect *b)
{
	struct search s = { .verdicts = xcalloc(b->g.n, sizeof(*s.verdicts)),
			    .out = xcalloc(b->g.n, sizeof(*s.out)),
			    .set = xcalloc(b->g.n, sizeof(*s.set)),
			    .open = xcalloc(b->g.n, sizeof(*s.open)),
			    .top = -1 };
	enum bisect_why why;

	for (size_t i = 0; i < b->g.n; i++) {
		s.verdicts[i] = bisect_judge(b, (int)i, &why);
		s.out[i] = (int)i == b->good || !b->g.nodes[i].listed;
	}
	bisect_graph_mark_ancestors(&b->g, s.out);
	return s;
}

static void search_p(struct search *s)
{
	free(s->verdicts);
	free(s->out);
	free(s->set);
	free(s->open);
}

/* A good commit vouches for its ancestors. One that comes after a bad one cannot: there the failure
 * was fixed in between, and what is looked for is older. */
static void exclude_good(const struct bisect *b, struct search *s)
{
	const struct bisect_graph *g = &b->g;
	CLEANUP(free_p) bool *after_bad = xcalloc(g->n, sizeof(*after_bad));

	for (size_t i = 0; i < g->n; i++) {
		int v = g->order[i];
		const struct bisect_node *node = &g->nodes[v];

		after_bad[v] = s->verdicts[v] == BISECT_BAD;
		for (int k = 0; k < node->n_parents && !after_bad[v]; k++)
			after_bad[v] = after_bad[g->parents[node->first_parent + k]];
		if (s->verdicts[v] == BISECT_GOOD && !after_bad[v])
			s->out[v] = true;
	}
	bisect_graph_mark_ancestors(g, s->out);
}

/* Below which bad commit least is left; that is what remains to be searched. */
static void choose_top(const struct bisect *b, struct search *s)
{
	CLEANUP(free_p) bool *range = xcalloc(b->g.n, sizeof(*range));

	bisect_graph_reach(&b->g, b->bad, s->out, NULL, range);
	for (size_t i = 0; i < b->g.n; i++) {
		int n;

		if (!range[i] || s->verdicts[i] != BISECT_BAD)
			continue;
		n = bisect_graph_reach(&b->g, (int)i, s->out, NULL, NULL);
		if (s->top < 0 || n < s->n) {
			s->top = (int)i;
			s->n = n;
		}
	}
	bisect_graph_reach(&b->g, s->top, s->out, NULL, s->set);
	for (size_t i = 0; i < b->g.n; i++)
		s->open[i] = s->set[i] && s->verdicts[i] == BISECT_OPEN;
}

int bisect_left(const struct bisect *b, bool *left)
{
	CLEANUP(search_p) struct search s = search_new(b);
	enum bisect_why why;

	memset(left, 0, b->g.n * sizeof(*left));
	if (bisect_judge(b, b->bad, &why) != BISECT_BAD)
		return bisect_graph_reach(&b->g, b->bad, s.out, NULL, left);
	exclude_good(b, &s);
	choose_top(b, &s);
	memcpy(left, s.set, b->g.n * sizeof(*left));
	return s.n;
}

/* A commit that is being tested is tested to its end before another is built. */
static int under_test(const struct bisect *b, const struct search *s)
{
	const struct bisect_node *last;

	if (!b->n_steps)
		return -1;
	last = bisect_image(b, bisect_graph_find(&b->g, b->steps[b->n_steps - 1].commit));
	for (size_t i = 0; last->seen.runs && i < b->g.n; i++)
		if (s->open[i] && bisect_image(b, (int)i) == last)
			return (int)i;
	return -1;
}

/* ---- the end -------------------------------------------------------------------------------- */

/* The bound of the error of all tests, and whether the failure shows in some runs only. */
static double errors(const struct bisect *b, const struct search *s, bool *ret_flaky)
{
	double sum = b->share;

	*ret_flaky = false;
	for (size_t i = 0; i < b->g.n; i++) {
		const struct bisect_node *image = &b->g.nodes[i];
		const struct bisect_runs *r = &image->seen;
		bool bad = s->verdicts[i] == BISECT_BAD;

		if (image->image != (int)i || (!bad && s->verdicts[i] != BISECT_GOOD))
			continue;
		sum += error_of(support(b, r, bad));
		*ret_flaky |= bad ? r->fails + r->other < r->runs : r->fails > 0;
	}
	return sum;
}

static double confidence(double error)
{
	return error < 1 ? 1 - error : 0;
}

static void suspects(struct bisect *b, const struct search *s, struct bisect_next *ret)
{
	bool flaky;

	b->n_suspects = 0;
	for (size_t i = 0; i < b->g.n; i++) {
		int v = b->g.order[i];

		if (!s->set[v])
			continue;
		ARRAY_RESERVE(b->suspects, b->n_suspects, b->cap_suspects);
		b->suspects[b->n_suspects++] = b->g.nodes[v].id;
	}
	ret->kind = BISECT_SUSPECTS;
	ret->suspects = b->suspects;
	ret->n_suspects = b->n_suspects;
	ret->confidence = confidence(errors(b, s, &flaky));
}

static void skipped(struct bisect *b, const struct search *s, struct bisect_next *ret)
{
	enum bisect_why why = BISECT_WHY_NONE;
	int first = -1;

	for (size_t i = 0; i < b->g.n && first < 0; i++) {
		int v = b->g.order[i];

		if (s->set[v] && bisect_judge(b, v, &why) == BISECT_SKIP)
			first = v;
	}
	if (s->n == 2)
		snprintf(ret->reason, sizeof(ret->reason), "%s %s", b->g.nodes[first].id,
			 why_words[why]);
	else
		snprintf(ret->reason, sizeof(ret->reason),
			 "%d commits cannot be tested; the first, %s, %s", s->n - 1,
			 b->g.nodes[first].id, why_words[why]);
	suspects(b, s, ret);
}

/* One commit of the pair, by the runs that came after it was chosen. *error grows by its part.
 * False when more is to be done, or nothing can be. */
static bool rechecked(struct bisect *b, const struct search *s, int v, double allowed,
		      double *error, struct bisect_next *ret)
{
	const struct bisect_node *image = bisect_image(b, v);
	bool bad = v == s->top;
	double have = support(b, &image->fresh, bad), left = -log(allowed) - have;
	double fail = log(b->rate / b->config.false_rate);
	double pass = log((1 - b->config.false_rate) / (1 - b->rate));

	if (left <= 0) {
		*error += error_of(have);
		return true;
	}
	if (image->fresh.runs >= b->config.max_runs) {
		snprintf(ret->reason, sizeof(ret->reason),
			 "%d more runs of %s, of which %d failed, did not confirm that it is %s",
			 image->fresh.runs, image->id, image->fresh.fails, bad ? "bad" : "good");
		suspects(b, s, ret);
		return false;
	}
	ask(ret, image, BISECT_RECHECK, ceil(bad ? left / fail / b->rate : left / pass),
	    b->config.batch);
	return false;
}

/* Every parent by runs of its own, also where a good descendant vouches for it. */
static bool parents_are_good(struct bisect *b, const struct search *s, struct bisect_next *ret)
{
	const struct bisect_node *node = &b->g.nodes[s->top];
	enum bisect_why why;

	for (int k = 0; k < node->n_parents; k++) {
		int p = b->g.parents[node->first_parent + k];
		const struct bisect_node *image = bisect_image(b, p);
		enum bisect_verdict v = bisect_judge(b, p, &why);

		if (v == BISECT_GOOD)
			continue;
		if (v == BISECT_SKIP) {
			snprintf(ret->reason, sizeof(ret->reason), "its parent %s %s", image->id,
				 why_words[why]);
			suspects(b, s, ret);
		} else {
			ask(ret, image, BISECT_RECHECK, runs_to_good(b, image), b->config.batch);
		}
		return false;
	}
	return true;
}

static void verify(struct bisect *b, const struct search *s, struct bisect_next *ret)
{
	const struct bisect_node *node = &b->g.nodes[s->top];
	double error, allowed = b->config.error / (2 + node->n_parents);
	bool flaky;

	if (!parents_are_good(b, s, ret))
		return;
	error = errors(b, s, &flaky);
	if (flaky || error > b->config.error) {
		error = b->share;
		if (!rechecked(b, s, s->top, allowed, &error, ret))
			return;
		for (int k = 0; k < node->n_parents; k++)
			if (!rechecked(b, s, b->g.parents[node->first_parent + k], allowed, &error,
				       ret))
				return;
	}
	ret->kind = BISECT_CULPRIT;
	ret->commit = node->id;
	ret->confidence = confidence(error);
}

/* A bad commit that the good end holds, or what was there before it; -1: none. */
static int bad_before_good(const struct bisect *b, const struct search *s)
{
	for (size_t i = 0; i < b->g.n; i++)
		if (s->out[i] && s->verdicts[i] == BISECT_BAD)
			return (int)i;
	return -1;
}

void bisect_next(struct bisect *b, struct bisect_next *ret)
{
	CLEANUP(search_p) struct search s = { 0 };
	int v;

	*ret = (struct bisect_next){ .kind = BISECT_ASK };
	if (!bad_end(b, ret) || !good_end(b, ret))
		return;
	s = search_new(b);
	v = bad_before_good(b, &s);
	if (v >= 0) {
		snprintf(ret->reason, sizeof(ret->reason),
			 "%s fails, which is older than the good end: the failure comes and goes",
			 b->g.nodes[v].id);
		refuse(ret);
		return;
	}
	exclude_good(b, &s);
	choose_top(b, &s);
	v = under_test(b, &s);
	if (v < 0)
		v = bisect_graph_middle(&b->g, s.set, s.open, s.top);
	if (v >= 0)
		ask(ret, bisect_image(b, v), BISECT_STEP, runs_to_good(b, bisect_image(b, v)),
		    b->config.batch);
	else if (s.n > 1)
		skipped(b, &s, ret);
	else
		verify(b, &s, ret);
}
