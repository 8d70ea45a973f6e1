/* SPDX-License-Identifier: MIT */
/*
 * Histories with a planted first bad commit, and an agent that runs them: what tests of the search
 * share. Commit i is named by i + 1 in hex digits; commit 0 is the good end, the last one the bad.
 */
#ifndef FAULTLINE_TESTS_TEST_BISECT_H
#define FAULTLINE_TESTS_TEST_BISECT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/bisect.h"
#include "lib/buf.h"
#include "lib/clean.h"

#define WORLD_MAX 300
#define WANTED "wanted-fingerprint"
#define OTHER "other-fingerprint"

struct world {
	int n; /* commits, the good end included */
	int parents[WORLD_MAX][2]; /* -1: none */
	bool bad[WORLD_MAX], skip[WORLD_MAX], built[WORLD_MAX];
	double rate; /* of a bad commit's runs */
	double noise, other; /* of every run: the same failure, another one */
	bool restart; /* through JSON after every answer */
	bool impatient; /* stops at the first failure of a batch */
	int builds, skips, runs;
	uint64_t seed;
};

static inline uint64_t world_random(struct world *w)
{
	uint64_t z = w->seed += 0x9e3779b97f4a7c15; /* splitmix64, S. Vigna, public domain */

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static inline bool world_chance(struct world *w, double p)
{
	return (double)(world_random(w) >> 11) * 0x1p-53 < p;
}

static inline int world_below(struct world *w, int n)
{
	return (int)(world_random(w) % (uint64_t)n);
}

static inline const char *world_id(int commit)
{
	static char ring[8][BISECT_ID_MAX];
	static unsigned n;
	char *id = ring[n++ % 8];

	snprintf(id, BISECT_ID_MAX, "%040x", (unsigned)commit + 1);
	return id;
}

static inline int world_commit(const char *id)
{
	return (int)strtol(id, NULL, 16) - 1;
}

static inline int world_add(struct world *w, int first, int second)
{
	w->parents[w->n][0] = first;
	w->parents[w->n][1] = second;
	return w->n++;
}

/* `n` commits after the good end. */
static inline struct world world_linear(int n, uint64_t seed)
{
	struct world w = { .rate = 1, .seed = seed };

	for (int i = 0; i <= n; i++)
		world_add(&w, i - 1, -1);
	return w;
}

/* About `n` commits after the good end, with forks and merges; the last one has all of them. */
static inline struct world world_merges(int n, uint64_t seed)
{
	struct world w = { .rate = 1, .seed = seed };
	int tips[8] = { 0 }, n_tips = 1;

	world_add(&w, -1, -1);
	while (w.n < n) {
		int k = world_below(&w, n_tips), what = world_below(&w, 10);

		if (what < 2 && n_tips < 8) {
			tips[n_tips++] =
				world_add(&w, w.n - 1 - world_below(&w, (w.n + 2) / 3), -1);
		} else if (what < 4 && n_tips > 1) {
			n_tips--;
			k = k == n_tips ? 0 : k;
			tips[k] = world_add(&w, tips[k], tips[n_tips]);
		} else {
			tips[k] = world_add(&w, tips[k], -1);
		}
	}
	while (n_tips > 1) {
		n_tips--;
		tips[0] = world_add(&w, tips[0], tips[n_tips]);
	}
	return w;
}

/* Whatever holds `culprit` is bad. */
static inline void world_plant(struct world *w, int culprit)
{
	for (int i = 0; i < w->n; i++) {
		w->bad[i] = i == culprit;
		for (int k = 0; k < 2; k++)
			w->bad[i] |= w->parents[i][k] >= 0 && w->bad[w->parents[i][k]];
	}
}

/* Newest first, as git prints it. Owned. */
static inline char *world_revlist(const struct world *w)
{
	struct buf b = BUF_INIT;

	for (int i = w->n - 1; i > 0; i--) {
		buf_str(&b, world_id(i));
		for (int k = 0; k < 2; k++)
			if (w->parents[i][k] >= 0)
				buf_printf(&b, " %s", world_id(w->parents[i][k]));
		buf_char(&b, '\n');
	}
	return buf_steal(&b);
}

static inline struct bisect *world_search(const struct world *w, const struct bisect_config *config)
{
	CLEANUP(free_p) char *revlist = world_revlist(w);
	struct bisect *b = NULL;
	struct error err = ERROR_INIT;

	if (bisect_new(config, world_id(0), world_id(w->n - 1), WANTED, revlist, &b, &err))
		fail_msg("%s", err.msg);
	return b;
}

/* The search as it comes back from its stored form. */
static inline void world_restart(struct bisect **b)
{
	CLEANUP(json_put_p) struct json_object *o = bisect_to_json(*b), *again = NULL;
	CLEANUP(free_p) char *text = json_text(o);
	CLEANUP(free_p) char *back = NULL;
	CLEANUP(json_put_p) struct json_object *o_back = NULL;
	struct bisect *copy = NULL;
	struct error err = ERROR_INIT;
	struct jval v;

	if (json_parse(text, strlen(text), &again, &err))
		fail_msg("%s", err.msg);
	v = json_root(again);
	if (bisect_from_json(&v, &copy, &err))
		fail_msg("%s", err.msg);
	o_back = bisect_to_json(copy);
	back = json_text(o_back);
	assert_string_equal(text, back);
	bisect_free(*b);
	*b = copy;
}

static inline void world_run(struct world *w, struct bisect *b, int commit, int runs)
{
	int fails = 0, other = 0, done = 0;

	for (; done < runs && !(w->impatient && (fails || other)); done++) {
		if (world_chance(w, w->other))
			other++;
		else if (world_chance(w, w->bad[commit] ? w->rate : 0) || world_chance(w, w->noise))
			fails++;
	}
	w->runs += done;
	if (other)
		assert_int_equal(bisect_record(b, world_id(commit), other, other, OTHER, NULL), 0);
	if (done > other)
		assert_int_equal(bisect_record(b, world_id(commit), done - other, fails,
					       fails ? WANTED : NULL, NULL),
				 0);
}

/* Does what is asked for until there is an answer. */
static inline struct bisect_next world_solve(struct world *w, struct bisect **b)
{
	struct bisect_next next;
	int commit;

	for (bisect_next(*b, &next); next.kind == BISECT_ASK; bisect_next(*b, &next)) {
		commit = world_commit(next.commit);
		assert_in_range(commit, 0, w->n - 1);
		assert_true(next.runs >= 1);
		w->builds += !w->built[commit];
		if (w->skip[commit]) {
			assert_false(w->built[commit]); /* asked once */
			w->skips++;
			assert_int_equal(bisect_skip(*b, next.commit, BISECT_WHY_BUILD, NULL, NULL),
					 0);
		} else {
			world_run(w, *b, commit, next.runs);
		}
		w->built[commit] = true;
		if (w->restart)
			world_restart(b);
	}
	return next;
}

static inline bool world_is_suspect(const struct bisect_next *next, int commit)
{
	for (size_t i = 0; i < next->n_suspects; i++)
		if (world_commit(next->suspects[i]) == commit)
			return true;
	return false;
}

/* The most commits that a linear search of `n` may build, skips apart. */
static inline int world_bound(int n)
{
	int tests = 2;

	for (int k = 1; k < n; k *= 2)
		tests++;
	return tests;
}

/* ---- a search by hand ------------------------------------------------------------------------ */

static inline void seen(struct bisect *b, int commit, int fails, int runs)
{
	struct error err = ERROR_INIT;

	if (bisect_record(b, world_id(commit), runs, fails, fails ? WANTED : NULL, &err))
		fail_msg("%s", err.msg);
}

static inline void bad(struct bisect *b, int commit)
{
	seen(b, commit, 10, 10);
}

static inline void good(struct bisect *b, int commit)
{
	seen(b, commit, 0, 10);
}

/* Both ends are what they are said to be. */
static inline struct bisect *verified(const struct world *w)
{
	struct bisect *b = world_search(w, NULL);

	bad(b, w->n - 1);
	good(b, 0);
	return b;
}

static inline void assert_asks(struct bisect *b, int commit, enum bisect_purpose purpose)
{
	struct bisect_next next;

	bisect_next(b, &next);
	if (next.kind != BISECT_ASK)
		fail_msg("%s: %s", bisect_kind_name(next.kind), next.reason);
	assert_int_equal(world_commit(next.commit), commit);
	assert_string_equal(bisect_purpose_name(next.purpose), bisect_purpose_name(purpose));
	assert_in_range(next.runs, 1, 10);
}

static inline void assert_culprit(struct bisect *b, int commit)
{
	struct bisect_next next;

	bisect_next(b, &next);
	if (next.kind != BISECT_CULPRIT)
		fail_msg("%s: %s", bisect_kind_name(next.kind), next.reason);
	assert_int_equal(world_commit(next.commit), commit);
	assert_true(next.confidence >= 0.95 && next.confidence < 1);
}

static inline void assert_refused(struct bisect *b, const char *reason)
{
	struct bisect_next next;

	bisect_next(b, &next);
	assert_int_equal(next.kind, BISECT_REFUSED);
	assert_null(next.commit);
	if (!strstr(next.reason, reason))
		fail_msg("%s", next.reason);
}

/* `suspects`: in order, -1 behind the last. */
static inline void assert_suspects(struct bisect *b, const int *suspects, const char *reason)
{
	struct bisect_next next;
	size_t n = 0;

	bisect_next(b, &next);
	if (next.kind != BISECT_SUSPECTS)
		fail_msg("%s: %s", bisect_kind_name(next.kind), next.reason);
	for (; suspects[n] >= 0; n++) {
		assert_true(n < next.n_suspects);
		assert_int_equal(world_commit(next.suspects[n]), suspects[n]);
	}
	assert_int_equal(n, next.n_suspects);
	if (!strstr(next.reason, reason))
		fail_msg("%s", next.reason);
}

static inline enum bisect_verdict verdict(const struct bisect *b, int commit)
{
	struct bisect_known known;

	assert_int_equal(bisect_known(b, world_id(commit), &known, NULL), 0);
	return known.verdict;
}

static inline void skipped(struct bisect *b, int commit, enum bisect_why why)
{
	assert_int_equal(bisect_skip(b, world_id(commit), why, "make: Error 2", NULL), 0);
}

#endif
