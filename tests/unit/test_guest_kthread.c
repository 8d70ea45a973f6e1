/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "kthread.h"

/* As Linux 6.12 prints them: ksmd, and a process that calls itself by that name. */
#define KSMD                                                                         \
	"31 (ksmd) S 2 0 0 0 -1 2129984 0 0 0 0 0 17 0 0 25 5 1 0 5 0 0 18446744073" \
	"709551615 0 0 0 0 0 0 0 2147483647 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0"
#define IMPOSTOR "77 (ksmd) R 1 77 77 0 -1 4194560 60 0 0 0 3 4 0 0 20 0 1 0 99"

static void test_parse(void **state)
{
	struct task_stat stat;

	(void)state;
	assert_int_equal(task_stat_parse(KSMD, &stat), 0);
	assert_string_equal(stat.comm, "ksmd");
	assert_int_equal(stat.state, 'S');
	assert_int_equal(stat.stime_ticks, 17);
	assert_true(task_is_kthread(&stat));
}

static void test_a_process_is_no_thread_of_the_kernel(void **state)
{
	struct task_stat stat;

	(void)state;
	assert_int_equal(task_stat_parse(IMPOSTOR, &stat), 0);
	assert_string_equal(stat.comm, "ksmd");
	assert_int_equal(stat.stime_ticks, 4);
	assert_false(task_is_kthread(&stat));
}

static void test_name_may_hold_anything(void **state)
{
	struct task_stat stat;

	(void)state;
	assert_int_equal(task_stat_parse("5 (a) S (b) D 2 0 0 0 -1 2097152 0 0 0 0 1 2 0 0", &stat),
			 0);
	assert_string_equal(stat.comm, "a) S (b");
	assert_int_equal(stat.state, 'D');
	assert_int_equal(stat.stime_ticks, 2);
}

static void test_broken_text(void **state)
{
	static const char *const texts[] = {
		"",
		"5",
		"5 (a",
		"5 )a( S 2 0 0 0 -1 0 0 0 0 0 1 2",
		"5 (a) ",
		"5 (a) S 2 0 0 0 -1",
		"5 (a) S 2 0 0 0 -1 x 0 0 0 0 1 2",
		"5 (a) S 2 0 0 0 -1 2097152 0 0 0 0 1",
		"5 (aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa) S 2 0 0 0"
		" -1 2097152 0 0 0 0 1 2",
	};
	struct task_stat stat = { .comm = "untouched" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(task_stat_parse(texts[i], &stat), -EINVAL);
	assert_string_equal(stat.comm, "untouched");
}

static void test_own_stat(void **state)
{
	struct task_stat stat;

	(void)state;
	assert_int_equal(task_stat_read((int)getpid(), &stat), 0);
	assert_int_equal(stat.state, 'R');
	assert_false(task_is_kthread(&stat));
	assert_false(kthread_is_idle((int)getpid()));
	/* this program is called like this, and is not of the kernel */
	assert_int_equal(kthread_find(stat.comm), 0);
	assert_int_not_equal(task_stat_read(0x7fffffff, &stat), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_a_process_is_no_thread_of_the_kernel),
		cmocka_unit_test(test_name_may_hold_anything),
		cmocka_unit_test(test_broken_text),
		cmocka_unit_test(test_own_stat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
