/* SPDX-License-Identifier: MIT */
/* Whole lives of regressions in a world of commits whose truth is known. */
#include <errno.h>

#include "tests/unit/regress_line.h"

#define SIGNATURE "0123456789abcdef"

/* A line of commits, 0 the good end, `bad` the first that was seen failing. */
static struct world {
	int bad, culprit, fixed; /* first with, first without it again */
	double rate; /* at which it fails there */
	double other; /* at which any commit fails in another way */
	bool broken[COMMITS_MAX]; /* does not build */
	bool lost[COMMITS_MAX]; /* no run of it ever comes back */
	bool rewritten; /* the history is not there any more */
	int good; /* taken for good at first */
	int held[4], n_held; /* seen to hold before that, newest first */
	const struct regression_state *searched;
	int built[COMMITS_MAX], runs, tests; /* what it took */
} world;

static bool happens(double rate)
{
	return uniform() < rate;
}

static int revlist_unless_rewritten(void *arg, const char *good, const char *bad, char **ret,
				    struct error *e)
{
	if (world.rewritten)
		return error_set(e, -ENOENT, "there is no commit '%s'", bad);
	return revlist(arg, good, bad, ret, e);
}

static bool taken_for_good(int i)
{
	for (size_t k = 0; k < world.searched->n_probes; k++)
		if (strcmp(world.searched->probes[k].sha, sha(i)) == 0 &&
		    strcmp(world.searched->probes[k].purpose, "good") == 0)
			return true;
	return false;
}

static int older(void *arg, char **ret, struct error *e)
{
	struct buf b = BUF_INIT;

	(void)arg;
	(void)e;
	for (int k = 0; k < world.n_held; k++)
		if (world.held[k] < index_of(world.searched->row.good) &&
		    !taken_for_good(world.held[k]))
			buf_printf(&b, "%s\n", sha(world.held[k]));
	*ret = buf_steal(&b);
	return 0;
}

static const struct regress_history history = { revlist_unless_rewritten, commit, older, NULL };

/* The probe that an agent would make of a request. */
static void probe(struct regression_state *g, const struct probe_new *p)
{
	int i = index_of(p->commit.sha);
	struct probe_row *row;

	assert_true(p->runs > 0);
	row = add_probe(g, p, !world.broken[i]);
	world.tests++;
	world.built[i]++;
	if (world.broken[i] || world.lost[i])
		return;
	for (int k = 0; k < p->runs; k++) {
		bool has = i >= world.culprit && (!world.fixed || i < world.fixed);

		world.runs++;
		if (happens(world.other)) {
			row->others++;
			continue;
		}
		row->runs++;
		row->fails += has && happens(world.rate);
	}
	row->control_runs = row->runs;
	if (row->others)
		row->other = xstrdup("fedcba9876543210");
}

/* Lives until nothing is left to do; the states that it went through, "confirmed bisected". */
static char *live(struct regression_state *g)
{
	const struct confirm_opts o = CONFIRM_DEFAULTS;
	struct buf states = BUF_INIT;

	world.searched = g;
	for (int step = 0;; step++) {
		struct regress_decision d;

		assert_true(step < 500);
		if (regress_decide(&o, g, &history, &d, &err))
			fail_msg("%s", err.msg);
		if (!d.any)
			break;
		for (size_t i = 0; i < d.step.n_probes; i++)
			probe(g, &d.step.probes[i]);
		settle(g, &d, &states);
		regress_decision_free(&d);
		if (is_settled(g))
			break;
	}
	return buf_steal(&states);
}

static struct regression_state regression(const char *scenario)
{
	struct regression_state g = { .row = { .signature = SIGNATURE } };

	g.row.state = xstrdup("new");
	g.row.scenario = xstrdup(scenario);
	g.row.good = xstrdup(sha(world.good));
	g.row.bad = xstrdup(sha(world.bad));
	fault_defaults(&g.row.fault);
	g.row.fault.mode = FAULT_SWEEP;
	return g;
}

static void expect(const char *scenario, const char *states, int culprit)
{
	struct regression_state g = regression(scenario);
	CLEANUP(free_p) char *is = live(&g);

	assert_string_equal(is, states);
	if (culprit < 0)
		assert_null(g.row.culprit);
	else
		assert_string_equal(g.row.culprit, sha(culprit));
	regression_state_free(&g);
}

static void new_world(int bad, int culprit, double rate)
{
	world = (struct world){ .bad = bad, .culprit = culprit, .rate = rate };
}

static void test_lives(void **state)
{
	(void)state;
	seed = 20261121;
	/* one commit between good and bad, as in a submitted series */
	new_world(1, 1, 1);
	expect("split.mprotect", "confirmed bisected", 1);
	assert_int_equal(world.built[0] > 0, 1);
	new_world(20, 7, 1);
	expect("split.mprotect", "confirmed bisected", 7);
	/* it never happens again; it happens everywhere */
	new_world(20, 7, 0);
	expect("split.mprotect", "flaky", -1);
	new_world(20, 0, 1);
	expect("split.mprotect", "flaky", -1);
	/* the machines are not there */
	new_world(20, 7, 1);
	world.lost[20] = true;
	expect("split.mprotect", "infrastructure", -1);
	/* somebody has rewritten history */
	new_world(20, 7, 1);
	world.rewritten = true;
	expect("split.mprotect", "confirmed stale", -1);
	/* around the culprit nothing builds: an interval, and nobody is accused */
	new_world(20, 7, 1);
	world.broken[6] = world.broken[7] = world.broken[8] = true;
	expect("split.mprotect", "confirmed bisected", -1);
	/* a build needs no machine */
	new_world(1, 1, 1);
	expect("build", "confirmed bisected", 1);
	assert_int_equal(world.tests, 0);
	new_world(3, 3, 1);
	expect("build", "confirmed bisected", -1);
}

