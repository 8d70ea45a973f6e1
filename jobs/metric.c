/* SPDX-License-Identifier: MIT */
#include "jobs/metric.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/json.h"

#define LINE_METRICS 3 /* of a result in one line of a list */

/* The first row that matches. What is left out has no better and worse (how often a race was run), or
 * has to be just one value, which the scenario checks itself. */
static const struct {
	const char *scenario, *name; /* fnmatch(3) */
	enum metric_worse worse;
} ways[] = {
	{ "memory.pgtables", "pgtables.*", METRIC_WORSE_MORE },
	{ "zeropage.remap", "rss.freed", METRIC_WORSE_LESS },
	{ "zeropage.remap", "rss.freed_shrinker_off", METRIC_WORSE_LESS },
	{ "ksm.zero_merge", "rate.*", METRIC_WORSE_LESS },
	{ "ksm.zero_merge", "merged.*", METRIC_WORSE_LESS },
	{ "ksm.zero_merge", "cpu.*", METRIC_WORSE_MORE },
	{ "mthp.fork_reuse", "copied.*", METRIC_WORSE_MORE },
	{ "mthp.fork_reuse", "partially_mapped.*", METRIC_WORSE_MORE },
};

static const char *const worse_names[METRIC_WORSE_COUNT] = { "", "more", "less" };

enum metric_worse metric_worse_of(const char *scenario, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		if (fnmatch(ways[i].scenario, scenario, 0) == 0 &&
		    fnmatch(ways[i].name, name, 0) == 0)
			return ways[i].worse;
	return METRIC_WORSE_NEITHER;
}

const char *metric_worse_name(enum metric_worse w)
{
	return (unsigned int)w < METRIC_WORSE_COUNT ? worse_names[w] : "";
}

bool metric_worse_parse(const char *name, enum metric_worse *ret)
{
	for (int i = 0; name && i < METRIC_WORSE_COUNT; i++)
		if (strcmp(name, worse_names[i]) == 0) {
			*ret = (enum metric_worse)i;
			return true;
		}
	return false;
}

/* One value, and where it came from. */
struct value {
	const struct result *result;
	const struct metric *metric;
	size_t at; /* in the order of the document */
};

/* One group of equal values, to bring groups back into the document's order. */
struct group {
	struct metric_summary summary;
	size_t at;
};

