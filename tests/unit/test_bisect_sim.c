/* SPDX-License-Identifier: MIT */
/*
 * The search against histories whose first bad commit is known. Every seed is fixed: a bound that
 * holds today holds tomorrow.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/test_bisect.h"

#define LINEAR 64

struct tally {
	int searches, right, wrong, suspects, missed, refused; /* missed: not among the suspects */
	int builds, runs, worst_builds;
};

static void count(struct tally *t, const struct world *w, const struct bisect_next *next,
		  int culprit)
{
	t->searches++;
	t->builds += w->builds;
	t->runs += w->runs;
	if (w->builds > t->worst_builds)
		t->worst_builds = w->builds;
	t->refused += next->kind == BISECT_REFUSED;
	if (next->kind == BISECT_CULPRIT) {
		bool right = world_commit(next->commit) == culprit;

		t->right += right;
		t->wrong += !right;
	} else if (next->kind == BISECT_SUSPECTS) {
		t->suspects++;
		t->missed += !world_is_suspect(next, culprit);
	}
}

static void print(const struct tally *t, const char *what)
{
	print_message("%-34s %5d searches: %5d right, %d wrong, %d intervals (%d without it), "
		      "%d refused; %.1f builds (at most %d), %.1f runs\n",
		      what, t->searches, t->right, t->wrong, t->suspects, t->missed, t->refused,
		      (double)t->builds / t->searches, t->worst_builds,
		      (double)t->runs / t->searches);
}

static struct bisect_next search_with(struct tally *t, struct world *w, int culprit,
				      const struct bisect_config *config)
{
	CLEANUP(bisect_p) struct bisect *b = world_search(w, config);
	struct bisect_next next;

	world_plant(w, culprit);
	next = world_solve(w, &b);
	count(t, w, &next, culprit);
	/* Only what does not point into the search may be used after it. */
	next.suspects = NULL;
	next.commit = NULL;
	return next;
}

static struct bisect_next search(struct tally *t, struct world *w, int culprit)
{
	return search_with(t, w, culprit, NULL);
}

/* Every length, every place: the right commit, and never a build too many. */
static void test_linear_deterministic(void **state)
{
	struct tally t = { 0 };

	(void)state;
	for (int n = 1; n <= LINEAR + 6; n++) {
		for (int culprit = 1; culprit <= n; culprit++) {
			struct world w = world_linear(n, (uint64_t)culprit);
			struct bisect_next next;

			w.impatient = culprit % 2;
			next = search(&t, &w, culprit);
			assert_int_equal(next.kind, BISECT_CULPRIT);
			assert_true(next.confidence >= 0.95 && next.confidence <= 1);
			assert_true(w.builds <= world_bound(n));
		}
	}
	print(&t, "linear, deterministic");
	assert_int_equal(t.right, t.searches);
}

/* Up to half of the commits do not build: each costs one build, and next to the culprit they are
 * suspects with it. */
static void test_linear_skips(void **state)
{
	struct tally t = { 0 };

	(void)state;
	for (int culprit = 1; culprit <= LINEAR; culprit++) {
		for (int seed = 1; seed <= 20; seed++) {
			struct world w = world_linear(LINEAR, (uint64_t)(100 * seed + culprit));
			struct bisect_next next;
			bool beside;

			for (int i = 1; i < LINEAR; i++)
				w.skip[i] = world_chance(&w, seed / 40.0);
			beside = w.skip[culprit] || w.skip[culprit - 1];
			next = search(&t, &w, culprit);
			assert_int_equal(next.kind, beside ? BISECT_SUSPECTS : BISECT_CULPRIT);
			assert_true(w.builds <= world_bound(LINEAR) + w.skips);
		}
	}
	print(&t, "linear 64, 2.5 to 50 % skips");
	assert_int_equal(t.wrong + t.missed + t.refused, 0);
}

/* Broken commits come in a row. Where the culprit is not beside them, few of them are tried. */
static void test_linear_row_of_skips(void **state)
{
	struct tally t = { 0 };
	int skips = 0;

	(void)state;
	for (int first = 1; first + 12 < LINEAR - 10; first++) {
		for (int culprit = 1; culprit <= LINEAR - 10; culprit++) {
			struct world w = world_linear(LINEAR - 10, 1);

			if (culprit >= first && culprit <= first + 12)
				continue;
			for (int i = first; i < first + 12; i++)
				w.skip[i] = true;
			search(&t, &w, culprit);
			assert_true(w.builds <= world_bound(LINEAR - 10) + w.skips);
			skips += w.skips;
		}
	}
	print(&t, "linear 54, 12 skips in a row");
	print_message("%.2f of them were tried\n", (double)skips / t.searches);
	assert_int_equal(t.right, t.searches);
	assert_true(skips < 2.5 * t.searches);
}

