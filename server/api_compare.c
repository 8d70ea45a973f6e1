// SPDX-License-Identifier: MIT
/* Two commits side by side. */
#include <errno.h>
#include <string.h>

#include "jobs/compare.h"
#include "server/api.h"

bool api_compare_sides(const struct http_req *req, struct http_res *res, const char **ret_a,
		       const char **ret_b)
{
	const char *a = http_query(req, "a"), *b = http_query(req, "b");

	if (a && *a && b && *b) {
		*ret_a = a;
		*ret_b = b;
		return true;
	}
	http_res_problem(res, 400,
			 "?a= and ?b= say what is compared: a commit, REPO/BRANCH or submission:N");
	return false;
}

void api_compare(struct server *srv, const struct http_req *req, struct http_res *res)
{
	bool csv = !strcmp(req->format, "csv"), txt = !strcmp(req->format, "txt");
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	const char *a, *b;
	int r;

	if (!api_compare_sides(req, res, &a, &b))
		return;
	r = view_compare(srv->store, a, b, &view, &err);
	if (r || (!csv && !txt)) {
		api_view(req, res, r, view, &err);
		return;
	}
	r = csv ? compare_csv(view, &res->body, &err) : compare_txt(view, &res->body, &err);
	json_object_put(view);
	if (r) {
		/* The view is this program's own: what is wrong with it is not the client's doing. */
		err.code = EIO;
		api_error(req, res, &err);
		return;
	}
	res->content_type = csv ? "text/csv; charset=utf-8" : "text/plain; charset=utf-8";
}
