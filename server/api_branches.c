// SPDX-License-Identifier: MIT
#include <string.h>

#include "server/api.h"
#include "server/tracker.h"

void api_branches(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	int r = view_branches(srv->store, &view, &err);

	api_view(req, res, r, view, &err);
}

void api_branch(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	int64_t limit = 20;
	int r;

	if (!api_query_i64(req, res, "limit", 1, 200, &limit))
		return;
	r = view_branch(srv->store, req->params[0], req->params[1], (int)limit, &view, &err);
	api_view(req, res, r, view, &err);
}

void api_branches_poll(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *o = json_object_new_object();

	(void)req;
	tracker_poke(srv->tracker);
	json_object_object_add(o, "repos", json_object_new_int64((int64_t)srv->config->n_repos));
	http_res_json(res, 202, o);
}