static int compare_doubles(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static const char *text(const char *s)
{
	return s ? s : "";
}

static int compare_what(const struct value *x, const struct value *y)
{
	char fault_x[FAULT_TEXT_MAX], fault_y[FAULT_TEXT_MAX];
	int r = strcmp(text(x->result->scenario), text(y->result->scenario));

	if (!r)
		r = strcmp(text(x->result->config), text(y->result->config));
	if (!r)
		r = strcmp(text(x->metric->name), text(y->metric->name));
	if (!r)
		r = strcmp(text(x->metric->unit), text(y->metric->unit));
	if (r)
		return r;
	fault_to_text(&x->result->fault, fault_x);
	fault_to_text(&y->result->fault, fault_y);
	return strcmp(fault_x, fault_y);
}

static int compare_values(const void *a, const void *b)
{
	const struct value *x = a, *y = b;
	int r = compare_what(x, y);

	return r ? r : (x->at > y->at) - (x->at < y->at);
}

static int compare_groups(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

static double spread_of(const double *values, size_t n)
{
	double sum = 0, squares = 0, mean;

	for (size_t i = 0; i < n; i++)
		sum += values[i];
	mean = sum / (double)n;
	for (size_t i = 0; i < n; i++)
		squares += (values[i] - mean) * (values[i] - mean);
	if (n > 1 && squares == 0)
		return 0;
	if (n < 2 || mean == 0)
		return NAN;
	return 100 * sqrt(squares / (double)(n - 1)) / fabs(mean);
}

void metric_summarise_values(double *values, size_t n, struct metric_summary *ret)
{
	qsort(values, n, sizeof(*values), compare_doubles);
	ret->n = n;
	ret->min = values[0];
	ret->max = values[n - 1];
	ret->median = n % 2 ? values[n / 2] : values[n / 2 - 1] / 2 + values[n / 2] / 2;
	ret->spread = spread_of(values, n);
}

static struct value *collect(const struct result_doc *d, size_t *ret_n)
{
	struct value *list = NULL;
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < d->n_results; i++) {
		const struct result *r = &d->results[i];

		if (r->status != STATUS_DONE || r->closing)
			continue;
		for (size_t k = 0; k < r->n_metrics; k++) {
			if (!isfinite(r->metrics[k].value))
				continue;
			ARRAY_RESERVE(list, n, cap);
			list[n] = (struct value){ .result = r, .metric = &r->metrics[k], .at = n };
			n++;
		}
	}
	*ret_n = n;
	return list;
}

static void make_group(const struct value *values, size_t n, double *scratch, struct group *ret)
{
	for (size_t i = 0; i < n; i++)
		scratch[i] = values[i].metric->value;
	metric_summarise_values(scratch, n, &ret->summary);
	ret->summary.first = values[0].result;
	ret->summary.name = text(values[0].metric->name);
	ret->summary.unit = text(values[0].metric->unit);
	ret->at = values[0].at;
}

void metric_summarise(const struct result_doc *d, struct metric_summary **ret, size_t *ret_n)
{
	size_t n, n_groups = 0;
	struct value *values = collect(d, &n);
	struct group *groups = n ? xcalloc(n, sizeof(*groups)) : NULL;
	double *scratch = n ? xcalloc(n, sizeof(*scratch)) : NULL;

	if (n)
		qsort(values, n, sizeof(*values), compare_values);
	for (size_t i = 0, next; i < n; i = next) {
		for (next = i + 1; next < n && !compare_what(&values[i], &values[next]); next++)
			;
		make_group(&values[i], next - i, scratch, &groups[n_groups++]);
	}
	if (n_groups)
		qsort(groups, n_groups, sizeof(*groups), compare_groups);
	*ret = n_groups ? xcalloc(n_groups, sizeof(**ret)) : NULL;
	for (size_t i = 0; i < n_groups; i++)
		(*ret)[i] = groups[i].summary;
	*ret_n = n_groups;
	free(groups);
	free(scratch);
	free(values);
}

char *metric_line(const struct metric *m, size_t n)
{
	struct buf line = BUF_INIT;

	if (!n)
		return NULL;
	for (size_t i = 0; i < n && i < LINE_METRICS; i++)
		buf_printf(&line, "%s%s %.6g%s%s", i ? ", " : "", text(m[i].name), m[i].value,
			   *text(m[i].unit) ? " " : "", text(m[i].unit));
	if (n > LINE_METRICS)
		buf_printf(&line, " and %zu more", n - LINE_METRICS);
	return buf_steal(&line);
}

struct json_object *metric_summaries_to_json(const struct metric_summary *m, size_t n)
{
	struct json_object *arr = json_object_new_array();

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "case", json_str(text(m[i].first->scenario)));
		json_object_object_add(o, "config", json_str(text(m[i].first->config)));
		json_object_object_add(o, "fault", fault_to_json(&m[i].first->fault));
		json_object_object_add(o, "name", json_str(m[i].name));
		json_object_object_add(o, "unit", json_str(m[i].unit));
		json_object_object_add(o, "n", json_object_new_int64((int64_t)m[i].n));
		json_object_object_add(o, "median", json_object_new_double(m[i].median));
		json_object_object_add(o, "min", json_object_new_double(m[i].min));
		json_object_object_add(o, "max", json_object_new_double(m[i].max));
		json_object_object_add(o, "spread",
				       isfinite(m[i].spread) ? json_object_new_double(m[i].spread)
							     : NULL);
		json_object_array_add(arr, o);
	}
	return arr;
}
