/* SPDX-License-Identifier: MIT */
#include "jobs/parts.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/limits.h"

void checks_free(struct check *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(c[i].name);
		free(c[i].detail);
	}
	free(c);
}

void counters_free(struct counter *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(c[i].name);
	free(c);
}

void metrics_free(struct metric *m, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(m[i].name);
		free(m[i].unit);
	}
	free(m);
}

void strings_free(char **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

void stack_clear(struct stack *s)
{
	for (int i = 0; i < s->n; i++)
		free(s->frames[i]);
	free(s->frames);
	trace_free(&s->trace);
	*s = (struct stack){ .n = 0 };
}

void stacks_free(struct stack *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		stack_clear(&s[i]);
	free(s);
}

void stack_copy(const struct stack *from, struct stack *ret)
{
	*ret = *from;
	ret->frames = from->n ? xcalloc((size_t)from->n, sizeof(*ret->frames)) : NULL;
	for (int i = 0; i < from->n; i++)
		ret->frames[i] = xstrdup(from->frames[i]);
	trace_copy(&from->trace, &ret->trace);
}

void splat_free(struct splat *s)
{
	free(s->title);
	free(s->excerpt);
	free(s->corrupted);
	trace_free(&s->trace);
	*s = (struct splat){ .kind = SPLAT_NONE };
}

void splat_copy(const struct splat *from, struct splat *ret)
{
	*ret = *from;
	ret->title = xstrdup(from->title);
	ret->excerpt = xstrdup(from->excerpt);
	ret->corrupted = xstrdup(from->corrupted);
	trace_copy(&from->trace, &ret->trace);
}

/* What the parsers share: the array `key` of `v`, at most `max` long; absent is empty. */
static int open_array(const struct jval *v, const char *key, size_t max, struct jval *ret_arr,
		      size_t *ret_n, struct error *err)
{
	struct jval arr = { .o = NULL };
	int r = json_opt_arr(v, key, &arr, err);

	if (r < 0)
		return r;
	if (json_arr_len(&arr) > max)
		return error_set(err, -EINVAL, "%s.%s: %zu elements, at most %zu", v->path, key,
				 json_arr_len(&arr), max);
	*ret_arr = arr;
	*ret_n = json_arr_len(&arr);
	return 0;
}

static int check_from_json(const struct jval *v, struct check *c, struct error *err)
{
	const char *name, *detail = "";
	bool ok;
	int r = json_get_str(v, "name", LIMIT_NAME_LEN, &name, err);

	if (!r)
		r = json_get_bool(v, "ok", &ok, err);
	if (!r)
		r = json_opt_str(v, "detail", LIMIT_TEXT_LEN, &detail, err);
	if (r < 0)
		return r;
	if (!*name)
		return error_set(err, -EINVAL, "%s.name: is empty", v->path);
	*c = (struct check){ .name = xstrdup(name), .ok = ok, .detail = xstrdup(detail) };
	return 0;
}

int checks_from_json(const struct jval *v, const char *key, struct check **ret, size_t *ret_n,
		     struct error *err)
{
	struct check *list;
	struct jval arr;
	size_t n;
	int r = open_array(v, key, PARTS_MAX, &arr, &n, err);

	if (r < 0)
		return r;
	list = n ? xcalloc(n, sizeof(*list)) : NULL;
	for (size_t i = 0; i < n; i++) {
		struct jval e = json_arr_at(&arr, i);

		r = json_as_obj(&e, err);
		if (!r)
			r = check_from_json(&e, &list[i], err);
		if (r < 0) {
			checks_free(list, i);
			return r;
		}
	}
	*ret = list;
	*ret_n = n;
	return 0;
}

struct json_object *checks_to_json(const struct check *c, size_t n)
{
	struct json_object *arr = json_object_new_array();

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "name", json_str(c[i].name));
		json_object_object_add(o, "ok", json_object_new_boolean(c[i].ok));
		json_object_object_add(o, "detail", json_str(c[i].detail ? c[i].detail : ""));
		json_object_array_add(arr, o);
	}
	return arr;
}

/* A delta is for people and must agree with what it is the delta of. */
static int counter_from_json(const struct jval *v, const char *name, struct counter *c,
			     struct error *err)
{
	int64_t before, after, delta;
	int r = json_get_i64(v, "before", 0, INT64_MAX, &before, err);

