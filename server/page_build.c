/* SPDX-License-Identifier: MIT */
/* /builds with filters, and /builds/{id}: status, errors, warnings by file. */
#include <string.h>

#include "server/api.h"
#include "server/pages.h"

#define PER_PAGE 50

/* ?status=&warnings=&cursor=&limit=; an empty field of the form is no filter. False when the problem
 * is answered. */
static bool read_filter(const struct http_req *req, struct http_res *res, struct build_filter *ret)
{
	static const char *const words[] = { "PASS", "FAIL", "MISS", "open" };
	const char *status = http_field(req, "status");
	int64_t warnings = 0, limit = PER_PAGE;
	bool known = !status;

	if (!api_query_i64(req, res, "warnings", 0, 1, &warnings) ||
	    !api_query_i64(req, res, "limit", 1, 500, &limit))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(words) && !known; i++)
		known = !strcmp(status, words[i]);
	if (!known) {
		http_res_problem(res, 400, "?status= is one of PASS, FAIL, MISS, open");
		return false;
	}
	ret->status = status;
	ret->warnings = warnings;
	ret->cursor = http_query(req, "cursor");
	ret->limit = (int)limit;
	return true;
}

void api_builds(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	struct build_filter f;
	int r;

	if (!read_filter(req, res, &f))
		return;
	r = view_builds(srv->store, &f, &view, &err);
	api_view(req, res, r, view, &err);
}

void page_builds(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *view = NULL, *filter;
	struct error err = ERROR_INIT;
	struct build_filter f;
	int r;

	if (!page_is_html(req)) {
		api_builds(srv, req, res);
		return;
	}
	if (!read_filter(req, res, &f)) {
		page_problem(req, res);
		return;
	}
	r = view_builds(srv->store, &f, &view, &err);
	if (!r) {
		filter = json_object_new_object();
		json_object_object_add(filter, "status", json_str(f.status));
		json_object_object_add(filter, "warnings", json_object_new_boolean(f.warnings));
		json_object_object_add(view, "filter", filter);
	}
	page_answer(req, res, r, PAGE_BUILDS, "builds", xstrdup("Builds"), view, &err);
}

/* --- one ---------------------------------------------------------------------------------------- */

static struct json_object *file_of(struct json_object *files, const char *name, size_t len)
{
	struct json_object *o;

	for (size_t i = 0; i < json_object_array_length(files); i++) {
		const char *has = page_str(o = json_object_array_get_idx(files, i), "file");

		if (strlen(has) == len && !memcmp(has, name, len))
			return o;
	}
	o = json_object_new_object();
	json_object_object_add(o, "file", json_strn(name, len));
	json_object_object_add(o, "n", json_object_new_int64(0));
	json_object_object_add(o, "lines", json_object_new_array());
	json_object_array_add(files, o);
	return o;
}

/* "mm/rmap.c:12:3: …" goes to mm/rmap.c, what has no file to "". In the order of the first ones. */
static struct json_object *by_file(struct json_object *lines)
{
	struct json_object *files = json_object_new_array();
	size_t n = json_object_is_type(lines, json_type_array) ? json_object_array_length(lines)
							       : 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *line = json_object_array_get_idx(lines, i), *file;
		const char *s = json_object_get_string(line);
		size_t len = s ? strcspn(s, ": ") : 0;

		file = file_of(files, s, s && s[len] == ':' ? len : 0);
		json_object_array_add(json_object_object_get(file, "lines"), json_object_get(line));
		json_object_object_add(file, "n", json_object_new_int64(page_i64(file, "n") + 1));
	}
	return files;
}

static char *prepare(struct json_object *view, int64_t id)
{
	json_object_object_add(view, "warned", by_file(json_object_object_get(view, "warnings")));
	return xasprintf("Build %lld", (long long)id);
}

void page_build(struct server *srv, const struct http_req *req, struct http_res *res)
{
	static const struct page_of page = { PAGE_BUILD, "builds", api_build, view_build, prepare };

	page_show(srv, req, res, &page);
}
