/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/path.h"

/* What was written to stderr by f(). */
static void capture(void (*f)(void), char *out, size_t size)
{
	int fds[2];
	int saved = dup(STDERR_FILENO);
	ssize_t n;

	assert_int_equal(fd_pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	f();
	dup2(saved, STDERR_FILENO);
	close(saved);
	n = read(fds[0], out, size - 1);
	close(fds[0]);
	out[n > 0 ? n : 0] = '\0';
}

static void events(void)
{
	log_event(LOG_DEBUG, "hidden", "a=1");
	log_event(LOG_WARN, "lease.expired", "job=%d note=%s", 7, "two\nlines\n");
}

static void test_one_line_an_event(void **state)
{
	char out[512];

	(void)state;
	clock_fake(US_PER_S);
	capture(events, out, sizeof(out));
	clock_fake(0);
	assert_string_equal(
		out, "1970-01-01T00:00:01.000000Z warn lease.expired job=7 note=two lines\n");
}

static void one_debug(void)
{
	log_set_level(LOG_DEBUG);
	log_event(LOG_DEBUG, "seen", "%s", "");
	log_set_level(LOG_INFO);
}

static void test_level(void **state)
{
	char out[512];

	(void)state;
	capture(one_debug, out, sizeof(out));
	assert_non_null(strstr(out, " debug seen\n"));
}

static void test_quote(void **state)
{
	CLEANUP(free_p) char *q = log_quote("a \"b\"\\\n\x1b");
	CLEANUP(free_p) char *none = log_quote(NULL);

	(void)state;
	assert_string_equal(q, "\"a \\\"b\\\"\\\\\\n\\x1b\"");
	assert_string_equal(none, "-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_line_an_event),
		cmocka_unit_test(test_level),
		cmocka_unit_test(test_quote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