	if (!r)
		r = json_get_i64(v, "after", 0, INT64_MAX, &after, err);
	if (r < 0)
		return r;
	delta = after - before;
	r = json_opt_i64(v, "delta", INT64_MIN, INT64_MAX, &delta, err);
	if (r < 0)
		return r;
	if (delta != after - before)
		return error_set(err, -EINVAL, "%s.delta: is not after - before", v->path);
	*c = (struct counter){ .name = xstrdup(name), .before = before, .after = after };
	return 0;
}

int counters_from_json(const struct jval *v, const char *key, struct counter **ret, size_t *ret_n,
		       struct error *err)
{
	struct counter *list = NULL;
	struct jval obj = { .o = NULL };
	size_t n = 0;
	int r = json_opt_obj(v, key, &obj, err);

	if (r < 0)
		return r;
	if (obj.o && json_object_object_length(obj.o) > PARTS_MAX)
		return error_set(err, -EINVAL, "%s: more than %d counters", obj.path, PARTS_MAX);
	if (obj.o && json_object_object_length(obj.o))
		list = xcalloc((size_t)json_object_object_length(obj.o), sizeof(*list));
	for (struct lh_entry *e = obj.o ? json_object_get_object(obj.o)->head : NULL; e;
	     e = e->next) {
		const char *name = lh_entry_k(e);
		struct jval c;

		if (!*name || strlen(name) > LIMIT_NAME_LEN)
			r = error_set(err, -EINVAL, "%s: a counter's name is empty or too long",
				      obj.path);
		else
			r = json_get_obj(&obj, name, &c, err);
		if (!r)
			r = counter_from_json(&c, name, &list[n], err);
		if (r < 0) {
			counters_free(list, n);
			return r;
		}
		n++;
	}
	*ret = list;
	*ret_n = n;
	return 0;
}

struct json_object *counters_to_json(const struct counter *c, size_t n)
{
	struct json_object *all = json_object_new_object();

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "before", json_object_new_int64(c[i].before));
		json_object_object_add(o, "after", json_object_new_int64(c[i].after));
		json_object_object_add(o, "delta", json_object_new_int64(c[i].after - c[i].before));
		json_object_object_add(all, c[i].name, o);
	}
	return all;
}

int metrics_from_json(const struct jval *v, const char *key, struct metric **ret, size_t *ret_n,
		      struct error *err)
{
	struct metric *list;
	struct jval arr;
	size_t n;
	int r = open_array(v, key, PARTS_MAX, &arr, &n, err);

	if (r < 0)
		return r;
	list = n ? xcalloc(n, sizeof(*list)) : NULL;
	for (size_t i = 0; i < n; i++) {
		struct jval e = json_arr_at(&arr, i);
		const char *name, *unit = "";
		double value;

		r = json_as_obj(&e, err);
		if (!r)
			r = json_get_str(&e, "name", LIMIT_NAME_LEN, &name, err);
		if (!r)
			r = json_get_double(&e, "value", &value, err);
		if (!r)
			r = json_opt_str(&e, "unit", LIMIT_NAME_LEN, &unit, err);
		if (r < 0) {
			metrics_free(list, i);
			return r;
		}
		list[i] = (struct metric){ .name = xstrdup(name),
					   .value = value,
					   .unit = xstrdup(unit) };
	}
	*ret = list;
	*ret_n = n;
	return 0;
}

struct json_object *metrics_to_json(const struct metric *m, size_t n)
{
	struct json_object *arr = json_object_new_array();

	for (size_t i = 0; i < n; i++) {
		struct json_object *o;

		if (!isfinite(m[i].value)) /* JSON has no word for it */
			continue;
		o = json_object_new_object();
		json_object_object_add(o, "name", json_str(m[i].name));
		json_object_object_add(o, "value", json_object_new_double(m[i].value));
		json_object_object_add(o, "unit", json_str(m[i].unit ? m[i].unit : ""));
		json_object_array_add(arr, o);
	}
	return arr;
}

