/* SPDX-License-Identifier: MIT */
/*
 * http: requests and responses as the rest of the server sees them. server/http.c is the only file
 * that knows libmicrohttpd.
 *
 * The adapter reads the whole request within its route's limits, rejects bad framing (both
 * Content-Length and Transfer-Encoding, repeated Content-Length or Host, bad lengths: 400 and
 * close; too large: 413; too many headers: 431), suspends the connection, runs the handler on a
 * worker thread and resumes. Handlers may block on the store and on files.
 *
 *   http.c          libmicrohttpd: daemon, callbacks, replies
 *   http_admit.c    what is decided when the headers are there: framing, route, role, size
 *   http_framing.c  which header sets are refused
 *   http_match.c    address → row of the table
 *   http_pool.c     worker threads, parked requests, waiting streams, deadlines
 *   http_gzip.c     compressed answers
 *   http_stream.c   streamed bodies
 *   http_linger.c   closing without a reset
 *   http_req.c      what handlers ask and say
 */
#ifndef FAULTLINE_SERVER_HTTP_H
#define FAULTLINE_SERVER_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "db/store.h"
#include "lib/buf.h"
#include "lib/json.h"

struct server; /* server/server.h: store, config, tracker, … */
struct http;

#define HTTP_MAX_PARAMS 4

struct http_req {
	const char *method; /* "GET", "POST", "PUT"; HEAD is shown as GET with head set */
	bool head;
	const char *path; /* decoded, without query */
	const char *query; /* as sent, without '?'; "" when there is none */
	const char *params[HTTP_MAX_PARAMS]; /* what the route's {…} stand for, decoded */
	const char *body; /* NULL when it went to body_path or there was none */
	size_t body_len;
	const char *body_path; /* uploads: temporary file with the body; else NULL */
	char body_sha256[HASH_HEX_MAX]; /* of the bytes in body_path, made while they came */
	enum role role; /* of the bearer token; ROLE_NONE without one */
	int64_t token_id;
	const char *format; /* from the address' ending or Accept: html, json, csv, txt, mbox */
	int64_t started_mono_us; /* first run of the handler; the same when it is run again */
	bool draining; /* the server is about to stop: do not park */
	void *conn; /* adapter's own */
};

/* Query argument and header, decoded; NULL when absent. Borrowed. */
const char *http_query(const struct http_req *req, const char *name);
/* The same of a form's field: one that was left empty is not there. */
const char *http_field(const struct http_req *req, const char *name);
const char *http_header(const struct http_req *req, const char *name);
/* Query argument as integer in a range; absent leaves *ret alone; else problem() 400 material. */
must_check int http_query_i64(const struct http_req *req, const char *name, int64_t min,
			      int64_t max, int64_t *ret, struct error *err);
/* True when the client closed its side: what it asked for need not be done. */
bool http_client_gone(const struct http_req *req);

struct http_res {
	int status; /* 200 unless set */
	const char *content_type;
	struct buf body;
	int file_fd; /* >= 0: the body is this file, owned */
	int64_t file_offset, file_len;
	char *extra[8][2]; /* further headers, owned */
	int n_extra;
	/* Streaming (events, log tails): called repeatedly from a worker; appends to `out`;
	 * returns 1 = more later (called again when woken or after 15 s), 0 = end. */
	int (*stream)(void *arg, struct buf *out);
	void (*stream_free)(void *arg); /* on a worker; may block */
	void *stream_arg;
	bool stream_finite; /* has an end of its own: not cut when the server drains */
	/* > 0: no answer yet; the handler is run again when http_wake_parked() is called or this
	 * time is over. No thread is held. */
	int64_t park_ms;
};

void http_res_header(struct http_res *res, const char *name, const char *value);
void http_res_json(struct http_res *res, int status, struct json_object *o); /* takes o */
/* application/problem+json (RFC 9457): status, title from the status, detail. */
void http_res_problem(struct http_res *res, int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The one place that maps errno to HTTP status: ENOENT 404, EINVAL 422 or 400, EEXIST 409,
 * EFBIG 413, ENOSPC 507, EBUSY 503, else 500 (message not shown). */
void http_res_error(struct http_res *res, const struct error *err);
int http_status_of(const struct error *err);
const char *http_status_text(int status); /* "Not Found" */
void http_res_init(struct http_res *res);
void http_res_free(struct http_res *res);

/* Wakes every suspended stream (events were added, log grew). Any thread. */
void http_wake_streams(struct server *srv);
/* Runs parked requests again. Any thread; does not block. */
void http_wake_parked(struct server *srv);
/* Wakes the stream of one connection (req->conn); valid until its stream_free was called. */
void http_wake_stream(void *conn);

typedef void (*http_handler)(struct server *srv, const struct http_req *req, struct http_res *res);

/* One row of the route table. */
struct http_route {
	const char *method;
	/* "/api/v1/jobs/{id}/log": a segment, never empty; {path*} and {file*}: the whole rest. The
	 * ending .json, .csv, .txt, .mbox or .html goes to req->format, but {file*} and a last segment
	 * {name} are taken as they are. */
	const char *pattern;
	enum role role; /* least role that may; ROLE_NONE = public (if reading is public) */
	int64_t max_body_bytes; /* 0 = no body allowed */
	bool body_to_file; /* uploads go to a temporary file */
	http_handler handler;
	const char *summary; /* documentation, also in openapi.json */
	bool open; /* public even where reading is not: probes, static files */
};

extern const struct http_route http_routes[];
extern const size_t http_n_routes;

struct http_conf {
	const char *address; /* "127.0.0.1" or "::1" */
	int port; /* 0 = any */
	const struct http_route *routes;
	size_t n_routes;
	int workers;
	int max_connections, max_per_ip, max_streams;
	int64_t request_timeout_ms; /* headers from the first byte or the last reply on */
	int64_t body_timeout_ms; /* plus a second for every 64 KiB announced */
	bool public_read;
	/* Makes a page of a refusal that the adapter itself decided on; may be NULL. */
	void (*page_problem)(const struct http_req *req, struct http_res *res);
	const char *tmp_dir; /* for uploads; emptied at start by its owner */
};

must_check int http_start(struct server *srv, const struct http_conf *conf, struct http **ret,
			  struct error *err);
int http_port(const struct http *h);
/* Requests in flight and open streams, for /metrics. */
void http_counts(struct http *h, int *ret_requests, int *ret_streams);
/* No new connections; requests finish (parked ones are run once more with draining set, streams
 * end) for at most drain_ms. Waking is still allowed until http_free(). NULL is fine. */
void http_stop(struct http *h, int64_t drain_ms);
void http_free(struct http *h);

#endif
