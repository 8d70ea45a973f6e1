// SPDX-License-Identifier: MIT
#include <string.h>

#include "db/store_regress.h"
#include "jobs/report.h"
#include "lib/buf.h"
#include "lib/clean.h"
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

bool api_regression_filter(const struct http_req *req, struct http_res *res,
			   struct regression_filter *ret)
{
	struct regression_filter f = { .state = http_query(req, "state"),
				       .repo = http_query(req, "repo"),
				       .ref = http_query(req, "ref"),
				       .cursor = http_query(req, "cursor") };
	int64_t limit = 100;

	if (!api_query_i64(req, res, "limit", 1, 500, &limit) ||
	    !api_query_i64(req, res, "submission", 1, INT64_MAX, &f.submission))
		return false;
	if (f.state && !is_state(f.state)) {
		http_res_problem(res, 400,
				 "?state= is open, or one of new, confirmed, bisected, fixed, "
				 "flaky, infrastructure, stale");
		return false;
	}
	f.limit = (int)limit;
	*ret = f;
	return true;
}

void api_regressions(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct regression_filter f;
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	int r;

	if (!api_regression_filter(req, res, &f))
		return;
	r = view_regressions(srv->store, &f, &view, &err);
	api_view(req, res, r, view, &err);
}

static bool is_fixed(struct json_object *view)
{
	const char *state = json_object_get_string(json_object_object_get(view, "state"));

	return state && !strcmp(state, "fixed");
}

static struct report_opts options(struct server *srv)
{
	return (struct report_opts){ .url = srv->config->url,
				     .from = srv->config->report_from,
				     .to_author = true };
}

void api_report_text(struct server *srv, struct json_object *view, struct buf *out)
{
	struct report_opts o = options(srv);

	report_text(view, &o, out);
	if (!is_fixed(view))
		return;
	o.kind = REPORT_FIXED;
	buf_char(out, '\n');
	report_text(view, &o, out);
}

/* Of a fixed one the mail that says so stands behind the first. */
static void report_mails(struct server *srv, struct json_object *view, struct buf *out)
{
	struct report_opts o = options(srv);

	report_mbox(view, &o, out);
	if (!is_fixed(view))
		return;
	o.kind = REPORT_FIXED;
	report_mbox(view, &o, out);
}

/* The report of it, as text or as the mail that tells of it. */
static void report(struct server *srv, const struct http_req *req, struct http_res *res, bool mbox)
{
	CLEANUP(json_put_p) struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	int64_t id;

	if (!api_id(req, res, 0, &id))
		return;
	if (view_report(srv->store, id, &view, &err)) {
		api_error(req, res, &err);
		return;
	}
	res->content_type = mbox ? "application/mbox" : "text/plain; charset=utf-8";
	if (mbox)
		report_mails(srv, view, &res->body);
	else
		api_report_text(srv, view, &res->body);
}

void api_regression(struct server *srv, const struct http_req *req, struct http_res *res)
{
	bool mbox = !strcmp(req->format, "mbox");

	if (mbox || !strcmp(req->format, "txt"))
		report(srv, req, res, mbox);
	else
		api_view_by_id(srv, req, res, view_regression);
}
