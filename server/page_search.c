/* SPDX-License-Identifier: MIT */
/* /search and its API: what a text may be the name of. */
#include <string.h>

#include "lib/clean.h"
#include "server/api.h"
#include "server/pages.h"

#define TEXT_MAX 200

/* Blanks around it are nobody's intention. Owned; NULL when the response is filled. */
static char *asked(const struct http_req *req, struct http_res *res)
{
	const char *q = http_query(req, "q");
	size_t len;

	q = q ? q + strspn(q, " \t\r\n") : "";
	len = strlen(q);
	while (len && strchr(" \t\r\n", q[len - 1]))
		len--;
	if (len && len <= TEXT_MAX)
		return xstrndup(q, len);
	http_res_problem(
		res, 400,
		len ? "?q= is longer than 200 bytes"
		    : "?q= says what is searched for: a hash, words of a subject or a title, "
		      "a case, a branch");
	return NULL;
}

/* Addresses of branches have their names in them. */
static void put_addresses(struct json_object *view)
{
	struct json_object *items = json_object_object_get(view, "items");

	for (size_t i = 0; i < json_object_array_length(items); i++) {
		struct json_object *o = json_object_array_get_idx(items, i);
		CLEANUP(buf_free) struct buf href = BUF_INIT;
		const char *repo = page_str(o, "repo"), *ref = page_str(o, "ref");

		if (!*ref)
			continue;
		buf_str(&href, "/branches/");
		render_url_part(&href, repo, strlen(repo));
		buf_char(&href, '/');
		render_url_part(&href, ref, strlen(ref));
		json_object_object_add(o, "name", json_str(ref));
		json_object_object_add(o, "href", json_str(buf_cstr(&href)));
		json_object_object_del(o, "repo");
		json_object_object_del(o, "ref");
	}
}

static int search(struct server *srv, const char *q, struct json_object **ret, struct error *err)
{
	int r = view_search(srv->store, q, ret, err);

	if (!r)
		put_addresses(*ret);
	return r;
}

void api_search(struct server *srv, const struct http_req *req, struct http_res *res)
{
	CLEANUP(free_p) char *q = asked(req, res);
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	int r;

	if (!q)
		return;
	r = search(srv, q, &view, &err);
	api_view(req, res, r, view, &err);
}

/* Hashes are read by their beginning. */
static void prepare(struct json_object *view)
{
	struct json_object *found;

	page_name_items(view, "found");
	found = json_object_object_get(view, "found");
	for (size_t i = 0; i < json_object_array_length(found); i++) {
		struct json_object *o = json_object_array_get_idx(found, i);
		bool commit = strcmp(page_str(o, "kind"), "commit") == 0;
		const char *name = page_str(o, "name");

		json_object_object_add(o, "label", json_strn(name, commit ? 12 : strlen(name)));
	}
}

void page_search(struct server *srv, const struct http_req *req, struct http_res *res)
{
	CLEANUP(free_p) char *q = NULL;
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	int r = 0;

	if (!page_is_html(req)) {
		api_search(srv, req, res);
		return;
	}
	if (!http_query(req, "q")) {
		view = json_object_new_object();
		json_object_object_add(view, "q", json_str(""));
	} else {
		q = asked(req, res);
		if (!q) {
			page_problem(req, res);
			return;
		}
		r = search(srv, q, &view, &err);
		if (!r)
			prepare(view);
	}
	page_answer(req, res, r, PAGE_SEARCH, "search",
		    q ? xasprintf("Search: %s", q) : xstrdup("Search"), view, &err);
}
