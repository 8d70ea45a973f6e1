/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "jobs/verdict.h"

/* The words that documents, database and pages share: a changed one breaks all of them. */
static const struct {
	enum status status;
	const char *reasons;
} words[] = {
	{ STATUS_FAIL, "oops bug warn kasan lockdep hang livelock unkillable data counter leak "
		       "errno invariant panic rcu_stall soft_lockup build" },
	{ STATUS_ERROR, "ineffective truncated harness" },
	{ STATUS_MISS, "lease boot_host qemu disk agent timeout_host" },
	{ STATUS_SKIP, "predeposit kconfig arch" },
};

static void test_reasons_are_the_contract(void **state)
{
	int seen = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		char list[256], *rest = list, *word;

		strcpy(list, words[i].reasons);
		while ((word = strsep(&rest, " "))) {
			enum reason r = REASON_COUNT;

			assert_true(reason_parse(word, &r));
			assert_string_equal(reason_name(r), word);
			assert_int_equal(reason_status(r), words[i].status);
			seen++;
		}
	}
	assert_int_equal(seen, REASON_COUNT - 1); /* all but REASON_NONE */
}

static void test_no_reason(void **state)
{
	enum reason r = REASON_BUG;

	(void)state;
	assert_true(reason_parse("", &r));
	assert_int_equal(r, REASON_NONE);
	r = REASON_BUG;
	assert_true(reason_parse(NULL, &r));
	assert_int_equal(r, REASON_NONE);
	assert_string_equal(reason_name(REASON_NONE), "");
	assert_int_equal(reason_status(REASON_NONE), STATUS_PASS);
}

static void test_unknown_words(void **state)
{
	static const char *const bad[] = { "BUG", "bug ", " ", "unknown", "PASS", "?" };
	enum reason r = REASON_ARCH;
	enum status s = STATUS_SKIP;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(reason_parse(bad[i], &r));
	assert_int_equal(r, REASON_ARCH);
	assert_false(status_parse("pass", &s));
	assert_false(status_parse("", &s));
	assert_false(status_parse(NULL, &s));
	assert_int_equal(s, STATUS_SKIP);
	assert_string_equal(status_name(STATUS_COUNT), "?");
	assert_string_equal(reason_name(REASON_COUNT), "?");
	assert_int_equal(reason_status(REASON_COUNT), STATUS_ERROR);
}

static void test_statuses(void **state)
{
	static const char *const in_order[] = { "FAIL", "ERROR", "MISS", "PASS", "DONE", "SKIP" };

	(void)state;
	for (int i = 0; i < STATUS_COUNT; i++) {
		enum status s = STATUS_COUNT;

		assert_string_equal(status_name((enum status)i), in_order[i]);
		assert_true(status_parse(in_order[i], &s));
		assert_int_equal(s, i);
	}
}

static void test_exit_code(void **state)
{
	static const struct {
		int counts[STATUS_COUNT]; /* FAIL ERROR MISS PASS DONE SKIP */
		int code;
	} rows[] = {
		{ { 0, 0, 0, 0, 0, 0 }, 2 }, { { 0, 0, 0, 1, 0, 0 }, 0 },
		{ { 0, 0, 0, 0, 0, 1 }, 0 }, { { 0, 0, 0, 0, 1, 0 }, 0 },
		{ { 1, 0, 0, 9, 0, 0 }, 1 }, { { 0, 1, 0, 9, 0, 0 }, 2 },
		{ { 0, 0, 1, 9, 0, 0 }, 2 }, { { 1, 1, 1, 0, 0, 0 }, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(status_exit_code(rows[i].counts), rows[i].code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reasons_are_the_contract),
		cmocka_unit_test(test_no_reason),
		cmocka_unit_test(test_unknown_words),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_exit_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
