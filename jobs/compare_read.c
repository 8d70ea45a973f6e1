/* SPDX-License-Identifier: MIT */
/* The view of a comparison, read: as strictly as anything that may be another program's. */
#include <errno.h>
#include <math.h>

#include "jobs/compare_internal.h"
#include "lib/buf.h"
#include "lib/limits.h"

int compare_read_opt(const struct jval *v, const char *key, struct jval *ret, struct error *err)
{
	ret->o = NULL;
	return json_opt_obj(v, key, ret, err);
}

int compare_read_line(const struct jval *v, const char *head_key, struct compare_line *ret,
		      struct error *err)
{
	struct compare_line l = { .v = *v };
	int r = json_as_obj(v, err);

	if (!r)
		r = json_get_str(v, head_key, LIMIT_NAME_LEN, &l.head, err);
	if (!r)
		r = json_get_str(v, "title", LIMIT_TEXT_LEN, &l.title, err);
	if (!r)
		r = json_get_str(v, "case", LIMIT_TEXT_LEN, &l.scenario, err);
	if (!r)
		r = json_get_str(v, "config", LIMIT_TEXT_LEN, &l.config, err);
	if (!r)
		r = json_get_str(v, "arch", LIMIT_TEXT_LEN, &l.arch, err);
	if (!r)
		r = json_get_str(v, "accel", LIMIT_TEXT_LEN, &l.accel, err);
	if (!r)
		r = json_opt_i64(v, "point", 1, FAULT_NTH_MAX, &l.point, err);
	if (!r)
		r = compare_read_opt(v, "a", &l.a, err);
	if (!r)
		r = compare_read_opt(v, "b", &l.b, err);
	if (!r)
		*ret = l;
	return r;
}

double compare_number(const struct jval *v, const char *key)
{
	struct json_object *o = v->o ? json_object_object_get(v->o, key) : NULL;
	bool is = json_object_is_type(o, json_type_double) || json_object_is_type(o, json_type_int);

	return is ? json_object_get_double(o) : NAN;
}

int compare_each(const struct jval *view, const char *key, compare_line_fn fn,
		 struct json_object *items, struct error *err)
{
	struct jval arr;
	int r = json_get_arr(view, key, &arr, err);

	for (size_t i = 0; !r && i < json_arr_len(&arr); i++) {
		struct jval v = json_arr_at(&arr, i);

		r = fn(&v, items, err);
	}
	return r;
}

int compare_exit_code(struct json_object *view, int *ret, struct error *err)
{
	static const enum compare_class judged[] = { COMPARE_REGRESSED, COMPARE_STILL_FAILING,
						     COMPARE_FIXED, COMPARE_UNCHANGED };
	struct jval v = json_root(view), summary;
	int64_t counts[ARRAY_SIZE(judged)] = { 0 }, all = 0;
	int r = json_as_obj(&v, err);

	if (!r)
		r = json_get_obj(&v, "summary", &summary, err);
	for (size_t i = 0; !r && i < ARRAY_SIZE(judged); i++) {
		r = json_get_i64(&summary, compare_class_name(judged[i]), 0, INT32_MAX, &counts[i],
				 err);
		all += counts[i];
	}
	if (!r)
		*ret = counts[0] ? 1 : all ? 0 : 2;
	return r;
}
