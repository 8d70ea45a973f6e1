/* SPDX-License-Identifier: MIT */
/* /builds/{id}: status, warnings, errors. */
#include "server/api.h"
#include "server/pages.h"

void page_build(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	int64_t id;
	int r;

	if (!page_is_html(req)) {
		api_build(srv, req, res);
		return;
	}
	if (!page_id(req, res, &id))
		return;
	r = view_build(srv->store, id, &view, &err);
	page_answer(req, res, r, PAGE_BUILD, "none", xasprintf("Build %lld", (long long)id), view,
		    &err);
}
