/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "leak.h"

static void test_levels(void **state)
{
	static const char text[] = "nr_free_pages 100\n"
				   "nr_zone_inactive_anon 9000\n"
				   "nr_inactive_anon 40\n"
				   "nr_active_anon 2\n"
				   "nr_inactive_file 7000\n"
				   "nr_unevictable 1\n"
				   "nr_isolated_anon 512\n"
				   "nr_page_table_pages 31\n"
				   "nr_sec_page_table_pages 5\n";
	struct leak_level level;

	(void)state;
	leak_parse(text, &level);
	assert_int_equal(level.tables, 31);
	assert_int_equal(level.anon, 40 + 2 + 1 + 512);
}

/* A counter that is missing must not be taken for an empty list. */
static void test_missing(void **state)
{
	struct leak_level level;

	(void)state;
	leak_parse("nr_inactive_anon 40\nnr_active_anon 2\nnr_unevictable 1\n", &level);
	assert_int_equal(level.anon, -1);
	assert_int_equal(level.tables, -1);
	leak_parse("", &level);
	assert_int_equal(level.anon, -1);
	assert_int_equal(level.tables, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
