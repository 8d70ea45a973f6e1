// SPDX-License-Identifier: MIT
/* A run's log: raw bytes, a stream of what comes, and where something is in it. */
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "server/api.h"
#include "server/logview.h"
#include "server/runlog.h"

#define BATCH_BYTES (256 << 10) /* of one filling of a stream */
#define BEAT_US (14 * US_PER_S) /* a client that vanished is noticed when a write fails */
#define FIND_LEN 200

/* "bytes=N-", "bytes=N-M", "bytes=-N" (RFC 9110, 14.1.2); one range. False: not one of these, which
 * means the whole file. */
static bool parse_range(const char *s, int64_t size, int64_t *ret_from, int64_t *ret_to)
{
	const char *dash;
	long long from = 0, to = size - 1;
	CLEANUP(free_p) char *first = NULL;

	if (strncmp(s, "bytes=", 6) || strchr(s, ',') || !(dash = strchr(s, '-')))
		return false;
	s += 6;
	first = xstrndup(s, (size_t)(dash - s));
	if (!*first) {
		if (str_to_i64(dash + 1, 1, INT64_MAX, &to))
			return false;
		from = to < size ? size - to : 0;
		to = size - 1;
	} else if (str_to_i64(first, 0, INT64_MAX, &from) ||
		   (dash[1] && str_to_i64(dash + 1, from, INT64_MAX, &to))) {
		return false;
	}
	*ret_from = from;
	*ret_to = to < size ? to : size - 1;
	return true;
}

/* --- what comes ------------------------------------------------------------------------------- */

/* Follows a log that grows: what is there, then what comes, until the run has ended. */
struct follower {
	struct server *srv;
	int64_t run, at;
	int64_t sent_us; /* events: monotonic */
	bool (*add)(struct follower *f, int fd, int64_t size, bool ended, struct buf *out);
};

/* Appends the next bytes; false when there are none. */
static bool add_raw(struct follower *f, int fd, int64_t size, bool ended, struct buf *out)
{
	char block[32768];
	int64_t want = size - f->at;
	ssize_t n;

	(void)ended;
	n = pread(fd, block, want < (int64_t)sizeof(block) ? (size_t)want : sizeof(block), f->at);
	if (n <= 0)
		return false;
	buf_add(out, block, (size_t)n);
	f->at += n;
	return true;
}

/* The same as an event, whole lines. */
static bool add_event(struct follower *f, int fd, int64_t size, bool ended, struct buf *out)
{
	CLEANUP(json_put_p) struct json_object *o = json_object_new_object();
	struct json_object *results = NULL, *chunks = NULL;
	CLEANUP(free_p) char *data = NULL;
	struct log_window w;
	int r = logview_tail(fd, size, f->at, ended, &w, NULL);

	if (r || w.from == w.to)
		return false;
	r = view_run_results_at(f->srv->store, f->run, w.from, w.to, &results, NULL);
	if (!r)
		r = logview_chunks(fd, &w, results, &chunks, NULL);
	json_object_put(results);
	if (r)
		return false;
	json_object_object_add(o, "from", json_object_new_int64(w.from));
	json_object_object_add(o, "to", json_object_new_int64(w.to));
	json_object_object_add(o, "size", json_object_new_int64(w.size));
	json_object_object_add(o, "chunks", chunks);
	data = json_text(o);
	buf_printf(out, "id: %lld\nevent: log\ndata: %s\n\n", (long long)w.to, data);
	f->at = w.to;
	return true;
}

static int follow(void *arg, struct buf *out)
{
	struct follower *f = arg;
	CLEANUP(close_p) int fd = -1;
	bool truncated, ended = true;
	int64_t size = 0;

	/* Whether it ended first: what comes behind that is not missed then. */
	if (store_run_log(f->srv->store, f->run, &size, &ended, NULL) ||
	    runlog_read(f->srv->runlog, f->run, &fd, &size, &truncated, NULL))
		return 0;
	while (fd >= 0 && f->at < size && out->len < BATCH_BYTES)
		if (!f->add(f, fd, size, ended, out))
			break;
	return !ended || (f->at < size && out->len >= BATCH_BYTES);
}

static int follow_events(void *arg, struct buf *out)
{
	struct follower *f = arg;
	int more = follow(f, out);

	if (!more)
		buf_printf(out, "id: %lld\nevent: end\ndata: {}\n\n", (long long)f->at);
	else if (!out->len && clock_mono_us() - f->sent_us >= BEAT_US)
		buf_str(out, ": beat\n\n");
	if (out->len)
		f->sent_us = clock_mono_us();
	return more;
}

static void start_follow(struct server *srv, const struct http_req *req, struct http_res *res,
			 int64_t run, int64_t offset)
{
	const char *accept = http_header(req, "Accept");
	bool events = accept && strstr(accept, "text/event-stream");
	struct follower *f = xcalloc(1, sizeof(*f));

	f->srv = srv;
	f->run = run;
	f->at = offset;
	f->add = events ? add_event : add_raw;
	if (events)
		res->content_type = "text/event-stream";
	res->stream = events ? follow_events : follow;
	res->stream_free = free;
	res->stream_arg = f;
	http_res_header(res, "Cache-Control", "no-store");
	http_res_header(res, "X-Accel-Buffering", "no");
}

