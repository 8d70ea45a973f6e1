/* SPDX-License-Identifier: MIT */
/* What the results of one case on both sides come to. */
#include <stdlib.h>

#include "jobs/compare_internal.h"
#include "jobs/stat.h"
#include "lib/buf.h"

static struct compare_failure *find_failure(const struct compare_tally *t, const char *signature)
{
	for (size_t i = 0; i < t->n_failures; i++)
		if (strcmp(t->failures[i].signature, signature) == 0)
			return &t->failures[i];
	return NULL;
}

static void add_failure(struct compare_tally *t, const struct result *r)
{
	CLEANUP(free_p) char *title = NULL;
	char signature[SIGNATURE_MAX];
	struct compare_failure *f;

	signature_of(r, signature, &title);
	f = find_failure(t, signature);
	if (f) {
		f->count++;
		return;
	}
	if (t->n_failures == COMPARE_FAILURES_MAX) {
		t->failures_dropped++;
		return;
	}
	t->failures = xrealloc(t->failures, t->n_failures + 1, sizeof(*t->failures));
	f = &t->failures[t->n_failures++];
	*f = (struct compare_failure){ .reason = r->reason,
				       .fingerprint = r->splat.fingerprint,
				       .title = STEAL(title),
				       .count = 1 };
	memcpy(f->signature, signature, sizeof(signature));
}

void compare_tally_make(struct compare_tally *t, const struct compare_item **items, size_t n)
{
	*t = (struct compare_tally){ .items = items, .n = n };
	for (size_t i = 0; i < n; i++) {
		const struct result *r = items[i]->result;

		if (!t->worst || r->status < t->worst->result->status)
			t->worst = items[i];
		if (r->status == STATUS_FAIL)
			add_failure(t, r);
		t->fails += r->status == STATUS_FAIL;
		t->skips += r->status == STATUS_SKIP;
		t->runs += r->status == STATUS_FAIL || r->status == STATUS_PASS ||
			   r->status == STATUS_DONE;
	}
}

void compare_tally_clear(struct compare_tally *t)
{
	for (size_t i = 0; i < t->n_failures; i++)
		free(t->failures[i].title);
	free(t->failures);
}

#define A_SKIPS "A skips it"

static bool good(const struct compare_tally *t)
{
	return t->runs && !t->fails;
}

/* The kernel does not have what the case is about, so it does not fail there either. */
static bool skipped(const struct compare_tally *t)
{
	return t->n && (size_t)t->skips == t->n;
}

/* --- verdicts ------------------------------------------------------------------------------------ */

static enum compare_class classify(const struct compare_tally *a, const struct compare_tally *b)
{
	if (!a->n)
		return COMPARE_APPEARED;
	if (!b->n)
		return COMPARE_DISAPPEARED;
	if (skipped(a) && b->fails)
		return COMPARE_REGRESSED;
	if (!a->runs || !b->runs)
		return COMPARE_NOT_COMPARABLE;
	if (b->fails)
		return a->fails ? COMPARE_STILL_FAILING : COMPARE_REGRESSED;
	return a->fails ? COMPARE_FIXED : COMPARE_UNCHANGED;
}

/* B fails in no way that A does not. */
static bool fails_the_same(const struct compare_tally *a, const struct compare_tally *b)
{
	for (size_t i = 0; i < b->n_failures; i++)
		if (!find_failure(a, b->failures[i].signature))
			return false;
	return !b->failures_dropped;
}

/* The rows of one case: the whole first, if it is there, then the points of a sweep. */
struct group {
	struct compare_row *rows;
	size_t n;
	const bool *unbuilt; /* by side: the case had no kernel to run on */
};

static struct compare_row *whole_of(const struct group *g)
{
	return g->rows[0].point ? NULL : &g->rows[0];
}

static bool side_has_any(const struct group *g, int side)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->rows[i].side[side].n)
			return true;
	return false;
}

/* Why a side has no result where the other one has; NULL: it does not have that case, or that point.
 * A sweep that did not end well may have ended before the point. */
