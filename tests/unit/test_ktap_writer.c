/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "jobs/ktap_reader.h"
#include "test_export.h"

static void test_lines(void **state)
{
	CLEANUP(result_doc_free) struct result_doc d = { 0 };
	CLEANUP(free_p) char *text = NULL;

	(void)state;
	fill_statuses(&d);
	add_result(&d, "split.mprotect", STATUS_FAIL, REASON_HANG, "it waits");
	text = written("ktap", &d, NULL);
	assert_string_equal(text, "KTAP version 1\n1..7\n"
				  "# kernel BUG in f\n"
				  "not ok 1 split.mprotect nth=3\n"
				  "not ok 2 split.munmap nth=3 # ERROR ineffective\n"
				  "not ok 3 split.mremap nth=3 # ERROR qemu\n"
				  "ok 4 split.fork nth=3\n"
				  "# rss.freed 64 pages\n"
				  "ok 5 zeropage.remap none\n"
				  "ok 6 split.ksm nth=3 # SKIP predeposit\n"
				  "not ok 7 split.mprotect nth=3 # TIMEOUT hang\n");
}

/* Our own reader finds as many tests as were written, whatever their texts say. */
static void test_hostile(void **state)
{
	CLEANUP(result_doc_free) struct result_doc d = { 0 };
	CLEANUP(free_p) char *text = NULL;
	struct ktap k;

	(void)state;
	fill_hostile(&d);
	text = written("ktap", &d, NULL);
	assert_null(strpbrk(text, "\x1b\x01\r"));
	ktap_read(text, true, &k);
	assert_int_equal(k.n, 3);
	assert_false(k.broken);
	assert_true(ktap_test_fails(&k.tests[0]));
	assert_false(ktap_test_fails(&k.tests[1]));
	assert_false(ktap_test_fails(&k.tests[2]));
	ktap_free(&k);
}

static void test_empty(void **state)
{
	CLEANUP(result_doc_free) struct result_doc d = { 0 };
	CLEANUP(free_p) char *text = written("ktap", &d, NULL);

	(void)state;
	assert_string_equal(text, "KTAP version 1\n1..0\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
