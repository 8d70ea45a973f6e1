/* SPDX-License-Identifier: MIT */
/* tools/templates as the build runs it: what it refuses, with file and line, and the context that it
 * gives to each value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/path.h"
#include "lib/proc.h"

static char dir[64];
static char *tool;

static int setup(void **state)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *tests;

	(void)state;
	if (n < 0)
		return -1;
	self[n] = '\0';
	tests = strstr(self, "/tests/unit/");
	if (!tests)
		return -1;
	*tests = '\0';
	tool = xasprintf("%s/bin/tools/templates", self);
	strcpy(dir, "/tmp/templates-test-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	struct error err;

	(void)state;
	free(tool);
	return path_remove_tree(dir, &err);
}

static char *write_file(const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", dir, name);
	struct error err = ERROR_INIT;

	assert_int_equal(path_write_atomic(path, text, strlen(text), 0644, &err), 0);
	return path;
}

/* Compiles a.html (and part.html); exit code, with messages or the table in `out`. */
static int compile(const char *text, const char *part, struct buf *out)
{
	CLEANUP(free_p) char *a = write_file("a.html", text), *b = write_file("part.html", part);
	CLEANUP(free_p) char *h = xasprintf("%s/o.h", dir), *c = xasprintf("%s/o.c", dir);
	const char *argv[] = { tool, h, c, a, b, NULL };
	struct proc_spec spec = { .argv = argv };
	struct proc_run_opts opts = { .timeout_ms = 10000, .out = out };
	struct error err = ERROR_INIT;
	int status = -1;

	buf_reset(out);
	assert_int_equal(proc_run(&spec, &opts, &status, &err), 0);
	assert_true(WIFEXITED(status));
	if (!WEXITSTATUS(status)) {
		buf_reset(out);
		assert_int_equal(path_read(c, 1 << 20, out, &err), 0);
	}
	return WEXITSTATUS(status);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "a\n{{x", "a.html:2: '{{' without '}}'" },
		{ "{{x\n}}", "a.html:1: '{{' without" },
		{ "x }} y", "'}}' without '{{'" },
		{ "{{}}", "is not understood" },
		{ "{{{x}}}", "is not understood" },
		{ "{{&x}}", "is not understood" },
		{ "{{!x}}", "is not understood" },
		{ "{{a..b}}", "is not understood" },
		{ "{{a b}}", "is not understood" },
		{ "{{x|nothing}}", "there is no filter 'nothing'" },
		{ "{{#a}}\nx", "a.html:2: {{#a}} of line 1 is not closed" },
		{ "{{^a}}", "is not closed" },
		{ "{{/a}}", "closes nothing" },
		{ "{{#a}}{{#b}}{{/a}}{{/b}}", "{{/a}} stands where {{/b}}" },
		{ "\n\n{{>nowhere}}", "a.html:3: there is no template 'nowhere'" },
		{ "{{>a}}", "contains itself" },
		{ "<p {{>part}}>", "stands in text only" },
		{ "{{#a}}<p{{/a}}>", "different places" },
		{ "<p title=\"{{#a}}\">{{/a}}", "different places" },
		{ "<p", "ends inside a tag" },
		{ "<p title=\"x>", "ends inside a tag" },
		{ "a < b", "&lt;" },
		{ "<!-- x", "the comment has no end" },
		{ "<{{x}}>", "a value stands in text" },
		{ "<p {{x}}>", "a value stands in text" },
		{ "<p {{x}}=\"1\">", "a value stands in text" },
		{ "<p title={{x}}>", "a value stands in text" },
		{ "<p title=x>", "must be quoted" },
		{ "<p onclick=\"x()\">", "no inline script" },
		{ "<p ONCLICK=\"{{x}}\">", "no inline script" },
		{ "<p style=\"color:red\">", "no inline script or style" },
		{ "<p {{#a}}style{{/a}}>", "no inline script or style" },
		{ "<style>p{}</style>", "no inline style" },
		{ "<script>x()</script>", "no inline script" },
		{ "<script src=\"/x\">{{x}}</script>", "a value stands in text" },
		{ "<iframe srcdoc=\"{{x}}\">", "no value is safe" },
		{ "<meta content=\"{{x}}\">", "no value is safe" },
		{ "<a href=\"javascript:{{x}}\">", "must not go on with a value" },
		{ "<a href=\"/{{x}}\">", "must not go on with a value" },
		{ "<a href=\"//{{x}}\">", "must not go on with a value" },
		{ "<a href=\"https://{{x}}\">", "must not go on with a value" },
		{ "<a href=\"/{{#a}}b{{/a}}{{x}}\">", "different places" },
		{ "<a href=\"{{#a}}/b{{/a}}{{x}}\">", "different places" },
	};
	CLEANUP(buf_free) struct buf out = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (compile(rows[i].text, "", &out) != 1)
			fail_msg("taken: %s", rows[i].text);
		if (!strstr(out.data, rows[i].says))
			fail_msg("%s: %s", rows[i].text, out.data);
	}
}

