/* SPDX-License-Identifier: MIT */
#include "lib/json.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/json_scan.h"
#include "lib/utf8.h"

static void tokener_free_p(struct json_tokener **t)
{
	if (*t)
		json_tokener_free(*t);
}

int json_parse(const char *text, size_t len, struct json_object **ret_obj, struct error *err)
{
	CLEANUP(tokener_free_p) struct json_tokener *tok = NULL;
	CLEANUP(json_put_p) struct json_object *o = NULL;
	int r = json_scan(text, len, err);

	if (r < 0)
		return r;
	/* json_scan() refuses more than INT_MAX bytes. One level more than it allows: the limit
	 * of json-c counts the scalar inside. */
	tok = json_tokener_new_ex(JSON_DEPTH_MAX + 1);
	if (!tok)
		abort();
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
	o = json_tokener_parse_ex(tok, text, (int)len);
	/* A number at the top ends only where the text ends: say so. */
	if (json_tokener_get_error(tok) == json_tokener_continue)
		o = json_tokener_parse_ex(tok, "", 1);
	if (json_tokener_get_error(tok) != json_tokener_success)
		return error_set(err, -EINVAL, "JSON: %s",
				 json_tokener_error_desc(json_tokener_get_error(tok)));
	*ret_obj = STEAL(o);
	return 0;
}

static char *to_text(struct json_object *o, int flags)
{
	return xstrdup(json_object_to_json_string_ext(o, flags | JSON_C_TO_STRING_NOSLASHESCAPE));
}

char *json_text(struct json_object *o)
{
	return to_text(o, JSON_C_TO_STRING_PLAIN);
}

char *json_text_pretty(struct json_object *o)
{
	return to_text(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
}

struct json_object *json_str(const char *s)
{
	return s ? json_strn(s, strlen(s)) : NULL;
}

struct json_object *json_strn(const char *s, size_t len)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	struct json_object *o;
	size_t i = 0;
	size_t n;

	while (i < len && (n = utf8_len(s + i, len - i)))
		i += n;
	if (i < len) {
		buf_add(&b, s, i);
		while (i < len) {
			n = utf8_len(s + i, len - i);
			if (n)
				buf_add(&b, s + i, n);
			else
				buf_str(&b, UTF8_REPLACEMENT);
			i += n ? n : 1;
		}
		s = b.data;
		len = b.len;
	}
	if (len > INT_MAX)
		abort();
	o = json_object_new_string_len(s, (int)len);
	if (!o)
		abort();
	return o;
}

/* ---- values with their place ---------------------------------------------------------------- */

struct jval json_root(struct json_object *o)
{
	struct jval v = { .o = o };

	snprintf(v.path, sizeof(v.path), "$");
	return v;
}

/* A key comes from outside when json_only_keys() names it: it may hold anything. */
static struct jval member(const struct jval *v, const char *key, struct json_object *o)
{
	struct jval m;
	size_t n = strnlen(v->path, sizeof(m.path) / 2), i;

	m.o = o;
	memcpy(m.path, v->path, n);
	m.path[n++] = '.';
	for (i = 0; key[i] && n < sizeof(m.path) - 1; i++, n++)
		m.path[n] = key[i] >= ' ' && key[i] < 0x7f ? key[i] : '?';
	m.path[n] = 0;
	return m;
}

static const char *type_name(enum json_type t)
{
	static const char *const names[] = {
		[json_type_null] = "null",	  [json_type_boolean] = "true or false",
		[json_type_double] = "a number",  [json_type_int] = "an integer",
		[json_type_object] = "an object", [json_type_array] = "an array",
		[json_type_string] = "a string",
	};

	return names[t];
}

/* "$.a.nth: 'x' is not an integer" */
static int wrong_type(const struct jval *v, enum json_type want, struct error *err)
{
	const char *text = json_object_is_type(v->o, json_type_string)
				   ? json_object_get_string(v->o)
				   : json_object_to_json_string_ext(v->o, JSON_C_TO_STRING_PLAIN);
	CLEANUP(free_p) char *clean = str_printable(text, strnlen(text, 40));

	return error_set(err, -EINVAL, "%s: '%s' is not %s", v->path, clean, type_name(want));
}

/* 1 = found, 0 = absent (or null when `optional`), -EINVAL. */
static int find(const struct jval *v, const char *key, bool optional, struct jval *ret,
		struct error *err)
{
	struct json_object *o = NULL;
	struct jval m;

	if (!json_object_is_type(v->o, json_type_object))
		return wrong_type(v, json_type_object, err);
	if (!json_object_object_get_ex(v->o, key, &o) || (!o && optional)) {
		if (optional)
			return 0;
		m = member(v, key, NULL);
		return error_set(err, -EINVAL, "%s: missing", m.path);
	}
	*ret = member(v, key, o);
	return 1;
}

static int find_typed(const struct jval *v, const char *key, bool optional, enum json_type type,
		      struct jval *ret, struct error *err)
{
	struct jval m;
	int r = find(v, key, optional, &m, err);

	if (r <= 0)
		return r;
	if (!json_object_is_type(m.o, type))
		return wrong_type(&m, type, err);
	*ret = m;
	return 1;
}

