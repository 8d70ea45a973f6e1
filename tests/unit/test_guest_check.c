/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "check.h"

/* An operation that may fail with ENOMEM where an allocation was made to fail, and nowhere else. */
static void test_errno(void **state)
{
	static const struct {
		const char *allowed;
		uint32_t injected;
		int number;
		bool ok;
	} rows[] = {
		{ "ENOMEM", 0, 0, true },	{ "ENOMEM", 1, 0, true },
		{ "ENOMEM", 1, ENOMEM, true },	{ "ENOMEM", 0, ENOMEM, false },
		{ "ENOMEM", 1, EAGAIN, false }, { "EAGAIN EBUSY", 2, EBUSY, true },
		{ "", 1, ENOMEM, false },	{ "ENOMEM", 1, ENOSYS, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct scenario_row row = { .allowed_errnos = rows[i].allowed };
		struct point point = { .op_errno = rows[i].number };
		struct scenario s = { .row = &row, .point = &point };

		point.fault.injected = rows[i].injected;
		assert_int_equal(check_errno(&s), rows[i].number == 0);
		assert_int_equal(point.checks_count, 1);
		assert_string_equal(point.checks[0].name, "errno.allowed");
		if (point.checks[0].ok != rows[i].ok)
			fail_msg("row %zu: %s", i, point.checks[0].detail);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_errno) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
