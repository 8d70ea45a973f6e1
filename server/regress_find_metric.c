/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/shift.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "server/regress_find.h"

/* A series that seems to have got worse. */
struct suspect {
	const struct metric_series *series;
	struct shift_onset onset;
	int64_t good_id;
	const struct metric_value *bad; /* the first one of the last commit */
	char signature[SIGNATURE_MAX];
};

struct suspects {
	struct suspect *v;
	size_t n, cap;
};

static bool same_commit(const struct metric_series *m, size_t i, size_t k)
{
	return m->values[i].position == m->values[k].position;
}

static void look_at(const struct metric_series *m, struct suspects *all)
{
	static const struct rank_rule rule = RANK_RULE_DEFAULT;
	CLEANUP(free_p) struct shift_values *commits = xcalloc(m->n + 1, sizeof(*commits));
	CLEANUP(free_p) double *values = xcalloc(m->n + 1, sizeof(*values));
	struct suspect s = { .series = m };
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++) {
		values[i] = m->values[i].value;
		if (!i || !same_commit(m, i, i - 1)) {
			commits[n++].v = &values[i];
			s.bad = &m->values[i];
		}
		commits[n - 1].n++;
	}
	if (!shift_find(metric_worse_of(m->scenario, m->name), &rule, commits, n, &s.onset))
		return;
	s.good_id = m->values[0].commit_id;
	signature_of_metric(m->scenario, m->name, metric_worse_of(m->scenario, m->name),
			    s.signature);
	ARRAY_RESERVE(all->v, all->n, all->cap);
	all->v[all->n++] = s;
}

static int where_cmp(const struct suspect *a, const struct suspect *b)
{
	int c = strcmp(a->signature, b->signature);

	if (!c)
		c = (a->bad->position > b->bad->position) - (a->bad->position < b->bad->position);
	if (!c)
		c = (a->good_id > b->good_id) - (a->good_id < b->good_id);
	return c;
}

/* What belongs together comes together; in it the clearest first. */
static int suspect_cmp(const void *pa, const void *pb)
{
	const struct suspect *a = pa, *b = pb;
	double x = a->onset.rank.p, y = b->onset.rank.p;
	int c = where_cmp(a, b);

	if (!c)
		c = (x > y) - (x < y);
	return c ? c : (a->series > b->series) - (a->series < b->series);
}

static void add_regression(const struct suspect *s, size_t n, const struct case_seen *const *cases,
			   struct regress_found *ret)
{
	const struct metric_series *m = s->series;
	struct regression_metric *metric = &ret->metrics[ret->n];
	char *signature = xstrdup(s->signature);
	char *title = shift_title(m->scenario, m->name, m->unit, &s->onset);

	*metric = (struct regression_metric){ .name = m->name,
					      .unit = m->unit,
					      .accel = m->accel,
					      .worse = metric_worse_of(m->scenario, m->name) };
	ret->texts[ret->n_texts++] = signature;
	ret->texts[ret->n_texts++] = title;
	ret->v[ret->n++] = (struct regression_new){ .signature = signature,
						    .title = title,
						    .reason = "metric",
						    .metric = metric,
						    .good_id = s->good_id,
						    .bad_id = s->bad->commit_id,
						    .cases = cases,
						    .n_cases = n };
}

void regress_find_metrics(const struct metric_series *all, size_t n, struct regress_found *ret)
{
	struct suspects list = { 0 };
	size_t next;

	*ret = (struct regress_found){ 0 };
	for (size_t i = 0; i < n; i++)
		look_at(&all[i], &list);
	if (list.n)
		qsort(list.v, list.n, sizeof(*list.v), suspect_cmp);
	ret->v = xcalloc(list.n + 1, sizeof(*ret->v));
	ret->cases = xcalloc(list.n + 1, sizeof(*ret->cases));
	ret->seen = xcalloc(list.n + 1, sizeof(*ret->seen));
	ret->metrics = xcalloc(list.n + 1, sizeof(*ret->metrics));
	ret->texts = xcalloc(2 * list.n + 1, sizeof(*ret->texts));
	for (size_t i = 0; i < list.n; i++) {
		const struct suspect *s = &list.v[i];

		ret->seen[i] = (struct case_seen){ .config = s->series->config,
						   .scenario = s->series->scenario,
						   .fault = s->series->fault,
						   .position = s->bad->position,
						   .commit_id = s->bad->commit_id,
						   .failure = s->bad->result };
		ret->cases[i] = &ret->seen[i];
	}
	for (size_t i = 0; i < list.n; i = next) {
		for (next = i + 1; next < list.n && !where_cmp(&list.v[i], &list.v[next]);)
			next++;
		add_regression(&list.v[i], next - i, &ret->cases[i], ret);
	}
	free(list.v);
}
