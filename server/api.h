/* SPDX-License-Identifier: MIT */
/*
 * api: the handlers of /api/v1, one file a subject, and what they share. A handler is
 * parse → store → view → answer. Rows and documentation: routes.c.
 */
#ifndef FAULTLINE_SERVER_API_H
#define FAULTLINE_SERVER_API_H

#include "jobs/export.h"
#include "server/http.h"
#include "server/server.h"

/* --- shared (api.c) ------------------------------------------------------------------------ */

/* The body as a JSON object: 415 for another type, 400 for what is no JSON object. *ret_obj is a
 * new reference. False when the response is filled. */
bool api_body(const struct http_req *req, struct http_res *res, struct json_object **ret_obj);
/* Parameter `i` of the address as an id; 404 otherwise. */
bool api_id(const struct http_req *req, struct http_res *res, int i, int64_t *ret_id);
/* ?name= as an integer; 400 otherwise. Absent leaves *ret alone. */
bool api_query_i64(const struct http_req *req, struct http_res *res, const char *name, int64_t min,
		   int64_t max, int64_t *ret);
/* Answers with a view (taken), or with the error when r is not 0. Lists ("items") and tables also
 * as .csv and .txt. */
void api_view(const struct http_req *req, struct http_res *res, int r, struct json_object *view,
	      const struct error *err);
/* What went wrong inside goes to the log, what the client did wrong to the client. */
void api_error(const struct http_req *req, struct http_res *res, const struct error *err);

/* What is asked for again and again (feeds, badges): the body with an ETag, or 304 for who has it.
 * Nobody may keep it without asking. `type` is static. */
void api_send_fresh(const struct http_req *req, struct http_res *res, const char *type);

/* Answers a page of results in one of the formats of jobs/export.h (api_export.c); `view` is that of
 * view_results() with full documents, and is taken. */
void api_export(struct server *srv, const struct http_req *req, struct http_res *res,
		const struct export_format *format, const struct result_filter *f,
		struct json_object *view);
/* The Link header of a page that has a next one. */
void api_link_next(struct http_res *res, struct json_object *view);

/* --- handlers ---------------------------------------------------------------------------------- */

#define API_HANDLER(name) \
	void name(struct server *srv, const struct http_req *req, struct http_res *res)

/* Answers with the view of the id in the address. */
void api_view_by_id(struct server *srv, const struct http_req *req, struct http_res *res,
		    int (*view)(struct store *s, int64_t id, struct json_object **ret,
				struct error *err));
/* Reads ?submission= and ?run= into the filter, whose strings the caller has set, and checks it;
 * false when the problem is answered. API and pages take the same filters. */
bool api_result_filter(const struct http_req *req, struct http_res *res, struct result_filter *f);

/* ?state=&repo=&ref=&submission=&cursor=&limit= of regressions; *ret borrows from the request. False
 * when the problem is answered. */
struct regression_filter;
bool api_regression_filter(const struct http_req *req, struct http_res *res,
			   struct regression_filter *ret);

/* The report of a regression (view_report()), of one that is fixed also what says so; appends. */
void api_report_text(struct server *srv, struct json_object *view, struct buf *out);

/* ?a= and ?b= of a comparison; false when the problem is answered. */
bool api_compare_sides(const struct http_req *req, struct http_res *res, const char **ret_a,
		       const char **ret_b);

API_HANDLER(api_search); /* page_search.c */
API_HANDLER(api_case); /* page_case.c */
API_HANDLER(api_series); /* page_series.c */
API_HANDLER(api_submission_post);
API_HANDLER(api_submissions);
API_HANDLER(api_submission);

API_HANDLER(api_job_claim);
API_HANDLER(api_job_heartbeat);
API_HANDLER(api_job_log);
API_HANDLER(api_job_artifact);
API_HANDLER(api_job_result);
API_HANDLER(api_job_release);

API_HANDLER(api_run);
API_HANDLER(api_run_log); /* api_log.c */
API_HANDLER(api_run_log_find);
API_HANDLER(api_results);
API_HANDLER(api_result);
API_HANDLER(api_regressions);
API_HANDLER(api_regression);
API_HANDLER(feed_regressions);
API_HANDLER(badge_branch);
API_HANDLER(api_commit);
API_HANDLER(api_coverage);
API_HANDLER(api_coverage_line);
API_HANDLER(api_compare);
API_HANDLER(api_builds); /* page_build.c */
API_HANDLER(api_build);
API_HANDLER(api_artifact);
API_HANDLER(api_agents);
API_HANDLER(api_stats);
API_HANDLER(api_plans);
API_HANDLER(api_scenarios);

API_HANDLER(api_branches);
API_HANDLER(api_branch);
API_HANDLER(api_branches_poll);

API_HANDLER(api_token_add);
API_HANDLER(api_tokens);
API_HANDLER(api_token_revoke);
API_HANDLER(api_backup);
API_HANDLER(api_outbox);

API_HANDLER(api_healthz);
API_HANDLER(api_readyz);
API_HANDLER(api_metrics);
API_HANDLER(api_openapi);
API_HANDLER(static_file_get);

#endif
