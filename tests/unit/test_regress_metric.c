/* SPDX-License-Identifier: MIT */
/* Whole lives of metrics in a world of commits whose truth is known. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/shift.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "server/regress_find.h"
#include "server/regress_step.h"

#define COMMITS_MAX 80

static struct error err;

/* A line of commits, 0 the good end, `bad` the last. From `culprit` on the metric is another. */
static struct world {
	int bad, culprit, fixed; /* first with, first without it again; 0: none */
	double was, is, mended; /* medians; mended: from `fixed` on */
	double spread;
	bool broken[COMMITS_MAX]; /* does not build */
	bool lost[COMMITS_MAX]; /* no value of it ever comes back */
	int built[COMMITS_MAX], tests; /* what it took */
} world;

static uint64_t seed;

static double uniform(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (double)((seed * UINT64_C(0x2545f4914f6cdd1d)) >> 11) / 9007199254740992.0;
}

static double measure(int commit)
{
	double median = world.fixed && commit >= world.fixed ? world.mended
			: commit >= world.culprit	     ? world.is
							     : world.was;
	double r = sqrt(-2 * log(1 - uniform()));

	return median * (1 + world.spread * r * cos(2 * M_PI * uniform()));
}

static const char *sha(int i)
{
	static char text[COMMITS_MAX][41];

	snprintf(text[i], sizeof(text[i]), "%040x", 0x1000 + i);
	return text[i];
}

static int index_of(const char *s)
{
	return (int)strtol(s + 30, NULL, 16) - 0x1000;
}

static int revlist(void *arg, const char *good, const char *bad, char **ret, struct error *e)
{
	struct buf b = BUF_INIT;

	(void)arg;
	(void)e;
	for (int i = index_of(bad); i > index_of(good); i--)
		buf_printf(&b, "%s %s\n", sha(i), sha(i - 1));
	*ret = buf_steal(&b);
	return 0;
}

static int commit(void *arg, const char *name, struct commit_info *ret, struct error *e)
{
	(void)arg;
	(void)e;
	*ret = (struct commit_info){ .sha = sha(index_of(name)), .tree = sha(index_of(name)) };
	return 0;
}

static const struct regress_history history = { revlist, commit, NULL, NULL };

/* --- what the store and an agent do -------------------------------------------------------------- */

static double *fresh(const struct regression_state *g, const char *purpose,
		     struct shift_values *ret)
{
	double *v = NULL;
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < g->n_probes; i++)
		if (strcmp(g->probes[i].purpose, purpose) == 0 && g->probes[i].n_values) {
			ARRAY_RESERVE(v, n, cap);
			v[n++] = g->probes[i].values[0];
		}
	*ret = (struct shift_values){ v, n };
	return v;
}

static void settle(struct regression_state *g)
{
	struct shift_values b, c;
	CLEANUP(free_p) double *bad = fresh(g, "bad", &b);
	CLEANUP(free_p) double *good = fresh(g, "good", &c);

	g->row.metric.measured = b.n && c.n;
	if (g->row.metric.measured)
		g->row.metric.threshold = shift_threshold(&b, &c);
}

static void probe(struct regression_state *g, const struct probe_new *p)
{
	int i = index_of(p->commit.sha);
	struct probe_row *row;

	/* a machine of its own for each value, but where they never vary */
	assert_in_range(p->runs, 1, world.spread == 0 ? 10 : 1);
	g->probes = xrealloc(g->probes, g->n_probes + 1, sizeof(*g->probes));
	row = &g->probes[g->n_probes++];
	*row = (struct probe_row){ .id = (int64_t)g->n_probes,
				   .purpose = xstrdup(p->purpose),
				   .sha = xstrdup(sha(i)),
				   .ended = true,
				   .built = !world.broken[i] };
	world.tests++;
	world.built[i]++;
	if (world.broken[i] || world.lost[i])
		return;
	row->values = xcalloc((size_t)p->runs, sizeof(*row->values));
	for (int k = 0; k < p->runs; k++)
		row->values[row->n_values++] = measure(i);
}

static void set(char **to, const char *s)
{
	free(*to);
	*to = xstrdup(s);
}

/* One decision, and what follows from it; false when there is nothing to do. */
static bool step(struct regression_state *g, struct buf *states)
{
	const struct confirm_opts o = CONFIRM_DEFAULTS;
	struct regress_decision d;
	bool any;

	if (regress_decide(&o, g, &history, &d, &err))
		fail_msg("%s", err.msg);
	for (size_t i = 0; i < d.step.n_probes; i++)
		probe(g, &d.step.probes[i]);
	settle(g);
	if (d.step.culprit)
		set(&g->row.culprit, d.step.culprit);
	if (d.step.state) {
		assert_non_null(d.step.evidence);
		buf_printf(states, "%s%s", states->len ? " " : "", d.step.state);
		set(&g->row.state, d.step.state);
	}
	any = d.any;
	regress_decision_free(&d);
	return any;
}

/* Lives until it is bisected or has ended; the states that it went through. */
static char *live(struct regression_state *g)
{
	struct buf states = BUF_INIT;

	for (int i = 0; step(g, &states); i++) {
		assert_true(i < 500);
		if (strcmp(g->row.state, "new") != 0 && strcmp(g->row.state, "confirmed") != 0)
			break;
	}
	return buf_steal(&states);
}

static struct regression_state regression(void)
{
	struct regression_state g = { .row = { .signature = "0123456789abcdef" } };

	g.row.state = xstrdup("new");
	g.row.scenario = xstrdup("memory.pgtables");
	g.row.good = xstrdup(sha(0));
	g.row.bad = xstrdup(sha(world.bad));
	g.row.metric.name = xstrdup("pgtables.per_thp");
	g.row.metric.worse = METRIC_WORSE_MORE;
	fault_defaults(&g.row.fault);
	return g;
}

static void new_world(int bad, int culprit, double was, double is, double spread)
{
	world = (struct world){
		.bad = bad, .culprit = culprit, .was = was, .is = is, .spread = spread
	};
}

static void expect(const char *states, int culprit)
{
	struct regression_state g = regression();
	CLEANUP(free_p) char *is = live(&g);

	assert_string_equal(is, states);
	if (culprit < 0)
		assert_null(g.row.culprit);
	else
		assert_string_equal(g.row.culprit, sha(culprit));
	regression_state_free(&g);
}

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
	settle(&g);
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
	n = regress_fix_probes(&g, &c, probes);
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
