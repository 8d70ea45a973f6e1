/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/selftests.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/path.h"

static const char *why(const struct selftests *s, const char *program)
{
	const struct selftests_program *p = selftests_find(s, program);

	return p && p->why ? p->why : "";
}

/* A reason belongs to the next target that fails, and to no other. */
static void test_log(void **state)
{
	struct selftests s = { 0 };

	(void)state;
	selftests_read_log("cow.c:1:2: warning: unused\n"
			   "khugepaged.c:1195:24: error: 'KSFT_SKIP' undeclared (first use)\n"
			   "khugepaged.c:1200:3: error: a second one\n"
			   "make: *** [../lib.mk:222: /faultline/out/khugepaged] Error 1\n"
			   "/usr/bin/ld: cannot find -lnuma: No such file or directory\n"
			   "collect2: error: ld returned 1 exit status\n"
			   "make: *** [../lib.mk:222: /faultline/out/migration] Error 1\n"
			   "make: *** [../lib.mk:222: /faultline/out/mute] Error 1\n"
			   "make: *** [../lib.mk:222: /faultline/out/..] Error 1\n"
			   "make: Target 'all' not remade because of errors.",
			   &s);
	assert_int_equal(s.n, 3);
	assert_non_null(strstr(why(&s, "khugepaged"), "'KSFT_SKIP' undeclared"));
	assert_non_null(strstr(why(&s, "migration"), "cannot find -lnuma"));
	assert_null(strstr(why(&s, "mute"), "numa"));
	assert_null(selftests_find(&s, "cow"));
	selftests_free(&s);
}

static void put(const char *dir, const char *name, mode_t mode)
{
	CLEANUP(free_p) char *path = xasprintf("%s/%s", dir, name);
	struct error err = ERROR_INIT;

	assert_int_equal(path_write_atomic(path, "x", 1, mode, &err), 0);
}

/* Only programs count: no sources, no folders, and nothing that leads elsewhere. */
static void test_open(void **state)
{
	char dir[] = "/tmp/test_selftests.XXXXXX";
	CLEANUP(free_p) char *link = NULL;
	struct error err = ERROR_INIT;
	struct selftests s;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(selftests_open(dir, &s, &err), -ENOENT);
	put(dir, "zero", 0755);
	put(dir, "cow", 0755);
	put(dir, "cow.c", 0644);
	put(dir, ".hidden", 0755);
	link = xasprintf("%s/link", dir);
	assert_int_equal(symlink("/bin/sh", link), 0);
	assert_int_equal(selftests_open(dir, &s, &err), 0);
	assert_int_equal(s.n, 2);
	assert_string_equal(s.programs[0].name, "cow");
	assert_string_equal(s.programs[1].name, "zero");
	assert_null(s.programs[0].why);
	selftests_free(&s);
	assert_int_equal(path_remove_tree(dir, &err), 0);
	assert_int_equal(selftests_open(dir, &s, &err), -ENOENT);
}

/* A tree without such tests is the caller's mistake, and nothing is run for it. */
static void test_no_tests(void **state)
{
	char dir[] = "/tmp/test_selftests.XXXXXX";
	struct error err = ERROR_INIT;
	struct selftests s;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(selftests_build(dir, dir, 1, NULL, &s, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "selftests/mm"));
	assert_int_equal(path_remove_tree(dir, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_no_tests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
