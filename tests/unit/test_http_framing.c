/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "server/http_framing.h"

static void add(struct framing *f, const char *name, const char *value)
{
	framing_add(f, name, strlen(name), value, strlen(value));
}

/* "Name: value\n" lines → status. */
static int check(const char *lines, const char *version, struct framing_body *b)
{
	CLEANUP(framing_free) struct framing f = { .n = 0 };
	CLEANUP(free_p) char *copy = xstrdup(lines);
	struct error err = ERROR_INIT;
	char *save = NULL;
	int status;

	for (char *s = strtok_r(copy, "\n", &save); s; s = strtok_r(NULL, "\n", &save)) {
		char *sep = strstr(s, ": ");

		*sep = 0;
		add(&f, s, sep + 2);
	}
	status = framing_check(&f, version, b, &err);
	if (status)
		assert_true(err.msg[0]);
	return status;
}

static void test_table(void **state)
{
	static const struct {
		int status;
		const char *lines;
	} cases[] = {
		{ 0, "Host: x" },
		{ 0, "Host: x\nContent-Length: 0" },
		{ 0, "Host: x\nContent-Length: 12" },
		{ 0, "host: x\nTRANSFER-ENCODING: Chunked" },
		{ 0, "Host: x\nExpect: 100-Continue\nContent-Length: 1" },
		{ 0, "Host: x\nAccept: a\nAccept: b" },
		{ 400, "Accept: a" },
		{ 400, "Host: x\nhost: y" },
		{ 400, "Host: x\nHost: x" },
		{ 400, "Host: x\nContent-Length: 1\nContent-Length: 1" },
		{ 400, "Host: x\nContent-Length: 1\nContent-length: 2" },
		{ 400, "Host: x\nContent-Length: 1\nTransfer-Encoding: chunked" },
		{ 400, "Host: x\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked" },
		{ 501, "Host: x\nTransfer-Encoding: gzip" },
		{ 501, "Host: x\nTransfer-Encoding: gzip, chunked" },
		{ 501, "Host: x\nTransfer-Encoding: xchunked" },
		{ 501, "Host: x\nTransfer-Encoding: " },
		{ 400, "Host: x\nContent-Length: " },
		{ 400, "Host: x\nContent-Length: -1" },
		{ 400, "Host: x\nContent-Length: +1" },
		{ 400, "Host: x\nContent-Length: 1,1" },
		{ 400, "Host: x\nContent-Length: 0x1" },
		{ 400, "Host: x\nContent-Length: 1 " },
		{ 400, "Host: x\nContent-Length: 99999999999999999999" },
		{ 400, "Host: x\nContent-Length : 1" },
		{ 400, "Host: x\nContent\tLength: 1" },
		{ 400, "Host: x\nX: a\x01" },
		{ 400, "Host: x\nX: a\rb" },
		{ 400, "Host: x\nAuthorization: Bearer a\nAuthorization: Bearer b" },
		{ 400, "Host: x\nFaultline-Lease: a\nfaultline-lease: b" },
		{ 417, "Host: x\nExpect: 200-ok" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct framing_body b = { 0 };
		int status = check(cases[i].lines, "HTTP/1.1", &b);

		if (status != cases[i].status)
			fail_msg("%d is not %d: %s", status, cases[i].status, cases[i].lines);
	}
}

static void test_body(void **state)
{
	struct framing_body b = { 0 };

	(void)state;
	assert_int_equal(check("Host: x\nContent-Length: 77\nExpect: 100-continue", "HTTP/1.1", &b),
			 0);
	assert_int_equal(b.length, 77);
	assert_true(b.expect_continue);
	assert_false(b.chunked);
	assert_int_equal(check("Host: x\nTransfer-Encoding: chunked", "HTTP/1.1", &b), 0);
	assert_int_equal(b.length, -1);
	assert_true(b.chunked);
	assert_int_equal(check("Accept: x", "HTTP/1.0", &b), 0);
	assert_int_equal(b.length, 0);
	assert_int_equal(check("Transfer-Encoding: chunked", "HTTP/1.0", &b), 400);
}

static void test_nul(void **state)
{
	CLEANUP(framing_free) struct framing f = { .n = 0 };
	struct framing_body b;

	(void)state;
	add(&f, "Host", "x");
	framing_add(&f, "X", 1, "a\0b", 3);
	assert_int_equal(framing_check(&f, "HTTP/1.1", &b, NULL), 400);
}

static void test_too_many(void **state)
{
	CLEANUP(framing_free) struct framing many = { .n = 0 }, large = { .n = 0 };
	struct framing_body b;
	char value[5000];

	(void)state;
	add(&many, "Host", "x");
	for (int i = 0; i < FRAMING_MAX_HEADERS; i++)
		add(&many, "X", "y");
	assert_int_equal(framing_check(&many, "HTTP/1.1", &b, NULL), 431);
	memset(value, 'a', sizeof(value));
	value[sizeof(value) - 1] = 0;
	add(&large, "Host", "x");
	for (int i = 0; i < 4; i++)
		add(&large, "X", value);
	assert_int_equal(framing_check(&large, "HTTP/1.1", &b, NULL), 431);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_body),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
