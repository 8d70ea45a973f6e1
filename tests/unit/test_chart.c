/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "server/chart.h"

#define GAP ((double)NAN)

static struct json_object *draw(const double *values, size_t n)
{
	const struct chart_line line = { "default", values };

	return chart_draw(&(struct chart){ .n_places = n, .lines = &line, .n_lines = 1 });
}

static struct json_object *nth(struct json_object *o, const char *list, size_t i)
{
	struct json_object *a = json_object_object_get(o, list);

	assert_true(i < json_object_array_length(a));
	return json_object_array_get_idx(a, i);
}

static const char *text_of(struct json_object *o, const char *key)
{
	return json_object_get_string(json_object_object_get(o, key));
}

/* "0 10 20": what the ticks say, from below. */
static char *ticks(struct json_object *o)
{
	struct json_object *a = json_object_object_get(o, "ticks");
	struct buf b = BUF_INIT;
	double above = CHART_BOTTOM + 1;

	for (size_t i = 0; i < json_object_array_length(a); i++) {
		struct json_object *tick = json_object_array_get_idx(a, i);
		double y = json_object_get_double(json_object_object_get(tick, "y"));

		assert_true(y < above && y >= CHART_TOP);
		above = y;
		buf_printf(&b, "%s%s", b.len ? " " : "", text_of(tick, "text"));
	}
	return buf_steal(&b);
}

static void test_places(void **state)
{
	/* left to right over the plot, bottom to top over the scale of 0 to 10 */
	const double values[] = { 0, 10, 5 };
	CLEANUP(json_put_p) struct json_object *o = draw(values, 3);
	CLEANUP(free_p) char *t = ticks(o);

	(void)state;
	assert_string_equal(text_of(nth(o, "lines", 0), "d"), "M46 90L180 8L314 49");
	assert_string_equal(text_of(nth(o, "lines", 0), "text"), "5; 0 to 10");
	assert_string_equal(text_of(nth(o, "lines", 0), "name"), "default");
	assert_string_equal(text_of(o, "marks"), "");
	assert_string_equal(t, "0 5 10");
}

static void test_gaps(void **state)
{
	const double values[] = { GAP, 10, GAP, 0, 10, GAP };
	CLEANUP(json_put_p) struct json_object *o = draw(values, 6);

	(void)state;
	/* no line leads over a gap, and a value alone is seen all the same */
	assert_string_equal(text_of(nth(o, "lines", 0), "d"), "M99.6 8h0M206.8 90L260.4 8");
	assert_string_equal(text_of(nth(o, "lines", 0), "text"), "10; 0 to 10");
}

static void test_nothing(void **state)
{
	const double values[] = { GAP, GAP };
	CLEANUP(json_put_p) struct json_object *o = draw(values, 2);
	CLEANUP(free_p) char *t = ticks(o);

	(void)state;
	assert_string_equal(text_of(nth(o, "lines", 0), "d"), "");
	assert_string_equal(text_of(nth(o, "lines", 0), "text"), "none");
	assert_string_equal(t, "0 0.5 1");
}

static void test_one_place(void **state)
{
	const double value = 7;
	CLEANUP(json_put_p) struct json_object *o = draw(&value, 1);

	(void)state;
	assert_string_equal(text_of(nth(o, "lines", 0), "d"), "M180 32.6h0");
	assert_string_equal(text_of(nth(o, "lines", 0), "text"), "7");
}

