/* SPDX-License-Identifier: MIT */
/*
 * http_client: one HTTP request at a time, over libcurl, for agent and CLI.
 *
 * Only http and https, no redirects to other hosts, response capped. Thread: one owner.
 */
#ifndef FAULTLINE_LIB_HTTP_CLIENT_H
#define FAULTLINE_LIB_HTTP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/error.h"

struct http_client; /* base URL, bearer token, connection reuse */

/* base_url like "http://127.0.0.1:8080"; token may be NULL. */
must_check int http_client_new(const char *base_url, const char *token,
			       struct http_client **ret_client, struct error *err);
void http_client_free(struct http_client *c);
static inline void http_client_free_p(struct http_client **c)
{
	http_client_free(*c);
}

struct http_request {
	const char *method; /* "GET", "POST", "PUT" */
	const char *path; /* "/api/v1/…" with query */
	const char *content_type; /* NULL = application/json when there is a body */
	const char *const *headers; /* NULL-terminated list of "Name: value"; may be NULL */
	const void *body;
	size_t body_len;
	int body_fd; /* >= 0: body is this file from its start (body_len bytes), body ignored */
	int64_t timeout_ms; /* whole request; 0 = 60 s, < 0 = no limit (event streams) */
	size_t response_max_bytes; /* 0 = 16 MiB */
	bool (*cancelled)(void *arg); /* polled about every 200 ms; may be NULL */
	/* Called once before the first byte of the body leaves, when the server is reached and has been
	 * sent the headers; an error ends it there. A body that has no byte does not begin. May be
	 * NULL. */
	int (*begin)(void *arg, struct error *err);
	void *arg;
	/* When set, response bytes go here as they come instead of into the buffer (event
	 * streams, downloads); non-zero ends the transfer with -ECANCELED. Only of a 2xx answer:
	 * what an error says goes into the buffer. response_max_bytes 0 is no cap here. */
	int (*on_data)(void *arg, const char *data, size_t len);
};

/* clang-format off */
#define HTTP_REQUEST_INIT { .body_fd = -1 }
/* clang-format on */

struct http_response {
	int status;
	struct buf body;
};

/* 0 when an HTTP answer came, whatever its status; -ECONNREFUSED, -ETIMEDOUT, -ECANCELED,
 * -EFBIG, -EIO, or what begin() said, otherwise. The response is freed by http_response_free(). */
must_check int http_client_do(struct http_client *c, const struct http_request *req,
			      struct http_response *ret, struct error *err);
void http_response_free(struct http_response *r);

/* Jittered exponential back-off: attempt 0.. → ms to wait, 250 ms … 30 s. */
int http_retry_delay_ms(int attempt);

#endif
