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

static void test_parse(void **state)
{
	static const uint64_t at[] = { 0x10, 0x20, 0x30, 0x40 };
	static const char text[] = "0x0000000000000010\n"
				   "inner\n/src/a.c:4 (discriminator 3)\n"
				   "outer\n/src/a:b.c:12\n"
				   "0x0000000000000020\n"
				   "??\n??:0\n"
				   "0x0000000000000030\n"
				   "f\nz.c:?\n"
				   "0x0000000000000010\n"
				   "g\n";
	struct places *p = xcalloc(ARRAY_SIZE(at), sizeof(*p));

	(void)state;
	decode_parse(text, at, ARRAY_SIZE(at), p);
	assert_int_equal(p[0].n, 2);
	assert_string_equal(p[0].v[0].function, "inner");
	assert_string_equal(p[0].v[0].file, "/src/a.c");
	assert_int_equal(p[0].v[0].line, 4);
	assert_string_equal(p[0].v[1].file, "/src/a:b.c");
	assert_int_equal(p[0].v[1].line, 12);
	assert_int_equal(p[1].n, 1);
	assert_null(p[1].v[0].file);
	/* an address out of order is a function's strange name, of which no line is known */
	assert_int_equal(p[2].n, 2);
	assert_null(p[2].v[0].file);
	assert_null(p[2].v[1].file);
	assert_int_equal(p[3].n, 0);
	places_free(p, ARRAY_SIZE(at));
}

/* The function itself is told last, and is kept whatever was inlined into it. */
static void test_parse_deep(void **state)
{
	static const uint64_t at = 0x10;
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct places *p = xcalloc(1, sizeof(*p));

	(void)state;
	buf_str(&text, "0x0000000000000010\n");
	for (int i = 1; i <= 100; i++)
		buf_printf(&text, "f%d\n/a.c:%d\n", i, i);
	decode_parse(text.data, &at, 1, p);
	assert_int_equal(p->n, PLACES_MAX);
	assert_int_equal(p->v[0].line, 1);
	assert_int_equal(p->v[PLACES_MAX - 2].line, PLACES_MAX - 1);
	assert_string_equal(p->v[PLACES_MAX - 1].function, "f100");
	places_free(p, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
