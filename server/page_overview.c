/* SPDX-License-Identifier: MIT */
/* /: what is followed, what came last, what waits, who works. */
#include "server/api.h"
#include "server/pages.h"

#define NEWEST 15
#define OPEN_MAX 20 /* regressions; the page of all has the rest */

/* The items of a list view (taken) as the member `key`. */
static void take_items(struct json_object *o, const char *key, struct json_object *list)
{
	json_object_object_add(o, key, json_object_get(json_object_object_get(list, "items")));
	json_object_put(list);
}

static int view_overview(struct store *s, struct json_object **ret, struct error *err)
{
	const struct regression_filter open = { .state = "open", .limit = OPEN_MAX };
	CLEANUP(json_put_p) struct json_object *o = json_object_new_object();
	struct json_object *part = NULL;
	int r = view_regressions(s, &open, &part, err);

	if (r < 0)
		return r;
	take_items(o, "regressions", part);
	r = view_branches(s, &part, err);
	if (r < 0)
		return r;
	take_items(o, "branches", part);
	r = view_submissions(s, NULL, NEWEST, &part, err);
	if (r < 0)
		return r;
	take_items(o, "submissions", part);
	r = view_agents(s, &part, err);
	if (r < 0)
		return r;
	take_items(o, "agents", part);
	r = view_stats(s, &part, err);
	if (r < 0)
		return r;
	json_object_object_add(o, "stats", part);
	*ret = STEAL(o);
	return 0;
}

void page_overview(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	int r = view_overview(srv->store, &view, &err);

	if (!page_is_html(req)) {
		api_view(req, res, r, view, &err);
		return;
	}
	if (!r) {
		page_regressions_prepare(view);
		page_branches_prepare(view);
	}
	page_answer(req, res, r, PAGE_OVERVIEW, "overview", xstrdup("Overview"), view, &err);
}
