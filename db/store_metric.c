/* SPDX-License-Identifier: MIT */
/* Metrics: what a submission measured, and what the tests of a regression did. */
#include <string.h>

#include "db/store_internal.h"
#include "db/store_regress.h"
#include "jobs/shift.h"

#define KEYS 6 /* columns that tell one series from another */

static void series_clear(struct metric_series *m)
{
	char *all[KEYS] = { m->config, m->scenario, m->fault, m->accel, m->name, m->unit };

	for (int i = 0; i < KEYS; i++)
		free(all[i]);
	free(m->values);
}

void metric_series_free(struct metric_series *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		series_clear(&all[i]);
	free(all);
}

/* The row is of the same series as the one before. */
static bool same_series(const struct metric_series *m, const struct query *q)
{
	const char *const all[KEYS] = {
		m->config, m->scenario, m->fault, m->accel, m->name, m->unit
	};

	for (int i = 0; i < KEYS; i++)
		if (strcmp(all[i], query_text(q, i)) != 0)
			return false;
	return true;
}

int store_compare_metrics(struct store *s, int64_t submission, struct metric_series **ret,
			  size_t *ret_n, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(query_end) struct query q = { 0 };
	struct metric_series *all = NULL, *m;
	size_t n = 0, cap = 0, values_cap = 0;
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = query_start(&q, rd.db, Q_COMPARE_METRICS, ARGS(I(submission)), err);
	while (!r && (r = query_next(&q, err)) == 1) {
		if (!n || !same_series(&all[n - 1], &q)) {
			ARRAY_RESERVE(all, n, cap);
			all[n++] = (struct metric_series){ .config = query_dup(&q, 0),
							   .scenario = query_dup(&q, 1),
							   .fault = query_dup(&q, 2),
							   .accel = query_dup(&q, 3),
							   .name = query_dup(&q, 4),
							   .unit = query_dup(&q, 5) };
			values_cap = 0;
		}
		m = &all[n - 1];
		ARRAY_RESERVE(m->values, m->n, values_cap);
		m->values[m->n++] = (struct metric_value){ .position = (int)query_i64(&q, 6),
							   .commit_id = query_i64(&q, 7),
							   .result = query_i64(&q, 8),
							   .value = query_double(&q, 9) };
		r = 0;
	}
	if (r < 0) {
		metric_series_free(all, n);
		return r;
	}
	*ret = all;
	*ret_n = n;
	return 0;
}

static int load_values(struct db *db, struct regression_state *g, struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	size_t at = 0, cap = 0;
	int r = query_start(&q, db, Q_PROBE_VALUES, ARGS(I(g->row.id)), err);

	while (!r && (r = query_next(&q, err)) == 1) {
		struct probe_row *p;

		for (; g->probes[at].id != query_i64(&q, 0); at++)
			cap = 0;
		p = &g->probes[at];
		ARRAY_RESERVE(p->values, p->n_values, cap);
		p->values[p->n_values++] = query_double(&q, 1);
		r = 0;
	}
	return r;
}

static int load_between(struct db *db, struct regression_state *g, struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	size_t cap = 0, values_cap = 0;
	int r = query_start(&q, db, Q_METRIC_BETWEEN, ARGS(I(g->row.id)), err);

	while (!r && (r = query_next(&q, err)) == 1) {
		struct commit_values *c;

		if (!g->n_between ||
		    strcmp(g->between[g->n_between - 1].sha, query_text(&q, 0)) != 0) {
			ARRAY_RESERVE(g->between, g->n_between, cap);
			g->between[g->n_between++] =
				(struct commit_values){ .sha = query_dup(&q, 0) };
			values_cap = 0;
		}
		c = &g->between[g->n_between - 1];
		ARRAY_RESERVE(c->values, c->n, values_cap);
		c->values[c->n++] = query_double(&q, 1);
		r = 0;
	}
	return r;
}

/* What the tests for one purpose measured, all together. Owned. */
static double *values_of(const struct regression_state *g, const char *purpose, size_t *ret_n)
{
	double *all = NULL;
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < g->n_probes; i++) {
		const struct probe_row *p = &g->probes[i];

		for (size_t k = 0; k < p->n_values && strcmp(p->purpose, purpose) == 0; k++) {
			ARRAY_RESERVE(all, n, cap);
			all[n++] = p->values[k];
		}
	}
	*ret_n = n;
	return all;
}

static void settle_threshold(struct regression_state *g)
{
	struct regression_metric *m = &g->row.metric;
	size_t n_bad, n_good;
	CLEANUP(free_p) double *bad = values_of(g, "bad", &n_bad);
	CLEANUP(free_p) double *good = values_of(g, "good", &n_good);

	m->measured = n_bad && n_good;
	if (m->measured)
		m->threshold = shift_threshold(&(struct shift_values){ bad, n_bad },
					       &(struct shift_values){ good, n_good });
}

int metric_load(struct db *db, struct regression_state *g, struct error *err)
{
	const struct regression_metric *m = &g->row.metric;
	int r = load_values(db, g, err);

	if (!r)
		r = load_between(db, g, err);
	if (r < 0)
		return r;
	settle_threshold(g);
	for (size_t i = 0; i < g->n_probes; i++) {
		struct probe_row *p = &g->probes[i];
		const struct shift_values v = { p->values, p->n_values };

		p->runs = (int)p->n_values;
		p->fails = m->measured ? shift_count_beyond(m->worse, m->threshold, &v) : 0;
	}
	return 0;
}
