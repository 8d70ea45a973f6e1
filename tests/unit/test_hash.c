/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/clean.h"
#include "lib/hash.h"
#include "lib/path.h"

static void test_known_values(void **state)
{
	char hex[HASH_HEX_MAX];

	(void)state;
	/* FIPS 180-4, the examples for SHA-256. */
	hash_bytes("abc", 3, hex);
	assert_string_equal(hex,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	hash_bytes(NULL, 0, hex);
	assert_string_equal(hex,
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void test_file(void **state)
{
	char path[] = "/tmp/hash-test-XXXXXX";
	int fd = mkstemp(path);
	char hex[HASH_HEX_MAX] = "untouched";
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(fd_write_all(fd, "abc", 3), 0);
	close(fd);
	assert_int_equal(hash_file(path, hex, &err), 0);
	assert_int_equal(strncmp(hex, "ba7816bf", 8), 0);
	unlink(path);
	strcpy(hex, "untouched");
	assert_int_equal(hash_file(path, hex, &err), -ENOENT);
	assert_string_equal(hex, "untouched");
	assert_int_equal(hash_file("/tmp", hex, &err), -EISDIR);
}

static void test_parts_do_not_run_together(void **state)
{
	const char *const a[] = { "ab", "c", NULL };
	const char *const b[] = { "a", "bc", NULL };
	const char *const c[] = { "abc", NULL };
	const char *const d[] = { "abc", "", NULL };
	char ha[HASH_HEX_MAX], hb[HASH_HEX_MAX], hc[HASH_HEX_MAX], hd[HASH_HEX_MAX];

	(void)state;
	hash_strings(a, ha);
	hash_strings(b, hb);
	hash_strings(c, hc);
	hash_strings(d, hd);
	assert_string_not_equal(ha, hb);
	assert_string_not_equal(ha, hc);
	assert_string_not_equal(hc, hd);
	hash_strings(a, hb);
	assert_string_equal(ha, hb);
}

static void test_random(void **state)
{
	CLEANUP(free_p) char *a = hash_random_hex(16);
	CLEANUP(free_p) char *b = hash_random_hex(16);

	(void)state;
	assert_int_equal(strlen(a), 32);
	assert_int_equal(strspn(a, "0123456789abcdef"), 32);
	assert_string_not_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_values),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_parts_do_not_run_together),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
