// SPDX-License-Identifier: MIT
/* A regression with everything that a report of it says. */
#include <errno.h>

#include "db/store_internal.h"
#include "db/store_regress.h"

/* Takes an id out of the row. */
static int64_t take_id(struct json_object *row, const char *key)
{
	struct json_object *v = NULL;
	int64_t id = 0;

	if (json_object_object_get_ex(row, key, &v))
		id = json_object_get_int64(v);
	json_object_object_del(row, key);
	return id;
}

/* What is not known is null. */
static int add_view(struct store *s, int64_t id, const char *key,
		    int (*view)(struct store *s, int64_t id, struct json_object **ret,
				struct error *err),
		    struct json_object *o, struct error *err)
{
	struct json_object *one = NULL;
	int r = id ? view(s, id, &one, err) : 0;

	if (!r)
		json_object_object_add(o, key, one);
	return r;
}

/* The row's members become the view's. */
static void merge(struct json_object *row, struct json_object *o)
{
	json_object_object_foreach(row, key, value)
		json_object_object_add(o, key, json_object_get(value));
}

static int load_facts(struct store *s, int64_t id, struct json_object **ret_facts,
		      struct json_object **ret_commits, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	int r = reader_begin(&rd, s, err);

	if (r < 0)
		return r;
	r = db_row(rd.db, Q_REPORT_FACTS, ARGS(I(id)), ret_facts, err);
	if (r != 1)
		return r < 0 ? r
			     : error_set(err, -ENOENT, "there is no regression %lld",
					 (long long)id);
	return db_rows(rd.db, Q_REPORT_COMMITS, ARGS(I(id)), ret_commits, err);
}

int view_report(struct store *s, int64_t id, struct json_object **ret, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	CLEANUP(json_put_p) struct json_object *facts = NULL;
	struct json_object *commits = NULL;
	int64_t build, build_before, before, shown;
	int r = view_regression(s, id, &o, err);

	if (!r)
		r = load_facts(s, id, &facts, &commits, err);
	if (r)
		return r;
	json_object_object_add(o, "commits", commits);
	shown = json_object_get_int64(json_object_object_get(o, "result"));
	build = take_id(facts, "build");
	build_before = take_id(facts, "build_before");
	before = take_id(facts, "result_before");
	merge(facts, o);
	r = add_view(s, shown, "shown", view_result, o, err);
	if (!r)
		r = add_view(s, before, "before", view_result, o, err);
	if (!r)
		r = add_view(s, build, "build", view_build, o, err);
	if (!r)
		r = add_view(s, build_before, "build_before", view_build, o, err);
	if (!r)
		*ret = STEAL(o);
	return r;
}
