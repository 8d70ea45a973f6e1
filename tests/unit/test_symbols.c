/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/symbols.h"
#include "jobs/coverage.h"
#include "jobs/parts.h"
#include "lib/buf.h"

static bool has(char **list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i], name))
			return true;
	return false;
}

static void test_lacking(void **state)
{
	static const char map[] = "ffffffff81000000 T _text\n"
				  "ffffffff81000010 t __split_vma\n"
				  "ffffffff81000020 t mprotect_fixup.isra.0\n"
				  "ffffffff81000030 T mlock_fixup_not\n"
				  "damaged\n"
				  "ffffffff81000040 T pte_alloc_one_noprof";
	char **functions, **lacks;
	size_t all = coverage_functions(&functions);
	size_t n = symbols_lacking(map, &lacks);

	(void)state;
	assert_int_equal(n, all - 3);
	assert_false(has(lacks, n, "__split_vma"));
	assert_false(has(lacks, n, "mprotect_fixup"));
	assert_false(has(lacks, n, "pte_alloc_one"));
	assert_true(has(lacks, n, "mlock_fixup"));
	assert_true(has(lacks, n, "__split_huge_pmd"));
	strings_free(lacks, n);
	strings_free(functions, all);
}

static void test_all_there(void **state)
{
	CLEANUP(buf_free) struct buf map = BUF_INIT;
	char **functions, **lacks;
	size_t n = coverage_functions(&functions);

	(void)state;
	for (size_t i = 0; i < n; i++)
		buf_printf(&map, "ffffffff81000000 T %s\n", functions[i]);
	strings_free(functions, n);
	n = symbols_lacking(map.data, &lacks);
	assert_int_equal(n, 0);
	strings_free(lacks, n);
}

static void test_not_a_symbol_table(void **state)
{
	struct error err = ERROR_INIT;
	char **lacks = NULL;
	size_t n = 77;

	(void)state;
	assert_int_equal(symbols_lacking_file("tests/unit/test_symbols.c", &lacks, &n, &err),
			 -EINVAL);
	assert_non_null(strstr(err.msg, "test_symbols.c"));
	assert_int_equal(symbols_lacking_file("/nonexistent", &lacks, &n, &err), -ENOENT);
	assert_null(lacks);
	assert_int_equal(n, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lacking),
		cmocka_unit_test(test_all_there),
		cmocka_unit_test(test_not_a_symbol_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
