/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/buf.h"
#include "server/logview.h"

static int log_of(const struct buf *b)
{
	char path[] = "/tmp/logview.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(write(fd, b->data, b->len), b->len);
	return fd;
}

static struct log_window window(int fd, int64_t size, int64_t at)
{
	struct error err = ERROR_INIT;
	struct log_window w;

	if (logview_window(fd, size, at, &w, &err))
		fail_msg("%s", err.msg);
	return w;
}

static struct json_object *chunks(int fd, const struct log_window *w)
{
	struct json_object *o = NULL;
	struct error err = ERROR_INIT;

	if (logview_chunks(fd, w, NULL, &o, &err))
		fail_msg("%s", err.msg);
	return o;
}

static const char *member(struct json_object *chunk, const char *key)
{
	const char *s = json_object_get_string(json_object_object_get(chunk, key));

	return s ? s : "";
}

static int64_t number(struct json_object *chunk, const char *key)
{
	return json_object_get_int64(json_object_object_get(chunk, key));
}

/* Short lines, lines without an end, characters of several bytes, bytes that are none. */
static void fill(struct buf *b)
{
	for (int i = 0; b->len < 200000; i++)
		buf_printf(b, "line %d\r\n", i);
	for (int i = 0; i < 100000; i++)
		buf_str(b, "\u2192");
	buf_str(b, "\n");
	for (int i = 0; i < 70000; i++)
		buf_char(b, (char)0x80);
	for (int i = 0; i < 9000; i++)
		buf_str(b, "\n");
	buf_str(b, "no end");
}

/* Windows follow one another, and their lines are all of their bytes. */
static void test_windows(void **state)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	int64_t end = 0;
	int fd;

	(void)state;
	fill(&b);
	fd = log_of(&b);
	for (int64_t at = 0; at < (int64_t)b.len; at += LOGVIEW_BYTES) {
		struct log_window w = window(fd, (int64_t)b.len, at), again;
		CLEANUP(json_put_p) struct json_object *arr = chunks(fd, &w);

		assert_int_equal(w.from, end);
		assert_in_range(w.to - w.from, 1, LOGVIEW_BYTES + 4096);
		again = window(fd, (int64_t)b.len, w.from);
		assert_int_equal(again.from, w.from);
		for (size_t i = 0; i < json_object_array_length(arr); i++) {
			struct json_object *c = json_object_array_get_idx(arr, i);
			struct json_object *lines = json_object_object_get(c, "lines");

			assert_int_equal(number(c, "at"), end);
			for (size_t k = 0; k < json_object_array_length(lines); k++)
				end += json_object_get_int64(json_object_array_get_idx(lines, k));
		}
		assert_int_equal(w.to, end);
	}
	assert_int_equal(end, b.len);
	close(fd);
}

static void test_whole_characters(void **state)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	int fd;

	(void)state;
	for (int i = 0; i < 100000; i++)
		buf_str(&b, "\u2192");
	fd = log_of(&b);
	for (int64_t at = 0; at < (int64_t)b.len; at += LOGVIEW_BYTES) {
		struct log_window w = window(fd, (int64_t)b.len, at);
		CLEANUP(json_put_p) struct json_object *arr = chunks(fd, &w);
		const char *text = member(json_object_array_get_idx(arr, 0), "text");

		assert_null(strstr(text, "\ufffd"));
		assert_int_equal(w.from % 3, 0);
	}
	close(fd);
}

static void test_empty(void **state)
{
	struct log_window w = window(-1, 0, 0);
	CLEANUP(json_put_p) struct json_object *arr = chunks(-1, &w);

	(void)state;
	assert_int_equal(w.to, 0);
	assert_int_equal(json_object_array_length(arr), 0);
}

static const char inject[] =
	"[    1.0] FAULT_INJECTION: forcing a failure.\n"
	"[    1.0] name fail_page_alloc, interval 1, probability 100, space 0, "
	"times 1\n"
	"[    1.0] CPU: 0 UID: 0 PID: 57 Comm: split Not tainted 6.12 #1\n"
	"[    1.0] Call Trace:\n"
	"[    1.0]  <TASK>\n"
	"[    1.0]  should_fail_ex+0x1a/0x20\n"
	"[    1.0]  pte_alloc_one+0x1a/0x20\n"
	"[    1.0]  __split_huge_pmd+0x1a/0x20\n"
	"[    1.0]  </TASK>\n";

/* A trace that began before the window is marked in it to its end. */
static void test_marks(void **state)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	CLEANUP(json_put_p) struct json_object *before = NULL, *behind = NULL;
	const char *rest = strstr(inject, "[    1.0]  <TASK>");
	struct log_window w;
	size_t last;
	int fd;

	(void)state;
	while (b.len < LOGVIEW_BYTES - (size_t)(rest - inject))
		buf_str(&b, "x\n");
	buf_printf(&b, "%s[    1.1] another\n", inject);
	fd = log_of(&b);
	w = window(fd, (int64_t)b.len, 0);
	before = chunks(fd, &w);
	last = json_object_array_length(before) - 1;
	assert_string_equal(member(json_object_array_get_idx(before, last), "mark"), "inject");
	w = window(fd, (int64_t)b.len, LOGVIEW_BYTES);
	behind = chunks(fd, &w);
	assert_int_equal(json_object_array_length(behind), 2);
	assert_string_equal(member(json_object_array_get_idx(behind, 0), "mark"), "inject");
	assert_string_equal(member(json_object_array_get_idx(behind, 1), "mark"), "");
	assert_string_equal(member(json_object_array_get_idx(behind, 1), "text"),
			    "[    1.1] another\n");
	close(fd);
}

