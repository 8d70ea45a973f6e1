/* SPDX-License-Identifier: MIT */
/* /runs/{id}: one attempt at a job, with its cases. */
#include "server/api.h"
#include "server/pages.h"

static char *prepare(struct json_object *view, int64_t id)
{
	/* Results have an id of their own; beside it their links need the run's. */
	json_object_object_add(view, "run", json_object_new_int64(id));
	return xasprintf("Run %lld", (long long)id);
}

void page_run(struct server *srv, const struct http_req *req, struct http_res *res)
{
	static const struct page_of page = { PAGE_RUN, "none", api_run, view_run, prepare };

	page_show(srv, req, res, &page);
}
