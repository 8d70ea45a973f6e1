// SPDX-License-Identifier: MIT
#include <string.h>

#include "lib/path.h"
#include "server/api.h"

#define DISK_LOW_BYTES (256LL << 20) /* one artifact more might not fit */

void api_healthz(struct server *srv, const struct http_req *req, struct http_res *res)
{
	(void)srv;
	(void)req;
	res->content_type = "text/plain; charset=utf-8";
	http_res_header(res, "Cache-Control", "no-store");
	buf_str(&res->body, "ok\n");
}

void api_readyz(struct server *srv, const struct http_req *req, struct http_res *res)
{
	int64_t free_bytes = path_free_bytes(srv->config->data);
	struct error err = ERROR_INIT;

	if (req->draining)
		http_res_problem(res, 503, "the server is about to stop");
	else if (store_check(srv->store, &err))
		http_res_problem(res, 503, "the database: %s", err.msg);
	else if (free_bytes >= 0 && free_bytes < DISK_LOW_BYTES)
		http_res_problem(res, 503, "the disk is nearly full");
	else
		api_healthz(srv, req, res);
}
