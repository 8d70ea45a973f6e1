// SPDX-License-Identifier: MIT
/* /feeds/regressions.atom. */
#include <errno.h>
#include <string.h>

#include "db/store_regress.h"
#include "jobs/atom.h"
#include "lib/clean.h"
#include "server/api.h"
#include "server/render.h"

static void add_arg(struct buf *query, const char *name, const char *value)
{
	if (!value)
		return;
	buf_printf(query, "%s%s=", query->len ? "&" : "", name);
	render_url_part(query, value, strlen(value));
}

void feed_regressions(struct server *srv, const struct http_req *req, struct http_res *res)
{
	CLEANUP(json_put_p) struct json_object *view = NULL;
	CLEANUP(buf_free) struct buf query = BUF_INIT, what = BUF_INIT;
	struct atom_feed feed = { .origin = srv->config->origin, .url = srv->config->url };
	struct regression_filter f;
	struct error err = ERROR_INIT;
	int r;

	if (!api_regression_filter(req, res, &f))
		return;
	add_arg(&query, "repo", f.repo);
	add_arg(&query, "ref", f.ref);
	add_arg(&query, "state", f.state);
	buf_printf(&what, "%s%s%s",
		   f.repo  ? f.repo
		   : f.ref ? ""
			   : "all branches",
		   f.repo && f.ref ? " " : "", f.ref ? f.ref : "");
	feed.query = buf_cstr(&query);
	feed.what = buf_cstr(&what);
	r = view_regressions(srv->store, &f, &view, &err);
	if (!r && atom_regressions(&feed, view, &res->body, &err)) {
		/* what the database holds is ours: it is no bad request */
		err.code = EBADMSG;
		r = -EBADMSG;
	}
	if (r)
		api_error(req, res, &err);
	else
		api_send_fresh(req, res, "application/atom+xml; charset=utf-8");
}
