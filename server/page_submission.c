/* SPDX-License-Identifier: MIT */
/* /submissions and /submissions/{id}. */
#include <string.h>

#include "server/api.h"
#include "server/pages.h"

#define PER_PAGE 50

void page_submissions(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	int r;

	if (!page_is_html(req)) {
		api_submissions(srv, req, res);
		return;
	}
	r = view_submissions(srv->store, http_query(req, "cursor"), PER_PAGE, &view, &err);
	if (!r)
		page_name_items(view, "submissions");
	page_answer(req, res, r, PAGE_SUBMISSIONS, "submissions", xstrdup("Submissions"), view,
		    &err);
}

void page_submission(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct regression_filter f = { .limit = PER_PAGE };
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	int64_t id;
	int r;

	if (!strcmp(req->format, "json")) {
		api_submission(srv, req, res);
		return;
	}
	if (!page_id(req, res, &id))
		return;
	r = page_is_html(req) ? view_submission_brief(srv->store, id, &view, &err)
			      : view_submission(srv->store, id, &view, &err);
	f.submission = id;
	if (!page_is_html(req)) {
		page_matrix_table(req, res, r, view, &err);
		return;
	}
	if (!r)
		r = page_regressions_add(srv->store, &f, view, &err);
	if (!r) {
		const char *state = page_str(view, "state");
		struct json_object *progress = json_object_object_get(view, "progress");
		struct json_object *running = progress ? json_object_object_get(progress, "running")
						       : NULL;

		/* A branch's movement is asked for by commits: they say nothing new. */
		if (!strcmp(page_str(view, "base"), page_str(view, "base_sha")))
			json_object_object_add(view, "base", NULL);
		json_object_object_add(view, "jobs_ended",
				       json_object_new_int64(page_i64(view, "jobs_total") -
							     page_i64(view, "jobs_open")));
		json_object_object_add(view, "any_running",
				       json_object_new_boolean(running &&
							       json_object_array_length(running)));
		json_object_object_add(view, "open",
				       json_object_new_boolean(strcmp(state, "done") &&
							       strcmp(state, "refused")));
	}
	page_answer(req, res, r, PAGE_SUBMISSION, "submissions",
		    xasprintf("Submission %lld", (long long)id), view, &err);
}