/* --- what is there ---------------------------------------------------------------------------- */

/* Part [from, to] of a file of `size` bytes; `partial` answers 206. */
static void send_part(struct http_res *res, int fd, int64_t from, int64_t to, int64_t size,
		      bool partial)
{
	char range[80];

	res->file_fd = fd;
	res->file_offset = from;
	res->file_len = to - from + 1;
	if (!partial)
		return;
	res->status = 206;
	snprintf(range, sizeof(range), "bytes %lld-%lld/%lld", (long long)from, (long long)to,
		 (long long)size);
	http_res_header(res, "Content-Range", range);
}

static void beyond(struct http_res *res, int64_t size)
{
	char range[40];

	snprintf(range, sizeof(range), "bytes */%lld", (long long)size);
	http_res_problem(res, 416, "the log has %lld bytes", (long long)size);
	http_res_header(res, "Content-Range", range);
}

void api_run_log(struct server *srv, const struct http_req *req, struct http_res *res)
{
	const char *range = http_header(req, "Range"), *last = http_header(req, "Last-Event-ID");
	CLEANUP(close_p) int fd = -1;
	struct error err = ERROR_INIT;
	int64_t id, offset = 0, follow_it = 0, size = 0, from = 0, to;
	bool truncated = false, partial;
	char text[24];
	long long seen;

	if (!api_id(req, res, 0, &id) ||
	    !api_query_i64(req, res, "offset", 0, INT64_MAX, &offset) ||
	    !api_query_i64(req, res, "follow", 0, 1, &follow_it))
		return;
	if (runlog_read(srv->runlog, id, &fd, &size, &truncated, &err)) {
		api_error(req, res, &err);
		return;
	}
	if (follow_it && last && !str_to_i64(last, 0, INT64_MAX, &seen))
		offset = seen;
	/* Bytes of a guest: shown as text and as nothing else. */
	res->content_type = "text/plain; charset=utf-8";
	snprintf(text, sizeof(text), "%lld", (long long)size);
	http_res_header(res, "Faultline-Log-Size", text);
	http_res_header(res, "Accept-Ranges", "bytes");
	if (truncated)
		http_res_header(res, "Faultline-Log-Truncated", "1");
	to = size - 1;
	partial = range && parse_range(range, size, &from, &to);
	if (offset > size || (partial && from >= size)) {
		beyond(res, size);
	} else if (follow_it) {
		start_follow(srv, req, res, id, offset);
	} else if (fd >= 0 && size) {
		if (!partial)
			from = offset;
		if (from <= to)
			send_part(res, steal_fd(&fd), from, to, size, partial);
	}
}

/* --- where something is ------------------------------------------------------------------------ */

static void add_offset(struct json_object *o, const char *key, int64_t at)
{
	json_object_object_add(o, key, at < 0 ? NULL : json_object_new_int64(at));
}

/* ?result=&mark= */
static bool find_mark(struct server *srv, const struct http_req *req, struct http_res *res,
		      int64_t run, int fd, int64_t *ret_at)
{
	const char *name = http_query(req, "mark");
	enum log_mark mark = LOG_MARK_NONE;
	struct error err = ERROR_INIT;
	int64_t result = 0, from = 0, len = 0;

	if (!api_query_i64(req, res, "result", 1, INT64_MAX, &result))
		return false;
	if (!log_mark_parse(name, &mark)) {
		http_res_problem(res, 400, "?mark= is splat or inject");
		return false;
	}
	if (store_result_part(srv->store, run, result, &from, &len, &err) ||
	    logview_find_mark(fd, from, len, mark, ret_at, &err)) {
		api_error(req, res, &err);
		return false;
	}
	return true;
}

void api_run_log_find(struct server *srv, const struct http_req *req, struct http_res *res)
{
	const char *text = http_query(req, "q");
	CLEANUP(close_p) int fd = -1;
	struct error err = ERROR_INIT;
	int64_t id, offset = 0, back = 0, size = 0, at = -1, next = -1;
	struct json_object *o;
	bool truncated;

	if (!api_id(req, res, 0, &id) ||
	    !api_query_i64(req, res, "offset", 0, INT64_MAX, &offset) ||
	    !api_query_i64(req, res, "back", 0, 1, &back))
		return;
	if (!http_query(req, "mark") && (!text || !*text || strlen(text) > FIND_LEN)) {
		http_res_problem(res, 400, "?q= is 1 to %d bytes of text", FIND_LEN);
		return;
	}
	if (runlog_read(srv->runlog, id, &fd, &size, &truncated, &err)) {
		api_error(req, res, &err);
		return;
	}
	if (http_query(req, "mark")) {
		if (!find_mark(srv, req, res, id, fd, &at))
			return;
	} else if (logview_find(fd, size, offset, back, text, &at, &next, &err)) {
		api_error(req, res, &err);
		return;
	}
	o = json_object_new_object();
	add_offset(o, "at", at);
	add_offset(o, "next", next);
	http_res_json(res, 200, o);
}
