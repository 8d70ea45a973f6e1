/* SPDX-License-Identifier: MIT */
/* /builds/{id}: status, warnings, errors. */
#include "server/api.h"
#include "server/pages.h"

static char *prepare(struct json_object *view, int64_t id)
{
	(void)view;
	return xasprintf("Build %lld", (long long)id);
}

void page_build(struct server *srv, const struct http_req *req, struct http_res *res)
{
	static const struct page_of page = { PAGE_BUILD, "none", api_build, view_build, prepare };

	page_show(srv, req, res, &page);
}
