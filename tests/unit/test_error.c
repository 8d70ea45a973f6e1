/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "lib/error.h"

static void test_set_and_wrap(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(error_set(&err, -EINVAL, "job '%s': bad", "x"), -EINVAL);
	assert_int_equal(err.code, EINVAL);
	assert_string_equal(err.msg, "job 'x': bad");
	assert_int_equal(error_wrap(&err, -EIO, "loading plan '%s'", "p"), -EIO);
	assert_int_equal(err.code, EIO);
	assert_string_equal(err.msg, "loading plan 'p': job 'x': bad");
}

static void test_errno_text(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(error_errno(&err, -ENOENT, "open '%s'", "/x"), -ENOENT);
	assert_string_equal(err.msg, "open '/x': No such file or directory");
}

static void test_null_is_allowed(void **state)
{
	(void)state;
	assert_int_equal(error_set(NULL, -EINVAL, "x"), -EINVAL);
	assert_int_equal(error_errno(NULL, -EINVAL, "x"), -EINVAL);
	assert_int_equal(error_wrap(NULL, -EINVAL, "x"), -EINVAL);
}

static void test_long_messages_are_cut(void **state)
{
	struct error err = ERROR_INIT;
	char big[600];

	(void)state;
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(error_set(&err, -EINVAL, "%s", big), -EINVAL);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	/* The outer part says where; it is what stays. */
	assert_int_equal(error_wrap(&err, -EIO, "outer"), -EIO);
	assert_int_equal(strncmp(err.msg, "outer: aaa", 10), 0);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	assert_int_equal(error_wrap(&err, -EIO, "%s", big), -EIO);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	assert_int_equal(error_errno(&err, -EIO, "%s", big), -EIO);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
}

static void test_wrap_of_an_empty_message(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(error_wrap(&err, -EIO, "outer"), -EIO);
	assert_string_equal(err.msg, "outer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_and_wrap),
		cmocka_unit_test(test_errno_text),
		cmocka_unit_test(test_null_is_allowed),
		cmocka_unit_test(test_long_messages_are_cut),
		cmocka_unit_test(test_wrap_of_an_empty_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