static void test_recursion_over_two_files(void **state)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(compile("{{>part}}", "{{>a}}", &out), 1);
	assert_non_null(strstr(out.data, "contains itself"));
}

/* The operation of the value `x` in `text`: "TPL_IN_URL, TPL_NONE". */
static void check_context(const char *text, const char *wanted)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	CLEANUP(free_p) char *op = xasprintf("TPL_OP_VALUE, %s,", wanted);

	if (compile(text, "", &out) != 0)
		fail_msg("%s: %s", text, out.data);
	if (!strstr(out.data, op))
		fail_msg("%s is not %s: %s", text, wanted, out.data);
}

static void test_contexts(void **state)
{
	(void)state;
	check_context("<p>{{x}}", "TPL_IN_TEXT, TPL_NONE");
	check_context("<title>{{x}}</title>", "TPL_IN_TEXT, TPL_NONE");
	check_context("<p title=\"{{x}}\">", "TPL_IN_ATTR, TPL_NONE");
	check_context("<p title='a {{x}}'>", "TPL_IN_ATTR, TPL_NONE");
	check_context("<a href=\"{{x}}\">", "TPL_IN_URL, TPL_NONE");
	check_context("<a HREF=\"{{x}}\">", "TPL_IN_URL, TPL_NONE");
	check_context("<img src=\"{{x}}\">", "TPL_IN_URL, TPL_NONE");
	check_context("<form action='{{x}}'>", "TPL_IN_URL, TPL_NONE");
	check_context("<a href=\"/runs/{{x}}\">", "TPL_IN_URL_PART, TPL_NONE");
	check_context("<a href=\"?a={{x}}\">", "TPL_IN_URL_PART, TPL_NONE");
	check_context("<a href=\"#r{{x}}\">", "TPL_IN_URL_PART, TPL_NONE");
	check_context("<a href=\"https://example.org/{{x}}\">", "TPL_IN_URL_PART, TPL_NONE");
	check_context("<a href=\"/a?{{#y}}b={{x}}{{/y}}\">", "TPL_IN_URL_PART, TPL_NONE");
	check_context("<p>{{x|date}}", "TPL_IN_TEXT, TPL_DATE");
	check_context("<p title=\"{{x|bytes}}\">", "TPL_IN_ATTR, TPL_BYTES");
	check_context("<a title=\"a\"href=\"{{x}}\">", "TPL_IN_URL, TPL_NONE");
	check_context("<p{{#a}} class=\"b\"{{/a}} title=\"{{x}}\">", "TPL_IN_ATTR, TPL_NONE");
}

static void test_whitespace(void **state)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(compile("<!-- {{nothing -->\n<p>\n  {{#a}}\n<b>{{.}}</b>\n{{/a}}\n</p>\n",
				 "", &out),
			 0);
	assert_null(strstr(out.data, "nothing"));
	assert_non_null(strstr(out.data, "\"<p>\\012\""));
	assert_non_null(strstr(out.data, "\"<b>\""));
	assert_non_null(strstr(out.data, "\"</b>\\012\""));
	assert_non_null(strstr(out.data, "\"</p>\\012\""));
}

static void test_names(void **state)
{
	CLEANUP(free_p) char *a = write_file("A-b.html", "x");
	const char *argv[] = { tool, "/dev/null", "/dev/null", a, NULL };
	struct proc_spec spec = { .argv = argv };
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	struct proc_run_opts opts = { .timeout_ms = 10000, .out = &out };
	struct error err = ERROR_INIT;
	int status = -1;

	(void)state;
	assert_int_equal(proc_run(&spec, &opts, &status, &err), 0);
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_non_null(strstr(out.data, "a template's name"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),	 cmocka_unit_test(test_recursion_over_two_files),
		cmocka_unit_test(test_contexts), cmocka_unit_test(test_whitespace),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
