/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "jobs/ktap_reader.h"

struct row {
	const char *text;
	size_t n;
	int failing, skips;
	bool found, broken, bailed, skipped;
	const char *first; /* name of the first test */
	const char *comment;
};

/* Each with a neighbour that differs in one line. */
static const struct row rows[] = {
	{ .text = "" },
	{ .text = "hello\nok then\nnot ok at all\n" },
	{ .text = "TAP version 13\n1..2\nok 1 a\nok 2 b\n", .n = 2, .found = true, .first = "a" },
	{ .text = "KTAP version 1\n1..2\nok 1 a\nnot ok 2 b\n",
	  .n = 2,
	  .failing = 1,
	  .found = true },
	{ .text = "TAP version 13\n1..2\nok 1 a\n", .n = 1, .found = true, .broken = true },
	{ .text = "TAP version 13\n1..1\nok 1 a\nok 2 b\n", .n = 2, .found = true, .broken = true },
	{ .text = "TAP version 13\nok 1 a\n", .n = 1, .found = true, .broken = true },
	{ .text = "TAP version 13\nok 1 a\n1..1\n", .n = 1, .found = true },
	{ .text = "TAP version 13\n1..1\n1..1\nok 1 a\n", .n = 1, .found = true, .broken = true },
	{ .text = "TAP version 13\n1..2\nok 1 a\nok 3 b\n", .n = 2, .found = true, .broken = true },
	{ .text = "TAP version 13\n1..1", .found = true, .broken = true },
	{ .text = "TAP version 13\n1..1\nok 1", .n = 1, .found = true, .first = "test 1" },
	{ .text = "TAP version 13\r\n1..1\r\nok 1 - a b\r\n",
	  .n = 1,
	  .found = true,
	  .first = "a b" },
	/* kselftest.h writes the directive before the name, KTAP behind it */
	{ .text = "TAP version 13\n1..2\nok 1 # SKIP no swap\nok 2 b # skip why\n",
	  .n = 2,
	  .skips = 2,
	  .found = true,
	  .first = "no swap" },
	{ .text = "TAP version 13\n1..3\nnot ok 1 # XFAIL x\nnot ok 2 y # TODO z\nnot ok 3 # error e\n",
	  .n = 3,
	  .failing = 1,
	  .found = true,
	  .first = "x" },
	{ .text = "TAP version 13\n1..1\nok 1 t # TIMEOUT 45\n",
	  .n = 1,
	  .failing = 1,
	  .found = true },
	{ .text = "TAP version 13\n1..1\nok 1 a #1 of 2\n",
	  .n = 1,
	  .found = true,
	  .first = "a #1 of 2" },
	{ .text = "TAP version 13\n1..0 # SKIP hugetlb is missing\n",
	  .found = true,
	  .skipped = true,
	  .comment = "hugetlb is missing" },
	{ .text = "TAP version 13\n1..4\nok 1 a\nBail out! no memory\n",
	  .n = 1,
	  .found = true,
	  .bailed = true,
	  .comment = "no memory" },
	/* nested as the runner of kselftest does it, and as KUnit does */
	{ .text = "TAP version 13\n1..1\n# TAP version 13\n# 1..2\n# ok 1 a\n# not ok 2 b\n"
		  "not ok 1 selftests: mm: cow # exit=1\n",
	  .n = 3,
	  .failing = 2,
	  .found = true,
	  .first = "a" },
	{ .text = "KTAP version 1\n1..1\n  KTAP version 1\n  1..2\n  ok 1 a\nok 1 b\n",
	  .n = 2,
	  .found = true,
	  .broken = true },
	/* a diagnostic that looks like a result, without a version line at its level */
	{ .text = "TAP version 13\n1..1\n# ok 7 pages\n# 1..3\nok 1 a\n",
	  .n = 1,
	  .found = true,
	  .first = "a" },
	{ .text = "1..99999999999\nok 99999999999 a\n" },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		int failing = 0, skips = 0;
		struct ktap k;

		ktap_read(row->text, true, &k);
		for (size_t t = 0; t < k.n; t++) {
			failing += ktap_test_fails(&k.tests[t]);
			skips += k.tests[t].directive == KTAP_SKIP;
		}
		if (k.n != row->n || failing != row->failing || skips != row->skips ||
		    k.found != row->found || k.broken != row->broken || k.bailed != row->bailed ||
		    k.skipped != row->skipped)
			fail_msg("row %zu: n %zu failing %d skips %d found %d broken %d", i, k.n,
				 failing, skips, k.found, k.broken);
		if (row->first)
			assert_string_equal(k.tests[0].name, row->first);
		if (row->comment)
			assert_string_equal(k.comment, row->comment);
		ktap_free(&k);
	}
}

/* What was cut off proves nothing about the plan; a contradiction stays one. */
static void test_cut(void **state)
{
	struct ktap k;

	(void)state;
	ktap_read("TAP version 13\n1..9\nok 1 a\n", false, &k);
	assert_false(k.broken);
	ktap_free(&k);
	ktap_read("TAP version 13\n1..9\nok 2 a\n", false, &k);
	assert_true(k.broken);
	ktap_free(&k);
}

static void test_caps(void **state)
{
	static char text[KTAP_TESTS_MAX * 40];
	size_t len = 0;
	struct ktap k;

	(void)state;
	for (int i = 1; i <= KTAP_TESTS_MAX + 5; i++)
		len += (size_t)sprintf(text + len, "ok %d x\x01\xff\n", i);
	ktap_read(text, false, &k);
	assert_int_equal(k.n, KTAP_TESTS_MAX);
	assert_null(strchr(k.tests[0].name, 1));
	ktap_free(&k);
	memset(text, 'a', 300);
	memcpy(text, "ok 1 ", 5);
	text[300] = '\0';
	ktap_read(text, false, &k);
	assert_true(strlen(k.tests[0].name) <= KTAP_NAME_LEN);
	ktap_free(&k);
	memset(text, '#', 400);
	for (size_t i = 1; i < 400; i += 2)
		text[i] = ' ';
	text[400] = '\0';
	ktap_read(text, true, &k);
	assert_false(k.found);
	ktap_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_caps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
