/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "agent/console.h"
#include "lib/buf.h"

static void feed(struct console *c, const char *s)
{
	console_feed(c, s, strlen(s));
}

static void cuts_into_points(void **state)
{
	struct console c;
	const struct console_point *p, *q;

	(void)state;
	console_init(&c);
	feed(&c, "[    0.000000] boot\n[    1.0");
	feed(&c,
	     "00000] faultline: begin id=7 nth=1\nA\n[    1.0][ T1] faultline: armed id=7 nth=1\n");
	feed(&c, "faultline: disarmed id=7 nth=1\nfaultline: end id=7 nth=1\nlate\n");
	p = console_find(&c, 7, 1);
	assert_non_null(p);
	assert_false(console_is_past(&c, p));
	assert_true(p->armed && p->disarmed && p->ended);
	feed(&c, "faultline: begin id=7 nth=2\nB");
	console_end(&c);
	p = console_find(&c, 7, 1);
	q = console_find(&c, 7, 2);
	assert_true(console_is_past(&c, p));
	assert_string_equal(buf_cstr(&c.points[0].text), "[    0.000000] boot\n");
	assert_non_null(strstr(buf_cstr(&p->text), "late\n"));
	assert_string_equal(buf_cstr(&q->text), "faultline: begin id=7 nth=2\nB\n");
	assert_false(q->armed);
	assert_null(console_find(&c, 7, 3));
	console_free(&c);
}

/* Only exact marks, of the point that is open, count. */
static void marks_are_strict(void **state)
{
	struct console c;
	const struct console_point *p;

	(void)state;
	console_init(&c);
	feed(&c, "faultline: begin id=1 nth=1 x\nxfaultline: begin id=1 nth=1\n");
	feed(&c, "faultline: begin id=-1 nth=1\nfaultline: armed id=0 nth=0\n");
	assert_int_equal(c.n, 1);
	assert_false(c.points[0].armed);
	feed(&c, "faultline: begin id=1 nth=1\nfaultline: armed id=1 nth=2\n");
	feed(&c, "faultline: disarmed id=1 nth=1\n");
	p = console_find(&c, 1, 1);
	assert_false(p->armed);
	assert_false(p->disarmed); /* what was never armed cannot be disarmed */
	console_free(&c);
}

static void floods_are_cut(void **state)
{
	struct console c;

	(void)state;
	console_init(&c);
	c.case_max = 1000;
	feed(&c, "faultline: begin id=1 nth=0\n");
	for (int i = 0; i < 100; i++)
		feed(&c, "0123456789012345678\n");
	assert_true(console_flooded(&c));
	assert_true(c.points[1].text.len <= 1000);
	assert_int_equal(c.points[1].text.len + c.points[1].dropped, 28 + 2000);
	/* The next point has room of its own. */
	feed(&c, "faultline: begin id=2 nth=0\n");
	assert_false(console_flooded(&c));
	c.machine_max = 100;
	assert_true(console_flooded(&c));
	console_free(&c);
}

static void endless_line(void **state)
{
	struct console c;
	char chunk[5000];

	(void)state;
	memset(chunk, 'x', sizeof(chunk));
	console_init(&c);
	for (int i = 0; i < 100; i++)
		console_feed(&c, chunk, sizeof(chunk));
	feed(&c, "\nKernel panic - not syncing: x\n");
	assert_true(c.points[0].text.len < 10000);
	assert_true(c.panicked);
	console_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_into_points),
		cmocka_unit_test(marks_are_strict),
		cmocka_unit_test(floods_are_cut),
		cmocka_unit_test(endless_line),
	};

	return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
