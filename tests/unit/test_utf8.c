/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "lib/utf8.h"

static void test_code_points(void **state)
{
	static const struct {
		const char *s;
		uint32_t c;
	} rows[] = {
		{ "A", 'A' },
		{ "\xc2\x80", 0x80 },
		{ "\xdf\xbf", 0x7ff },
		{ "\xe0\xa0\x80", 0x800 },
		{ "\xef\xbf\xbd", 0xfffd },
		{ "\xf0\x90\x80\x80", 0x10000 },
		{ "\xf4\x8f\xbf\xbf", 0x10ffff },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t n = utf8_len(rows[i].s, strlen(rows[i].s));

		assert_int_equal(n, strlen(rows[i].s));
		assert_int_equal(utf8_code_point(rows[i].s, n), rows[i].c);
	}
}

static void test_kinds(void **state)
{
	static const uint32_t controls[] = { 0, 0x1b, '\n', 0x7f, 0x80, 0x9b, 0xfffe, 0x1ffff };
	static const uint32_t deceptive[] = { 0x61c,  0x200b, 0x200f, 0x2028,
					      0x202e, 0x2066, 0xfeff, 0xe0001 };
	static const uint32_t plain[] = { ' ', '~', 0xa0, 0x5d0, 0x200a, 0x2027, 0xfffd, 0x1f600 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(controls); i++)
		assert_true(utf8_is_control(controls[i]));
	for (size_t i = 0; i < ARRAY_SIZE(deceptive); i++)
		assert_true(utf8_is_deceptive(deceptive[i]));
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		assert_false(utf8_is_control(plain[i]));
		assert_false(utf8_is_deceptive(plain[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_code_points),
		cmocka_unit_test(test_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