/* A rare failure was missed by the one run of some commits: the good side goes back until it is one. */
static void test_unlucky_good_side(void **state)
{
	(void)state;
	seed = 3;
	new_world(20, 7, 0.6);
	world.good = 15;
	world.n_held = 3;
	memcpy(world.held, (int[]){ 12, 3, 0 }, sizeof(int[3]));
	expect("split.mprotect", "new new confirmed bisected", 7);
	/* 12 was next; then the stride grew, past 3 */
	assert_true(world.built[15] && world.built[12] && world.built[0]);
	/* nothing older is known, or nothing older is good */
	world.n_held = 0;
	expect("split.mprotect", "flaky", -1);
	new_world(20, 0, 0.6);
	world.good = 15;
	world.n_held = 3;
	memcpy(world.held, (int[]){ 12, 3, 0 }, sizeof(int[3]));
	expect("split.mprotect", "new new flaky", -1);
	/* what is older was rewritten */
	new_world(20, 7, 0.6);
	world.good = 15;
	world.n_held = 3;
	memcpy(world.held, (int[]){ 12, 3, 0 }, sizeof(int[3]));
	world.rewritten = true;
	expect("split.mprotect", "flaky", -1);
}

static void test_suspects(void **state)
{
	struct regression_state g;
	CLEANUP(free_p) char *is = NULL;
	struct regress_decision d;
	const struct confirm_opts o = CONFIRM_DEFAULTS;
	struct json_object *suspects;

	(void)state;
	seed = 7;
	new_world(3, 3, 1);
	g = regression("build");
	set(&g.row.state, "confirmed");
	if (regress_decide(&o, &g, &history, &d, &err))
		fail_msg("%s", err.msg);
	suspects = json_object_object_get(d.evidence, "suspects");
	assert_int_equal(json_object_array_length(suspects), 3);
	assert_string_equal(json_object_get_string(json_object_array_get_idx(suspects, 0)), sha(3));
	regress_decision_free(&d);
	regression_state_free(&g);
}

static void test_waits(void **state)
{
	const struct confirm_opts o = CONFIRM_DEFAULTS;
	struct regression_state g;
	struct regress_decision d;

	(void)state;
	new_world(1, 1, 1);
	g = regression("split.mprotect");
	probe(&g, &(struct probe_new){ "bad", { .sha = sha(1) }, 8 });
	g.probes[0].ended = false;
	assert_int_equal(regress_decide(&o, &g, &history, &d, &err), 0);
	assert_false(d.any);
	regression_state_free(&g);
}

/* A later commit seems to be good: it has to show that. */
static void fix_of(double rate, int fixed, const char *states)
{
	struct regression_state g;
	CLEANUP(free_p) char *first = NULL, *is = NULL;

	new_world(1, 1, rate);
	world.fixed = fixed;
	g = regression("split.mprotect");
	first = live(&g);
	assert_string_equal(first, "confirmed bisected");
	probe(&g, &(struct probe_new){ "fix", { .sha = sha(2) }, 8 });
	/* what live() stops at */
	is = live(&g);
	while (!*is) {
		free(is);
		is = live(&g);
	}
	assert_string_equal(is, states);
	regression_state_free(&g);
}

static void test_fixes(void **state)
{
	(void)state;
	seed = 99;
	fix_of(1, 2, "fixed");
	fix_of(1, 0, "bisected"); /* it still fails */
	fix_of(0.6, 2, "fixed");
	fix_of(0.6, 0, "bisected");
}

/* All positions of the culprit, and what it costs: the ends, log2 of the commits, and two to be sure
 * are the most distinct kernels. */
static void test_all_positions(void **state)
{
	int most = 0;

	(void)state;
	seed = 64;
	for (int culprit = 1; culprit <= 64; culprit++) {
		int kernels = 0;

		new_world(64, culprit, 1);
		expect("split.mprotect", "confirmed bisected", culprit);
		for (int i = 0; i <= 64; i++)
			kernels += world.built[i] > 0;
		if (kernels > most)
			most = kernels;
	}
	print_message("64 commits, fails always: at most %d kernels\n", most);
	assert_true(most <= 2 + 6);
}

/* It fails at 40 % of the runs: right, or nobody is accused. */
static void test_flaky(void **state)
{
	int right = 0, wrong = 0, none = 0, runs = 0;

	(void)state;
	seed = 40;
	for (int i = 0; i < 200; i++) {
		struct regression_state g;
		CLEANUP(free_p) char *is = NULL;

		new_world(64, 1 + i * 37 % 64, 0.4);
		world.other = 0.01;
		g = regression("split.mprotect");
		is = live(&g);
		if (!g.row.culprit)
			none++;
		else if (index_of(g.row.culprit) == world.culprit)
			right++;
		else
			wrong++;
		runs += world.runs;
		regression_state_free(&g);
	}
	print_message(
		"64 commits, fails at 40 %%: %d right, %d wrong, %d not named, %d runs each\n",
		right, wrong, none, runs / 200);
	assert_true(right >= 180);
	assert_true(wrong <= 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lives),	 cmocka_unit_test(test_unlucky_good_side),
		cmocka_unit_test(test_suspects), cmocka_unit_test(test_waits),
		cmocka_unit_test(test_fixes),	 cmocka_unit_test(test_all_positions),
		cmocka_unit_test(test_flaky),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
