// SPDX-License-Identifier: MIT
#include "server/events.h"

#include <pthread.h>
#include <stdlib.h>

#include "lib/clean.h"
#include "lib/clock.h"
#include "server/server.h"

#define BATCH 200
#define BEAT_US (14 * US_PER_S) /* a client that vanished is noticed when a write fails */

struct events {
	struct store *store;
	pthread_mutex_t lock;
	int64_t last; /* newest id seen so far: the search for the newest starts here */
};

struct watcher {
	struct events *events;
	int64_t after;
	int64_t sent_us;
};

struct events *events_new(struct store *store)
{
	struct events *e = xcalloc(1, sizeof(*e));

	pthread_mutex_init(&e->lock, NULL);
	e->store = store;
	return e;
}

void events_free(struct events *e)
{
	if (!e)
		return;
	pthread_mutex_destroy(&e->lock);
	free(e);
}

static void saw(struct events *e, int64_t id)
{
	pthread_mutex_lock(&e->lock);
	if (id > e->last)
		e->last = id;
	pthread_mutex_unlock(&e->lock);
}

/* One event as text; its id, or 0 when the view is not as expected. */
static int64_t emit(struct json_object *item, struct buf *out)
{
	struct json_object *id, *type, *text;
	CLEANUP(free_p) char *data = NULL;

	if (!json_object_object_get_ex(item, "id", &id) ||
	    !json_object_object_get_ex(item, "type", &type))
		return 0;
	if (out) {
		text = item;
		data = json_text(text);
		buf_printf(out, "id: %lld\nevent: %s\ndata: %s\n\n",
			   (long long)json_object_get_int64(id), json_object_get_string(type),
			   data);
	}
	return json_object_get_int64(id);
}

/* Appends up to BATCH events behind *after (out NULL: only looks). Returns how many, or -errno. */
static int batch(struct events *e, int64_t *after, struct buf *out)
{
	CLEANUP(json_put_p) struct json_object *view = NULL;
	struct json_object *items;
	struct error err = ERROR_INIT;
	int r = view_events(e->store, *after, BATCH, &view, &err);
	size_t n;

	if (r)
		return r;
	if (!json_object_object_get_ex(view, "items", &items))
		return 0;
	n = json_object_array_length(items);
	for (size_t i = 0; i < n; i++) {
		int64_t id = emit(json_object_array_get_idx(items, i), out);

		if (id > *after)
			*after = id;
	}
	saw(e, *after);
	return (int)n;
}

static int watch(void *arg, struct buf *out)
{
	struct watcher *w = arg;
	int n = batch(w->events, &w->after, out);

	if (n < 0)
		return 0; /* the client comes back and goes on where it was */
	if (!n && clock_mono_us() - w->sent_us >= BEAT_US)
		buf_str(out, ": beat\n\n");
	if (out->len)
		w->sent_us = clock_mono_us();
	return 1;
}

static int64_t newest(struct events *e)
{
	int64_t last;

	pthread_mutex_lock(&e->lock);
	last = e->last;
	pthread_mutex_unlock(&e->lock);
	while (batch(e, &last, NULL) == BATCH)
		;
	return last;
}

void api_events(struct server *srv, const struct http_req *req, struct http_res *res)
{
	const char *given = http_header(req, "Last-Event-ID");
	struct error err = ERROR_INIT;
	int64_t after = -1;
	struct watcher *w;
	long long id;

	if (http_query_i64(req, "after", 0, INT64_MAX, &after, &err)) {
		http_res_problem(res, 400, "%s", err.msg);
		return;
	}
	if (given && !str_to_i64(given, 0, INT64_MAX, &id))
		after = id;
	w = xcalloc(1, sizeof(*w));
	w->events = srv->events;
	w->after = after >= 0 ? after : newest(srv->events);
	res->content_type = "text/event-stream";
	res->stream = watch;
	res->stream_free = free;
	res->stream_arg = w;
	http_res_header(res, "Cache-Control", "no-store");
	http_res_header(res, "X-Accel-Buffering", "no");
}
