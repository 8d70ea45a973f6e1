// SPDX-License-Identifier: MIT
#include <string.h>

#include "db/store_regress.h"
#include "lib/buf.h"
#include "server/api.h"

static bool is_state(const char *s)
{
	static const char *const states[] = { "open",  "new",	"confirmed",	  "bisected",
					      "fixed", "flaky", "infrastructure", "stale" };

	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (strcmp(s, states[i]) == 0)
			return true;
	return false;
}

void api_regressions(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct regression_filter f = { .state = http_query(req, "state"),
				       .repo = http_query(req, "repo"),
				       .ref = http_query(req, "ref"),
				       .cursor = http_query(req, "cursor") };
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	int64_t limit = 100;
	int r;

	if (!api_query_i64(req, res, "limit", 1, 500, &limit))
		return;
	if (f.state && !is_state(f.state)) {
		http_res_problem(res, 400,
				 "?state= is open, or one of new, confirmed, bisected, fixed, "
				 "flaky, infrastructure, stale");
		return;
	}
	f.limit = (int)limit;
	r = view_regressions(srv->store, &f, &view, &err);
	api_view(req, res, r, view, &err);
}

void api_regression(struct server *srv, const struct http_req *req, struct http_res *res)
{
	api_view_by_id(srv, req, res, view_regression);
}
