/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "agent/symtab.h"
#include "lib/buf.h"

static struct symtab table(const char *text)
{
	struct symtab t;

	symtab_read(xstrdup(text), &t);
	return t;
}

/* Unsorted, with what stands between functions in a real one. */
static const char MAP[] = "ffffffff81000100 t twin\n"
			  "ffffffff81000000 T _text\n"
			  "ffffffff81000000 T first\n"
			  "ffffffff81000040 t twin\n"
			  "ffffffff81000060 t f.isra.0\n"
			  "0000000000000010 a OFFSET\n"
			  "ffffffff81000070 t .Lhidden\n"
			  "ffffffff81000074 r __crc_f\n"
			  "faultline: no memory control group: the limit holds for each process\n"
			  "                 U missing\n"
			  "ffffffff81000080 t same\n"
			  "ffffffff810000a0 t same\n"
			  "ffffffff810000c0 T between\n"
			  "ffffffff81000180 T last";

static void test_find(void **state)
{
	static const struct {
		const char *name;
		uint64_t size;
		enum symtab_answer answer;
		uint64_t address;
	} rows[] = {
		{ "first", 0x40, SYMTAB_FOUND, 0xffffffff81000000 },
		{ "_text", 0x40, SYMTAB_FOUND, 0xffffffff81000000 },
		/* of one name, told apart by their sizes */
		{ "twin", 0x20, SYMTAB_FOUND, 0xffffffff81000040 },
		{ "twin", 0x80, SYMTAB_FOUND, 0xffffffff81000100 },
		{ "twin", 0x21, SYMTAB_OTHER, 0 },
		{ "twin", 0, SYMTAB_AMBIGUOUS, 0 },
		/* what the kernel does not count does not end a function */
		{ "f.isra.0", 0x20, SYMTAB_FOUND, 0xffffffff81000060 },
		{ "f", 0x20, SYMTAB_UNKNOWN, 0 },
		{ "same", 0x20, SYMTAB_AMBIGUOUS, 0 },
		{ "between", 0x40, SYMTAB_FOUND, 0xffffffff810000c0 },
		{ "last", 0x10, SYMTAB_OTHER, 0 },
		{ "last", 0, SYMTAB_FOUND, 0xffffffff81000180 },
		{ "OFFSET", 0, SYMTAB_UNKNOWN, 0 },
		{ "missing", 0, SYMTAB_UNKNOWN, 0 },
		{ ".Lhidden", 0, SYMTAB_UNKNOWN, 0 },
		{ "", 0, SYMTAB_UNKNOWN, 0 },
		{ "zzz", 1, SYMTAB_UNKNOWN, 0 },
	};
	struct symtab t = table(MAP);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t at = 0;

		if (symtab_find(&t, rows[i].name, rows[i].size, &at) != rows[i].answer ||
		    at != rows[i].address)
			fail_msg("%s/0x%lx", rows[i].name, (unsigned long)rows[i].size);
	}
	symtab_free(&t);
}

static void test_nothing(void **state)
{
	static const char *const texts[] = {
		"",
		"\n\n",
		"nm: x: no symbols\n",
		"ffffffff81000000",
		"ffffffff81000000 T",
		"ffffffff81000000 T ",
		"ffffffff81000000  T f",
		"T f",
	};
	uint64_t at;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct symtab t = table(texts[i]);

		assert_int_equal(t.n, 0);
		assert_int_equal(symtab_find(&t, "f", 0, &at), SYMTAB_UNKNOWN);
		symtab_free(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
