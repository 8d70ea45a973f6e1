/* SPDX-License-Identifier: MIT */
/* /commits/{sha}/coverage: the places that can fail, and which were made to fail. */
#include <string.h>

#include "server/api.h"
#include "server/pages.h"

static void put_lacks(struct json_object *config)
{
	struct json_object *lacks = json_object_object_get(config, "lacks");
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	for (size_t i = 0; i < json_object_array_length(lacks); i++)
		buf_printf(&text, "%s%s", i ? ", " : "",
			   json_object_get_string(json_object_array_get_idx(lacks, i)));
	json_object_object_add(config, "lacks_text", json_str(buf_cstr(&text)));
}

/* For the template: the words that its cells are drawn by. */
static void prepare(struct json_object *view)
{
	static const struct {
		const char *state, *status;
	} looks[] = { { "reached", "PASS" },
		      { "missed", "ERROR" },
		      { "skipped", "SKIP" },
		      { "not_run", "MISS" } };
	struct json_object *chains = json_object_object_get(view, "chains");

	for (size_t i = 0; i < json_object_array_length(chains); i++) {
		struct json_object *chain = json_object_array_get_idx(chains, i);
		struct json_object *configs = json_object_object_get(chain, "configs");

		for (size_t k = 0; k < json_object_array_length(configs); k++) {
			struct json_object *c = json_object_array_get_idx(configs, k);

			put_lacks(c);
			for (size_t l = 0; l < ARRAY_SIZE(looks); l++)
				if (!strcmp(page_str(c, "state"), looks[l].state))
					json_object_object_add(c, "look",
							       json_str(looks[l].status));
		}
	}
}

void page_coverage(struct server *srv, const struct http_req *req, struct http_res *res)
{
	const char *sha = req->params[0];
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	int r;

	if (!page_is_html(req)) {
		api_coverage(srv, req, res);
		return;
	}
	r = view_coverage(srv->store, sha, &view, &err);
	if (!r)
		prepare(view);
	page_answer(req, res, r, PAGE_COVERAGE, "none",
		    xasprintf("Coverage of %.12s %s", sha, r ? "" : page_str(view, "subject")),
		    view, &err);
}
