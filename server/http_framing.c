// SPDX-License-Identifier: MIT
#include "server/http_framing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/buf.h"
#include "lib/limits.h"

static bool is_token(const char *s, size_t len)
{
	static const char others[] = "!#$%&'*+-.^_`|~"; /* RFC 9110, 5.6.2 */

	for (size_t i = 0; i < len; i++) {
		char c = s[i];
		bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			     (c >= 'A' && c <= 'Z');

		if (!alnum && (!c || !strchr(others, c)))
			return false;
	}
	return len > 0;
}

static bool is_value(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)s[i] < 0x20 && s[i] != '\t') || s[i] == 0x7f)
			return false;
	return true;
}

void framing_add(struct framing *f, const char *name, size_t name_len, const char *value,
		 size_t value_len)
{
	f->total_bytes += name_len + value_len + 4;
	if (!is_token(name, name_len) || !is_value(value, value_len))
		f->invalid = true;
	if (f->n == FRAMING_MAX_HEADERS) {
		f->too_many = true;
		return;
	}
	f->headers[f->n].name = xstrndup(name, name_len);
	f->headers[f->n].value = xstrndup(value, value_len);
	f->n++;
}

void framing_free(struct framing *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->headers[i].name);
		free(f->headers[i].value);
	}
	memset(f, 0, sizeof(*f));
}

const char *framing_get(const struct framing *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (!strcasecmp(f->headers[i].name, name))
			return f->headers[i].value;
	return NULL;
}

static size_t count(const struct framing *f, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += !strcasecmp(f->headers[i].name, name);
	return n;
}

/* Headers of which a second one would be a second opinion. */
static const char *const single[] = {
	"Host",
	"Content-Length",
	"Transfer-Encoding",
	"Authorization",
	"Content-Type",
	"Content-Encoding",
	"Expect",
	"Range",
	"Faultline-Lease",
	"Faultline-SHA256",
};

static int check_length(const char *value, int64_t *ret, struct error *err)
{
	long long n;

	if (!*value || strspn(value, "0123456789") != strlen(value) ||
	    str_to_i64(value, 0, INT64_MAX, &n)) {
		error_set(err, -EPROTO, "Content-Length is not a number");
		return 400;
	}
	*ret = n;
	return 0;
}

static int check_coding(const struct framing *f, const char *coding, const char *version,
			struct error *err)
{
	if (framing_get(f, "Content-Length")) {
		error_set(err, -EPROTO, "both Content-Length and Transfer-Encoding");
		return 400;
	}
	if (strcmp(version, "HTTP/1.1")) {
		error_set(err, -EPROTO, "Transfer-Encoding needs HTTP/1.1");
		return 400;
	}
	if (strcasecmp(coding, "chunked")) {
		error_set(err, -EPROTO, "the only transfer coding taken is 'chunked'");
		return 501;
	}
	return 0;
}

int framing_check(const struct framing *f, const char *version, struct framing_body *ret,
		  struct error *err)
{
	const char *coding = framing_get(f, "Transfer-Encoding");
	const char *length = framing_get(f, "Content-Length");
	const char *expect = framing_get(f, "Expect");
	struct framing_body b = { 0 };
	int status;

	if (f->too_many || f->total_bytes > LIMIT_HTTP_HEADER_BYTES) {
		error_set(err, -EPROTO, "too many or too large headers (at most %d, %d bytes)",
			  FRAMING_MAX_HEADERS, LIMIT_HTTP_HEADER_BYTES);
		return 431;
	}
	if (f->invalid) {
		error_set(err, -EPROTO, "a header has bytes that do not belong there");
		return 400;
	}
	for (size_t i = 0; i < ARRAY_SIZE(single); i++) {
		if (count(f, single[i]) > 1) {
			error_set(err, -EPROTO, "more than one %s", single[i]);
			return 400;
		}
	}
	if (!strcmp(version, "HTTP/1.1") && !framing_get(f, "Host")) {
		error_set(err, -EPROTO, "Host is missing");
		return 400;
	}
	status = coding ? check_coding(f, coding, version, err) : 0;
	if (!status && length)
		status = check_length(length, &b.length, err);
	if (status)
		return status;
	if (expect && strcasecmp(expect, "100-continue")) {
		error_set(err, -EPROTO, "the only expectation known is '100-continue'");
		return 417;
	}
	b.expect_continue = expect != NULL;
	b.chunked = coding != NULL;
	if (b.chunked)
		b.length = -1;
	*ret = b;
	return 0;
}
