/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ktap.h"
#include "lib/buf.h"
#include "lib/json.h"

#define FFFD "\\ufffd"
#define HEAD "# faultline {\"type\":\"t\""

static struct record record;

/* What came out of the descriptor; owned. */
static char *drain(int fd)
{
	struct buf b = BUF_INIT;
	char chunk[4096];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(&b, chunk, (size_t)n);
	close(fd);
	return buf_steal(&b);
}

static char *sent(int *ret)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	*ret = record_send(&record, fds[1]);
	close(fds[1]);
	return drain(fds[0]);
}

/* The record as it leaves must be this line. */
static void expect(const char *line)
{
	int r;
	CLEANUP(free_p) char *text = sent(&r);

	assert_int_equal(r, 0);
	assert_string_equal(text, line);
}

static void test_members(void **state)
{
	(void)state;
	record_begin(&record, "t");
	expect(HEAD "}\n");

	record_begin(&record, "t");
	record_int(&record, "min", INT64_MIN);
	record_int(&record, "max", INT64_MAX);
	record_bool(&record, "yes", true);
	record_bool(&record, "no", false);
	record_open(&record, "list", '[');
	record_string(&record, NULL, "a");
	record_string(&record, NULL, "");
	record_open(&record, NULL, '{');
	record_close(&record, '}');
	record_close(&record, ']');
	record_open(&record, "empty", '[');
	record_close(&record, ']');
	record_int(&record, "last", 0);
	expect(HEAD ",\"min\":-9223372036854775808,\"max\":9223372036854775807,\"yes\":true,"
		    "\"no\":false,\"list\":[\"a\",\"\",{}],\"empty\":[],\"last\":0}\n");
}

static void test_doubles(void **state)
{
	static const struct {
		double value;
		const char *text;
	} rows[] = {
		{ 0, "0" },	     { 1.5, "1.5" },	{ -0.25, "-0.25" },
		{ 1e300, "1e+300" }, { INFINITY, "0" }, { -INFINITY, "0" },
		{ NAN, "0" },	     { 0.1, "0.1" },	{ 123456789012345, "123456789012345" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(free_p) char *line = xasprintf(HEAD ",\"v\":%s}\n", rows[i].text);

		record_begin(&record, "t");
		record_double(&record, "v", rows[i].value);
		expect(line);
	}
}

static const struct {
	const char *in, *out;
} strings[] = {
	{ "", "" },
	{ "plain text", "plain text" },
	{ "a\"b\\c/d", "a\\\"b\\\\c/d" },
	{ "\n\r\t\x01\x1f\x7f", "\\u000a\\u000d\\u0009\\u0001\\u001f\\u007f" },
	/* valid: 2, 3 and 4 bytes, and the borders of each */
	{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xa7", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xa7" },
	{ "\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf", "\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf" },
	{ "\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
	  "\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf" },
	/* invalid: each byte that does not begin a sequence is one U+FFFD */
	{ "\x80", FFFD },
	{ "\xbf", FFFD },
	{ "\xff\xfe", FFFD FFFD },
	{ "\xc0\xaf", FFFD FFFD }, /* overlong */
	{ "\xc1\xbf", FFFD FFFD },
	{ "\xe0\x9f\xbf", FFFD FFFD FFFD },
	{ "\xf0\x8f\xbf\xbf", FFFD FFFD FFFD FFFD },
	{ "\xed\xa0\x80", FFFD FFFD FFFD }, /* a surrogate */
	{ "\xed\xbf\xbf", FFFD FFFD FFFD },
	{ "\xf4\x90\x80\x80", FFFD FFFD FFFD FFFD }, /* past U+10FFFF */
	{ "\xf5\x80\x80\x80", FFFD FFFD FFFD FFFD },
	{ "\xc3", FFFD }, /* cut off by the end */
	{ "\xe2\x82", FFFD FFFD },
	{ "\xf0\x9f\x90", FFFD FFFD FFFD },
	{ "\xc3"
	  "a",
	  FFFD "a" }, /* cut off by what follows, which is kept */
	{ "\xe2\x82\"", FFFD FFFD "\\\"" },
	{ "\xe2\xc3\xa9", FFFD "\xc3\xa9" },
};

static void test_strings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
		CLEANUP(free_p) char *line = xasprintf(HEAD ",\"s\":\"%s\"}\n", strings[i].out);
		CLEANUP(json_put_p) struct json_object *o = NULL;
		struct error err = ERROR_INIT;

		record_begin(&record, "t");
		record_string(&record, "s", strings[i].in);
		expect(line);
		/* The host's reader takes it. */
		assert_int_equal(json_parse(line + 12, strlen(line) - 13, &o, &err), 0);
	}
	record_begin(&record, "t");
	record_int(&record, "a\"\n\xff", 1); /* names too */
	expect(HEAD ",\"a\\\"\\u000a" FFFD "\":1}\n");
}

