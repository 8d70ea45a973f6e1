/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "settings.h"

static char path[64];

/* A knob is an ordinary file here: what was written is what is read, without truncation. */
static void knob(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void assert_knob(const char *text)
{
	char now[128] = "";
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_true(fread(now, 1, sizeof(now) - 1, f) >= strlen(text));
	fclose(f);
	assert_memory_equal(now, text, strlen(text));
}

static int set_up(void **state)
{
	int fd;

	(void)state;
	strcpy(path, "/tmp/faultline-settings-XXXXXX");
	fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

static void test_in_reverse(void **state)
{
	struct settings settings = { .count = 0 };
	struct problem problem;

	(void)state;
	knob("1\n");
	assert_int_equal(settings_push(&settings, path, "2", &problem), 0);
	assert_int_equal(settings_push(&settings, path, "3", &problem), 0);
	assert_knob("3");
	settings_pop_to(&settings, 1);
	assert_knob("2");
	settings_pop_to(&settings, 0);
	assert_knob("1");
	assert_int_equal(settings.count, 0);
}

static void test_choice(void **state)
{
	static const char *const texts[] = { "always [madvise] never\n", "[madvise] never\n",
					     "always inherit [madvise]\n" };
	struct problem problem;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct settings settings = { .count = 0 };

		knob(texts[i]);
		assert_int_equal(settings_push(&settings, path, "never", &problem), 0);
		assert_string_equal(settings.saved[0].value, "madvise");
		settings_pop_to(&settings, 0);
		assert_knob("madvise");
	}
}

static void test_failure_changes_nothing(void **state)
{
	struct settings settings = { .count = 0 };
	struct problem problem;

	(void)state;
	assert_int_equal(settings_push(&settings, "/nowhere/knob", "1", &problem), -2);
	assert_int_equal(settings.count, 0);
	settings.count = SETTINGS_MAX;
	knob("1\n");
	assert_true(settings_push(&settings, path, "2", &problem) < 0);
	assert_int_equal(settings.count, SETTINGS_MAX);
	assert_knob("1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_in_reverse, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_choice, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_failure_changes_nothing, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
