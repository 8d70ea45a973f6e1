/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <zlib.h>

#include "server/http_conn.h"

static void test_accept(void **state)
{
	static const struct {
		const char *accept;
		bool takes;
	} cases[] = {
		{ NULL, false },
		{ "", false },
		{ "gzip", true },
		{ "gzip, deflate, br, zstd", true },
		{ "deflate,GZIP", true },
		{ "br;q=1.0, gzip;q=0.8, *;q=0.1", true },
		{ "br , gzip ; q=0.001", true },
		{ "gzip;q=0", false },
		{ "gzip; q=0.000, br", false },
		{ "gzip;q=0, deflate;q=1", false },
		{ "identity", false },
		{ "x-gzip, gzipped", false },
		{ ",,,", false },
		{ ";q=1", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (http_takes_gzip(cases[i].accept) != cases[i].takes)
			fail_msg("Accept-Encoding: %s", cases[i].accept);
}

/* An answer to somebody who takes gzip; what handlers ask goes to the connection. */
static void answer(struct http_res *res, const char *type, size_t len)
{
	static struct gzip *gzip; /* of all tests: it serves one answer after the other */
	struct http_conn c = { 0 };

	c.req.conn = &c;
	framing_add(&c.framing, "Accept-Encoding", 15, "gzip", 4);
	http_res_init(res);
	res->content_type = type;
	for (size_t i = 0; i < len; i++)
		buf_char(&res->body, (char)('a' + i * i % 17));
	if (!gzip)
		gzip = gzip_new();
	assert_non_null(gzip);
	http_gzip(gzip, &c.req, res);
	framing_free(&c.framing);
}

static const char *header(const struct http_res *res, const char *name)
{
	for (int i = 0; i < res->n_extra; i++)
		if (!strcmp(res->extra[i][0], name))
			return res->extra[i][1];
	return NULL;
}

static void round_trip(void)
{
	enum { LEN = 100000 };
	static unsigned char text[LEN + 1];
	z_stream z = { 0 };
	struct http_res res;

	answer(&res, "text/html; charset=utf-8", LEN);
	assert_string_equal(header(&res, "Content-Encoding"), "gzip");
	assert_string_equal(header(&res, "Vary"), "Accept-Encoding");
	assert_true(res.body.len < LEN / 10);
	z.next_in = (unsigned char *)res.body.data;
	z.avail_in = (unsigned)res.body.len;
	z.next_out = text;
	z.avail_out = sizeof(text);
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.total_out, LEN);
	for (size_t i = 0; i < LEN; i++)
		if (text[i] != 'a' + i * i % 17)
			fail_msg("byte %zu", i);
	inflateEnd(&z);
	http_res_free(&res);
}

static void test_round_trip(void **state)
{
	(void)state;
	round_trip();
	round_trip();
}

static void test_left_alone(void **state)
{
	struct http_res res;

	(void)state;
	answer(&res, "application/octet-stream", 100000);
	assert_null(header(&res, "Content-Encoding"));
	assert_null(header(&res, "Vary"));
	assert_int_equal(res.body.len, 100000);
	http_res_free(&res);
	/* Small, but a cache has to know that it depends. */
	answer(&res, "application/json", 500);
	assert_null(header(&res, "Content-Encoding"));
	assert_string_equal(header(&res, "Vary"), "Accept-Encoding");
	http_res_free(&res);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accept),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
