/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "jobs/scenario.h"

static const char *const errno_words =
	" ENOMEM EAGAIN EBUSY EFAULT EINVAL EEXIST ENOENT EIO EHWPOISON ";

/* Every row must be usable: a word that nobody understands would make a rule silently void. */
static void test_table_is_sound(void **state)
{
	size_t n;
	const struct scenario *table = scenario_table(&n);
	int kinds[4] = { 0 };

	(void)state;
	assert_true(n > 0);
	for (size_t i = 0; i < n; i++) {
		const struct scenario *s = &table[i];
		char list[128], *rest = list, *word;

		assert_true(scenario_name_is_valid(s->name));
		/* the longest are selftests under emulation */
		assert_true(s->deadline_ms >= 1000 && s->deadline_ms <= 900000);
		assert_true(strlen(s->summary) > 0 && strlen(s->path) > 0);
		assert_ptr_equal(scenario_find(s->name), s);
		kinds[s->kind]++;
		assert_true(strlen(s->allowed_errnos) < sizeof(list));
		strcpy(list, s->allowed_errnos);
		while ((word = strsep(&rest, " "))) {
			char padded[64];

			if (!*word)
				continue;
			assert_true(strlen(word) < 32);
			strcpy(padded, " ");
			strcat(padded, word);
			strcat(padded, " ");
			assert_non_null(strstr(errno_words, padded));
		}
		if (strncmp(s->name, "control.", 8) == 0)
			assert_int_equal(s->kind, SCENARIO_KIND_CONTROL);
		else if (strncmp(s->name, "split.", 6) == 0)
			assert_int_not_equal(s->kind, SCENARIO_KIND_METRIC);
	}
	assert_true(kinds[SCENARIO_KIND_SPLIT] > 0);
	assert_true(kinds[SCENARIO_KIND_CONTROL] > 0);
}

static void test_find_and_match(void **state)
{
	const struct scenario *s = scenario_find("split.mprotect");

	(void)state;
	assert_non_null(s);
	assert_true(scenario_matches(s, "split.*"));
	assert_true(scenario_matches(s, "*"));
	assert_true(scenario_matches(s, "split.m[pq]rotect"));
	assert_false(scenario_matches(s, "control.*"));
	assert_false(scenario_matches(s, "split"));
	assert_false(scenario_matches(s, ""));
	assert_null(scenario_find("split.mprotec"));
	assert_null(scenario_find(""));
	assert_null(scenario_find(NULL));
}

static void test_names(void **state)
{
	static const char *const good[] = { "split.mprotect", "build", "selftests.mm-a_B9",
					    "a.b.c" };
	static const char *const bad[] = { "",	  ".a",	 "a.",	"a..b", "-a",	"a b",
					   "a/b", "a\n", "a;b", "<b>",	"a\"b", "\xc3\xa4" };
	char longest[SCENARIO_NAME_LEN + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(scenario_name_is_valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(scenario_name_is_valid(bad[i]));
	memset(longest, 'a', sizeof(longest) - 1);
	longest[SCENARIO_NAME_LEN + 1] = '\0';
	assert_false(scenario_name_is_valid(longest));
	longest[SCENARIO_NAME_LEN] = '\0';
	assert_true(scenario_name_is_valid(longest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_is_sound),
		cmocka_unit_test(test_find_and_match),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
