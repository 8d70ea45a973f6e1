// SPDX-License-Identifier: MIT
#include "server/events.h"

#include <stdlib.h>

#include "lib/clean.h"
#include "lib/clock.h"
#include "server/api.h"
#include "server/server.h"

#define BATCH 200
#define BEAT_US (14 * US_PER_S) /* a client that vanished is noticed when a write fails */
/* An event's time is when its change began; readers see it once that is committed. */
#define COMMIT_US (2 * US_PER_S)

struct watcher {
	struct store *store;
	int64_t after; /* id of the last event that was sent */
	int64_t sent_us;
};

/* One event as text; its id, or 0 when the view is not as expected. */
static int64_t emit(struct json_object *item, struct buf *out)
{
	struct json_object *id, *type;
	CLEANUP(free_p) char *data = NULL;

	if (!json_object_object_get_ex(item, "id", &id) ||
	    !json_object_object_get_ex(item, "type", &type))
		return 0;
	data = json_text(item);
	buf_printf(out, "id: %lld\nevent: %s\ndata: %s\n\n", (long long)json_object_get_int64(id),
		   json_object_get_string(type), data);
	return json_object_get_int64(id);
}

/* Appends the next up to BATCH events. Returns how many, or -errno. */
static int batch(struct watcher *w, struct buf *out)
{
	CLEANUP(json_put_p) struct json_object *view = NULL;
	struct json_object *items;
	struct error err = ERROR_INIT;
	int r = view_events(w->store, w->after, BATCH, &view, &err);
	size_t n;

	if (r)
		return r;
	if (!json_object_object_get_ex(view, "items", &items))
		return 0;
	n = json_object_array_length(items);
	for (size_t i = 0; i < n; i++) {
		int64_t id = emit(json_object_array_get_idx(items, i), out);

		if (id > w->after)
			w->after = id;
	}
	return (int)n;
}

static int watch(void *arg, struct buf *out)
{
	struct watcher *w = arg;
	int n = batch(w, out);

	if (n < 0)
		return 0; /* the client comes back and goes on where it was */
	if (!n && clock_mono_us() - w->sent_us >= BEAT_US)
		buf_str(out, ": beat\n\n");
	if (out->len)
		w->sent_us = clock_mono_us();
	return 1;
}

/* The event behind which the stream begins. False: the answer is given. */
static bool begin_after(struct server *srv, const struct http_req *req, struct http_res *res,
			int64_t *ret)
{
	const char *given = http_header(req, "Last-Event-ID"), *since = http_query(req, "since");
	int64_t since_us = INT64_MAX;
	struct error err = ERROR_INIT;
	long long id;

	*ret = -1;
	if (!api_query_i64(req, res, "after", 0, INT64_MAX, ret))
		return false;
	if (since && !clock_parse(since, &since_us)) {
		http_res_problem(res, 400, "?since= must be like 2026-01-31T23:59:59.123456Z");
		return false;
	}
	if (given && !str_to_i64(given, 0, INT64_MAX, &id))
		*ret = id;
	if (*ret >= 0)
		return true;
	if (view_event_before(srv->store, since ? since_us - COMMIT_US : INT64_MAX, ret, &err)) {
		api_error(req, res, &err);
		return false;
	}
	return true;
}

void api_events(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct watcher *w;
	int64_t after;

	if (!begin_after(srv, req, res, &after))
		return;
	w = xcalloc(1, sizeof(*w));
	w->store = srv->store;
	w->after = after;
	res->content_type = "text/event-stream";
	res->stream = watch;
	res->stream_free = free;
	res->stream_arg = w;
	http_res_header(res, "Cache-Control", "no-store");
	http_res_header(res, "X-Accel-Buffering", "no");
}
