/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/initramfs.h"
#include "lib/clean.h"
#include "lib/path.h"

static unsigned long field(const char *header, int i)
{
	char hex[9] = "";

	memcpy(hex, header + 6 + 8 * i, 8);
	return strtoul(hex, NULL, 16);
}

/* Walks the archive as the kernel's init/initramfs.c does. */
static void archive_is_newc(void **state)
{
	static const char program[] = "\x7f"
				      "ELF not really";
	CLEANUP(buf_free) struct buf a = BUF_INIT;
	bool init = false, console = false, end = false;
	size_t at = 0;

	(void)state;
	initramfs_write(program, sizeof(program), &a);
	while (!end) {
		const char *h = a.data + at;
		size_t size, name;

		assert_true(at + 110 < a.len);
		assert_memory_equal(h, "070701", 6);
		size = field(h, 6);
		name = field(h, 11);
		assert_int_equal(strlen(h + 110) + 1, name);
		end = strcmp(h + 110, "TRAILER!!!") == 0;
		at = (at + 110 + name + 3) & ~(size_t)3;
		if (strcmp(h + 110, "init") == 0) {
			init = true;
			assert_int_equal(field(h, 1), S_IFREG | 0755);
			assert_memory_equal(a.data + at, program, sizeof(program));
		} else if (strcmp(h + 110, "dev/console") == 0) {
			console = true;
			assert_int_equal(field(h, 1), S_IFCHR | 0600);
			assert_int_equal(field(h, 9), 5);
			assert_int_equal(field(h, 10), 1);
		}
		at = (at + size + 3) & ~(size_t)3;
	}
	assert_true(init && console);
	assert_int_equal(at, a.len);
}

/* A second archive begins where the kernel looks for it, at a multiple of four. */
static void one_file_more(void **state)
{
	CLEANUP(buf_free) struct buf a = BUF_INIT;
	size_t start;

	(void)state;
	initramfs_write("x", 1, &a);
	start = a.len;
	assert_int_equal(start % 4, 0);
	initramfs_write_file("request", "hello", 5, &a);
	assert_memory_equal(a.data + start, "070701", 6);
	assert_int_equal(field(a.data + start, 1), S_IFREG | 0644);
	assert_int_equal(field(a.data + start, 6), 5);
	assert_string_equal(a.data + start + 110, "request");
	assert_memory_equal(a.data + start + 120,
			    "hello\0\0\0"
			    "070701",
			    14);
	assert_string_equal(a.data + start + 128 + 110, "TRAILER!!!");
}

static void cached_by_content(void **state)
{
	char dir[] = "/tmp/initramfs-XXXXXX";
	CLEANUP(free_p) char *guest = NULL;
	CLEANUP(free_p) char *cache = NULL;
	CLEANUP(free_p) char *a = NULL;
	CLEANUP(free_p) char *b = NULL;
	CLEANUP(free_p) char *c = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	assert_non_null(mkdtemp(dir));
	guest = xasprintf("%s/init", dir);
	cache = xasprintf("%s/deep/cache", dir);
	assert_int_equal(initramfs_make(guest, NULL, 0, cache, &a, &err), -ENOENT);
	assert_null(a);
	assert_int_equal(path_write_atomic(guest, "one", 3, 0755, NULL), 0);
	assert_int_equal(initramfs_make(guest, NULL, 0, cache, &a, &err), 0);
	assert_int_equal(initramfs_make(guest, NULL, 0, cache, &b, &err), 0);
	assert_string_equal(a, b);
	assert_int_equal(path_write_atomic(guest, "two", 3, 0755, NULL), 0);
	assert_int_equal(initramfs_make(guest, NULL, 0, cache, &c, &err), 0);
	assert_string_not_equal(a, c);
	assert_int_equal(path_remove_tree(dir, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(archive_is_newc),
		cmocka_unit_test(one_file_more),
		cmocka_unit_test(cached_by_content),
	};

	return cmocka_run_group_tests_name("initramfs", tests, NULL, NULL);
}