static int stack_from_json(const struct jval *v, struct stack *ret, struct error *err)
{
	size_t n = json_arr_len(v);
	struct stack s = { .n = 0, .count = 1 };

	if (!json_object_is_type(v->o, json_type_array))
		return error_set(err, -EINVAL, "%s: is not an array", v->path);
	if (n == 0 || n > LIMIT_STACK_FRAMES)
		return error_set(err, -EINVAL, "%s: has %zu frames, not 1..%d", v->path, n,
				 LIMIT_STACK_FRAMES);
	s.frames = xcalloc(n, sizeof(*s.frames));
	for (size_t i = 0; i < n; i++) {
		struct jval e = json_arr_at(v, i);
		const char *frame;
		int r = json_as_str(&e, PARTS_FRAME_LEN, &frame, err);

		if (r < 0) {
			stack_clear(&s);
			return r;
		}
		s.frames[s.n++] = xstrdup(frame);
	}
	*ret = s;
	return 0;
}

static int stack_info_from_json(const struct jval *v, struct stack *s, struct error *err)
{
	int64_t count;
	bool on;
	int r = json_as_obj(v, err);

	if (!r)
		r = json_get_i64(v, "count", 0, INT32_MAX, &count, err);
	if (!r)
		r = json_get_bool(v, "on_target", &on, err);
	if (!r)
		r = trace_from_json(v, "frames", &s->trace, err);
	if (r < 0)
		return r;
	s->count = (int)count;
	s->on_target = on;
	return 0;
}

int stacks_from_json(const struct jval *v, const struct fault *f, struct stack **ret, size_t *ret_n,
		     struct error *err)
{
	struct stack *list;
	struct jval arr, info;
	size_t n, n_info;
	int r = open_array(v, "stacks", LIMIT_STACKS, &arr, &n, err);

	if (!r)
		r = open_array(v, "stack_info", LIMIT_STACKS, &info, &n_info, err);
	if (r < 0)
		return r;
	if (info.o && n_info != n)
		return error_set(err, -EINVAL, "%s: %zu elements for %zu stacks", info.path, n_info,
				 n);
	list = n ? xcalloc(n, sizeof(*list)) : NULL;
	for (size_t i = 0; i < n && !r; i++) {
		struct jval e = json_arr_at(&arr, i);

		r = stack_from_json(&e, &list[i], err);
		if (r < 0)
			break;
		list[i].on_target =
			fault_stack_on_target(f, (const char *const *)list[i].frames, list[i].n);
		if (info.o) {
			e = json_arr_at(&info, i);
			r = stack_info_from_json(&e, &list[i], err);
		}
	}
	if (r < 0) {
		stacks_free(list, n);
		return r;
	}
	*ret = list;
	*ret_n = n;
	return 0;
}

void stacks_to_json(const struct stack *s, size_t n, struct json_object *into)
{
	struct json_object *arr = json_object_new_array(), *info = json_object_new_array();

	for (size_t i = 0; i < n; i++) {
		struct json_object *frames = json_object_new_array();
		struct json_object *o = json_object_new_object();

		for (int k = 0; k < s[i].n; k++)
			json_object_array_add(frames, json_str(s[i].frames[k]));
		json_object_array_add(arr, frames);
		json_object_object_add(o, "count", json_object_new_int(s[i].count));
		json_object_object_add(o, "on_target", json_object_new_boolean(s[i].on_target));
		if (s[i].trace.n)
			json_object_object_add(o, "frames", trace_to_json(&s[i].trace));
		json_object_array_add(info, o);
	}
	json_object_object_add(into, "stacks", arr);
	json_object_object_add(into, "stack_info", info);
}

int strings_from_json(const struct jval *v, const char *key, size_t max_len, char ***ret,
		      size_t *ret_n, struct error *err)
{
	struct jval arr;
	char **list;
	size_t n, taken;
	int r = open_array(v, key, PARTS_MAX, &arr, &n, err);

	if (r < 0)
		return r;
	list = n ? xcalloc(n, sizeof(*list)) : NULL;
	for (taken = 0; taken < n; taken++) {
		struct jval e = json_arr_at(&arr, taken);
		const char *s;

		r = json_as_str(&e, max_len, &s, err);
		if (r < 0) {
			strings_free(list, taken);
			return r;
		}
		list[taken] = xstrdup(s);
	}
	*ret = list;
	*ret_n = n;
	return 0;
}

struct json_object *strings_to_json(char *const *list, size_t n)
{
	struct json_object *arr = json_object_new_array();

	for (size_t i = 0; i < n; i++)
		json_object_array_add(arr, json_str(list[i]));
	return arr;
}
