/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "jobs/badge.h"
#include "lib/clean.h"

static void test_message(void **state)
{
	static const struct {
		struct badge_facts facts;
		const char *message;
	} cases[] = {
		{ { .known = false, .judged = true }, "unknown" },
		{ { .known = true }, "unknown" },
		{ { .known = true, .judged = true }, "no regressions" },
		{ { .known = true, .judged = true, .under_way = true }, "testing" },
		{ { .known = true, .judged = true, .unconfirmed = 1 }, "testing" },
		{ { .known = true, .judged = true, .regressions = 1 }, "1 regression" },
		{ { .known = true, .regressions = 2, .under_way = true, .unconfirmed = 3 },
		  "2 regressions" },
		{ { .known = true, .regressions = INT64_MAX }, "9223372036854775807 regressions" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char got[BADGE_MESSAGE_MAX];

		badge_message(&cases[i].facts, got);
		assert_string_equal(got, cases[i].message);
	}
}

/* DejaVu Sans at 11 pixels, as its table says: "i" 0.278, "W" 0.989, a blank 0.318. */
static void test_width(void **state)
{
	(void)state;
	assert_int_equal(badge_text_width(""), 0);
	assert_int_equal(badge_text_width("i"), 4);
	assert_int_equal(badge_text_width("iiiiiiiiii"), 31);
	assert_int_equal(badge_text_width("WWWWWWWWWW"), 109);
	assert_int_equal(badge_text_width(" ~"), 13);
	assert_int_equal(badge_text_width("\x7f"), 11);
}

static char *picture(const struct badge_facts *f, const char *subject)
{
	struct buf out = BUF_INIT;

	badge_svg(f, subject, &out);
	return buf_steal(&out);
}

static int number_after(const char *s, const char *what)
{
	const char *at = strstr(s, what);
	int n = -1;

	assert_non_null(at);
	assert_int_equal(sscanf(at + strlen(what), "%d", &n), 1);
	return n;
}

/* The boxes hold their texts: neither overlaps the other, nor the edge. */
static void test_layout(void **state)
{
	const struct badge_facts f = { .known = true, .regressions = 123456 };
	CLEANUP(free_p) char *svg = picture(&f, "mm topic");
	const char *label = strstr(svg, "<text "), *message = strstr(label + 1, "<text ");
	const char *second = strstr(strstr(svg, "<rect ") + 1, "<rect ");
	int edge = number_after(second, "x=\""), end = edge + number_after(second, "width=\"");

	(void)state;
	assert_int_equal(number_after(svg, "width=\""), end);
	assert_true(number_after(label, "x=\"") + number_after(label, "textLength=\"") < edge);
	assert_true(number_after(message, "x=\"") > edge);
	assert_true(number_after(message, "x=\"") + number_after(message, "textLength=\"") < end);
	assert_int_equal(number_after(message, "textLength=\""),
			 badge_text_width("123456 regressions"));
}

static void test_hostile(void **state)
{
	const struct badge_facts f = { .known = false };
	CLEANUP(free_p) char *svg = picture(&f, "mm </title><script>x</script>\"'&\x1b\xff");

	(void)state;
	assert_null(strstr(svg, "<script"));
	assert_non_null(strstr(svg, "&lt;/title&gt;&lt;script&gt;"));
	assert_null(strchr(svg, '\x1b'));
	assert_null(strchr(svg, '\xff'));
	assert_non_null(strstr(svg, ">unknown</text>"));
	/* the name is in the title, and nowhere else */
	assert_null(strstr(strstr(svg, "</title>"), "script"));
}

static void test_colours(void **state)
{
	CLEANUP(free_p)
	char *good = picture(&(struct badge_facts){ .known = true, .judged = true }, "");
	CLEANUP(free_p)
	char *bad = picture(
		&(struct badge_facts){ .known = true, .judged = true, .regressions = 1 }, "");
	CLEANUP(free_p)
	char *busy = picture(&(struct badge_facts){ .known = true, .under_way = true }, "");
	CLEANUP(free_p) char *none = picture(&(struct badge_facts){ .judged = true }, "");

	(void)state;
	assert_non_null(strstr(good, "#1a7f37"));
	assert_non_null(strstr(bad, "#b42318"));
	assert_non_null(strstr(busy, "#1d5fa8"));
	assert_non_null(strstr(none, "#57606a"));
	assert_null(strstr(none, "#1a7f37"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message), cmocka_unit_test(test_width),
		cmocka_unit_test(test_layout),	cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_colours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
