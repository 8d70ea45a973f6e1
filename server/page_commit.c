/* SPDX-License-Identifier: MIT */
/* /commits/{sha}. */
#include <string.h>

#include "server/api.h"
#include "server/pages.h"

void page_commit(struct server *srv, const struct http_req *req, struct http_res *res)
{
	const char *sha = req->params[0];
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	int r;

	if (!strcmp(req->format, "json")) {
		api_commit(srv, req, res);
		return;
	}
	r = page_is_html(req) ? view_commit_brief(srv->store, sha, &view, &err)
			      : view_commit(srv->store, sha, &view, &err);
	if (!page_is_html(req)) {
		page_matrix_table(req, res, r, view, &err);
		return;
	}
	page_answer(req, res, r, PAGE_COMMIT, "none",
		    xasprintf("%.12s %s", sha, r ? "" : page_str(view, "subject")), view, &err);
}
