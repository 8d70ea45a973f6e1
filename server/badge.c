// SPDX-License-Identifier: MIT
/* /badge/{repo}/{branch}.svg. */
#include <string.h>

#include "db/store_regress.h"
#include "lib/clean.h"
#include "server/api.h"

#define ENDING ".svg"

/* A branch that nobody knows has a badge too, with 200: as anything else it would be a broken image,
 * or none, in every page that names it (badges/shields, pull request 11479, changed to that for the
 * same reason). */
void badge_branch(struct server *srv, const struct http_req *req, struct http_res *res)
{
	const char *repo = req->params[0], *file = req->params[1];
	size_t len = strlen(file), end = strlen(ENDING);
	CLEANUP(free_p) char *ref = NULL, *subject = NULL;
	struct badge_facts facts = { 0 };
	struct error err = ERROR_INIT;

	if (len <= end || strcmp(file + len - end, ENDING) != 0) {
		http_res_problem(res, 404, "badges are /badge/REPO/BRANCH" ENDING);
		return;
	}
	ref = xstrndup(file, len - end);
	subject = xasprintf("%s %s", repo, ref);
	if (store_branch_badge(srv->store, repo, ref, &facts, &err)) {
		api_error(req, res, &err);
		return;
	}
	badge_svg(&facts, subject, &res->body);
	/* pages of other sites are what it is for */
	http_res_header(res, "Cross-Origin-Resource-Policy", "cross-origin");
	api_send_fresh(req, res, "image/svg+xml; charset=utf-8");
}
