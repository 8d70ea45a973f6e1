/* SPDX-License-Identifier: MIT */
/*
 * pages: the dashboard, one file a page. A handler is parse → store view → render; what a page
 * shows is the object that its JSON gives, with a few members that templates need.
 *
 * A page is read by people: any format but HTML is answered by the API's own handler, or as a table
 * of the matrix. Errors are pages too.
 * Included by routes.c and page_*.c.
 */
#ifndef FAULTLINE_SERVER_PAGES_H
#define FAULTLINE_SERVER_PAGES_H

#include "db/store_regress.h"
#include "server/http.h"
#include "server/render.h"

#define PAGE_HANDLER(name) \
	void name(struct server *srv, const struct http_req *req, struct http_res *res)

PAGE_HANDLER(page_overview);
PAGE_HANDLER(page_branches);
PAGE_HANDLER(page_branch);
PAGE_HANDLER(page_submissions);
PAGE_HANDLER(page_submission);
PAGE_HANDLER(page_commit);
PAGE_HANDLER(page_coverage);
PAGE_HANDLER(page_coverage_line);
PAGE_HANDLER(page_compare);
PAGE_HANDLER(page_run);
PAGE_HANDLER(page_run_log);
PAGE_HANDLER(page_results);
PAGE_HANDLER(page_result);
PAGE_HANDLER(page_builds);
PAGE_HANDLER(page_build);
PAGE_HANDLER(page_regressions);
PAGE_HANDLER(page_regression);
PAGE_HANDLER(page_agents);
PAGE_HANDLER(page_search);
PAGE_HANDLER(page_outbox);
PAGE_HANDLER(page_series);
PAGE_HANDLER(page_case);

/* clang-format off */
#define PAGE(path, handler, summary) { "GET", path, ROLE_NONE, 0, false, handler, summary, false },
#define HTTP_PAGE_ROUTES \
	PAGE("/", page_overview, "Dashboard: branches, newest submissions, queue, agents") \
	PAGE("/branches", page_branches, "Dashboard: the followed branches") \
	PAGE("/branches/{repo}/{path*}", page_branch, "Dashboard: commits of a branch × cases") \
	PAGE("/series", page_series, "Dashboard: charts of a branch (?repo=&ref=&metric=&limit=)") \
	PAGE("/cases/{scenario}", page_case, "Dashboard: a case over time (filters as in the API)") \
	PAGE("/submissions", page_submissions, "Dashboard: submissions (?cursor=)") \
	PAGE("/submissions/{id}", page_submission, "Dashboard: one submission with its matrix") \
	PAGE("/commits/{sha}", page_commit, "Dashboard: one commit") \
	PAGE("/commits/{sha}/coverage", page_coverage, "Dashboard: injection sites reached") \
	PAGE("/coverage", page_coverage_line, "Dashboard: injection sites × commits (?repo=&ref=&limit=)") \
	PAGE("/compare", page_compare, "Dashboard: two commits side by side (?a=&b=)") \
	PAGE("/builds", page_builds, "Dashboard: builds (?status=&warnings=1&cursor=)") \
	PAGE("/builds/{id}", page_build, "Dashboard: one build") \
	PAGE("/runs/{id}", page_run, "Dashboard: one run with its cases") \
	PAGE("/runs/{id}/log", page_run_log, "Dashboard: a run's log (?offset=, ?result=)") \
	PAGE("/results", page_results, "Dashboard: results (filters as in the API)") \
	PAGE("/results/{id}", page_result, "Dashboard: one result") \
	PAGE("/regressions", page_regressions, "Dashboard: regressions (?state=&repo=&ref=)") \
	PAGE("/regressions/{id}", page_regression, "Dashboard: one regression and its life") \
	PAGE("/agents", page_agents, "Dashboard: agents") \
	PAGE("/search", page_search, "Dashboard: what a text may be the name of (?q=)") \
	{ "GET", "/outbox", ROLE_ADMIN, 0, false, page_outbox, \
	  "Dashboard: what was told about regressions (?state=)", false },
/* clang-format on */

/* --- shared (page.c) ----------------------------------------------------------------------- */

/* True unless JSON, CSV or plain text was asked for. */
bool page_is_html(const struct http_req *req);
/* Renders the view (taken) with the member "page" added: title, address, which entry of the
 * navigation is lit. r and err as of the call that made the view: an error becomes an error page. */
void page_answer(const struct http_req *req, struct http_res *res, int r, enum template_id id,
		 const char *nav, char *title /* taken */, struct json_object *view,
		 const struct error *err);
/* An answer that is application/problem+json becomes a page that says the same. */
void page_problem(const struct http_req *req, struct http_res *res);
/* The id in the address; else an error page. */
bool page_id(const struct http_req *req, struct http_res *res, int64_t *ret_id);

/* The page of one thing that its address names by an id. */
struct page_of {
	enum template_id id;
	const char *nav; /* which entry of the navigation is lit */
	void (*api)(struct server *srv, const struct http_req *req, struct http_res *res);
	int (*view)(struct store *s, int64_t id, struct json_object **ret, struct error *err);
	/* Adds what the template needs besides; the title, owned. */
	char *(*prepare)(struct json_object *view, int64_t id);
};
/* Every format but HTML is the API's answer. */
void page_show(struct server *srv, const struct http_req *req, struct http_res *res,
	       const struct page_of *p);

/* CSV or plain text of the matrix of a view (taken). */
void page_matrix_table(const struct http_req *req, struct http_res *res, int r,
		       struct json_object *view, const struct error *err);

/* A view with "points" and "series" (view_series()) gets what part_charts.html draws: at most `max`
 * charts, the names of those that are more, the regressions that are marked, both ends of the row
 * (page_charts.c). */
#define PAGE_CHARTS_MAX 12
void page_charts_prepare(struct json_object *view, size_t max);

/* A view with "branches": each gets "drawn", what its newest submissions came to (page_branch.c). */
void page_branches_prepare(struct json_object *view);

/* A view with "regressions": each gets "look", the verdict that its state is drawn as
 * (page_regress.c). */
void page_regressions_prepare(struct json_object *view);
/* Adds "regressions" to a view, of the filter, prepared. */
must_check int page_regressions_add(struct store *s, const struct regression_filter *f,
				    struct json_object *view, struct error *err);

/* A whole result: counters, stacks and traces get the rows that templates show (page_result.c). */
void page_result_prepare(struct json_object *view);

/* The messages of a view, in an array: each gets "look", and "doubtful" (page_outbox.c). */
void page_messages_prepare(struct json_object *list);

/* The items of a list view under a name of their own, for templates that several pages share. */
void page_name_items(struct json_object *view, const char *name);

/* Shorthands: a member as text ("" when it is not there), as number (0). */
const char *page_str(struct json_object *o, const char *key);
int64_t page_i64(struct json_object *o, const char *key);

#endif
