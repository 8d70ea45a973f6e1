/* SPDX-License-Identifier: MIT */
/* The metrics of a comparison. */
#include <math.h>
#include <stdlib.h>

#include "jobs/compare_internal.h"
#include "lib/buf.h"

/* One value of one side. */
struct value {
	const struct metric *metric;
	int side;
	size_t at; /* in the order of the row's results and of their metrics */
};

struct values {
	struct value *v;
	size_t n, cap;
};

static int order_metrics(const struct value *x, const struct value *y)
{
	int r = strcmp(compare_text(x->metric->name), compare_text(y->metric->name));

	return r ? r : strcmp(compare_text(x->metric->unit), compare_text(y->metric->unit));
}

static int order_values(const void *a, const void *b)
{
	const struct value *x = a, *y = b;
	int r = order_metrics(x, y);

	if (!r)
		r = x->side - y->side;
	return r ? r : (x->at > y->at) - (x->at < y->at);
}

/* As in jobs/metric.h: only DONE measures. */
static void collect(struct values *all, const struct compare_row *row)
{
	all->n = 0;
	for (int s = 0; s < COMPARE_SIDES; s++) {
		for (size_t i = 0; i < row->side[s].n; i++) {
			const struct result *r = row->side[s].items[i]->result;

			if (r->status != STATUS_DONE || r->closing)
				continue;
			for (size_t k = 0; k < r->n_metrics; k++) {
				if (!isfinite(r->metrics[k].value))
					continue;
				ARRAY_RESERVE(all->v, all->n, all->cap);
				all->v[all->n] = (struct value){ &r->metrics[k], s, all->n };
				all->n++;
			}
		}
	}
}

static void make_metric(const struct value *v, size_t n, const struct compare_row *row,
			struct compare_metric *ret)
{
	static const struct rank_rule rule = RANK_RULE_DEFAULT;
	double values[COMPARE_SIDES][COMPARE_VALUES_MAX];
	size_t counts[COMPARE_SIDES] = { 0, 0 };

	for (size_t i = 0; i < n; i++)
		if (counts[v[i].side] < COMPARE_VALUES_MAX)
			values[v[i].side][counts[v[i].side]++] = v[i].metric->value;
	*ret = (struct compare_metric){ .row = row,
					.name = compare_text(v[0].metric->name),
					.unit = compare_text(v[0].metric->unit) };
	rank_compare(values[COMPARE_A], counts[COMPARE_A], values[COMPARE_B], counts[COMPARE_B],
		     &rule, &ret->rank);
	for (int s = 0; s < COMPARE_SIDES; s++)
		if (counts[s])
			metric_summarise_values(values[s], counts[s], &ret->side[s]);
}

static int order_moved(const void *a, const void *b)
{
	const struct compare_metric *x = a, *y = b;
	bool moved_x = x->rank.verdict == RANK_MOVED, moved_y = y->rank.verdict == RANK_MOVED;

	if (moved_x != moved_y)
		return moved_x ? -1 : 1;
	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	return strcmp(x->name, y->name) ? strcmp(x->name, y->name) : strcmp(x->unit, y->unit);
}

void compare_metrics(struct compare *c)
{
	struct values all = { 0 };
	size_t cap = 0;

	for (size_t i = 0; i < c->n_rows; i++) {
		const struct compare_row *row = &c->rows[i];

		if (!row->side[COMPARE_A].runs || !row->side[COMPARE_B].runs)
			continue;
		collect(&all, row);
		if (all.n)
			qsort(all.v, all.n, sizeof(*all.v), order_values);
		for (size_t k = 0, next; k < all.n; k = next) {
			for (next = k + 1; next < all.n && !order_metrics(&all.v[k], &all.v[next]);
			     next++)
				;
			ARRAY_RESERVE(c->metrics, c->n_metrics, cap);
			make_metric(&all.v[k], next - k, row, &c->metrics[c->n_metrics]);
			c->moved += c->metrics[c->n_metrics++].rank.verdict == RANK_MOVED;
		}
	}
	if (c->n_metrics)
		qsort(c->metrics, c->n_metrics, sizeof(*c->metrics), order_moved);
	free(all.v);
}
