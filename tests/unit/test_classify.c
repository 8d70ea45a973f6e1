/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdlib.h>
#include <string.h>

#include "agent/classify.h"
#include "lib/clean.h"
#include "lib/json.h"

static const char warning[] = "------------[ cut here ]------------\n"
			      "WARNING: CPU: 0 PID: 1 at mm/x.c:12 f+0x1/0x900\n"
			      "Call Trace:\n <TASK>\n f+0x1/0x900\n g+0x1/0x900\n </TASK>\n"
			      "---[ end trace 0000000000000000 ]---\n";
static const char injection[] = "FAULT_INJECTION: forcing a failure.\nname failslab, times 1\n"
				"Call Trace:\n <TASK>\n pte_alloc_one+0x1/0x99\n h+0x1/0x99\n"
				" </TASK>\n";

static void classify_text(struct classify *c, const char *log, const char *expect)
{
	classify_init(c, expect);
	classify_feed(c, log, strlen(log));
	classify_end(c);
}

/* Wherever the window ends, each report and each trace is found once, at its line. */
static void window_cuts_nothing(void **state)
{
	struct classify c;
	size_t lines = 0;

	(void)state;
	classify_init(&c, NULL);
	for (int i = 0; i < 150; i++) {
		for (int fill = 0; fill < 333 + i % 7; fill++, lines++)
			classify_feed(&c, "[    1.000000] nothing\n", 23);
		classify_feed(&c, injection, strlen(injection));
		classify_feed(&c, warning, strlen(warning));
		lines += 7 + 8;
	}
	classify_end(&c);
	assert_int_equal(c.lines, lines);
	assert_int_equal(c.n_found, 150);
	assert_int_equal(c.more, 0);
	assert_int_equal(c.traces, 150);
	assert_int_equal(c.n_stacks, 1);
	assert_int_equal(c.stacks[0].count, 150);
	assert_int_equal(c.found[0].line, 333 + 7 + 2);
	for (size_t i = 1; i < c.n_found; i++) {
		assert_null(c.found[i].splat.corrupted);
		assert_int_equal(c.found[i].line - c.found[i - 1].line, 333 + i % 7 + 15);
	}
	classify_free(&c);
}

static void splats_are_capped_and_counted(void **state)
{
	struct classify c;

	(void)state;
	classify_init(&c, NULL);
	for (int i = 0; i < CLASSIFY_SPLATS_MAX + 77; i++)
		classify_feed(&c, warning, strlen(warning));
	classify_end(&c);
	assert_int_equal(c.n_found, CLASSIFY_SPLATS_MAX);
	assert_int_equal(c.more, 77);
	classify_free(&c);
}

/* Lines without an end and logs without one are read within the same memory. */
static void memory_is_bounded(void **state)
{
	static char chunk[1 << 16];
	struct classify c;
	size_t most = 0;

	(void)state;
	memset(chunk, 'x', sizeof(chunk));
	classify_init(&c, NULL);
	for (int i = 0; i < 200; i++) {
		if (i >= 100)
			for (size_t at = 0; at < sizeof(chunk); at += 100)
				chunk[at] = '\n';
		classify_feed(&c, chunk, sizeof(chunk));
		most = c.text.cap > most ? c.text.cap : most;
	}
	classify_end(&c);
	assert_int_equal(c.n_found, 0);
	assert_true(c.lines > 65000);
	assert_in_range(most, 1, 4 << 20);
	classify_free(&c);
}

static void silence_needs_an_expectation(void **state)
{
	static const struct {
		const char *log, *expect, *title;
	} rows[] = {
		{ "", NULL, NULL },
		{ "", "login:", "silence: nothing was printed" },
		{ "\n\r\n", "login:", "silence: nothing was printed" },
		{ "booting\n", "login:", "silence: the log ends before the expected text" },
		{ "booting\nbox7 login: ", "login:", NULL },
		{ warning, "login:", "WARNING in f" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct classify c;

		classify_text(&c, rows[i].log, rows[i].expect);
		assert_int_equal(c.n_found, rows[i].title ? 1 : 0);
		if (rows[i].title)
			assert_string_equal(c.found[0].splat.title, rows[i].title);
		classify_free(&c);
	}
}

static void json_has_what_was_found(void **state)
{
	CLEANUP(buf_free) struct buf log = BUF_INIT;
	struct json_object *o, *splat, *injections;
	struct classify c;

	(void)state;
	buf_str(&log, injection);
	buf_str(&log, warning);
	buf_str(&log, "BUG: KASAN: slab-use-after-free in f+0x1/0x2\nRead of size 8\n");
	classify_text(&c, buf_cstr(&log), NULL);
	o = classify_to_json(&c);
	splat = json_object_array_get_idx(json_object_object_get(o, "splats"), 0);
	assert_string_equal(json_object_get_string(json_object_object_get(splat, "kind")), "warn");
	assert_false(json_object_get_boolean(json_object_object_get(splat, "corrupted")));
	assert_null(json_object_object_get(splat, "why"));
	assert_int_equal(json_object_get_int(json_object_object_get(splat, "line")), 9);
	splat = json_object_array_get_idx(json_object_object_get(o, "splats"), 1);
	assert_true(json_object_get_boolean(json_object_object_get(splat, "corrupted")));
	assert_string_equal(json_object_get_string(json_object_object_get(splat, "why")),
			    "the log ends inside it");
	assert_string_equal(json_object_get_string(json_object_object_get(splat, "reason")),
			    "kasan");
	injections = json_object_object_get(o, "injections");
	assert_int_equal(json_object_get_int(json_object_object_get(injections, "traces")), 1);
	assert_int_equal(json_object_array_length(json_object_object_get(injections, "stacks")), 1);
	json_object_put(o);
	classify_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(window_cuts_nothing),
		cmocka_unit_test(splats_are_capped_and_counted),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(silence_needs_an_expectation),
		cmocka_unit_test(json_has_what_was_found),
	};

	return cmocka_run_group_tests_name("classify", tests, NULL, NULL);
}
