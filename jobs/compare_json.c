/* SPDX-License-Identifier: MIT */
/* The view of a comparison. */
#include <math.h>

#include "jobs/compare_internal.h"
#include "lib/buf.h"
#include "lib/json.h"

#define SHORT_SHA_LEN 12

static void put(struct json_object *o, const char *key, const char *s)
{
	json_object_object_add(o, key, json_str(compare_text(s)));
}

static void put_int(struct json_object *o, const char *key, int64_t n)
{
	json_object_object_add(o, key, json_object_new_int64(n));
}

static void put_id(struct json_object *o, const char *key, int64_t id)
{
	json_object_object_add(o, key, id ? json_object_new_int64(id) : NULL);
}

static void put_bool(struct json_object *o, const char *key, bool b)
{
	json_object_object_add(o, key, json_object_new_boolean(b));
}

static void put_double(struct json_object *o, const char *key, double d)
{
	json_object_object_add(o, key, isfinite(d) ? json_object_new_double(d) : NULL);
}

/* What a side was measured on: each configuration, architecture and accelerator once. */
static struct json_object *places(const struct compare *c, int side)
{
	struct json_object *arr = json_object_new_array(), *seen = json_object_new_object();

	for (size_t i = 0; i < c->n_rows; i++) {
		const struct compare_row *row = &c->rows[i];
		const struct compare_item *item = row->item;
		struct json_object *o;
		CLEANUP(free_p) char *key = NULL;

		if (!row->side[side].n || compare_is_build(row))
			continue;
		key = xasprintf("%s\n%s\n%s", compare_text(item->result->config), row->arch,
				row->accel);
		if (json_object_object_get_ex(seen, key, NULL))
			continue;
		json_object_object_add(seen, key, json_object_new_boolean(true));
		o = json_object_new_object();
		put(o, "config", item->result->config);
		put(o, "arch", row->arch);
		put(o, "accel", row->accel);
		json_object_array_add(arr, o);
	}
	json_object_put(seen);
	return arr;
}

static struct json_object *side_object(const struct compare *c, int side)
{
	const struct compare_side *s = c->side[side];
	struct json_object *o = json_object_new_object();
	const char *commit = compare_text(s->commit);

	put(o, "what", s->what);
	put(o, "commit", commit);
	json_object_object_add(o, "short", json_strn(commit, strnlen(commit, SHORT_SHA_LEN)));
	put(o, "subject", s->subject);
	put_id(o, "submission", s->submission);
	put_int(o, "results", (int64_t)s->n);
	put_int(o, "duplicates", c->duplicates[side]);
	json_object_object_add(o, "places", places(c, side));
	return o;
}

static struct json_object *failures(const struct compare_tally *t)
{
	struct json_object *arr = json_object_new_array();

	for (size_t i = 0; i < t->n_failures; i++) {
		const struct compare_failure *f = &t->failures[i];
		struct json_object *o = json_object_new_object();

		put(o, "reason", reason_name(f->reason));
		put(o, "signature", f->signature);
		put(o, "fingerprint", f->fingerprint);
		put(o, "title", f->title);
		put_int(o, "count", f->count);
		json_object_array_add(arr, o);
	}
	return arr;
}

static struct json_object *tally_object(const struct compare_tally *t)
{
	struct json_object *o;

	if (!t->n)
		return NULL;
	o = json_object_new_object();
	put(o, "status", status_name(t->worst->result->status));
	put(o, "reason", reason_name(t->worst->result->reason));
	put_int(o, "fails", t->fails);
	put_int(o, "runs", t->runs);
	put_int(o, "results", (int64_t)t->n);
	put_id(o, "result", t->worst->id);
	json_object_object_add(o, "failures", failures(t));
	put_int(o, "failures_dropped", t->failures_dropped);
	return o;
}

/* The members that name a case, for rows and metrics alike. */
static struct json_object *case_object(const struct compare_row *row)
{
	const struct compare_item *item = row->item;
	struct json_object *o = json_object_new_object();
	struct result any = *item->result;
	char title[200];

	any.repeat = 1;
	any.config = NULL;
	result_title(&any, title, sizeof(title));
	put(o, "title", title);
	put(o, "case", item->result->scenario);
	json_object_object_add(o, "fault",
			       compare_is_build(row) ? NULL : fault_to_json(&item->result->fault));
	put_id(o, "point", row->point);
	put(o, "config", item->result->config);
	put(o, "arch", row->arch);
	put(o, "accel", row->accel);
	return o;
}

static struct json_object *points_object(const struct compare_row *row)
{
	struct json_object *o;

