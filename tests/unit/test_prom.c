/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/prom.h"

static void test_family(void **state)
{
	struct buf out = BUF_INIT;

	(void)state;
	prom_family(&out, "a_total", PROM_COUNTER, "Says \"a\".");
	prom_sample(&out, "a_total", NULL, 7);
	prom_family(&out, "b", PROM_GAUGE, "two\nlines and a \\");
	prom_sample(&out, "b", (const char *const[]){ NULL }, INT64_MIN);
	assert_string_equal(buf_cstr(&out), "# HELP a_total Says \"a\".\n"
					    "# TYPE a_total counter\n"
					    "a_total 7\n"
					    "# HELP b two\\nlines and a \\\\\n"
					    "# TYPE b gauge\n"
					    "b -9223372036854775808\n");
	buf_free(&out);
}

static void test_labels(void **state)
{
	static const char *const labels[] = { "kind", "a\"b\\c\nd", "state", "", NULL };
	struct buf out = BUF_INIT;

	(void)state;
	prom_sample(&out, "x", labels, 0);
	assert_string_equal(buf_cstr(&out), "x{kind=\"a\\\"b\\\\c\\nd\",state=\"\"} 0\n");
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_family),
		cmocka_unit_test(test_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
