/* SPDX-License-Identifier: MIT */
/* /runs/{id}: one attempt at a job, with its cases. */
#include "server/api.h"
#include "server/pages.h"

void page_run(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	int64_t id;
	int r;

	if (!page_is_html(req)) {
		api_run(srv, req, res);
		return;
	}
	if (!page_id(req, res, &id))
		return;
	r = view_run(srv->store, id, &view, &err);
	/* Results have an id of their own; beside it their links need the run's. */
	if (!r)
		json_object_object_add(view, "run", json_object_new_int64(id));
	page_answer(req, res, r, PAGE_RUN, "none", xasprintf("Run %lld", (long long)id), view,
		    &err);
}
