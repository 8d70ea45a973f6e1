/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/job.h"
#include "lib/buf.h"
#include "lib/limits.h"

#define LINES_MAX 200 /* warnings or errors: who has more reads the log */
#define UTF8_SLACK 3 /* a byte that is no UTF-8 becomes three on its way out */

static void lines_free(char **lines, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(lines[i]);
	free(lines);
}

void build_result_free(struct build_result *b)
{
	if (!b)
		return;
	free(b->release);
	free(b->detail);
	lines_free(b->warnings, b->n_warnings);
	lines_free(b->errors, b->n_errors);
	*b = (struct build_result){ .status = STATUS_MISS, .reason = REASON_AGENT };
}

static struct json_object *text(const char *s)
{
	return s ? json_strn(s, strnlen(s, LIMIT_TEXT_LEN)) : json_str("");
}

static struct json_object *lines_to_json(char *const *lines, size_t n)
{
	struct json_object *arr = json_object_new_array();

	for (size_t i = 0; i < n && i < LINES_MAX; i++)
		json_object_array_add(arr, text(lines[i]));
	return arr;
}

struct json_object *build_result_to_json(const struct build_result *b)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "version", json_object_new_int(1));
	json_object_object_add(o, "kind", json_str("build"));
	json_object_object_add(o, "status", json_str(status_name(b->status)));
	json_object_object_add(o, "reason", json_str(reason_name(b->reason)));
	json_object_object_add(o, "release", text(b->release));
	json_object_object_add(o, "detail", text(b->detail));
	json_object_object_add(o, "warnings", lines_to_json(b->warnings, b->n_warnings));
	json_object_object_add(o, "errors", lines_to_json(b->errors, b->n_errors));
	json_object_object_add(o, "image", json_object_new_boolean(b->image));
	json_object_object_add(o, "duration_us", json_object_new_int64(b->duration_us));
	return o;
}

static int lines_from_json(const struct jval *v, const char *key, char ***ret, size_t *ret_n,
			   struct error *err)
{
	struct jval arr = { .o = NULL };
	char **lines;
	size_t n;
	int r = json_opt_arr(v, key, &arr, err);

	if (r < 0)
		return r;
	n = json_arr_len(&arr);
	if (n > LINES_MAX)
		return error_set(err, -EINVAL, "%s: more than %d lines", arr.path, LINES_MAX);
	lines = n ? xcalloc(n, sizeof(*lines)) : NULL;
	for (size_t i = 0; i < n; i++) {
		struct jval e = json_arr_at(&arr, i);
		const char *s;

		r = json_as_str(&e, LIMIT_TEXT_LEN * UTF8_SLACK, &s, err);
		if (r < 0) {
			lines_free(lines, i);
			return r;
		}
		lines[i] = xstrdup(s);
	}
	*ret = lines;
	*ret_n = n;
	return 0;
}

static int verdict_from_json(const struct jval *v, struct build_result *b, struct error *err)
{
	const char *status, *reason = "";
	int r = json_get_str(v, "status", LIMIT_NAME_LEN, &status, err);
	bool ok = false;

	if (!r)
		r = json_opt_str(v, "reason", LIMIT_NAME_LEN, &reason, err);
	if (r < 0)
		return r;
	if (!status_parse(status, &b->status) || !reason_parse(reason, &b->reason))
		return error_set(err, -EINVAL, "%s.status: '%s' '%s' is no verdict", v->path,
				 status, reason);
	if (b->status == STATUS_PASS)
		ok = b->reason == REASON_NONE;
	else if (b->status == STATUS_FAIL)
		ok = b->reason == REASON_BUILD;
	else if (b->status == STATUS_MISS)
		ok = reason_status(b->reason) == STATUS_MISS;
	if (!ok)
		return error_set(err, -EINVAL, "%s.reason: '%s' does not go with %s of a build",
				 v->path, reason, status);
	return 0;
}

static int take_text(const struct jval *v, const char *key, char **ret, struct error *err)
{
	const char *s = "";
	int r = json_opt_str(v, key, LIMIT_TEXT_LEN * UTF8_SLACK, &s, err);

	if (!r && *s)
		*ret = xstrdup(s);
	return r;
}

int build_result_from_json(const struct jval *v, struct build_result *ret, struct error *err)
{
	static const char *const keys[] = { "version", "kind",	      "status",	  "reason",
					    "release", "detail",      "warnings", "errors",
					    "image",   "duration_us", NULL };
	struct build_result b = { .status = STATUS_MISS };
	const char *kind;
	int64_t version;
	int r = json_as_obj(v, err);

	if (!r)
		r = json_only_keys(v, keys, err);
	if (!r)
		r = json_get_i64(v, "version", 1, 1, &version, err);
	if (!r)
		r = json_get_str(v, "kind", LIMIT_NAME_LEN, &kind, err);
	if (!r && strcmp(kind, "build") != 0)
		r = error_set(err, -EINVAL, "%s.kind: '%s' is not 'build'", v->path, kind);
	if (!r)
		r = verdict_from_json(v, &b, err);
	if (!r)
		r = json_get_bool(v, "image", &b.image, err);
	if (!r)
		r = json_opt_i64(v, "duration_us", 0, INT64_MAX, &b.duration_us, err);
	if (!r)
		r = take_text(v, "release", &b.release, err);
	if (!r)
		r = take_text(v, "detail", &b.detail, err);
	if (!r)
		r = lines_from_json(v, "warnings", &b.warnings, &b.n_warnings, err);
	if (!r)
		r = lines_from_json(v, "errors", &b.errors, &b.n_errors, err);
	if (r < 0) {
		build_result_free(&b);
		return r;
	}
	*ret = b;
	return 0;
}
