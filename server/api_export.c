// SPDX-License-Identifier: MIT
/* Results in the formats of jobs/export.h. */
#include <errno.h>
#include <stdlib.h>

#include "lib/clean.h"
#include "server/api.h"

static int add_items(struct export *e, struct json_object *view, struct error *err)
{
	struct jval v = json_root(view), items;
	int r = json_get_arr(&v, "items", &items, err);

	for (size_t i = 0; !r && i < json_arr_len(&items); i++) {
		struct jval item = json_arr_at(&items, i);

		r = export_add_item(e, &item, err);
	}
	return r;
}

static int add_build(struct server *srv, struct export *e, int64_t number, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct jval v;
	int r = view_build(srv->store, number, &o, err);

	if (r)
		return r;
	v = json_root(o);
	return export_add_build(e, &v, err);
}

/* What is known of the builds that results belong to; on the first page of a whole submission also
 * of those that have no results, because they were only built. */
static int add_builds(struct server *srv, struct export *e, const struct result_filter *f,
		      struct error *err)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	CLEANUP(free_p) int64_t *numbers = NULL;
	bool whole = f->submission && !f->cursor && !f->run && !f->scenario && !f->status &&
		     !f->commit;
	size_t n = 0, with_results = e->n_builds;
	struct jval v;
	int r = 0;

	for (size_t i = 0; !r && i < with_results; i++)
		r = add_build(srv, e, e->builds[i].number, err);
	if (r || !whole)
		return r;
	r = view_submission(srv->store, f->submission, &o, err);
	if (r)
		return r;
	v = json_root(o);
	r = export_build_numbers(&v, &numbers, &n, err);
	for (size_t i = 0; !r && i < n; i++)
		r = add_build(srv, e, numbers[i], err);
	return r;
}

void api_export(struct server *srv, const struct http_req *req, struct http_res *res,
		const struct export_format *format, const struct result_filter *f,
		struct json_object *view)
{
	CLEANUP(export_free)
	struct export e = { .origin = srv->config->origin, .url = srv->config->url };
	CLEANUP(json_put_p) struct json_object *owned = view;
	struct error err = ERROR_INIT;
	int r = add_items(&e, view, &err);

	if (!r && format->needs_builds)
		r = add_builds(srv, &e, f, &err);
	if (r) {
		/* What the database holds is ours: whatever is wrong with it is no bad request. */
		err.code = r == -ENOENT ? ENOENT : EBADMSG;
		api_error(req, res, &err);
		return;
	}
	api_link_next(res, view);
	res->content_type = format->content_type;
	format->write(&e, &res->body);
}
