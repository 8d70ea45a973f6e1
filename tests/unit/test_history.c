/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/history.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/path.h"

static char dir[] = "/tmp/history-XXXXXX";
static char path[64];

static void write_file(const char *text)
{
	assert_int_equal(path_write_atomic(path, text, strlen(text), 0644, NULL), 0);
}

static void kept_and_read_again(void **state)
{
	CLEANUP(history_free) struct history h = { 0 };
	CLEANUP(history_free) struct history again = { 0 };
	struct error err = ERROR_INIT;

	(void)state;
	history_note(&h, "split.mremap none", 3000);
	history_note(&h, "split.mlock sweep", 1000);
	history_note(&h, "split.mprotect burst times=3", 2000);
	assert_int_equal(history_save(&h, path, &err), 0);
	history_load(&again, path);
	assert_int_equal(again.n, 3);
	assert_int_equal(history_get(&again, "split.mlock sweep"), 1000);
	assert_int_equal(history_get(&again, "split.mprotect burst times=3"), 2000);
	assert_int_equal(history_get(&again, "split.mremap none"), 3000);
	assert_int_equal(history_get(&again, "split.mremap"), -1);
	assert_int_equal(history_get(&again, "split.zzz"), -1);
}

static void average_moves(void **state)
{
	CLEANUP(history_free) struct history h = { 0 };

	(void)state;
	history_note(&h, "a", 1000);
	history_note(&h, "a", 2000);
	assert_int_equal(history_get(&h, "a"), 1250);
	for (int i = 0; i < 50; i++)
		history_note(&h, "a", 4000);
	assert_in_range(history_get(&h, "a"), 3990, 4000);
	history_note(&h, "a", 0);
	assert_in_range(history_get(&h, "a"), 2990, 3000);
	assert_int_equal(h.n, 1);
}

static void damage_is_nothing(void **state)
{
	static const char *const files[] = {
		"", "\n\n", "12", " x", "-5 x\n", "1e3 x\n", "9 \n", "99999999999999999999 x\n"
	};
	CLEANUP(history_free) struct history h = { 0 };
	CLEANUP(buf_free) struct buf line = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		write_file(files[i]);
		history_load(&h, path);
		assert_int_equal(h.n, 0);
		history_free(&h);
	}
	buf_str(&line, "7 ");
	for (int i = 0; i < 300; i++)
		buf_char(&line, 'x');
	buf_str(&line, "\n8 good\ncut");
	write_file(line.data);
	history_load(&h, path);
	assert_int_equal(h.n, 1);
	assert_int_equal(history_get(&h, "good"), 8);
	history_free(&h);
	history_load(&h, "/nonexistent/durations");
	assert_int_equal(h.n, 0);
	/* what would break the file is not taken */
	history_note(&h, "two\nlines", 5);
	history_note(&h, "", 5);
	history_note(&h, "negative", -5);
	assert_int_equal(h.n, 0);
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/durations", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return path_remove_tree(dir, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept_and_read_again),
		cmocka_unit_test(average_moves),
		cmocka_unit_test(damage_is_nothing),
	};

	return cmocka_run_group_tests_name("history", tests, setup, teardown);
}
