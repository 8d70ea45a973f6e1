/* SPDX-License-Identifier: MIT */
/* /agents: who works, and on what. */
#include "server/api.h"
#include "server/pages.h"

void page_agents(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	int r;

	if (!page_is_html(req)) {
		api_agents(srv, req, res);
		return;
	}
	r = view_agents(srv->store, &view, &err);
	if (!r)
		page_name_items(view, "agents");
	page_answer(req, res, r, PAGE_AGENTS, "agents", xstrdup("Agents"), view, &err);
}