static const char *why_missing(const struct group *g, int side)
{
	static const char *const unbuilt[] = { "A was not built", "B was not built" };
	static const char *const skips[] = { A_SKIPS, "B skips it" };
	static const char *const unended[] = { "A's sweep did not end well",
					       "B's sweep did not end well" };
	const struct compare_row *whole = whole_of(g);

	if (g->unbuilt[side])
		return unbuilt[side];
	if (whole && good(&whole->side[side]))
		return NULL;
	if (whole && skipped(&whole->side[side]))
		return skips[side];
	return side_has_any(g, side) ? unended[side] : NULL;
}

static void judge_row(const struct group *g, struct compare_row *row)
{
	const struct compare_tally *a = &row->side[COMPARE_A], *b = &row->side[COMPARE_B];

	row->class = classify(a, b);
	row->p = stat_fisher_two_sided(a->fails, a->runs, b->fails, b->runs);
	row->same_failure = row->class == COMPARE_STILL_FAILING && fails_the_same(a, b);
	if (!a->n || !b->n) {
		row->why = why_missing(g, a->n ? COMPARE_B : COMPARE_A);
		if (row->why)
			row->class = COMPARE_NOT_COMPARABLE;
	} else if (row->class == COMPARE_REGRESSED && skipped(a)) {
		row->why = A_SKIPS;
	} else if (row->class == COMPARE_NOT_COMPARABLE) {
		row->why = a->runs   ? "B has no verdict"
			   : b->runs ? "A has no verdict"
				     : "neither has a verdict";
	}
}

/* What a sweep's points say about the whole of it. */
static void judge_sweep(const struct group *g, struct compare_row *whole)
{
	bool both = side_has_any(g, COMPARE_A) && side_has_any(g, COMPARE_B);

	whole->sweep = whole->item->result->fault.mode == FAULT_SWEEP;
	for (size_t i = 1; i < g->n; i++) {
		const struct compare_row *point = &g->rows[i];
		bool in_a = point->side[COMPARE_A].n, in_b = point->side[COMPARE_B].n;

		whole->points[COMPARE_A] += in_a;
		whole->points[COMPARE_B] += in_b;
		whole->points_differ |= both && in_a != in_b;
		if (point->class != COMPARE_REGRESSED || whole->class == COMPARE_REGRESSED)
			continue;
		whole->class = COMPARE_REGRESSED;
		whole->why = "one of its points regressed";
	}
}

/* Skipped for the same reason on both sides: neither kernel has what is tested. */
static bool skipped_alike(const struct compare_row *row)
{
	const struct compare_tally *a = &row->side[COMPARE_A], *b = &row->side[COMPARE_B];

	return a->n && b->n && a->worst->result->status == STATUS_SKIP &&
	       b->worst->result->status == STATUS_SKIP &&
	       a->worst->result->reason == b->worst->result->reason;
}

/* That the points of a case appeared with it is not worth a line each, nor are those that nobody
 * came to. */
static bool says_something(const struct compare_row *row, const struct compare_row *whole)
{
	if (row->class == COMPARE_UNCHANGED || skipped_alike(row))
		return row->points_differ;
	if (!whole || row == whole || row->class < COMPARE_APPEARED)
		return true;
	return row->class != whole->class && row->class != COMPARE_NOT_COMPARABLE;
}

static void judge_group(const struct group *g)
{
	struct compare_row *whole = whole_of(g);

	for (size_t i = 0; i < g->n; i++) {
		judge_row(g, &g->rows[i]);
		g->rows[i].counted = !whole || whole == &g->rows[i];
	}
	if (whole)
		judge_sweep(g, whole);
	for (size_t i = 0; i < g->n; i++)
		g->rows[i].shown = says_something(&g->rows[i], whole);
}

void compare_judge(struct compare_row *rows, size_t n)
{
	bool unbuilt[COMPARE_SIDES] = { false, false };

	for (size_t i = 0; i < n; i++)
		for (int s = 0; s < COMPARE_SIDES && compare_is_build(&rows[i]); s++)
			unbuilt[s] |= rows[i].side[s].n && !good(&rows[i].side[s]);
	for (size_t i = 0, next; i < n; i = next) {
		struct group g = { .rows = &rows[i], .unbuilt = unbuilt };

		for (next = i + 1; next < n && rows[next].group == rows[i].group; next++)
			;
		g.n = next - i;
		judge_group(&g);
	}
}
