/* SPDX-License-Identifier: MIT */
/*
 * json: the strict wrapper over json-c.
 *
 * json-c alone accepts single quotes, NaN, duplicate keys and saturating integers, and coerces
 * types. json_parse() rejects all of that (RFC 8259 text, depth <= 32, no duplicate keys, valid
 * UTF-8); the getters name the path of what is wrong: "$.cases[2].fault.nth: 'x' is not an
 * integer". Emit by building objects.
 * Thread: an object belongs to one thread at a time (json-c counts references without atomics).
 */
#ifndef FAULTLINE_LIB_JSON_H
#define FAULTLINE_LIB_JSON_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/clean.h"
#include "lib/error.h"

static inline void json_put_p(struct json_object **o)
{
	if (*o)
		json_object_put(*o);
}

/* Exactly one value and nothing behind it. New reference in *ret_obj. -EINVAL. */
must_check int json_parse(const char *text, size_t len, struct json_object **ret_obj,
			  struct error *err);
/* Compact text, valid UTF-8 (invalid bytes in strings were replaced by json_str()). Owned. */
char *json_text(struct json_object *o);
char *json_text_pretty(struct json_object *o);
/* A string object from bytes that may be anything: invalid UTF-8 becomes U+FFFD. */
struct json_object *json_str(const char *s); /* NULL gives JSON null */
struct json_object *json_strn(const char *s, size_t len);

/* A value together with where it stands, for messages. Borrowed; lives as long as the object. */
struct jval {
	struct json_object *o;
	char path[120];
};

struct jval json_root(struct json_object *o);
/* Required members; -EINVAL naming the path when missing, of another type or out of range.
 * Strings are borrowed and hold no NUL character. */
must_check int json_get_obj(const struct jval *v, const char *key, struct jval *ret,
			    struct error *err);
must_check int json_get_arr(const struct jval *v, const char *key, struct jval *ret,
			    struct error *err);
must_check int json_get_str(const struct jval *v, const char *key, size_t max_len, const char **ret,
			    struct error *err);
must_check int json_get_i64(const struct jval *v, const char *key, int64_t min, int64_t max,
			    int64_t *ret, struct error *err);
must_check int json_get_double(const struct jval *v, const char *key, double *ret,
			       struct error *err);
must_check int json_get_bool(const struct jval *v, const char *key, bool *ret, struct error *err);
/* Optional members: absent (or null) leaves *ret as it is and returns 0; a wrong type is still an
 * error. */
must_check int json_opt_obj(const struct jval *v, const char *key, struct jval *ret,
			    struct error *err);
must_check int json_opt_arr(const struct jval *v, const char *key, struct jval *ret,
			    struct error *err);
must_check int json_opt_str(const struct jval *v, const char *key, size_t max_len, const char **ret,
			    struct error *err);
must_check int json_opt_i64(const struct jval *v, const char *key, int64_t min, int64_t max,
			    int64_t *ret, struct error *err);
must_check int json_opt_bool(const struct jval *v, const char *key, bool *ret, struct error *err);
/* Array access; element i as a jval. json_arr_len() of a non-array is 0. */
size_t json_arr_len(const struct jval *v);
struct jval json_arr_at(const struct jval *v, size_t i);
must_check int json_as_str(const struct jval *v, size_t max_len, const char **ret,
			   struct error *err);
must_check int json_as_obj(const struct jval *v, struct error *err);
/* A key that is not in the NULL-terminated list is an error that names it (for requests). */
must_check int json_only_keys(const struct jval *v, const char *const *keys, struct error *err);

#endif
