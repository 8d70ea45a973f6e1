/* SPDX-License-Identifier: MIT */
/* The view of a comparison for people. It may be another program's, so it is read strictly. */
#include <math.h>
#include <stdio.h>

#include "jobs/compare_internal.h"
#include "lib/buf.h"
#include "lib/json.h"
#include "lib/limits.h"
#include "lib/table.h"

#define CELL_MAX 32 /* of a number as text */
#define UTF8_SLACK 4 /* what was no UTF-8 grows to three bytes on its way here; and some words */

static void put(struct json_object *o, const char *key, const char *s)
{
	json_object_object_add(o, key, json_str(s));
}

/* "still failing" */
static char *words(const char *name)
{
	char *s = xstrdup(name);

	for (char *c = s; *c; c++)
		if (*c == '_')
			*c = ' ';
	return s;
}

/* "default x86_64 tcg" */
static void put_place(struct json_object *to, const struct compare_line *l)
{
	const char *const words[] = { l->config, l->arch, l->accel };
	CLEANUP(buf_free) struct buf b = BUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (*words[i])
			buf_printf(&b, "%s%s", b.len ? " " : "", words[i]);
	put(to, "CONFIG", buf_cstr(&b));
}

static void put_p(struct json_object *to, const struct compare_line *l)
{
	double p = compare_number(&l->v, "p");
	char text[CELL_MAX] = "";

	if (isfinite(p))
		snprintf(text, sizeof(text), "%.3g", p);
	put(to, "P", text);
}

/* --- cases ---------------------------------------------------------------------------------------- */

/* "FAIL bug 5:5": the worst, and how many failed of how many runs. */
static int put_tally(struct json_object *to, const char *key, const struct jval *side,
		     struct error *err)
{
	const char *status, *reason;
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	int64_t fails, runs;
	int r;

	if (!side->o) {
		put(to, key, "-");
		return 0;
	}
	r = json_get_str(side, "status", LIMIT_NAME_LEN, &status, err);
	if (!r)
		r = json_get_str(side, "reason", LIMIT_NAME_LEN, &reason, err);
	if (!r)
		r = json_get_i64(side, "fails", 0, INT32_MAX, &fails, err);
	if (!r)
		r = json_get_i64(side, "runs", 0, INT32_MAX, &runs, err);
	if (r < 0)
		return r;
	buf_printf(&b, "%s%s%s", status, *reason ? " " : "", reason);
	if (runs)
		buf_printf(&b, " %lld:%lld", (long long)fails, (long long)runs);
	put(to, key, buf_cstr(&b));
	return 0;
}

static int case_txt(const struct jval *v, struct json_object *items, struct error *err)
{
	struct json_object *o;
	struct compare_line l;
	const char *what;
	bool shown, counted;
	CLEANUP(free_p) char *title = NULL, *class = NULL;
	int r = compare_read_line(v, "class", &l, err);

	if (!r)
		r = json_get_bool(v, "shown", &shown, err);
	if (!r)
		r = json_get_bool(v, "counted", &counted, err);
	if (!r)
		r = json_get_str(v, "what", LIMIT_TEXT_LEN * UTF8_SLACK, &what, err);
	if (r < 0 || !shown)
		return r;
	o = json_object_new_object();
	json_object_array_add(items, o);
	title = xasprintf("%s%s", counted ? "" : "  ", l.title);
	class = words(l.head);
	put(o, "CLASS", class);
	put(o, "CASE", title);
	put_place(o, &l);
	r = put_tally(o, "A", &l.a, err);
	if (!r)
		r = put_tally(o, "B", &l.b, err);
	put_p(o, &l);
	put(o, "WHAT", what);
	return r;
}

/* --- metrics -------------------------------------------------------------------------------------- */

/* "64 pages ±0.0 % (5)": the median, the spread and the number of values. */
static void put_values(struct json_object *to, const char *key, const struct jval *side,
		       const char *unit)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	double spread = compare_number(side, "spread");

	if (side->o)
		buf_printf(&b, "%.6g %s", compare_number(side, "median"), unit);
	if (isfinite(spread))
		buf_printf(&b, " ±%.1f %%", spread);
	if (side->o)
		buf_printf(&b, " (%.0f)", compare_number(side, "n"));
	put(to, key, b.len ? buf_cstr(&b) : "-");
}

