/* SPDX-License-Identifier: MIT */
/* Each tests/golden/diag/NAME.log has to give NAME.expect: a new pair is a new test. ok-*.log are
 * of builds that ended well. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/diag.h"
#include "lib/clean.h"
#include "lib/path.h"

static const char *const roots[] = { "/faultline/src/", "/faultline/obj/", NULL };

static void print_list(struct buf *out, char kind, const struct diag_list *l)
{
	size_t n;
	char **texts = diag_list_texts(l, &n);

	for (size_t i = 0; i < n; i++) {
		buf_printf(out, "%c %s\n", kind, texts[i]);
		free(texts[i]);
	}
	free(texts);
}

/* Fed in pieces of `step` bytes. */
static char *read_log(const char *data, size_t len, size_t step, bool failed)
{
	struct diag d = { .roots = roots };
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < len; i += step)
		diag_feed(&d, data + i, len - i < step ? len - i : step);
	diag_finish(&d, failed);
	print_list(&out, 'W', &d.warnings);
	print_list(&out, 'E', &d.errors);
	diag_free(&d);
	return buf_steal(&out);
}

static void test_golden(void **state)
{
	glob_t g;

	(void)state;
	assert_int_equal(glob("tests/golden/diag/*.log", 0, NULL, &g), 0);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		CLEANUP(buf_free) struct buf log = BUF_INIT;
		CLEANUP(buf_free) struct buf expect = BUF_INIT;
		size_t stem = strlen(g.gl_pathv[i]) - strlen(".log");
		CLEANUP(free_p) char *path = xasprintf("%.*s.expect", (int)stem, g.gl_pathv[i]);
		CLEANUP(free_p) char *whole = NULL;
		CLEANUP(free_p) char *pieces = NULL;

		bool failed = !strstr(g.gl_pathv[i], "/ok-");

		assert_int_equal(path_read(g.gl_pathv[i], 1 << 20, &log, NULL), 0);
		assert_int_equal(path_read(path, 1 << 20, &expect, NULL), 0);
		whole = read_log(log.data, log.len, log.len, failed);
		pieces = read_log(log.data, log.len, 7, failed);
		if (strcmp(whole, expect.data))
			print_error("%s:\n%s", g.gl_pathv[i], whole);
		assert_string_equal(whole, expect.data);
		assert_string_equal(pieces, expect.data);
	}
	globfree(&g);
}

static void test_success_invents_no_error(void **state)
{
	static const char log[] = "  CC      mm/x.o\nhello\n";
	CLEANUP(free_p) char *out = NULL;

	(void)state;
	out = read_log(log, sizeof(log) - 1, sizeof(log), false);
	assert_string_equal(out, "");
}

struct seen {
	int n;
	char last[64];
};

static void on_step(void *arg, const char *verb, const char *target)
{
	struct seen *s = arg;

	s->n++;
	snprintf(s->last, sizeof(s->last), "%s|%s", verb, target);
}

static void test_steps(void **state)
{
	struct seen s = { 0 };
	struct diag d = { .roots = roots, .on_step = on_step, .arg = &s };
	static const char log[] = "  CC      mm/a.o\n  HOSTCC  scripts/b\n   12 | int x;\n"
				  "  two words here\n  CC [M]  /faultline/obj/lib/c.o\n"
				  "lib/c.c:3:1: warning: odd\n";

	(void)state;
	diag_feed(&d, log, sizeof(log) - 1);
	diag_finish(&d, false);
	assert_int_equal(s.n, 3);
	assert_int_equal(d.steps, 3);
	assert_string_equal(s.last, "CC|lib/c.o");
	assert_int_equal(d.warnings.n, 1);
	assert_string_equal(d.warnings.items[0].target, "lib/c.o");
	diag_free(&d);
}

static void test_caps(void **state)
{
	struct diag d = { .roots = roots };
	CLEANUP(free_p) char *line = xcalloc(100001, 1);
	char text[64];
	char **texts;
	size_t n;

	(void)state;
	for (int i = 0; i < DIAG_ITEMS_MAX + 500; i++) {
		int len = snprintf(text, sizeof(text), "mm/x.c:%d:1: error: e\n", i + 1);

		diag_feed(&d, text, (size_t)len);
	}
	assert_int_equal(d.errors.n, DIAG_ITEMS_MAX);
	texts = diag_list_texts(&d.errors, &n);
	assert_int_equal(n, DIAG_LINES_MAX);
	for (size_t i = 0; i < n; i++)
		free(texts[i]);
	free(texts);
	diag_free(&d);

	memset(line, 'x', 100000);
	memcpy(line, "mm/x.c:1:1: warning: ", 21);
	diag_feed(&d, line, 100000);
	diag_feed(&d, "\n", 1);
	assert_int_equal(d.warnings.n, 1);
	assert_true(strlen(d.warnings.items[0].text) < DIAG_LINE_BYTES);
	diag_free(&d);
}

static void test_host_trouble(void **state)
{
	struct diag d = { .roots = roots };
	static const char log[] = "gcc: fatal error: Killed signal terminated program cc1\n"
				  "as: x.o: No space left on device\n";

	(void)state;
	diag_feed(&d, log, sizeof(log) - 1);
	assert_true(d.no_memory);
	assert_true(d.no_space);
	diag_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_success_invents_no_error),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_host_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
