/* SPDX-License-Identifier: MIT */
/*
 * The list of builds. With a filter it looks at so many ids a page, so that few that match cost as
 * much as many: a page may be short or empty and yet have a next one.
 */
#include <stdio.h>

#include "db/store_internal.h"

#define SPAN 500 /* ids of one page, as builds_view has it */

int view_builds(struct store *s, const struct build_filter *f, struct json_object **ret,
		struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(json_put_p) struct json_object *items = NULL;
	int64_t from = 0, next = 0;
	char cursor[32];
	size_t n;
	int r = cursor_parse(f->cursor, 'b', &from, 1, err);

	if (!r)
		r = limit_check(f->limit, err);
	if (!r)
		r = reader_begin(&rd, s, err);
	if (!r && !f->cursor)
		r = db_find(rd.db, Q_BUILDS_LAST, NO_ARGS, &from, err);
	if (r >= 0)
		r = db_rows(rd.db, Q_BUILDS_VIEW,
			    ARGS(I(from), S(f->status), I(f->warnings), I(f->limit + 1)), &items,
			    err);
	if (r < 0)
		return r;
	n = json_object_array_length(items);
	if (n > (size_t)f->limit) {
		struct json_object *last = json_object_array_get_idx(items, n - 1);

		next = json_object_get_int64(json_object_object_get(last, "id"));
		json_object_array_del_idx(items, n - 1, 1);
	} else if (from > SPAN) {
		next = from - SPAN;
	}
	*ret = view_list(STEAL(items));
	if (next > 0) {
		snprintf(cursor, sizeof(cursor), "b%lld", (long long)next);
		json_object_object_add(*ret, "next", json_object_new_string(cursor));
	}
	return 0;
}
