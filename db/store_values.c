/* SPDX-License-Identifier: MIT */
/* What charts show of a run, summed up while its results are written. */
#include <stdlib.h>
#include <string.h>

#include "db/store_internal.h"
#include "jobs/metric.h"

struct sum {
	const char *name;
	double value; /* whole numbers are exact up to 2^53 */
};

struct sums {
	struct sum all[RUN_COUNTERS_MAX];
	size_t n;
	size_t at; /* the one that is likely next: results name their counters in one order */
};

static void sums_add(struct sums *s, const char *name, double value)
{
	for (size_t i = 0; i < s->n; i++) {
		size_t k = (s->at + i) % s->n;

		if (strcmp(s->all[k].name, name) != 0)
			continue;
		s->all[k].value += value;
		s->at = k + 1;
		return;
	}
	if (s->n < RUN_COUNTERS_MAX)
		s->all[s->n++] = (struct sum){ name, value };
}

static int put(struct db *db, int64_t run_id, const char *kind, const char *name, double value,
	       struct error *err)
{
	CLEANUP(free_p) char *clean = text_utf8(name);

	return db_run(db, Q_RUN_VALUE_ADD,
		      ARGS(I(run_id), S(kind), S(""), S(""), S(clean), S(""), D(value)), NULL, err);
}

/* A sweep's closing result repeats what its points counted and injected. */
static int put_counters(struct db *db, int64_t run_id, const struct result_rows *rows,
			struct error *err)
{
	struct sums s = { .n = 0 };
	int r = 0;

	for (size_t i = 0; i < rows->n; i++) {
		const struct result *x = &rows->results[i];

		for (size_t k = 0; k < x->n_counters && !x->closing; k++)
			sums_add(&s, x->counters[k].name,
				 (double)x->counters[k].after - (double)x->counters[k].before);
	}
	for (size_t i = 0; i < s.n && !r; i++)
		r = put(db, run_id, "counter", s.all[i].name, s.all[i].value, err);
	return r;
}

/* Nothing is injected into the making of a kernel. */
static int put_injected(struct db *db, int64_t run_id, const struct result_rows *rows,
			struct error *err)
{
	double on = 0, off = 0;
	bool any = false;
	int r;

	for (size_t i = 0; i < rows->n; i++) {
		const struct result *x = &rows->results[i];

		if (x->closing || (x->scenario && strcmp(x->scenario, "build") == 0))
			continue;
		any = true;
		on += x->injected_on;
		off += x->injected_off;
	}
	if (!any)
		return 0;
	r = put(db, run_id, "injected", "on_target", on, err);
	return r ? r : put(db, run_id, "injected", "off_target", off, err);
}

static int put_metrics(struct db *db, int64_t run_id, const struct result_rows *rows,
		       struct error *err)
{
	const struct result_doc doc = { .results = (struct result *)rows->results,
					.n_results = rows->n };
	struct metric_summary *all;
	size_t n;
	int r = 0;

	metric_summarise(&doc, &all, &n);
	for (size_t i = 0; i < n && !r; i++) {
		const struct result *x = all[i].first;
		CLEANUP(free_p) char *scenario = text_utf8(x->scenario ? x->scenario : "?");
		CLEANUP(free_p) char *name = text_utf8(all[i].name);
		CLEANUP(free_p) char *unit = text_utf8(all[i].unit);

		r = db_run(db, Q_RUN_VALUE_ADD,
			   ARGS(I(run_id), S("metric"), S(scenario),
				S(rows->faults[x - rows->results]), S(name), S(unit),
				D(all[i].median)),
			   NULL, err);
	}
	free(all);
	return r;
}

int run_values_write(struct db *db, int64_t run_id, const struct result_rows *rows,
		     struct error *err)
{
	int r = put_counters(db, run_id, rows, err);

	if (!r)
		r = put_injected(db, run_id, rows, err);
	return r ? r : put_metrics(db, run_id, rows, err);
}