static void test_find_mark(void **state)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	int64_t at = 0;
	int fd;

	(void)state;
	buf_printf(&b, "one\ntwo\n%sBUG: unable to handle page fault for address: 0\n", inject);
	fd = log_of(&b);
	assert_int_equal(logview_find_mark(fd, 4, (int64_t)b.len, LOG_MARK_INJECT, &at, NULL), 0);
	assert_int_equal(at, 8);
	assert_int_equal(logview_find_mark(fd, 0, (int64_t)b.len, LOG_MARK_SPLAT, &at, NULL), 0);
	assert_int_equal(at, 8 + strlen(inject));
	assert_int_equal(logview_find_mark(fd, 0, 8, LOG_MARK_SPLAT, &at, NULL), 0);
	assert_int_equal(at, -1);
	close(fd);
}

/* A machine that died of it is the last that said something; the agent's line behind it is no splat. */
static void test_splat_ends_with_its_machine(void **state)
{
	static const char head[] = "--- machine 3: split.mprotect sweep nth=1 ---\n";
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct log_window w;
	int fd;

	(void)state;
	buf_str(&b, "[    1.0] BUG: unable to handle page fault for address: 0\n"
		    "[    1.1] Kernel panic - not syncing: Fatal exception\n");
	buf_str(&b, head);
	fd = log_of(&b);
	w = window(fd, (int64_t)b.len, 0);
	o = chunks(fd, &w);
	assert_int_equal(json_object_array_length(o), 2);
	assert_string_equal(member(json_object_array_get_idx(o, 0), "mark"), "splat");
	assert_string_equal(member(json_object_array_get_idx(o, 1), "mark"), "");
	assert_string_equal(member(json_object_array_get_idx(o, 1), "text"), head);
	close(fd);
}

/* Also where two searches meet. */
static void test_find(void **state)
{
	static const size_t places[] = { 0, 5, LOGVIEW_FIND_BYTES - 3, LOGVIEW_FIND_BYTES,
					 2 * LOGVIEW_FIND_BYTES - 6 };
	CLEANUP(free_p) char *big = xcalloc(2 * LOGVIEW_FIND_BYTES, 1);
	int64_t size = 2 * LOGVIEW_FIND_BYTES, at, next;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct buf b = { .data = big, .len = (size_t)size };
		int fd;

		memset(big, 'n', (size_t)size);
		memcpy(big + places[i], "needle", 6);
		fd = log_of(&b);
		at = -1;
		for (next = 0; at < 0 && next >= 0;)
			assert_int_equal(
				logview_find(fd, size, next, false, "needle", &at, &next, NULL), 0);
		assert_int_equal(at, places[i]);
		assert_int_equal(logview_find(fd, size, at + 1, false, "needle", &at, &next, NULL),
				 0);
		assert_int_equal(at, -1);
		for (next = size; at < 0 && next >= 0;)
			assert_int_equal(
				logview_find(fd, size, next, true, "needle", &at, &next, NULL), 0);
		assert_int_equal(at, places[i]);
		close(fd);
	}
	assert_int_equal(logview_find(-1, 0, 0, false, "needle", &at, &next, NULL), 0);
	assert_int_equal(at, -1);
	assert_int_equal(next, -1);
}

static int64_t found_at(int fd, int64_t size, int64_t from, bool back, const char *text)
{
	int64_t at, next;

	assert_int_equal(logview_find(fd, size, from, back, text, &at, &next, NULL), 0);
	return at;
}

/* Nobody remembers how a kernel spells it; who types a capital means it. */
static void test_find_cases(void **state)
{
	struct buf b = { .data = (char *)"bug, kernel BUG at Bug, gr\xc3\x96\xc3\x9f" };
	int64_t size = (int64_t)(b.len = strlen(b.data));
	int fd = log_of(&b);

	(void)state;
	assert_int_equal(found_at(fd, size, 1, false, "bug"), 12);
	assert_int_equal(found_at(fd, size, 13, false, "bug"), 19);
	assert_int_equal(found_at(fd, size, 19, true, "bug"), 12);
	assert_int_equal(found_at(fd, size, 0, false, "BUG"), 12);
	assert_int_equal(found_at(fd, size, 0, false, "Bug"), 19);
	assert_int_equal(found_at(fd, size, 0, false, "bUG"), -1);
	assert_int_equal(found_at(fd, size, 0, false, "gr\xc3\x96"), 24);
	assert_int_equal(found_at(fd, size, 0, false, "gr\xc3\xb6"), -1);
	close(fd);
}

static void tail_is(const char *log, int64_t at, bool ended, int64_t to)
{
	struct buf b = { .data = (char *)log, .len = strlen(log) };
	int fd = log_of(&b);
	struct log_window w;

	assert_int_equal(logview_tail(fd, (int64_t)b.len, at, ended, &w, NULL), 0);
	assert_int_equal(w.from, at);
	assert_int_equal(w.to, to);
	close(fd);
}

/* Half a line is kept back, unless nothing comes behind it. */
static void test_tail(void **state)
{
	CLEANUP(free_p) char *longer = xcalloc(5001, 1);

	(void)state;
	memset(longer, 'x', 5000);
	tail_is("one\ntwo\nthr", 0, false, 8);
	tail_is("one\ntwo\nthr", 8, false, 8);
	tail_is("one\ntwo\nthr", 8, true, 11);
	tail_is("one\ntwo\n", 8, true, 8);
	tail_is("one\ntwo\n", 4, false, 8);
	tail_is(longer, 0, false, 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_whole_characters),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_splat_ends_with_its_machine),
		cmocka_unit_test(test_find_mark),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_find_cases),
		cmocka_unit_test(test_tail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