/* With merges of two there is always a commit that leaves at most two thirds; the culprit's parents
 * may be built besides. */
static void test_merges_deterministic(void **state)
{
	struct tally t = { 0 };

	(void)state;
	for (int seed = 1; seed <= 60; seed++) {
		int n = world_merges(20 + 2 * seed, (uint64_t)seed).n;

		for (int culprit = 1; culprit < n; culprit++) {
			struct world w = world_merges(20 + 2 * seed, (uint64_t)seed);
			int bound = 2 + (int)ceil(log(n - 1) / log(1.5)) + 2;

			search(&t, &w, culprit);
			assert_true(w.builds <= bound);
		}
	}
	print(&t, "merges, deterministic");
	assert_int_equal(t.right, t.searches);
}

static void test_merges_skips(void **state)
{
	struct tally t = { 0 };

	(void)state;
	for (int seed = 1; seed <= 400; seed++) {
		struct world w = world_merges(60, (uint64_t)seed);

		for (int i = 1; i < w.n - 1; i++)
			w.skip[i] = world_chance(&w, 0.15);
		search(&t, &w, 1 + seed % (w.n - 1));
	}
	print(&t, "merges, 15 % skips");
	assert_int_equal(t.wrong + t.missed + t.refused, 0);
	assert_true(t.right > t.searches / 2);
}

struct flaky {
	const char *what;
	double rate, noise, other;
	int seeds;
	bool merges, impatient;
	int max_refused; /* of the seeds */
};

/* Right in nine of ten, and no more wrong accusations than the error that was asked for. */
static void check_flaky(const struct flaky *f)
{
	struct tally t = { 0 };

	for (int seed = 1; seed <= f->seeds; seed++) {
		struct world w = f->merges ? world_merges(LINEAR, (uint64_t)seed)
					   : world_linear(LINEAR, (uint64_t)seed);

		w.rate = f->rate;
		w.noise = f->noise;
		w.other = f->other;
		w.impatient = f->impatient;
		search(&t, &w, 1 + world_below(&w, w.n - 1));
	}
	print(&t, f->what);
	assert_true(t.refused <= f->max_refused);
	assert_true(t.right >= 0.9 * (t.searches - t.refused));
	assert_true(t.wrong + t.missed <= bisect_defaults.error * t.searches);
}

