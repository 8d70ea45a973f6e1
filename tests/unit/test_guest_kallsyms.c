/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kallsyms.h"

static const struct {
	const char *what, *text, *name;
	const char *found; /* NULL: not found */
	uint64_t start, end;
} rows[] = {
	{ "the next symbol ends it",
	  "ffffffff81000010 T before\nffffffff81000020 T wanted\nffffffff81000050 t after\n",
	  "wanted", "wanted", 0xffffffff81000020, 0xffffffff81000050 },
	{ "also one of data", "ffffffff81000020 t wanted\nffffffff81000030 d table\n", "wanted",
	  "wanted", 0xffffffff81000020, 0xffffffff81000030 },
	{ "an alias at the same address does not end it",
	  "ffffffff81000020 T wanted\nffffffff81000020 T __pfx_alias\nffffffff81000040 T x\n",
	  "wanted", "wanted", 0xffffffff81000020, 0xffffffff81000040 },
	{ "an alias in front",
	  "ffffffff81000020 T alias\nffffffff81000020 T wanted\nffffffff81000040 T x\n", "wanted",
	  "wanted", 0xffffffff81000020, 0xffffffff81000040 },
	{ "weak", "ffffffff81000020 W wanted\nffffffff81000040 T x\n", "wanted", "wanted",
	  0xffffffff81000020, 0xffffffff81000040 },
	{ "missing", "ffffffff81000020 T other\nffffffff81000040 T x\n", "wanted", NULL, 0, 0 },
	{ "a longer name is another",
	  "ffffffff81000020 T wanted_too\nffffffff81000030 T not_wanted\nffffffff81000040 T x\n",
	  "wanted", NULL, 0, 0 },
	{ "a shorter name is another", "ffffffff81000020 T want\nffffffff81000040 T x\n", "wanted",
	  NULL, 0, 0 },
	{ "data is no function", "ffffffff81000020 D wanted\nffffffff81000040 T x\n", "wanted",
	  NULL, 0, 0 },
	{ "hidden addresses", "0000000000000000 T wanted\n0000000000000000 T x\n", "wanted", NULL,
	  0, 0 },
	{ "the last one has no end", "ffffffff81000020 T wanted\n", "wanted", NULL, 0, 0 },
	{ "a clone by isra", "ffffffff81000020 t wanted.isra.0\nffffffff81000040 T x\n", "wanted",
	  "wanted.isra.0", 0xffffffff81000020, 0xffffffff81000040 },
	{ "by constprop", "ffffffff81000020 t wanted.constprop.3\nffffffff81000040 T x\n", "wanted",
	  "wanted.constprop.3", 0xffffffff81000020, 0xffffffff81000040 },
	{ "by part", "ffffffff81000020 t wanted.part.0\nffffffff81000040 T x\n", "wanted",
	  "wanted.part.0", 0xffffffff81000020, 0xffffffff81000040 },
	{ "by both", "ffffffff81000020 t wanted.constprop.0.isra.0\nffffffff81000040 T x\n",
	  "wanted", "wanted.constprop.0.isra.0", 0xffffffff81000020, 0xffffffff81000040 },
	{ "clang's promoted static", "ffffffff81000020 t wanted.llvm.123\nffffffff81000040 T x\n",
	  "wanted", "wanted.llvm.123", 0xffffffff81000020, 0xffffffff81000040 },
	{ "a cold part is not the function",
	  "ffffffff81000020 t wanted.cold\nffffffff81000030 t wanted.isra.0.cold\n"
	  "ffffffff81000040 T x\n",
	  "wanted", NULL, 0, 0 },
	{ "the exact name wins, clone first",
	  "ffffffff81000020 t wanted.part.0\nffffffff81000040 T wanted\nffffffff81000090 T x\n",
	  "wanted", "wanted", 0xffffffff81000040, 0xffffffff81000090 },
	{ "the exact name wins, clone last",
	  "ffffffff81000020 T wanted\nffffffff81000040 t wanted.isra.0\nffffffff81000090 T x\n",
	  "wanted", "wanted", 0xffffffff81000020, 0xffffffff81000040 },
	{ "the first of equals",
	  "ffffffff81000020 t wanted\nffffffff81000040 t wanted\nffffffff81000090 T x\n", "wanted",
	  "wanted", 0xffffffff81000020, 0xffffffff81000040 },
	{ "in a module",
	  "ffffffff81000020 T x\nffffffffc0000100 t wanted\t[huge]\nffffffffc0000180 t y\t[huge]\n",
	  "wanted", "wanted", 0xffffffffc0000100, 0xffffffffc0000180 },
	{ "lines that are none",
	  "\nnonsense\nffffffff81000020\nffffffff81000020 \nffffffff81000020 T\n"
	  "ffffffff81000020  T wanted\nFFFFFFFF81000020 T wanted\n T wanted\n",
	  "wanted", NULL, 0, 0 },
	{ "no line break at the end", "ffffffff81000020 T wanted\nffffffff81000040 T x", "wanted",
	  "wanted", 0xffffffff81000020, 0xffffffff81000040 },
	{ "nothing", "\n", "wanted", NULL, 0, 0 },
};

static void scan(const char *text, struct symbol_range *ranges, size_t count)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

	assert_non_null(file);
	kallsyms_scan(file, ranges, count);
	fclose(file);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct symbol_range range = { .start = 0 };

		strcpy(range.name, rows[i].name);
		scan(rows[i].text, &range, 1);
		if (range.start != rows[i].start || (range.start && range.end != rows[i].end) ||
		    (rows[i].found && strcmp(range.found, rows[i].found) != 0))
			fail_msg("%s: %s [%llx, %llx)", rows[i].what, range.found,
				 (unsigned long long)range.start, (unsigned long long)range.end);
	}
}

static void test_several_in_one_pass(void **state)
{
	struct symbol_range ranges[] = { { .name = "c" }, { .name = "a" }, { .name = "z" } };

	(void)state;
	scan("ffffffff81000010 T a\nffffffff81000020 T b\nffffffff81000030 T c\n"
	     "ffffffff81000040 T d\n",
	     ranges, 3);
	assert_true(ranges[0].start == 0xffffffff81000030 && ranges[0].end == 0xffffffff81000040);
	assert_true(ranges[1].start == 0xffffffff81000010 && ranges[1].end == 0xffffffff81000020);
	assert_true(ranges[2].start == 0);
}

/* Rust's names are longer than what is looked for, and than a line of ours. */
static void test_long_names(void **state)
{
	struct symbol_range range = { .name = "wanted" };
	char text[2000], name[KALLSYMS_NAME_MAX + 40], rust[600];

	(void)state;
	memset(rust, 'r', sizeof(rust) - 1);
	rust[sizeof(rust) - 1] = '\0';
	memset(name, '1', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	memcpy(name, "wanted.llvm.", 12);
	snprintf(text, sizeof(text),
		 "ffffffff81000010 t %s\nffffffff81000020 t %s\nffffffff81000030 T wanted\n"
		 "ffffffff81000040 T x\n",
		 rust, name);
	scan(text, &range, 1);
	assert_string_equal(range.found, "wanted");
	assert_true(range.start == 0xffffffff81000030 && range.end == 0xffffffff81000040);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_several_in_one_pass),
		cmocka_unit_test(test_long_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
