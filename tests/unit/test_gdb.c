/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/gdb.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/path.h"

#define INLINED                                  \
	"ffffffff81000000 T _text\n"             \
	"ffffffff81045591 T panic\n"             \
	"ffffffff810459b7 T __warn\n"            \
	"ffffffff81273d03 T should_fail_ex\n"    \
	"ffffffff81273d03 t should_fail_alias\n" \
	"ffffffff81273e64 T should_fail\n"       \
	"ffffffff812dc6af T dump_stack\n"        \
	"ffffffff81900000 D oops_begin\n"
#define OUT_OF_LINE "ffffffff81273c00 t fail_dump\n" INLINED

static char dir[] = "/tmp/gdb-test-XXXXXX";
static char kernel[64], symbols[64];

static int prepare(const char *map, enum gdb_stop stop, struct gdb_session *s, struct buf *script,
		   struct error *err)
{
	int r;

	assert_int_equal(path_write_atomic(symbols, map, strlen(map), 0644, NULL), 0);
	r = gdb_prepare(kernel, symbols, stop, dir, s, err);
	if (!r)
		assert_int_equal(path_read(s->script, 1 << 16, script, NULL), 0);
	return r;
}

/* The map and the stop, and the one line that must be in the script. */
static void expect_line(const char *map, enum gdb_stop stop, const char *line)
{
	CLEANUP(buf_free) struct buf script = BUF_INIT;
	struct gdb_session s = { 0 };
	struct error err = ERROR_INIT;

	assert_int_equal(prepare(map, stop, &s, &script, &err), 0);
	if (!strstr(buf_cstr(&script), line))
		fail_msg("no '%s' in:\n%s", line, buf_cstr(&script));
	gdb_free(&s);
}

static void where_it_stops(void **state)
{
	(void)state;
	expect_line(OUT_OF_LINE, GDB_STOP_INJECTION, "hbreak *0xffffffff81273c00\ncontinue\n");
	expect_line(INLINED, GDB_STOP_INJECTION,
		    "hbreak *0xffffffff812dc6af if *(unsigned long *)$rsp > 0xffffffff81273d03 && "
		    "*(unsigned long *)$rsp <= 0xffffffff81273e64\ncontinue\n");
	expect_line(INLINED, GDB_STOP_SPLAT, "# __warn\nhbreak *0xffffffff810459b7\n");
	/* data of that name is no place to stop at */
	expect_line(INLINED, GDB_STOP_SPLAT, "# panic\nhbreak *0xffffffff81045591\ncontinue\n");
}

static void nowhere_to_stop(void **state)
{
	CLEANUP(buf_free) struct buf script = BUF_INIT;
	struct gdb_session s = { 0 };
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(prepare("", GDB_STOP_SPLAT, &s, &script, &err), -ENOEXEC);
	assert_int_equal(prepare("ffffffff81000000 T _text\n", GDB_STOP_INJECTION, &s, &script,
				 &err),
			 -ENOEXEC);
	assert_int_equal(gdb_prepare(kernel, NULL, GDB_STOP_SPLAT, dir, &s, &err), -ENOENT);
	assert_int_equal(gdb_prepare(kernel, "/nonexistent", GDB_STOP_SPLAT, dir, &s, &err),
			 -ENOENT);
	assert_null(s.script);
	gdb_free(&s);
}

/* The port that the script names is listened on, on loopback, until the end. */
static void port_and_files(void **state)
{
	CLEANUP(buf_free) struct buf script = BUF_INIT;
	CLEANUP(free_p) char *path = NULL;
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct gdb_session s = { 0 };
	struct error err = ERROR_INIT;
	const char *target;

	(void)state;
	assert_int_equal(prepare(INLINED, GDB_STOP_INJECTION, &s, &script, &err), 0);
	assert_null(strstr(script.data, "file \""));
	target = strstr(script.data, "target remote 127.0.0.1:");
	assert_non_null(target);
	a.sin_port = htons((uint16_t)atoi(target + 24));
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	close(fd);
	path = xstrdup(s.script);
	assert_non_null(strstr(s.command, path));
	gdb_free(&s);
	assert_false(path_exists(path));
	/* symbols are loaded where there are some */
	free(STEAL(path));
	path = xasprintf("%s/vmlinux", dir);
	assert_int_equal(path_write_atomic(path, "x", 1, 0644, NULL), 0);
	buf_reset(&script);
	assert_int_equal(prepare(INLINED, GDB_STOP_INJECTION, &s, &script, &err), 0);
	assert_non_null(strstr(script.data, path));
	gdb_free(&s);
}

static void words(void **state)
{
	enum gdb_stop stop = GDB_STOP_INJECTION;

	(void)state;
	assert_true(gdb_stop_parse("splat", &stop));
	assert_int_equal(stop, GDB_STOP_SPLAT);
	assert_true(gdb_stop_parse("injection", &stop));
	assert_int_equal(stop, GDB_STOP_INJECTION);
	assert_false(gdb_stop_parse("", &stop));
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(kernel, sizeof(kernel), "%s/bzImage", dir);
	snprintf(symbols, sizeof(symbols), "%s/System.map", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return path_remove_tree(dir, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_it_stops),
		cmocka_unit_test(nowhere_to_stop),
		cmocka_unit_test(port_and_files),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests_name("gdb", tests, setup, teardown);
}
