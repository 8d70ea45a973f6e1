/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/clock.h"

static void test_text(void **state)
{
	char out[CLOCK_TEXT_MAX];

	(void)state;
	assert_string_equal(clock_text(0, out), "1970-01-01T00:00:00.000000Z");
	assert_string_equal(clock_text(INT64_C(1769903999123456), out),
			    "2026-01-31T23:59:59.123456Z");
	assert_string_equal(clock_text(-1, out), "1969-12-31T23:59:59.999999Z");
	/* A damaged value in a database must not overflow the buffer. */
	assert_true(strlen(clock_text(INT64_MAX, out)) < CLOCK_TEXT_MAX);
	assert_true(strlen(clock_text(INT64_MIN, out)) < CLOCK_TEXT_MAX);
}

static void test_parse(void **state)
{
	static const char *const refused[] = {
		"",
		"invalid",
		"2026-01-31",
		"2026-01-31T23:59:59Z",
		"2026-01-31T23:59:59.123456",
		"2026-01-31T23:59:59.123456+00:00",
		"2026-01-31T23:59:59.123456Zx",
		" 2026-01-31T23:59:59.123456Z",
		"2026-02-30T23:59:59.123456Z",
		"2026-01-31T24:00:00.000000Z",
		"2026-01-31T23:59:59.1Z",
		"2026-1-31T23:59:59.123456Z",
		"2026-01-31T23:59:60.000000Z",
	};
	static const int64_t instants[] = { 0, 1, INT64_C(1769903999123456),
					    INT64_C(951782400000000) };
	int64_t got = -5;

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		assert_false(clock_parse(refused[i], &got));
		assert_int_equal(got, -5);
	}
	for (size_t i = 0; i < sizeof(instants) / sizeof(instants[0]); i++) {
		char text[CLOCK_TEXT_MAX];

		assert_true(clock_parse(clock_text(instants[i], text), &got));
		assert_int_equal(got, instants[i]);
	}
}

static void test_fake(void **state)
{
	int64_t real = clock_now_us();

	(void)state;
	assert_true(real > INT64_C(1700000000000000));
	clock_fake(42);
	assert_int_equal(clock_now_us(), 42);
	assert_int_equal(clock_mono_us(), 42);
	assert_true(clock_real_mono_us() != 42);
	clock_fake(0);
	assert_true(clock_now_us() >= real);
}

static void test_monotonic(void **state)
{
	int64_t last = clock_mono_us();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		int64_t now = clock_mono_us();

		assert_true(now >= last);
		last = now;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_fake),
		cmocka_unit_test(test_monotonic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
