/* SPDX-License-Identifier: MIT */
/*
 * What list views share: cursors, limits, the object around the items.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "db/store_internal.h"

#define LIMIT_PAGE 500

struct json_object *view_list(struct json_object *items)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "items", items);
	return o;
}

int view_page(struct query *q, char prefix, int limit, struct json_object **ret, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *items = json_object_new_array();
	int64_t last = 0;
	char next[32] = "";
	int n = 0, r;

	while ((r = query_next(q, err)) == 1) {
		if (n++ == limit) {
			snprintf(next, sizeof(next), "%c%lld", prefix, (long long)last);
			break;
		}
		last = query_i64(q, 0);
		json_object_array_add(items, query_row(q));
	}
	if (r < 0)
		return r;
	*ret = view_list(STEAL(items));
	if (*next)
		json_object_object_add(*ret, "next", json_object_new_string(next));
	return 0;
}

int cursor_parse(const char *cursor, char prefix, int64_t *ret, int n, struct error *err)
{
	CLEANUP(free_p) char *copy = xstrdup(cursor);
	int64_t values[2] = { 0 };
	char *at = copy, *save;

	if (!cursor)
		return 0;
	if (*at++ != prefix)
		goto bad;
	for (int i = 0; i < n; i++) {
		long long value;

		if (!at)
			goto bad;
		save = strchr(at, '.');
		if (save)
			*save++ = '\0';
		if (str_to_i64(at, 0, INT64_MAX, &value) < 0)
			goto bad;
		values[i] = value;
		at = save;
	}
	if (at)
		goto bad;
	memcpy(ret, values, (size_t)n * sizeof(*ret));
	return 0;
bad:
	return error_set(err, -EINVAL, "cursor: not one that was given out");
}

int limit_check(int limit, struct error *err)
{
	if (limit < 1 || limit > LIMIT_PAGE)
		return error_set(err, -EINVAL, "limit: %d is not within 1..%d", limit, LIMIT_PAGE);
	return 0;
}
