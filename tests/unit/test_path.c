/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/path.h"

static char dir[64];

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/path-test-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	struct error err;

	(void)state;
	return path_remove_tree(dir, &err);
}

static char *in_dir(const char *rel)
{
	return xasprintf("%s/%s", dir, rel);
}

static size_t entries(void)
{
	CLEANUP(closedir_p) DIR *d = opendir(dir);
	size_t n = 0;

	while (readdir(d))
		n++;
	return n - 2;
}

static void test_mkdirs(void **state)
{
	CLEANUP(free_p) char *deep = in_dir("a/b//c/");
	CLEANUP(free_p) char *file = in_dir("file");
	CLEANUP(free_p) char *below = in_dir("file/x");
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(path_mkdirs(deep, 0755, &err), 0);
	assert_int_equal(path_mkdirs(deep, 0755, &err), 0);
	assert_true(path_exists(deep));
	assert_int_equal(path_write_atomic(file, "", 0, 0644, &err), 0);
	assert_int_equal(path_mkdirs(below, 0755, &err), -ENOTDIR);
	assert_int_equal(path_mkdirs(file, 0755, &err), -ENOTDIR);
	assert_int_equal(path_mkdirs("", 0755, &err), -EINVAL);
}

static void test_write_and_read(void **state)
{
	CLEANUP(free_p) char *file = in_dir("state.json");
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	struct error err = ERROR_INIT;
	struct stat st;

	(void)state;
	assert_int_equal(path_write_atomic(file, "one", 3, 0600, &err), 0);
	assert_int_equal(path_write_atomic(file, "two\0!", 5, 0640, &err), 0);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	buf_str(&b, "before ");
	assert_int_equal(path_read(file, 5, &b, &err), 0);
	assert_int_equal(b.len, 12);
	assert_memory_equal(b.data, "before two\0!", 13);
	/* Too long: an error, and what was there stays. */
	assert_int_equal(path_read(file, 4, &b, &err), -EFBIG);
	assert_int_equal(b.len, 12);
	assert_int_equal(path_read("/no/such", 4, &b, &err), -ENOENT);
	assert_int_equal(entries(), 1);
}

static void test_failed_write_keeps_the_old_file(void **state)
{
	CLEANUP(free_p) char *target = in_dir("target");
	CLEANUP(free_p) char *inside = in_dir("target/x");
	CLEANUP(free_p) char *nowhere = in_dir("missing/x");
	struct error err = ERROR_INIT;

	(void)state;
	/* rename() over a folder fails after the temporary file was written. */
	assert_int_equal(path_mkdirs(target, 0755, &err), 0);
	assert_int_equal(path_write_atomic(inside, "old", 3, 0644, &err), 0);
	assert_int_equal(path_write_atomic(target, "new", 3, 0644, &err), -EISDIR);
	assert_true(path_exists(inside));
	assert_int_equal(path_write_atomic(nowhere, "new", 3, 0644, &err), -ENOENT);
	assert_int_equal(entries(), 1);
}

static void test_remove_tree_does_not_follow_links(void **state)
{
	CLEANUP(free_p) char *outside = in_dir("outside");
	CLEANUP(free_p) char *kept = in_dir("outside/kept");
	CLEANUP(free_p) char *tree = in_dir("tree");
	CLEANUP(free_p) char *sub = in_dir("tree/sub/deep");
	CLEANUP(free_p) char *link_dir = in_dir("tree/link");
	CLEANUP(free_p) char *top_link = in_dir("toplink");
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(path_mkdirs(outside, 0755, &err), 0);
	assert_int_equal(path_write_atomic(kept, "x", 1, 0644, &err), 0);
	assert_int_equal(path_mkdirs(sub, 0755, &err), 0);
	assert_int_equal(symlink(outside, link_dir), 0);
	assert_int_equal(symlink(outside, top_link), 0);
	assert_int_equal(chmod(sub, 0), 0);
	assert_int_equal(path_remove_tree(tree, &err), 0);
	assert_false(path_exists(tree));
	assert_int_equal(path_remove_tree(top_link, &err), 0);
	assert_true(path_exists(kept));
	assert_int_equal(path_remove_tree(tree, &err), 0);
}

static void test_free_bytes(void **state)
{
	CLEANUP(free_p) char *missing = in_dir("not/yet/there");

	(void)state;
	assert_true(path_free_bytes(dir) > 0);
	assert_true(path_free_bytes(missing) > 0);
	assert_true(path_free_bytes("relative/missing") > 0);
}

static void test_safe_names(void **state)
{
	static const char *const good[] = { "a", "bzImage", "vmlinux-6.12+x_1.map", "0" };
	static const char *const bad[] = { "",	  ".",	 "..",	".hidden",  "-rf", "a/b",
					   "a b", "a\n", "a;b", "\xc3\xbc", "a*",  "a\\b" };
	char big[202];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(path_name_is_safe(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(path_name_is_safe(bad[i]));
	assert_false(path_name_is_safe(NULL));
	memset(big, 'a', 201);
	big[201] = '\0';
	assert_false(path_name_is_safe(big));
	big[200] = '\0';
	assert_true(path_name_is_safe(big));
}

static void test_find_program(void **state)
{
	CLEANUP(free_p) char *sh = path_find_program("sh");
	CLEANUP(free_p) char *self = path_find_program("test_path");
	CLEANUP(free_p) char *none = path_find_program("no-such-program-here");

	(void)state;
	assert_non_null(sh);
	assert_int_equal(sh[0], '/');
	assert_non_null(self);
	assert_null(none);
}

static void test_share(void **state)
{
	CLEANUP(free_p) char *header = path_share("lib/path.h");
	CLEANUP(free_p) char *missing = path_share("no/such/file");
	CLEANUP(free_p) char *built = path_share("tests/unit/test_path");
	CLEANUP(free_p) char *given = NULL;

	(void)state;
	/* From the build folder: the source tree, and behind it the build folder itself. */
	assert_true(path_exists(header));
	assert_true(path_exists(built));
	assert_non_null(missing);
	assert_false(path_exists(missing));
	setenv("FAULTLINE_SHARE", "/given", 1);
	given = path_share("jobs/plans");
	unsetenv("FAULTLINE_SHARE");
	assert_string_equal(given, "/given/jobs/plans");
}

static void test_pipe_is_above_stdio(void **state)
{
	int saved = dup(0);
	int fds[2];

	(void)state;
	close(0);
	assert_int_equal(fd_pipe(fds), 0);
	dup2(saved, 0);
	close(saved);
	assert_true(fds[0] > 2 && fds[1] > 2);
	assert_int_equal(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(fds[1], F_GETFD), FD_CLOEXEC);
	close(fds[0]);
	close(fds[1]);
}

#define IN_DIR(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(test_mkdirs),
		IN_DIR(test_write_and_read),
		IN_DIR(test_failed_write_keeps_the_old_file),
		IN_DIR(test_remove_tree_does_not_follow_links),
		IN_DIR(test_free_bytes),
		cmocka_unit_test(test_safe_names),
		cmocka_unit_test(test_find_program),
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_pipe_is_above_stdio),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
