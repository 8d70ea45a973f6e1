// SPDX-License-Identifier: MIT
/* /api/v1/outbox and /outbox, for administrators: what people and programs were told. */
#include <string.h>

#include "db/store_outbox.h"
#include "server/api.h"
#include "server/pages.h"

#define PER_PAGE 100

/* The states in the order of a message's life, and the verdict that each is drawn as. */
static const struct {
	const char *state, *look;
} looks[] = { { "waiting", "MISS" },
	      { "sending", "MISS" },
	      { "sent", "PASS" },
	      { "refused", "FAIL" },
	      { "doubtful", "ERROR" } };

static const char *look_of(const char *state)
{
	for (size_t i = 0; i < ARRAY_SIZE(looks); i++)
		if (strcmp(state, looks[i].state) == 0)
			return looks[i].look;
	return NULL;
}

static bool filter(const struct http_req *req, struct http_res *res, const char **ret_state,
		   int64_t *ret_limit)
{
	const char *state = http_query(req, "state");

	*ret_limit = PER_PAGE;
	if (!api_query_i64(req, res, "limit", 1, 500, ret_limit))
		return false;
	if (state && !look_of(state)) {
		http_res_problem(res, 400,
				 "?state= is one of waiting, sending, sent, refused, doubtful");
		return false;
	}
	*ret_state = state;
	return true;
}

void api_outbox(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	const char *state;
	int64_t limit;
	int r;

	if (!filter(req, res, &state, &limit))
		return;
	r = view_outbox(srv->store, state, http_query(req, "cursor"), (int)limit, &view, &err);
	api_view(req, res, r, view, &err);
}

void page_messages_prepare(struct json_object *list)
{
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		const char *state = page_str(o, "state");

		json_object_object_add(o, "look", json_str(look_of(state)));
		json_object_object_add(o, "doubtful",
				       json_object_new_boolean(strcmp(state, "doubtful") == 0));
	}
}

/* What the template needs besides: the messages as they are drawn, and the ways to the other states. */
static void prepare(struct json_object *view, const char *state)
{
	struct json_object *items = json_object_object_get(view, "items");
	struct json_object *states = json_object_new_array();

	page_name_items(view, "messages");
	page_messages_prepare(items);
	for (size_t i = 0; i < ARRAY_SIZE(looks); i++) {
		struct json_object *o = json_object_new_object();
		bool lit = state && strcmp(state, looks[i].state) == 0;

		json_object_object_add(o, "name", json_str(looks[i].state));
		json_object_object_add(o, "lit", json_object_new_boolean(lit));
		json_object_array_add(states, o);
	}
	json_object_object_add(view, "states", states);
	json_object_object_add(view, "state", json_str(state));
	json_object_object_add(view, "any_message",
			       json_object_new_boolean(json_object_array_length(items) > 0));
}

void page_outbox(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	const char *state;
	int64_t limit;
	int r;

	if (!page_is_html(req)) {
		api_outbox(srv, req, res);
		return;
	}
	if (!filter(req, res, &state, &limit)) {
		page_problem(req, res);
		return;
	}
	r = view_outbox(srv->store, state, http_query(req, "cursor"), (int)limit, &view, &err);
	if (!r)
		prepare(view, state);
	page_answer(req, res, r, PAGE_OUTBOX, "regressions", xstrdup("Outbox"), view, &err);
}
