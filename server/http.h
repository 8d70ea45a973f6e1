/* SPDX-License-Identifier: MIT */
/*
 * http: requests and responses as the rest of the server sees them. server/http.c is the only file
 * that knows libmicrohttpd.
 *
 * The adapter reads the whole request within its route's limits, rejects bad framing (both
 * Content-Length and Transfer-Encoding, repeated Content-Length or Host, bad lengths: 400 and
 * close; too large: 413; too many headers: 431), suspends the connection, runs the handler on a
 * worker thread and resumes. Handlers may block on the store and on files.
 */
#ifndef FAULTLINE_SERVER_HTTP_H
#define FAULTLINE_SERVER_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "db/store.h"
#include "lib/buf.h"
#include "lib/json.h"

struct server; /* server/server.h: store, config, tracker, … */

#define HTTP_MAX_PARAMS 4

struct http_req {
	const char *method; /* "GET", "POST", "PUT", "HEAD" */
	const char *path; /* decoded, without query */
	const char *params[HTTP_MAX_PARAMS]; /* what the route's {…} stand for */
	const char *body; /* NULL when it went to body_path or there was none */
	size_t body_len;
	const char *body_path; /* uploads: temporary file with the body; else NULL */
	enum role role; /* of the bearer token; ROLE_NONE without one */
	int64_t token_id;
	const char *format; /* "html", "json", "csv", "txt" from the address' ending or Accept */
	void *conn; /* adapter's own */
};

/* Query argument and header, decoded; NULL when absent. Borrowed. */
const char *http_query(const struct http_req *req, const char *name);
const char *http_header(const struct http_req *req, const char *name);
/* Query argument as integer in a range; absent leaves *ret alone; else problem() 400 material. */
must_check int http_query_i64(const struct http_req *req, const char *name, int64_t min,
			      int64_t max, int64_t *ret, struct error *err);

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
	void (*stream_free)(void *arg);
	void *stream_arg;
};

void http_res_header(struct http_res *res, const char *name, const char *value);
void http_res_json(struct http_res *res, int status, struct json_object *o); /* takes o */
/* application/problem+json (RFC 9457): status, title from the status, detail. */
void http_res_problem(struct http_res *res, int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The one place that maps errno to HTTP status: ENOENT 404, EINVAL 422 or 400, EEXIST 409,
 * EFBIG 413, ENOSPC 507, EBUSY 503, else 500 (message not shown). */
void http_res_error(struct http_res *res, const struct error *err);
/* Wakes every suspended stream (events were added, log grew). Any thread. */
void http_wake_streams(struct server *srv);

typedef void (*http_handler)(struct server *srv, const struct http_req *req, struct http_res *res);

/* One row of the route table. */
struct http_route {
	const char *method;
	const char *pattern; /* "/api/v1/jobs/{id}/log": a segment or nothing */
	enum role role; /* least role that may; ROLE_NONE = public (if reading is public) */
	int64_t max_body_bytes; /* 0 = no body allowed */
	bool body_to_file; /* uploads go to a temporary file */
	http_handler handler;
	const char *summary; /* documentation, also in openapi.json */
};

extern const struct http_route http_routes[];
extern const size_t http_n_routes;

#endif
