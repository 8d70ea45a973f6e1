/* SPDX-License-Identifier: MIT */
/*
 * What list views share: cursors, limits, the object around the items.
 */
#include <errno.h>
#include <string.h>

#include "db/store_internal.h"

#define LIMIT_PAGE 500

struct json_object *view_list(struct json_object *items)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "items", items);
	return o;
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
