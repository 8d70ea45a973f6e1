/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/clean.h"
#include "server/http_conn.h"

struct hit {
	enum match match;
	const struct http_route *route;
	char *params[HTTP_MAX_PARAMS];
	const char *format;
	char allow[64];
};

static void hit_free(struct hit *h)
{
	for (int i = 0; i < HTTP_MAX_PARAMS; i++)
		free(h->params[i]);
}

static struct hit find(const char *method, const char *path)
{
	struct hit h = { 0 };

	h.match = http_match(http_routes, http_n_routes, method, path, &h.route, h.params,
			     &h.format, h.allow);
	return h;
}

static void test_found(void **state)
{
	static const struct {
		const char *method, *path, *pattern, *p0, *p1, *format;
	} cases[] = {
		{ "GET", "/healthz", "/healthz", NULL, NULL, NULL },
		{ "GET", "/api/v1/submissions", "/api/v1/submissions", NULL, NULL, NULL },
		{ "GET", "/api/v1/submissions.csv", "/api/v1/submissions", NULL, NULL, "csv" },
		{ "GET", "/api/v1/submissions/7", "/api/v1/submissions/{id}", "7", NULL, NULL },
		{ "GET", "/api/v1/submissions/7.txt", "/api/v1/submissions/{id}", "7", NULL,
		  "txt" },
		{ "GET", "/api/v1/compare.csv", "/api/v1/compare", NULL, NULL, "csv" },
		{ "GET", "/compare", "/compare", NULL, NULL, NULL },
		{ "GET", "/api/v1/regressions/7.mbox", "/api/v1/regressions/{id}", "7", NULL,
		  "mbox" },
		{ "GET", "/compare.txt", "/compare", NULL, NULL, "txt" },
		{ "GET", "/feeds/regressions.atom", "/feeds/regressions.atom", NULL, NULL, NULL },
		{ "GET", "/regressions", "/regressions", NULL, NULL, NULL },
		{ "GET", "/regressions.csv", "/regressions", NULL, NULL, "csv" },
		{ "GET", "/regressions/7", "/regressions/{id}", "7", NULL, NULL },
		{ "GET", "/regressions/7.txt", "/regressions/{id}", "7", NULL, "txt" },
		{ "GET", "/api/v1/openapi.json", "/api/v1/openapi.json", NULL, NULL, NULL },
		{ "GET", "/api/v1/builds/3/artifacts/notes.txt",
		  "/api/v1/builds/{id}/artifacts/{name}", "3", "notes.txt", NULL },
		{ "GET", "/api/v1/branches/mm/a/b.csv", "/api/v1/branches/{repo}/{path*}", "mm",
		  "a/b", "csv" },
		{ "GET", "/api/v1/branches/mm/a/b", "/api/v1/branches/{repo}/{path*}", "mm", "a/b",
		  NULL },
		{ "POST", "/api/v1/branches/poll", "/api/v1/branches/poll", NULL, NULL, NULL },
		{ "POST", "/api/v1/tokens/a%2Db/revoke", "/api/v1/tokens/{name}/revoke", "a-b",
		  NULL, NULL },
		{ "GET", "/git/demo.git/info/refs", "/git/{repo}.git/info/refs", "demo", NULL,
		  NULL },
		{ "POST", "/git/a.b.git/git-upload-pack", "/git/{repo}.git/git-upload-pack", "a.b",
		  NULL, NULL },
		{ "GET", "/static/js/live.js", "/static/{file*}", "js/live.js", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(hit_free) struct hit h = find(cases[i].method, cases[i].path);

		if (h.match != MATCH_OK || strcmp(h.route->pattern, cases[i].pattern))
			fail_msg("%s: %s", cases[i].path, h.route ? h.route->pattern : "nothing");
		assert_string_equal(h.params[0] ? h.params[0] : "", cases[i].p0 ? cases[i].p0 : "");
		assert_string_equal(h.params[1] ? h.params[1] : "", cases[i].p1 ? cases[i].p1 : "");
		assert_string_equal(h.format ? h.format : "",
				    cases[i].format ? cases[i].format : "");
	}
}

static void test_not_found(void **state)
{
	static const char *const paths[] = {
		"",
		"healthz",
		"//healthz",
		"/healthz/",
		"/healthz/x",
		"/api/v1",
		"/api/v1/submissions/",
		"/api/v1/submissions/1/2",
		"/api/v1/submissions/%",
		"/api/v1/submissions/%00",
		"/api/v1/submissions/%ff",
		"/api/v1/submissions/%0a",
		"/git/.git/info/refs",
		"/git/demo/info/refs",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		CLEANUP(hit_free) struct hit h = find("GET", paths[i]);

		if (h.match == MATCH_OK)
			fail_msg("'%s' is %s", paths[i], h.route->pattern);
	}
}

static void test_method(void **state)
{
	CLEANUP(hit_free) struct hit get = find("DELETE", "/api/v1/submissions");
	CLEANUP(hit_free) struct hit put = find("GET", "/api/v1/jobs/1/artifacts/x");

	(void)state;
	assert_int_equal(get.match, MATCH_METHOD);
	assert_string_equal(get.allow, "POST, GET, HEAD");
	assert_int_equal(put.match, MATCH_METHOD);
	assert_string_equal(put.allow, "PUT");
}

/* What must never be open without a token, and what must. */
static void test_roles(void **state)
{
	(void)state;
	for (size_t i = 0; i < http_n_routes; i++) {
		const struct http_route *r = &http_routes[i];
		bool jobs = str_starts(r->pattern, "/api/v1/jobs/");
		bool git = str_starts(r->pattern, "/git/");

		assert_non_null(r->handler);
		assert_true(r->summary && r->summary[0]);
		assert_int_equal(r->pattern[0], '/');
		if (jobs)
			assert_int_equal(r->role, ROLE_AGENT);
		if (str_starts(r->pattern, "/api/v1/tokens") || strstr(r->pattern, "backup"))
			assert_int_equal(r->role, ROLE_ADMIN);
		if (strcmp(r->method, "GET") && !jobs && !git)
			assert_true(r->role == ROLE_MAINTAINER || r->role == ROLE_ADMIN);
		if (r->role != ROLE_NONE)
			assert_false(r->open);
	}
}

static void test_uri(void **state)
{
	static const struct {
		const char *uri;
		bool ok;
	} cases[] = {
		{ "/a?b=c&d=%20e+f&g", true },
		{ "/a?&&b=1&", true },
		{ "/a%zz", false },
		{ "/a%4", false },
		{ "/a?b=%00", false },
		{ "*", false },
		{ "http://x/", false },
		{ "/a?b=%c3", false },
		{ "/%e2%82%ac", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_conn c = { 0 };

		if (http_parse_uri(&c, cases[i].uri) != cases[i].ok)
			fail_msg("%s", cases[i].uri);
		c.req.conn = &c;
		if (!i) {
			assert_string_equal(http_query(&c.req, "b"), "c");
			assert_string_equal(http_query(&c.req, "d"), " e f");
			assert_string_equal(http_query(&c.req, "g"), "");
			assert_null(http_query(&c.req, "h"));
		}
		for (int a = 0; a < c.n_args; a++) {
			free(c.args[a].name);
			free(c.args[a].value);
		}
		free(c.raw_path);
		free(c.path);
		free(c.query);
	}
}

static void test_too_many_args(void **state)
{
	struct http_conn c = { 0 };
	CLEANUP(buf_free) struct buf b = BUF_INIT;

	(void)state;
	buf_str(&b, "/a?");
	for (int i = 0; i < HTTP_MAX_QUERY + 1; i++)
		buf_str(&b, "x=1&");
	assert_false(http_parse_uri(&c, buf_cstr(&b)));
	for (int a = 0; a < c.n_args; a++) {
		free(c.args[a].name);
		free(c.args[a].value);
	}
	free(c.raw_path);
	free(c.path);
	free(c.query);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),  cmocka_unit_test(test_not_found),
		cmocka_unit_test(test_method), cmocka_unit_test(test_roles),
		cmocka_unit_test(test_uri),    cmocka_unit_test(test_too_many_args),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
