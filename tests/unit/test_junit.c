/* SPDX-License-Identifier: MIT */
/* tests/exchange/formats.sh holds whole documents against the schema. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "test_export.h"

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no '%s' in:\n%s", part, text);
}

static size_t count_of(const char *text, const char *part)
{
	size_t n = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		n++;
	return n;
}

static void test_statuses(void **state)
{
	CLEANUP(result_doc_free) struct result_doc d = { 0 };
	CLEANUP(free_p) char *text = NULL;

	(void)state;
	fill_statuses(&d);
	text = written("junit", &d, NULL);
	assert_has(text, "<testsuites name=\"faultline\" tests=\"6\" failures=\"1\" errors=\"2\" "
			 "time=\"9.000000\">");
	assert_has(text, "<testsuite name=\"default\" tests=\"6\" failures=\"1\" errors=\"2\" "
			 "time=\"9.000000\" skipped=\"1\">");
	assert_has(text, "<testcase classname=\"faultline.split.mprotect\" name=\"nth=3\" "
			 "time=\"1.500000\">\n   <failure type=\"bug\" "
			 "message=\"kernel BUG in f\">FAIL bug: it broke\n");
	assert_has(text, "\ncheck data.pattern: byte 7 is 0\n</failure>");
	assert_has(text, "<system-out>kernel BUG at f\nCall Trace:\n</system-out>");
	assert_has(text, "<error type=\"ineffective\" message=\"nothing was injected\">");
	assert_has(text, "<error type=\"qemu\" message=\"QEMU ended\">");
	assert_has(text, "<testcase classname=\"faultline.split.fork\" name=\"nth=3\" "
			 "time=\"1.500000\"/>");
	assert_has(text, "<skipped type=\"predeposit\" message=\"the kernel deposits\">");
	assert_has(text, "<property name=\"zeropage.remap none: rss.freed\" value=\"64 pages\"/>");
	assert_has(text, "<system-out>rss.freed: 64 pages\nrate: 0.125 s\n</system-out>");
	assert_int_equal(count_of(text, "<failure "), 1);
	assert_int_equal(count_of(text, "<error "), 2);
	assert_int_equal(count_of(text, "<skipped "), 1);
	assert_int_equal(count_of(text, "<testcase "), 6);
}

static void add_frame(struct result *r, const char *file)
{
	struct frame *f = trace_add(&r->splat.trace);

	f->function = xstrdup("f");
	f->offset = 26;
	f->size = 64;
	f->file = xstrdup(file);
	f->line = file ? 12 : 0;
}

static void test_decoded(void **state)
{
	CLEANUP(result_doc_free) struct result_doc d = { 0 };
	CLEANUP(free_p) char *text = NULL, *bare = NULL;

	(void)state;
	fill_statuses(&d);
	for (size_t i = 0; i < d.n_results; i++)
		if (d.results[i].splat.kind != SPLAT_NONE)
			add_frame(&d.results[i], NULL);
	bare = written("junit", &d, NULL);
	assert_null(strstr(bare, "decoded"));
	for (size_t i = 0; i < d.n_results; i++)
		if (d.results[i].splat.kind != SPLAT_NONE)
			add_frame(&d.results[i], "mm/<x>.c");
	text = written("junit", &d, NULL);
	assert_has(text, "<system-out>kernel BUG at f\nCall Trace:\n\nThe decoded stack:\n"
			 "  f+0x1a/0x40\n  f+0x1a/0x40 (mm/&lt;x&gt;.c:12)\n</system-out>");
}

/* The time of a sweep is that of its points; the closing result has the sum of them. */
static void test_sweep_time(void **state)
{
	CLEANUP(result_doc_free) struct result_doc d = { 0 };
	CLEANUP(free_p) char *text = NULL;
	struct result *r;

	(void)state;
	add_result(&d, "split.mprotect", STATUS_PASS, REASON_NONE, "");
	r = add_result(&d, "split.mprotect", STATUS_PASS, REASON_NONE, "");
	r->closing = true;
	text = written("junit", &d, NULL);
	assert_has(text, "tests=\"2\" failures=\"0\" errors=\"0\" time=\"1.500000\"");
}

static void test_hostile(void **state)
{
	CLEANUP(result_doc_free) struct result_doc d = { 0 };
	CLEANUP(free_p) char *text = NULL;

	(void)state;
	fill_hostile(&d);
	text = written("junit", &d, NULL);
	assert_null(strstr(text, "<b id"));
	assert_null(strstr(text, "]]>"));
	assert_null(strpbrk(text, "\x1b\x01\r\xff"));
	assert_null(strstr(text, "\xe2\x80\xae"));
	assert_has(text, "&lt;b id='x'&gt;&amp;");
	assert_has(text, "&#x202E;abc");
	assert_int_equal(count_of(text, "<testcase "), 3);
	for (size_t at = 0, len = strlen(text); at < len;) {
		size_t n = utf8_len(text + at, len - at);

		assert_true(n > 0);
		at += n;
	}
}

static void test_empty(void **state)
{
	CLEANUP(result_doc_free) struct result_doc d = { 0 };
	CLEANUP(free_p) char *text = written("junit", &d, NULL);

	(void)state;
	assert_has(text, "<testsuites name=\"faultline\" tests=\"0\" failures=\"0\" errors=\"0\" "
			 "time=\"0.000000\"/>\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statuses),   cmocka_unit_test(test_decoded),
		cmocka_unit_test(test_sweep_time), cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