/* Every byte alone: one line, and the host reads it. */
static void test_every_byte(void **state)
{
	(void)state;
	for (int c = 1; c < 256; c++) {
		const char s[] = { 'a', (char)c, 'b', '\0' };
		CLEANUP(json_put_p) struct json_object *o = NULL;
		CLEANUP(free_p) char *line = NULL;
		struct error err = ERROR_INIT;
		const char *text;
		struct jval v;
		int r;

		record_begin(&record, "t");
		record_string(&record, "s", s);
		line = sent(&r);
		assert_int_equal(r, 0);
		assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
		assert_int_equal(json_parse(line + 12, strlen(line) - 13, &o, &err), 0);
		v = json_root(o);
		assert_int_equal(json_get_str(&v, "s", 10, &text, &err), 0);
		assert_string_equal(text, c < 0x80 ? s
						   : "a\xef\xbf\xbd"
						     "b");
	}
}

/* Exactly at the cap it goes out whole, one byte more and nothing goes out. */
static void test_cap(void **state)
{
	static char fill[RECORD_MAX + 1];
	const size_t frame = strlen(HEAD ",\"s\":\"\"}\n");

	(void)state;
	for (size_t over = 0; over < 2; over++) {
		CLEANUP(free_p) char *line = NULL;
		int r;

		memset(fill, 'x', sizeof(fill));
		fill[RECORD_MAX - frame + over] = '\0';
		record_begin(&record, "t");
		record_string(&record, "s", fill);
		line = sent(&r);
		assert_int_equal(r, over ? -EMSGSIZE : 0);
		assert_int_equal(strlen(line), over ? 0 : RECORD_MAX);
	}
	/* What did not fit stays missing though something smaller would fit. */
	record_int(&record, "n", 1);
	assert_true(record.overflow);
	/* The next record is not harmed. */
	record_begin(&record, "t");
	expect(HEAD "}\n");
}

/* An escape at the cap is not cut in the middle. */
static void test_cap_in_an_escape(void **state)
{
	static char fill[RECORD_MAX];

	(void)state;
	for (size_t n = RECORD_MAX - 60; n < RECORD_MAX - 30; n++) {
		CLEANUP(free_p) char *line = NULL;
		int r;

		memset(fill, 'x', n);
		memcpy(fill + n, "\x01\xff", 3);
		record_begin(&record, "t");
		record_string(&record, "s", fill);
		line = sent(&r);
		if (r) {
			assert_int_equal(r, -EMSGSIZE);
			assert_int_equal(strlen(line), 0);
		} else {
			assert_non_null(strstr(line, "\\u0001" FFFD "\"}\n"));
		}
	}
}

static void test_lines(void **state)
{
	CLEANUP(free_p) char *text = NULL;
	static char fill[3000];
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	memset(fill, 'y', sizeof(fill) - 1);
	assert_int_equal(ktap_line(fds[1], "1..%d", 3), 0);
	assert_int_equal(ktap_line(fds[1], "%s", ""), 0);
	assert_int_equal(ktap_line(fds[1], "%s", fill), 0);
	close(fds[1]);
	text = drain(fds[0]);
	assert_int_equal(strncmp(text, "1..3\n\nyyy", 9), 0);
	/* Cut to fit, and still one line. */
	assert_int_equal(strlen(text), 6 + 1023);
	assert_int_equal(text[strlen(text) - 1], '\n');
}

static void test_nobody_reads(void **state)
{
	(void)state;
	record_begin(&record, "t");
	assert_int_equal(record_send(&record, -1), -EBADF);
	assert_int_equal(ktap_line(-1, "ok"), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members), cmocka_unit_test(test_doubles),
		cmocka_unit_test(test_strings), cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_cap),	cmocka_unit_test(test_cap_in_an_escape),
		cmocka_unit_test(test_lines),	cmocka_unit_test(test_nobody_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
