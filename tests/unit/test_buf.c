/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/clean.h"

static void test_grows_and_terminates(void **state)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;

	(void)state;
	assert_string_equal(buf_cstr(&b), "");
	for (int i = 0; i < 10000; i++)
		buf_printf(&b, "%d,", i % 10);
	assert_int_equal(b.len, 20000);
	assert_int_equal(b.data[b.len], '\0');
	assert_int_equal(strlen(b.data), 20000);
	buf_reset(&b);
	assert_string_equal(b.data, "");
	buf_add(&b, "a\0b", 3);
	buf_char(&b, 'c');
	buf_str(&b, "de");
	assert_int_equal(b.len, 6);
	assert_memory_equal(b.data, "a\0bcde", 7);
}

static void test_printf_longer_than_the_room(void **state)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;

	(void)state;
	for (int n = 0; n < 400; n++) {
		buf_reset(&b);
		buf_printf(&b, "%*s", n, "");
		assert_int_equal(b.len, n);
		assert_int_equal(b.data[n], '\0');
	}
}

static void test_consume_and_steal(void **state)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	CLEANUP(free_p) char *s = NULL;
	CLEANUP(free_p) char *empty = NULL;

	(void)state;
	buf_str(&b, "hello world");
	buf_consume(&b, 6);
	assert_string_equal(b.data, "world");
	buf_consume(&b, 0);
	buf_consume(&b, 99);
	assert_int_equal(b.len, 0);
	buf_str(&b, "again");
	s = buf_steal(&b);
	assert_string_equal(s, "again");
	assert_null(b.data);
	empty = buf_steal(&b);
	assert_string_equal(empty, "");
}

static void test_array_reserve(void **state)
{
	int *a = NULL;
	size_t n = 0, cap = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		ARRAY_RESERVE(a, n, cap);
		a[n++] = i;
	}
	for (int i = 0; i < 1000; i++)
		assert_int_equal(a[i], i);
	free(a);
}

static void test_printable(void **state)
{
	static const struct {
		const char *in;
		size_t len;
		const char *out;
	} rows[] = {
		{ "plain", 5, "plain" },
		{ "a\nb\x1b[31m\x7f", 10, "a?b?[31m??" },
		{ "gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f" },
		{ "\xc3", 1, "?" },
		{ "\xc0\xaf", 2, "??" }, /* overlong */
		{ "\xed\xa0\x80", 3, "???" }, /* surrogate */
		{ "\xf4\x90\x80\x80", 4, "????" }, /* above U+10FFFF */
		{ "\xc2\x9b", 2, "?" }, /* CSI as a C1 character */
		{ "\0x", 2, "?x" },
		{ "", 0, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		/* Exactly sized, so that ASan sees a read behind the end. */
		CLEANUP(free_p) char *in = xcalloc(rows[i].len, 1);
		CLEANUP(free_p) char *out = NULL;

		memcpy(in, rows[i].in, rows[i].len);
		if (i == 1)
			in[9] = '\x01';
		out = str_printable(in, rows[i].len);
		assert_string_equal(out, rows[i].out);
	}
}

static void test_strict_numbers(void **state)
{
	static const struct {
		const char *in;
		long long min, max;
		int r;
		long long value;
	} rows[] = {
		{ "0", 0, 10, 0, 0 },
		{ "10", 0, 10, 0, 10 },
		{ "007", 0, 10, 0, 7 },
		{ "11", 0, 10, -ERANGE, 0 },
		{ "-1", -5, 10, 0, -1 },
		{ "-1", 0, 10, -EINVAL, 0 },
		{ "-6", -5, 10, -ERANGE, 0 },
		{ "9223372036854775807", 0, LLONG_MAX, 0, LLONG_MAX },
		{ "9223372036854775808", 0, LLONG_MAX, -ERANGE, 0 },
		{ "", 0, 10, -EINVAL, 0 },
		{ "-", -5, 10, -EINVAL, 0 },
		{ " 1", 0, 10, -EINVAL, 0 },
		{ "1 ", 0, 10, -EINVAL, 0 },
		{ "+1", 0, 10, -EINVAL, 0 },
		{ "0x1", 0, 10, -EINVAL, 0 },
		{ "1e1", 0, 10, -EINVAL, 0 },
		{ NULL, 0, 10, -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		long long v = 12345;

		assert_int_equal(str_to_i64(rows[i].in, rows[i].min, rows[i].max, &v), rows[i].r);
		assert_true(v == (rows[i].r ? 12345 : rows[i].value));
	}
}

static void test_steal_and_starts(void **state)
{
	CLEANUP(free_p) char *a = xasprintf("%d", 7);
	CLEANUP(free_p) char *b = STEAL(a);

	(void)state;
	assert_null(a);
	assert_string_equal(b, "7");
	assert_true(str_starts("refs/heads/x", "refs/"));
	assert_false(str_starts("re", "refs/"));
	assert_null(xstrdup(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows_and_terminates),
		cmocka_unit_test(test_printf_longer_than_the_room),
		cmocka_unit_test(test_consume_and_steal),
		cmocka_unit_test(test_array_reserve),
		cmocka_unit_test(test_printable),
		cmocka_unit_test(test_strict_numbers),
		cmocka_unit_test(test_steal_and_starts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
