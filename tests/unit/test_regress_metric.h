/* SPDX-License-Identifier: MIT */
/*
 * test_regress_metric: a world of commits whose truth is known, and the life of a metric's regression in
 * it: what the store and an agent do is played here.
 */
#ifndef FAULTLINE_TESTS_UNIT_TEST_REGRESS_METRIC_H
#define FAULTLINE_TESTS_UNIT_TEST_REGRESS_METRIC_H

#include <math.h>

#include "jobs/shift.h"
#include "server/regress_find.h"
#include "tests/unit/regress_line.h"

/* A line of commits, 0 the good end, `bad` the last. From `culprit` on the metric is another. */
static struct world {
	int bad, culprit, fixed; /* first with, first without it again; 0: none */
	double was, is, mended; /* medians; mended: from `fixed` on */
	double spread;
	bool broken[COMMITS_MAX]; /* does not build */
	bool lost[COMMITS_MAX]; /* no value of it ever comes back */
	int built[COMMITS_MAX], tests; /* what it took */
} world;

static inline double measure(int commit)
{
	double median = world.fixed && commit >= world.fixed ? world.mended
			: commit >= world.culprit	     ? world.is
							     : world.was;
	double r = sqrt(-2 * log(1 - uniform()));

	return median * (1 + world.spread * r * cos(2 * M_PI * uniform()));
}

static const struct regress_history history = { revlist, commit, NULL, NULL };

/* --- what the store and an agent do -------------------------------------------------------------- */

static inline double *fresh(const struct regression_state *g, const char *purpose,
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

static inline void find_threshold(struct regression_state *g)
{
	struct shift_values b, c;
	CLEANUP(free_p) double *bad = fresh(g, "bad", &b);
	CLEANUP(free_p) double *good = fresh(g, "good", &c);

	g->row.metric.measured = b.n && c.n;
	if (g->row.metric.measured)
		g->row.metric.threshold = shift_threshold(&b, &c);
}

static inline void probe(struct regression_state *g, const struct probe_new *p)
{
	int i = index_of(p->commit.sha);
	struct probe_row *row;

	/* a machine of its own for each value, but where they never vary */
	assert_in_range(p->runs, 1, world.spread == 0 ? 10 : 1);
	row = add_probe(g, p, !world.broken[i]);
	world.tests++;
	world.built[i]++;
	if (world.broken[i] || world.lost[i])
		return;
	row->values = xcalloc((size_t)p->runs, sizeof(*row->values));
	for (int k = 0; k < p->runs; k++)
		row->values[row->n_values++] = measure(i);
}

/* One decision, and what follows from it; false when there is nothing to do. */
static inline bool step(struct regression_state *g, struct buf *states)
{
	const struct confirm_opts o = CONFIRM_DEFAULTS;
	struct regress_decision d;
	bool any;

	if (regress_decide(&o, g, &history, &d, &err))
		fail_msg("%s", err.msg);
	for (size_t i = 0; i < d.step.n_probes; i++)
		probe(g, &d.step.probes[i]);
	find_threshold(g);
	settle(g, &d, states);
	any = d.any;
	regress_decision_free(&d);
	return any;
}

/* Lives until it is bisected or has ended; the states that it went through. */
static inline char *live(struct regression_state *g)
{
	struct buf states = BUF_INIT;

	for (int i = 0; step(g, &states); i++) {
		assert_true(i < 500);
		if (is_settled(g))
			break;
	}
	return buf_steal(&states);
}

static inline struct regression_state regression(void)
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

static inline void new_world(int bad, int culprit, double was, double is, double spread)
{
	world = (struct world){
		.bad = bad, .culprit = culprit, .was = was, .is = is, .spread = spread
	};
}

static inline void expect(const char *states, int culprit)
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

#endif