	if (!row->sweep)
		return NULL;
	o = json_object_new_object();
	put_int(o, "a", row->points[COMPARE_A]);
	put_int(o, "b", row->points[COMPARE_B]);
	put_bool(o, "differ", row->points_differ);
	return o;
}

/* What the side's first failure is called, and how many others there are. */
static void add_failures(struct buf *b, const char *before, const struct compare_tally *t)
{
	if (!t->n_failures)
		return;
	buf_printf(b, "%s%s%s", b->len ? "; " : "", before, t->failures[0].title);
	if (t->n_failures > 1)
		buf_printf(b, " and %zu more", t->n_failures - 1 + (size_t)t->failures_dropped);
}

/* The row in one sentence. */
static void put_what(struct json_object *o, const struct compare_row *row)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	bool before = row->class == COMPARE_FIXED || row->class == COMPARE_DISAPPEARED;

	buf_str(&b, compare_text(row->why));
	if (before)
		add_failures(&b, "was: ", &row->side[COMPARE_A]);
	else if (row->class == COMPARE_STILL_FAILING)
		add_failures(&b,
			     row->same_failure ? "the same: " : "another: ", &row->side[COMPARE_B]);
	else
		add_failures(&b, "", &row->side[COMPARE_B]);
	if (row->points_differ)
		buf_printf(&b, "%s%d points in A, %d in B", b.len ? "; " : "",
			   row->points[COMPARE_A], row->points[COMPARE_B]);
	put(o, "what", buf_cstr(&b));
}

static struct json_object *row_object(const struct compare_row *row)
{
	struct json_object *o = json_object_new_object(), *names = case_object(row);
	const struct compare_tally *a = &row->side[COMPARE_A], *b = &row->side[COMPARE_B];

	put(o, "class", compare_class_name(row->class));
	json_object_object_foreach(names, key, value)
		json_object_object_add(o, key, json_object_get(value));
	json_object_put(names);
	put_bool(o, "counted", row->counted);
	put_bool(o, "shown", row->shown);
	json_object_object_add(o, "a", tally_object(a));
	json_object_object_add(o, "b", tally_object(b));
	put_double(o, "p", a->runs && b->runs ? row->p : NAN);
	json_object_object_add(o, "same_failure",
			       a->fails && b->fails ? json_object_new_boolean(row->same_failure)
						    : NULL);
	json_object_object_add(o, "points", points_object(row));
	json_object_object_add(o, "why", row->why ? json_str(row->why) : NULL);
	put_what(o, row);
	return o;
}

static struct json_object *values_object(const struct metric_summary *m)
{
	struct json_object *o;

	if (!m->n)
		return NULL;
	o = json_object_new_object();
	put_int(o, "n", (int64_t)m->n);
	put_double(o, "median", m->median);
	put_double(o, "min", m->min);
	put_double(o, "max", m->max);
	put_double(o, "spread", m->spread);
	return o;
}

static struct json_object *metric_object(const struct compare_metric *m)
{
	struct json_object *o = json_object_new_object(), *names = case_object(m->row);

	put(o, "verdict", rank_verdict_name(m->rank.verdict));
	json_object_object_foreach(names, key, value)
		json_object_object_add(o, key, json_object_get(value));
	json_object_put(names);
	put(o, "name", m->name);
	put(o, "unit", m->unit);
	json_object_object_add(o, "a", values_object(&m->side[COMPARE_A]));
	json_object_object_add(o, "b", values_object(&m->side[COMPARE_B]));
	put_double(o, "p", m->rank.p);
	put_double(o, "shift", m->rank.shift);
	put_double(o, "effect", m->rank.effect);
	put_double(o, "delta", m->rank.delta);
	return o;
}

struct json_object *compare_to_json(const struct compare *c)
{
	struct json_object *o = json_object_new_object(), *sub = json_object_new_object();

	json_object_object_add(o, "a", side_object(c, COMPARE_A));
	json_object_object_add(o, "b", side_object(c, COMPARE_B));
	for (int i = 0; i < COMPARE_CLASS_COUNT; i++)
		put_int(sub, compare_class_name((enum compare_class)i), c->counts[i]);
	put_int(sub, "metrics_moved", c->moved);
	json_object_object_add(o, "summary", sub);
	sub = json_object_new_array();
	for (size_t i = 0; i < c->n_rows; i++)
		json_object_array_add(sub, row_object(&c->rows[i]));
	json_object_object_add(o, "cases", sub);
	sub = json_object_new_array();
	for (size_t i = 0; i < c->n_metrics; i++)
		json_object_array_add(sub, metric_object(&c->metrics[i]));
	json_object_object_add(o, "metrics", sub);
	return o;
}