static int as_str(const struct jval *v, size_t max_len, const char **ret, struct error *err)
{
	const char *s;
	size_t len;

	if (!json_object_is_type(v->o, json_type_string))
		return wrong_type(v, json_type_string, err);
	s = json_object_get_string(v->o);
	len = (size_t)json_object_get_string_len(v->o);
	if (len > max_len)
		return error_set(err, -EINVAL, "%s: longer than %zu bytes", v->path, max_len);
	/* Whoever gets a C string would not see what stands behind. */
	if (memchr(s, '\0', len))
		return error_set(err, -EINVAL, "%s: holds a NUL character", v->path);
	*ret = s;
	return 0;
}

static int get_str(const struct jval *v, const char *key, bool optional, size_t max_len,
		   const char **ret, struct error *err)
{
	struct jval m;
	int r = find(v, key, optional, &m, err);

	return r <= 0 ? r : as_str(&m, max_len, ret, err);
}

static int get_i64(const struct jval *v, const char *key, bool optional, int64_t min, int64_t max,
		   int64_t *ret, struct error *err)
{
	struct jval m;
	int64_t n;
	int r = find_typed(v, key, optional, json_type_int, &m, err);

	if (r <= 0)
		return r;
	n = json_object_get_int64(m.o);
	if (n < min || n > max)
		return error_set(err, -EINVAL, "%s: %lld is not within %lld and %lld", m.path,
				 (long long)n, (long long)min, (long long)max);
	*ret = n;
	return 0;
}

static int get_bool(const struct jval *v, const char *key, bool optional, bool *ret,
		    struct error *err)
{
	struct jval m;
	int r = find_typed(v, key, optional, json_type_boolean, &m, err);

	if (r <= 0)
		return r;
	*ret = json_object_get_boolean(m.o);
	return 0;
}

static int get_container(const struct jval *v, const char *key, bool optional, enum json_type type,
			 struct jval *ret, struct error *err)
{
	int r = find_typed(v, key, optional, type, ret, err);

	return r < 0 ? r : 0;
}

int json_get_obj(const struct jval *v, const char *key, struct jval *ret, struct error *err)
{
	return get_container(v, key, false, json_type_object, ret, err);
}

int json_get_arr(const struct jval *v, const char *key, struct jval *ret, struct error *err)
{
	return get_container(v, key, false, json_type_array, ret, err);
}

int json_get_str(const struct jval *v, const char *key, size_t max_len, const char **ret,
		 struct error *err)
{
	return get_str(v, key, false, max_len, ret, err);
}

int json_get_i64(const struct jval *v, const char *key, int64_t min, int64_t max, int64_t *ret,
		 struct error *err)
{
	return get_i64(v, key, false, min, max, ret, err);
}

int json_get_double(const struct jval *v, const char *key, double *ret, struct error *err)
{
	struct jval m;
	int r = find(v, key, false, &m, err);

	if (r < 0)
		return r;
	if (!json_object_is_type(m.o, json_type_double) && !json_object_is_type(m.o, json_type_int))
		return wrong_type(&m, json_type_double, err);
	*ret = json_object_get_double(m.o);
	return 0;
}

int json_get_bool(const struct jval *v, const char *key, bool *ret, struct error *err)
{
	return get_bool(v, key, false, ret, err);
}

int json_opt_obj(const struct jval *v, const char *key, struct jval *ret, struct error *err)
{
	return get_container(v, key, true, json_type_object, ret, err);
}

int json_opt_arr(const struct jval *v, const char *key, struct jval *ret, struct error *err)
{
	return get_container(v, key, true, json_type_array, ret, err);
}

int json_opt_str(const struct jval *v, const char *key, size_t max_len, const char **ret,
		 struct error *err)
{
	return get_str(v, key, true, max_len, ret, err);
}

int json_opt_i64(const struct jval *v, const char *key, int64_t min, int64_t max, int64_t *ret,
		 struct error *err)
{
	return get_i64(v, key, true, min, max, ret, err);
}

int json_opt_bool(const struct jval *v, const char *key, bool *ret, struct error *err)
{
	return get_bool(v, key, true, ret, err);
}

size_t json_arr_len(const struct jval *v)
{
	return json_object_is_type(v->o, json_type_array) ? json_object_array_length(v->o) : 0;
}

struct jval json_arr_at(const struct jval *v, size_t i)
{
	struct jval m = { .o = NULL };

	if (i < json_arr_len(v))
		m.o = json_object_array_get_idx(v->o, i);
	snprintf(m.path, sizeof(m.path), "%.*s[%zu]", (int)sizeof(m.path) - 24, v->path, i);
	return m;
}

int json_as_str(const struct jval *v, size_t max_len, const char **ret, struct error *err)
{
	return as_str(v, max_len, ret, err);
}

int json_as_obj(const struct jval *v, struct error *err)
{
	if (!json_object_is_type(v->o, json_type_object))
		return wrong_type(v, json_type_object, err);
	return 0;
}

int json_only_keys(const struct jval *v, const char *const *keys, struct error *err)
{
	int r = json_as_obj(v, err);

	if (r < 0)
		return r;
	json_object_object_foreach(v->o, key, value)
	{
		const char *const *k = keys;
		struct jval m;

		(void)value;
		while (*k && strcmp(*k, key))
			k++;
		if (*k)
			continue;
		m = member(v, key, NULL);
		return error_set(err, -EINVAL, "%s: unknown key", m.path);
	}
	return 0;
}
