// SPDX-License-Identifier: MIT
/* Files that are part of the program (web/static, embedded by tools/embed). */
#include <string.h>

#include "server/api.h"

#if __has_include("static_files.h")
#include "static_files.h"

static void send_file(const struct http_req *req, struct http_res *res, const struct static_file *f)
{
	CLEANUP(free_p) char *etag = xasprintf("W/\"%s\"", f->etag);
	const char *have = http_header(req, "If-None-Match");

	/* Weak: compressed and plain are not the same bytes. */
	http_res_header(res, "ETag", etag);
	/* Asked for again at every use, so that an update shows at once; 304 costs nothing. */
	http_res_header(res, "Cache-Control", "public, no-cache");
	if (have && strstr(have, etag + 2)) {
		res->status = 304;
		return;
	}
	res->content_type = f->mime;
	buf_add(&res->body, f->data, f->len);
}
#endif

void static_file_get(struct server *srv, const struct http_req *req, struct http_res *res)
{
	(void)srv;
#if __has_include("static_files.h")
	const struct static_file *f = static_file_find(req->params[0]);

	if (f) {
		send_file(req, res, f);
		return;
	}
#endif
	(void)req;
	http_res_problem(res, 404, "there is no such file");
}
