/* SPDX-License-Identifier: MIT */
/* Whole lives of metrics in a world of commits whose truth is known. */
#include "tests/unit/test_regress_metric.h"

/* --- lives ------------------------------------------------------------------------------------------ */

static void test_lives(void **state)
{
	(void)state;
	seed = 20261121;
	new_world(1, 1, 4, 8, 0);
	expect("confirmed bisected", 1);
	assert_int_equal(world.tests, 20); /* what confirmed it names it too */
	new_world(20, 7, 0, 4, 0);
	expect("confirmed bisected", 7);
	new_world(20, 7, 100, 112, 0.02);
	expect("confirmed bisected", 7);
	/* the same, better, and below the floor */
	new_world(20, 7, 4, 4, 0);
	expect("flaky", -1);
	new_world(20, 7, 8, 4, 0);
	expect("flaky", -1);
	new_world(20, 7, 100, 103, 0);
	expect("flaky", -1);
	/* an end that cannot be measured: of the first, of the search */
	new_world(20, 7, 4, 8, 0);
	world.lost[20] = true;
	expect("infrastructure", -1);
	new_world(20, 7, 4, 8, 0);
	world.lost[0] = true;
	expect("infrastructure", -1);
	/* what cannot be told lies beside the culprit: nobody is accused */
	new_world(20, 7, 4, 8, 0);
	world.broken[6] = world.broken[7] = world.lost[8] = true;
	expect("confirmed bisected", -1);
}

static size_t suspects_of(struct regression_state *g)
{
	const struct confirm_opts o = CONFIRM_DEFAULTS;
	struct regress_decision d;
	size_t n = 0;

	for (;;) {
		if (regress_decide(&o, g, &history, &d, &err))
			fail_msg("%s", err.msg);
		if (d.step.state)
			break;
		for (size_t i = 0; i < d.step.n_probes; i++)
			probe(g, &d.step.probes[i]);
		regress_decision_free(&d);
	}
	assert_string_equal(d.step.state, "bisected");
	n = json_object_array_length(json_object_object_get(d.evidence, "suspects"));
	regress_decision_free(&d);
	return n;
}

/* Real by many values, while single ones say nothing: all commits, and no word about one of them. */
static void test_suspects(void **state)
{
	struct regression_state g;
	struct probe_new p = { .runs = 1 };

	(void)state;
	seed = 5;
	new_world(9, 4, 100, 110, 0.2);
	g = regression();
	set(&g.row.state, "confirmed");
	for (int i = 0; i < 40; i++) {
		p.purpose = i % 2 ? "bad" : "good";
		commit(NULL, sha(i % 2 ? 9 : 0), &p.commit, &err);
		probe(&g, &p);
	}
	find_threshold(&g);
	assert_int_equal(suspects_of(&g), 9);
	assert_int_equal(world.tests, 40);
	regression_state_free(&g);
}

/* Exact metrics: all positions of the culprit, and what it costs. */
static void test_all_positions(void **state)
{
	int most = 0, tests = 0;

	(void)state;
	for (int culprit = 1; culprit <= 64; culprit++) {
		int kernels = 0;

		new_world(64, culprit, 4, 8, 0);
		expect("confirmed bisected", culprit);
		for (int i = 0; i <= 64; i++)
			kernels += world.built[i] > 0;
		most = kernels > most ? kernels : most;
		tests += world.tests;
	}
	print_message("64 commits, exact: at most %d kernels, %d tests each\n", most, tests / 64);
	assert_true(most <= 2 + 6);
	assert_true(tests / 64 <= 20 + 6);
}

/* Noisy ones: the right commit, or nobody is accused. */
static void test_noisy(void **state)
{
	static const struct {
		double is, spread;
		int right, wrong; /* of 100: at least, at most */
	} rows[] = { { 110, 0.02, 98, 1 }, { 110, 0.04, 85, 5 }, { 120, 0.1, 75, 5 } };

	(void)state;
	seed = 1945;
	for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
		int right = 0, wrong = 0, none = 0, tests = 0;

		for (int i = 0; i < 100; i++) {
			struct regression_state g;
			CLEANUP(free_p) char *is = NULL;

			new_world(64, 1 + i * 37 % 64, 100, rows[k].is, rows[k].spread);
			g = regression();
			is = live(&g);
			if (!g.row.culprit)
				none++;
			else if (index_of(g.row.culprit) == world.culprit)
				right++;
			else
				wrong++;
			tests += world.tests;
			regression_state_free(&g);
		}
		print_message("64 commits, %g %% worse, spread %g %%: %d right, %d wrong, %d not "
			      "named, %d tests each\n",
			      rows[k].is - 100, 100 * rows[k].spread, right, wrong, none,
			      tests / 100);
		assert_true(right >= rows[k].right);
		assert_true(wrong <= rows[k].wrong);
	}
}

/* A series of 8 whose commits were all measured, five values each, `busy` times what they are on their
 * own; tests of the commits between its ends. */
static int search_series(int culprit, double was, double is, double spread, double busy,
			 bool *ret_right)
{
	struct regression_state g;
	CLEANUP(free_p) char *states = NULL;

	new_world(8, culprit, was, is, spread);
	g = regression();
	g.between = xcalloc(7, sizeof(*g.between));
	for (int i = 1; i < 8; i++) {
		struct commit_values *c = &g.between[g.n_between++];

		*c = (struct commit_values){ .sha = xstrdup(sha(i)),
					     .values = xcalloc(5, sizeof(double)),
					     .n = 5 };
		for (int k = 0; k < 5; k++)
			c->values[k] = busy * measure(i);
	}
	states = live(&g);
	assert_string_equal(states, "confirmed bisected");
	*ret_right = g.row.culprit && index_of(g.row.culprit) == culprit;
	regression_state_free(&g);
	return world.tests - world.built[0] - world.built[8];
}

