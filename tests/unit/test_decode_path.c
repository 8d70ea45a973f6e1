/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "agent/decode_internal.h"
#include "lib/buf.h"
#include "lib/clean.h"

static void test_path(void **state)
{
	static const struct {
		const char *file, *base, *want;
	} rows[] = {
		{ "/home/a/linux/mm/rmap.c", "/home/a/linux/", "mm/rmap.c" },
		{ "/home/a/linux/./include/linux/mm.h", "/home/a/linux/", "include/linux/mm.h" },
		{ "/home/a/linux/arch/x86/../../mm//rmap.c", "/home/a/linux/", "mm/rmap.c" },
		{ "/faultline/obj/./arch/x86/include/generated/asm/syscalls_64.h",
		  "/faultline/src/", "arch/x86/include/generated/asm/syscalls_64.h" },
		{ "/faultline/src/mm/rmap.c", "", "mm/rmap.c" },
		{ "mm/rmap.c", "", "mm/rmap.c" },
		{ "../linux/mm/rmap.c", "", "../linux/mm/rmap.c" },
		{ "/elsewhere/x.c", "/home/a/linux/", "/elsewhere/x.c" },
		{ "/../../x.c", "", "/x.c" },
		{ "/a/x\x1b[31m.c", "/a/", "x?[31m.c" },
		{ "", "", NULL },
		{ "/a/", "/a/", NULL },
	};
	CLEANUP(buf_free) struct buf lengthy = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(free_p) char *got = decode_path(rows[i].file, rows[i].base);

		if (rows[i].want)
			assert_string_equal(got, rows[i].want);
		else
			assert_null(got);
	}
	for (int i = 0; i < 400; i++)
		buf_char(&lengthy, 'a');
	assert_null(decode_path(lengthy.data, ""));
}

static void test_base(void **state)
{
	static const struct {
		const char *file, *want;
	} rows[] = {
		{ "/home/a/linux/init/main.c", "/home/a/linux/" },
		{ "/home/a/obj/../linux/./init/main.c", "/home/a/linux/" },
		{ "/init/main.c", "/" },
		{ "init/main.c", "" },
		{ "/home/a/linux/init/domain.c", "" },
		{ NULL, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct places p = { .v = { { .file = (char *)rows[i].file } }, .n = 1 };
		CLEANUP(free_p) char *got = decode_base(&p);

		assert_string_equal(got, rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_base),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