static int metric_txt(const struct jval *v, struct json_object *items, struct error *err)
{
	struct json_object *o;
	const char *name, *unit;
	char change[CELL_MAX] = "";
	struct compare_line l;
	double effect;
	int r = compare_read_line(v, "verdict", &l, err);

	if (!r)
		r = json_get_str(v, "name", LIMIT_TEXT_LEN, &name, err);
	if (!r)
		r = json_get_str(v, "unit", LIMIT_TEXT_LEN, &unit, err);
	if (r < 0 || strcmp(l.head, rank_verdict_name(RANK_MOVED)) != 0)
		return r;
	o = json_object_new_object();
	json_object_array_add(items, o);
	effect = compare_number(v, "effect");
	if (isfinite(effect))
		snprintf(change, sizeof(change), "%+.1f %%", 100 * effect);
	put(o, "METRIC", name);
	put(o, "CASE", l.title);
	put_place(o, &l);
	put_values(o, "A", &l.a, unit);
	put_values(o, "B", &l.b, unit);
	put(o, "CHANGE", change);
	put_p(o, &l);
	return 0;
}

/* --- the whole -------------------------------------------------------------------------------------- */

static int side_txt(const struct jval *view, const char *key, const char *name, struct buf *out,
		    struct error *err)
{
	CLEANUP(buf_free) struct buf line = BUF_INIT;
	CLEANUP(free_p) char *clean = NULL;
	const char *what, *commit, *subject;
	int64_t results, duplicates;
	struct jval v;
	int r = json_get_obj(view, key, &v, err);

	if (!r)
		r = json_get_str(&v, "what", LIMIT_TEXT_LEN, &what, err);
	if (!r)
		r = json_get_str(&v, "short", LIMIT_NAME_LEN, &commit, err);
	if (!r)
		r = json_get_str(&v, "subject", LIMIT_TEXT_LEN * UTF8_SLACK, &subject, err);
	if (!r)
		r = json_get_i64(&v, "results", 0, INT64_MAX, &results, err);
	if (!r)
		r = json_get_i64(&v, "duplicates", 0, INT64_MAX, &duplicates, err);
	if (r < 0)
		return r;
	buf_printf(&line, "%s  %s%s%s%s%s, %lld results", name, what, *commit ? " = " : "", commit,
		   *subject ? " " : "", subject, (long long)results);
	if (duplicates)
		buf_printf(&line, ", %lld of them twice", (long long)duplicates);
	clean = str_printable(line.data, line.len);
	buf_printf(out, "%s\n", clean);
	return 0;
}

static int summary_txt(const struct jval *view, struct buf *out, struct error *err)
{
	int64_t counts[COMPARE_CLASS_COUNT] = { 0 }, moved = 0, both = 0;
	struct jval v;
	int r = json_get_obj(view, "summary", &v, err);

	for (int i = 0; !r && i < COMPARE_CLASS_COUNT; i++) {
		r = json_get_i64(&v, compare_class_name((enum compare_class)i), 0, INT32_MAX,
				 &counts[i], err);
		if (i != COMPARE_APPEARED && i != COMPARE_DISAPPEARED)
			both += counts[i];
	}
	if (!r)
		r = json_get_i64(&v, "metrics_moved", 0, INT32_MAX, &moved, err);
	if (r < 0)
		return r;
	for (int i = 0; i < COMPARE_CLASS_COUNT; i++) {
		CLEANUP(free_p) char *class = words(compare_class_name((enum compare_class)i));

		buf_printf(out, "%s %lld, ", class, (long long)counts[i]);
	}
	buf_printf(out, "metrics moved %lld\n", (long long)moved);
	if (!both && counts[COMPARE_APPEARED] && counts[COMPARE_DISAPPEARED])
		buf_str(out, "No case is on both sides: look at configuration, architecture, "
			     "accelerator and plan.\n");
	return 0;
}

int compare_txt(struct json_object *view, struct buf *out, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *cases = json_object_new_array();
	CLEANUP(json_put_p) struct json_object *metrics = json_object_new_array();
	CLEANUP(buf_free) struct buf head = BUF_INIT;
	struct jval v = json_root(view);
	int r = json_as_obj(&v, err);

	if (!r)
		r = side_txt(&v, "a", "A", &head, err);
	if (!r)
		r = side_txt(&v, "b", "B", &head, err);
	if (!r)
		r = summary_txt(&v, &head, err);
	if (!r)
		r = compare_each(&v, "cases", case_txt, cases, err);
	if (!r)
		r = compare_each(&v, "metrics", metric_txt, metrics, err);
	if (r < 0)
		return r;
	buf_add(out, head.data, head.len);
	if (json_object_array_length(cases))
		buf_char(out, '\n');
	table_txt(cases, out);
	if (json_object_array_length(metrics))
		buf_char(out, '\n');
	table_txt(metrics, out);
	return 0;
}