/* Exact values are proof enough; noisy ones say where to look, even if it was a busy hour. */
static void test_series(void **state)
{
	static const struct {
		double was, is, spread, busy;
		int between; /* tests, at most */
	} rows[] = {
		{ 4, 8, 0, 1, 3 },
		{ 100, 140, 0.02, 1, 30 },
		{ 100, 140, 0.02, 4, 80 },
		{ 100, 140, 0.02, 0.5, 80 },
	};

	(void)state;
	seed = 8;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int most = 0;

		for (int culprit = 1; culprit <= 8; culprit++) {
			bool right = false;
			int n = search_series(culprit, rows[i].was, rows[i].is, rows[i].spread,
					      rows[i].busy, &right);

			if (!right)
				fail_msg("row %zu: not %d", i, culprit);
			most = n > most ? n : most;
		}
		print_message("a series of 8, spread %g %%, measured at %g: at most %d tests "
			      "between\n",
			      100 * rows[i].spread, rows[i].busy, most);
		assert_true(most <= rows[i].between);
	}
}

/* A later commit seems to be good: it has to show that. */
static void fix_of(double mended, double spread, const char *states)
{
	struct regression_state g;
	struct probe_new probes[REGRESS_PROBES_MAX];
	struct commit_info c;
	CLEANUP(free_p) char *first = NULL;
	CLEANUP(buf_free) struct buf is = BUF_INIT;
	size_t n;

	new_world(1, 1, 100, 140, spread);
	world.fixed = 2;
	world.mended = mended;
	g = regression();
	first = live(&g);
	assert_string_equal(first, "confirmed bisected");
	commit(NULL, sha(2), &c, &err);
	n = regress_fix_probes(&CONFIRM_DEFAULTS, &g, &c, probes);
	assert_true(n >= 5);
	for (size_t i = 0; i < n; i++)
		probe(&g, &probes[i]);
	while (!is.len)
		assert_true(step(&g, &is));
	assert_string_equal(buf_cstr(&is), states);
	regression_state_free(&g);
}

static void test_fixes(void **state)
{
	(void)state;
	seed = 99;
	fix_of(100, 0, "fixed");
	fix_of(105, 0.02, "fixed");
	fix_of(90, 0.05, "fixed"); /* better than it ever was */
	fix_of(140, 0.02, "bisected");
	fix_of(130, 0.02, "bisected"); /* better, and not what it was */
}

/* --- from values to regressions ------------------------------------------------------------------- */

/* A series of positions × repeats as the store gives it. */
static void add_series(struct metric_series *m, const char *config, const char *accel,
		       const char *name, int commits, int repeats)
{
	*m = (struct metric_series){ .config = xstrdup(config),
				     .scenario = xstrdup("memory.pgtables"),
				     .fault = xstrdup("{\"mode\":\"none\"}"),
				     .accel = xstrdup(accel),
				     .name = xstrdup(name),
				     .unit = xstrdup("kB"),
				     .values = xcalloc((size_t)(commits * repeats),
						       sizeof(struct metric_value)) };
	for (int i = 0; i < commits; i++)
		for (int k = 0; k < repeats; k++)
			m->values[m->n++] = (struct metric_value){ .position = i,
								   .commit_id = 100 + i,
								   .result = 1000 + 10 * i + k,
								   .value = measure(i) };
}

/* Nothing changed: from the values of a submission to the end of what it suspects. */
static void test_false_alarms(void **state)
{
	enum { SUBMISSIONS = 400, METRICS = 25 };
	int suspected = 0, told = 0, tests = 0;

	(void)state;
	seed = 4;
	for (int i = 0; i < SUBMISSIONS; i++) {
		struct metric_series *all = xcalloc(METRICS, sizeof(*all));
		struct regress_found f;

		new_world(1, 1, 100, 100, 0.2);
		for (int k = 0; k < METRICS; k++) {
			CLEANUP(free_p) char *name = xasprintf("pgtables.%d", k);

			add_series(&all[k], "default", "kvm", name, 2, 5);
		}
		regress_find_metrics(all, METRICS, &f);
		suspected += (int)f.n;
		for (size_t k = 0; k < f.n; k++) {
			struct regression_state g = regression();
			CLEANUP(free_p) char *is = live(&g);

			told += strcmp(is, "flaky") != 0;
			regression_state_free(&g);
		}
		tests += world.tests;
		regress_found_free(&f);
		metric_series_free(all, METRICS);
	}
	print_message("unchanged: %d submissions of %d metrics, %d suspicions, %d tests, %d told\n",
		      SUBMISSIONS, METRICS, suspected, tests, told);
	assert_in_range(suspected, 1, SUBMISSIONS * METRICS / 100);
	assert_int_equal(told, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lives),	      cmocka_unit_test(test_suspects),
		cmocka_unit_test(test_all_positions), cmocka_unit_test(test_noisy),
		cmocka_unit_test(test_series),	      cmocka_unit_test(test_fixes),
		cmocka_unit_test(test_false_alarms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
