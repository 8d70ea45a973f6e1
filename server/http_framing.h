/* SPDX-License-Identifier: MIT */
/*
 * http_framing: which sets of headers are refused before anything else looks at a request.
 *
 * libmicrohttpd 0.9.75 accepts both Content-Length and Transfer-Encoding, repeated Content-Length
 * and repeated Host; behind a proxy that reads them otherwise this is request smuggling
 * (RFC 9112, 6.3 and 11.2). Pure functions. Thread: any.
 */
#ifndef FAULTLINE_SERVER_HTTP_FRAMING_H
#define FAULTLINE_SERVER_HTTP_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

#define FRAMING_MAX_HEADERS 64 /* browsers send about 20 */

struct framing_header {
	char *name, *value; /* owned */
};

struct framing {
	struct framing_header headers[FRAMING_MAX_HEADERS];
	size_t n;
	size_t total_bytes;
	bool too_many;
	bool invalid; /* a name or value with bytes that do not belong there */
};

/* Copies one header in. */
void framing_add(struct framing *f, const char *name, size_t name_len, const char *value,
		 size_t value_len);
void framing_free(struct framing *f);
/* First header of that name, case-insensitive; NULL when absent. */
const char *framing_get(const struct framing *f, const char *name);

struct framing_body {
	bool chunked;
	int64_t length; /* -1 when chunked; 0 when none was announced */
	bool expect_continue;
};

/* 0, or the HTTP status to refuse with (400, 417, 431, 501); the message says why. */
int framing_check(const struct framing *f, const char *version, struct framing_body *ret,
		  struct error *err);

#endif
