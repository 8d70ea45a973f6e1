/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ktap.h"
#include "request.h"
#include "selftest.h"

static void test_words(void **state)
{
	char program[] = "/selftests/ksm_tests", arguments[] = "-Z -p 10 -z 0", none[] = "";
	char many[] = "1 2 3 4";
	char *words[8];

	(void)state;
	assert_int_equal(selftest_words(program, arguments, words, 8), 6);
	assert_string_equal(words[0], "/selftests/ksm_tests");
	assert_string_equal(words[5], "0");
	assert_null(words[6]);
	assert_int_equal(selftest_words(program, none, words, 8), 1);
	assert_null(words[1]);
	assert_int_equal(selftest_words(program, many, words, 4), 3);
	assert_null(words[3]);
}

static void test_find(void **state)
{
	char name[REQUEST_SCENARIO_MAX + 20];
	const struct scenario_row *row = selftest_find("selftests.cow");

	(void)state;
	assert_non_null(row);
	assert_string_equal(row->name, "selftests.cow");
	assert_int_equal(row->kind, SCENARIO_SELFTEST);
	assert_int_equal(row->deadline_ms, 300000);
	row = selftest_find("selftests.brand-new");
	assert_non_null(row);
	assert_int_equal(row->deadline_ms, 120000);
	assert_null(selftest_find("selftests."));
	assert_null(selftest_find("split.mprotect"));
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	memcpy(name, "selftests.", 10);
	assert_null(selftest_find(name));
}

/* What a program wrote leaves in whole lines, every byte of it, in records that each fit. */
static void test_output(void **state)
{
	static struct record record;
	static char text[4 * SELFTEST_OUTPUT_MAX];
	struct selftest_run *run = selftest_last();
	FILE *f = tmpfile();
	size_t records = 0, quotes = 0, n;

	(void)state;
	assert_non_null(run);
	assert_non_null(f);
	memset(run, 0, sizeof(*run));
	while (run->length + 64 <= sizeof(run->output)) {
		memset(run->output + run->length, '"', 63);
		run->output[run->length + 63] = '\n';
		run->length += 64;
	}
	assert_int_equal(selftest_send_output(&record, fileno(f), 7, 0), 0);
	rewind(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		static const char head[] = "# faultline {\"type\":\"output\",\"id\":7,\"nth\":0,";

		assert_int_equal(strncmp(line, head, sizeof(head) - 1), 0);
		assert_true(strlen(line) < RECORD_MAX);
		assert_int_equal(strcmp(line + strlen(line) - strlen("\\u000a\"}"), "\\u000a\"}"),
				 0);
		records++;
		for (const char *at = line; (at = strstr(at, "\\\"")); at += 2)
			quotes++;
	}
	assert_true(records > 1);
	assert_int_equal(quotes, run->length / 64 * 63);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
