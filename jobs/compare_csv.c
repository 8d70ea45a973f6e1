/* SPDX-License-Identifier: MIT */
/* The view of a comparison as CSV: a line for each case, point and metric, all with the same
 * columns. */
#include "jobs/compare_internal.h"
#include "lib/buf.h"
#include "lib/limits.h"
#include "lib/table.h"

static void put(struct json_object *o, const char *key, const char *s)
{
	json_object_object_add(o, key, json_str(s));
}

static void copy(struct json_object *to, const char *key, const struct jval *from)
{
	struct json_object *value = NULL;

	if (from->o)
		json_object_object_get_ex(from->o, key, &value);
	json_object_object_add(to, key, json_object_get(value));
}

/* The first failure of a side. */
static int put_failure(struct json_object *to, const struct jval *side, struct error *err)
{
	struct jval arr = { .o = NULL }, first = { .o = NULL };
	int r = side->o ? json_opt_arr(side, "failures", &arr, err) : 0;

	if (r < 0)
		return r;
	if (json_arr_len(&arr)) {
		first = json_arr_at(&arr, 0);
		r = json_as_obj(&first, err);
	}
	if (r < 0)
		return r;
	copy(to, "signature", &first);
	copy(to, "title", &first);
	return 0;
}

static int put_side(struct json_object *to, const char *key, const struct jval *side,
		    struct error *err)
{
	static const char *const members[] = { "status", "reason", "fails", "runs",
					       "n",	 "median", "spread" };
	struct json_object *o = json_object_new_object();

	json_object_object_add(to, key, o);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		copy(o, members[i], side);
	return put_failure(o, side, err);
}

static int put_fault(struct json_object *to, const struct jval *v, struct error *err)
{
	char text[FAULT_TEXT_MAX] = "";
	struct fault fault;
	struct jval sub;
	int r = compare_read_opt(v, "fault", &sub, err);

	if (!r && sub.o)
		r = fault_from_json(&sub, &fault, err);
	if (r < 0)
		return r;
	if (sub.o)
		fault_to_text(&fault, text);
	put(to, "fault", text);
	return 0;
}

static int add_line(const struct jval *v, const char *head_key, struct json_object *items,
		    struct error *err)
{
	static const char *const members[] = {
		"name", "unit", "effect", "p", "same_failure", "why"
	};
	struct json_object *o;
	struct compare_line l;
	int r = compare_read_line(v, head_key, &l, err);

	if (r < 0)
		return r;
	o = json_object_new_object();
	json_object_array_add(items, o);
	put(o, "class", l.head);
	put(o, "case", l.scenario);
	r = put_fault(o, v, err);
	copy(o, "point", v);
	put(o, "config", l.config);
	put(o, "arch", l.arch);
	put(o, "accel", l.accel);
	if (!r)
		r = put_side(o, "a", &l.a, err);
	if (!r)
		r = put_side(o, "b", &l.b, err);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		copy(o, members[i], v);
	return r;
}

static int case_row(const struct jval *v, struct json_object *items, struct error *err)
{
	return add_line(v, "class", items, err);
}

static int metric_row(const struct jval *v, struct json_object *items, struct error *err)
{
	return add_line(v, "verdict", items, err);
}

int compare_csv(struct json_object *view, struct buf *out, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *items = json_object_new_array();
	struct jval v = json_root(view);
	int r = json_as_obj(&v, err);

	if (!r)
		r = compare_each(&v, "cases", case_row, items, err);
	if (!r)
		r = compare_each(&v, "metrics", metric_row, items, err);
	if (!r)
		table_csv(items, out);
	return r;
}
