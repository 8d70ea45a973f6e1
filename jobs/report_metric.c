// SPDX-License-Identifier: MIT
/* The part of a report that is about a metric. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/metric.h"
#include "jobs/rank.h"
#include "jobs/report_internal.h"
#include "lib/clean.h"

#define VALUES_MIN 5 /* fewer say nothing: then the ends are shown */
#define COLUMN 22

struct sample {
	const char *sha;
	double *v;
	size_t n;
	struct metric_summary s;
};

static void sample_p(struct sample *s)
{
	free(s->v);
}

struct json_object *report_metric(struct json_object *view)
{
	return report_get(view, "metric", json_type_object);
}

static bool is_number(struct json_object *o)
{
	return json_object_is_type(o, json_type_double) || json_object_is_type(o, json_type_int);
}

struct json_object *report_metric_between(struct json_object *view, const char *sha)
{
	struct json_object *list = report_get(report_metric(view), "between", json_type_array);
	size_t n = list ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *c = json_object_array_get_idx(list, i);

		if (strcmp(report_str(c, "commit"), sha) == 0)
			return report_get(c, "values", json_type_array);
	}
	return NULL;
}

static void add_values(struct sample *s, size_t *cap, struct json_object *values)
{
	size_t n = values ? json_object_array_length(values) : 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *v = json_object_array_get_idx(values, i);

		if (!is_number(v) || !isfinite(json_object_get_double(v)))
			continue;
		ARRAY_RESERVE(s->v, s->n, *cap);
		s->v[s->n++] = json_object_get_double(v);
	}
}

/* What tests measured there; where there was none, what the submission did. */
static struct sample sample_of(struct json_object *view, const char *sha)
{
	struct json_object *probes = report_get(view, "probes", json_type_array);
	size_t n_probes = probes ? json_object_array_length(probes) : 0, cap = 0;
	struct sample s = { .sha = sha };

	for (size_t i = 0; i < n_probes; i++) {
		struct json_object *p = json_object_array_get_idx(probes, i);

		if (strcmp(report_str(p, "commit"), sha) == 0)
			add_values(&s, &cap, report_get(p, "values", json_type_array));
	}
	if (!s.n)
		add_values(&s, &cap, report_metric_between(view, sha));
	if (s.n)
		metric_summarise_values(s.v, s.n, &s.s);
	return s;
}

/* "44.8 ±1.5%" */
static void side_text(const struct sample *s, char ret[COLUMN + 1])
{
	int n = snprintf(ret, COLUMN + 1, "%.4g", s->s.median);

	if (isfinite(s->s.spread))
		snprintf(ret + n, (size_t)(COLUMN + 1 - n), " ±%.1f%%", s->s.spread);
}

/* Right in a column; ± has two bytes and is one wide. */
static void put_right(struct buf *out, const char *text)
{
	int wide = (int)strlen(text) - (strstr(text, "±") != NULL);

	buf_printf(out, "%*s%s", wide < COLUMN ? COLUMN - wide : 0, "", text);
}

static void add_row(const struct sample *good, const struct sample *bad, struct json_object *metric,
		    struct buf *out)
{
	double was = good->s.median, change = 100 * (bad->s.median - was) / fabs(was);
	const char *unit = report_str(metric, "unit");
	char text[COLUMN + 1];

	side_text(good, text);
	put_right(out, text);
	if (was != 0)
		buf_printf(out, "  %+10.1f%%  ", change);
	else
		buf_printf(out, "  %11s  ", "");
	side_text(bad, text);
	put_right(out, text);
	buf_str(out, "  ");
	report_line(out, report_str(metric, "name"));
	if (*unit) {
		buf_str(out, ", ");
		report_line(out, unit);
	}
	buf_char(out, '\n');
}

void report_metric_table(struct json_object *view, struct buf *out)
{
	struct report_side good_side, bad_side;

	report_sides(view, &good_side, &bad_side);
	CLEANUP(sample_p) struct sample good = sample_of(view, good_side.sha);
	CLEANUP(sample_p) struct sample bad = sample_of(view, bad_side.sha);

	if (good.n < VALUES_MIN || bad.n < VALUES_MIN) {
		sample_p(&good);
		sample_p(&bad);
		good = sample_of(view, report_str(view, "good"));
		bad = sample_of(view, report_str(view, "bad"));
	}
	if (!good.n || !bad.n)
		return;
	buf_printf(out, "%*.12s  %11s  %*.12s\n%*s  %11s  %*s\n", COLUMN, good.sha, "", COLUMN,
		   bad.sha, COLUMN, "------------", "", COLUMN, "------------");
	buf_printf(out, "%*s  %11s  %*s\n", COLUMN, "median, spread", "%change", COLUMN,
		   "median, spread");
	add_row(&good, &bad, report_metric(view), out);
	buf_printf(out, "\nRank test: p = %.2g, shift %+.4g\n\n",
		   rank_p_two_sided(good.v, good.n, bad.v, bad.n),
		   rank_shift(good.v, good.n, bad.v, bad.n));
	report_prose(out, "Of %zu and %zu values.", good.n, bad.n);
}

void report_metric_fixed(struct json_object *view, struct buf *out)
{
	struct json_object *e = report_evidence(view, "fixed", "good");
	struct json_object *good = report_get(e, "good", json_type_object);
	struct json_object *bad = report_get(e, "bad", json_type_object);
	struct json_object *is = report_get(good, "median", json_type_double);
	struct json_object *was = report_get(bad, "median", json_type_double);

	if (is && was)
		report_prose(out, "The median of %lld values is %.4g there, and was %.4g of %lld.",
			     report_num(good, "n"), json_object_get_double(is),
			     json_object_get_double(was), report_num(bad, "n"));
}