static void test_scales(void **state)
{
	static const struct {
		double values[3];
		const char *ticks;
	} rows[] = {
		{ { 0, 0, 0 }, "0 0.5 1" },
		{ { 4, 4, 4 }, "0 2 4" },
		{ { -4, -4, -4 }, "-4 -2 0" },
		{ { 40, 50, 45 }, "40 45 50" }, /* moves a fifth: zero is far away */
		{ { 30, 50, 45 }, "0 20 40 60" },
		{ { 100, 100.1, 100 }, "95 100 105 110" }, /* noise does not fill the image */
		{ { -3, 3, 0 }, "-4 -2 0 2 4" },
		{ { 0.1, 0.2, 0.3 }, "0 0.1 0.2 0.3" },
		{ { 12000, 30000, 60000 }, "0 20k 40k 60k" },
		{ { 2.5e6, 1e6, 4e6 }, "0 2M 4M" },
		{ { 1e-9, 3e-9, 2e-9 }, "0 1e-09 2e-09 3e-09" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(json_put_p) struct json_object *o = draw(rows[i].values, 3);
		CLEANUP(free_p) char *t = ticks(o);

		if (strcmp(t, rows[i].ticks) != 0)
			fail_msg("%zu: '%s', not '%s'", i, t, rows[i].ticks);
	}
}

/* Whatever is measured, nothing leaves the plot and there are a few ticks. */
static void test_extremes(void **state)
{
	static const double extremes[] = { 0,	    1,	    -1,	  1e308,  -1e308, 5e-324,
					   -5e-324, 1e-300, 1e15, 9999.5, 123456, 1e-5 };
	const size_t n = ARRAY_SIZE(extremes);

	(void)state;
	for (size_t i = 0; i < n * n; i++) {
		const double values[] = { extremes[i / n], extremes[i % n] };
		CLEANUP(json_put_p) struct json_object *o = draw(values, 2);
		size_t n_ticks = json_object_array_length(json_object_object_get(o, "ticks"));
		CLEANUP(free_p) char *t = ticks(o);
		double y[2];

		assert_int_equal(sscanf(text_of(nth(o, "lines", 0), "d"), "M46 %lfL314 %lf", &y[0],
					&y[1]),
				 2);
		for (int k = 0; k < 2; k++)
			if (!(y[k] >= CHART_TOP && y[k] <= CHART_BOTTOM))
				fail_msg("%g %g: y is %g", values[0], values[1], y[k]);
		if (n_ticks < 2 || n_ticks > 6 || strstr(t, "nan") || strstr(t, "inf"))
			fail_msg("%g %g: %s", values[0], values[1], t);
	}
}

static void test_lines_share_a_scale(void **state)
{
	const double low[] = { 0, 1 }, high[] = { 10, 10 };
	const struct chart_line lines[] = {
		{ "a", low }, { "b", high }, { "c", low }, { "d", low }, { "e", low }
	};
	const bool marked[] = { false, true };
	CLEANUP(json_put_p)
	struct json_object *o = chart_draw(
		&(struct chart){ .n_places = 2, .lines = lines, .n_lines = 5, .marked = marked });

	(void)state;
	assert_string_equal(text_of(nth(o, "lines", 0), "d"), "M46 90L314 81.8");
	assert_string_equal(text_of(nth(o, "lines", 1), "d"), "M46 8L314 8");
	assert_string_equal(text_of(o, "marks"), "M314 8V90");
	assert_string_equal(text_of(nth(o, "lines", 3), "look"), "3");
	assert_string_equal(text_of(nth(o, "lines", 4), "look"), "0");
}

static void test_numbers(void **state)
{
	static const struct {
		double v;
		const char *text;
	} rows[] = { { 0, "0" },
		     { 44.8, "44.8" },
		     { 9999, "9999" },
		     { 10000, "10k" },
		     { -12345, "-12.35k" },
		     { 4e6, "4M" },
		     { 2.5e9, "2.5G" },
		     { 3e12, "3T" },
		     { 1e15, "1e+15" },
		     { 0.00012, "0.00012" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[CHART_NUMBER_MAX];

		chart_number(rows[i].v, text);
		assert_string_equal(text, rows[i].text);
	}
}

static void test_bars(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = chart_bars("PF.F");

	(void)state;
	assert_string_equal(text_of(o, "text"), "2 FAIL, 1 PASS, 1 none; newest PASS");
	assert_string_equal(text_of(nth(o, "bars", 0), "look"), "FAIL");
	/* the newest is on the right, and what is worse is higher */
	assert_string_equal(text_of(nth(o, "bars", 0), "d"), "M90 16v-16h4v16zM80 16v-16h4v16z");
	assert_string_equal(text_of(nth(o, "bars", 1), "d"), "M95 16v-6h4v6z");
	assert_string_equal(text_of(nth(o, "bars", 2), "look"), "none");
	assert_string_equal(text_of(nth(o, "bars", 2), "d"), "M85 16v-1h4v1z");
}

static void test_bars_are_bounded(void **state)
{
	CLEANUP(json_put_p) struct json_object *none = chart_bars("");
	CLEANUP(json_put_p) struct json_object *many = chart_bars("SPPPPPPPPPPPPPPPPPPPFFFF");

	(void)state;
	assert_int_equal(json_object_array_length(json_object_object_get(none, "bars")), 0);
	assert_string_equal(text_of(none, "text"), "");
	assert_string_equal(text_of(many, "text"), "19 PASS, 1 SKIP; newest SKIP");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_gaps),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_one_place),
		cmocka_unit_test(test_scales),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_lines_share_a_scale),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_bars),
		cmocka_unit_test(test_bars_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