static void test_flaky(void **state)
{
	static const struct flaky cases[] = {
		{ .what = "40 % of runs", .rate = 0.4, .seeds = 200 },
		{ .what = "40 %, stops at failures", .rate = 0.4, .seeds = 200, .impatient = true },
		{ .what = "40 %, merges", .rate = 0.4, .seeds = 200, .merges = true },
		{ .what = "10 % of runs", .rate = 0.1, .seeds = 200, .max_refused = 10 },
		{ .what = "90 % of runs", .rate = 0.9, .seeds = 200 },
		{ .what = "97 %, stops at failures", .rate = 0.97, .seeds = 200, .impatient = true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_flaky(&cases[i]);
}

/* Failures that have nothing to do with it, one in a thousand runs of every commit. */
static void test_noise(void **state)
{
	static const struct flaky cases[] = {
		{ .what = "always, 0.1 % the same", .rate = 1, .noise = 1e-3, .seeds = 400 },
		{ .what = "always, 0.1 % another", .rate = 1, .other = 1e-3, .seeds = 400 },
		{ .what = "always, stops, 0.1 % the same",
		  .rate = 1,
		  .noise = 1e-3,
		  .seeds = 400,
		  .impatient = true },
		{ .what = "40 %, 0.1 % the same", .rate = 0.4, .noise = 1e-3, .seeds = 200 },
		{ .what = "40 %, 0.1 % another", .rate = 0.4, .other = 1e-3, .seeds = 200 },
		{ .what = "10 %, 0.1 % of each",
		  .rate = 0.1,
		  .noise = 1e-3,
		  .other = 1e-3,
		  .seeds = 200,
		  .max_refused = 10 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_flaky(&cases[i]);
}

/* With an error of one half and a rate known from three failures, steps do go wrong. The search is
 * then led to an innocent pair, which the re-check has to notice and go back from. */
static void test_rechecks_pay(void **state)
{
	struct bisect_config loose = bisect_defaults;
	struct tally t = { 0 };
	int astray = 0;

	(void)state;
	loose.error = 0.5;
	loose.end_fails = 3;
	for (int seed = 1; seed <= 1000; seed++) {
		struct world w = world_linear(LINEAR, (uint64_t)seed);

		w.rate = 0.4;
		search_with(&t, &w, 1 + world_below(&w, LINEAR), &loose);
		astray += w.builds > world_bound(LINEAR);
	}
	print(&t, "40 %, error of one half");
	print_message("%d were led astray and came back\n", astray);
	assert_true(astray >= 10);
	assert_true(t.wrong + t.missed < astray);
	assert_true(t.right >= 0.99 * t.searches);
}

/* ---- whatever is told ------------------------------------------------------------------------ */

static void tell_anything(struct world *w, struct bisect *b, int commit)
{
	int parent = w->parents[commit][world_below(w, 2)], r = 0;

	switch (world_below(w, 6)) {
	case 0:
		r = bisect_skip(b, world_id(commit), BISECT_WHY_BUILD, NULL, NULL);
		break;
	case 1:
		if (parent >= 0)
			r = bisect_noop(b, world_id(commit), world_id(parent), NULL);
		break;
	case 2:
		r = bisect_record(b, world_id(commit), 10, 10, OTHER, NULL);
		break;
	case 3:
		seen(b, commit, world_below(w, 3), 10);
		break;
	case 4:
		bad(b, commit);
		break;
	default:
		seen(b, commit, 0, 30);
	}
	assert_int_equal(r, 0);
}

/* A result never says more than what was told: named is a commit that is bad with good parents, and
 * of suspects at least one is bad and no other is decided. */
static void check_answer(const struct world *w, struct bisect *b)
{
	struct bisect_next next;
	int n_bad = 0;

	bisect_next(b, &next);
	if (next.kind == BISECT_CULPRIT) {
		int commit = world_commit(next.commit);

		assert_int_equal(verdict(b, commit), BISECT_BAD);
		for (int k = 0; k < 2; k++)
			if (w->parents[commit][k] >= 0)
				assert_int_equal(verdict(b, w->parents[commit][k]), BISECT_GOOD);
	} else if (next.kind == BISECT_SUSPECTS) {
		for (size_t i = 0; i < next.n_suspects; i++) {
			enum bisect_verdict v = verdict(b, world_commit(next.suspects[i]));

			n_bad += v == BISECT_BAD;
			assert_true(v == BISECT_BAD || v == BISECT_SKIP);
		}
		assert_int_equal(n_bad, 1);
		assert_string_not_equal(next.reason, "");
	} else {
		assert_int_equal(next.kind, BISECT_REFUSED);
		assert_string_not_equal(next.reason, "");
	}
}

/* Histories in which nothing fits together: contradictions, verdicts out of turn, no-ops of what is
 * tested already. There is always an answer, and it is the same after a restart. */
static void test_anything(void **state)
{
	int kinds[BISECT_KIND_COUNT] = { 0 };

	(void)state;
	for (int seed = 1; seed <= 3000; seed++) {
		struct world w = world_merges(5 + seed % 40, (uint64_t)seed);
		CLEANUP(bisect_p) struct bisect *b = verified(&w);
		struct bisect_next next;
		int steps = 0;

		for (int i = world_below(&w, 10); i; i--)
			tell_anything(&w, b, world_below(&w, w.n));
		for (bisect_next(b, &next); next.kind == BISECT_ASK; bisect_next(b, &next)) {
			assert_true(steps++ < 3000);
			tell_anything(&w, b, world_commit(next.commit));
		}
		check_answer(&w, b);
		kinds[next.kind]++;
		if (seed % 10 == 0)
			world_restart(&b);
		check_answer(&w, b);
	}
	for (int k = BISECT_CULPRIT; k < BISECT_KIND_COUNT; k++)
		assert_true(kinds[k] >= 100);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_linear_deterministic),
		cmocka_unit_test(test_linear_skips),
		cmocka_unit_test(test_linear_row_of_skips),
		cmocka_unit_test(test_merges_deterministic),
		cmocka_unit_test(test_merges_skips),
		cmocka_unit_test(test_flaky),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_rechecks_pay),
		cmocka_unit_test(test_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
