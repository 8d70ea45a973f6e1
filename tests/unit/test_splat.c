/* SPDX-License-Identifier: MIT */
/*
 * Kernel logs: NAME.log has what a console showed, NAME.want what is to be found in it. Those in
 * tests/golden/console/real were printed by a kernel, those in synthetic are written after the
 * kernel's sources. Dropping in a log and running with UPDATE_GOLDEN=1 adds a test (read what it
 * wrote).
 */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "agent/classify.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/path.h"

#define GOLDEN "tests/golden/console"

/* What was found, as text. */
static void describe(const struct buf *log, struct buf *out)
{
	struct classify c;

	classify_init(&c, NULL);
	classify_feed(&c, buf_cstr(log), log->len);
	classify_end(&c);
	buf_printf(out, "injected %d distinct %zu\n", c.traces, c.n_stacks);
	for (size_t i = 0; i < c.n_stacks; i++) {
		buf_printf(out, "stack %dx", c.stacks[i].count);
		for (int f = 0; f < c.stacks[i].n; f++)
			buf_printf(out, " %s", c.stacks[i].frames[f]);
		buf_char(out, '\n');
	}
	for (size_t i = 0; i < c.n_found; i++) {
		const struct splat *s = &c.found[i].splat;

		buf_printf(out, "%s %s \"%s\" line %zu, %zu bytes\n", splat_kind_name(s->kind),
			   s->fingerprint, s->title, c.found[i].line, strlen(s->excerpt));
		if (s->corrupted)
			buf_printf(out, "corrupted: %s\n", s->corrupted);
	}
	classify_free(&c);
}

static void check_golden(const char *folder, const char *name, int stem)
{
	CLEANUP(free_p) char *log_path = xasprintf("%s/%s", folder, name);
	CLEANUP(free_p) char *want_path = xasprintf("%s/%.*s.want", folder, stem, name);
	CLEANUP(buf_free) struct buf log = BUF_INIT;
	CLEANUP(buf_free) struct buf want = BUF_INIT;
	CLEANUP(buf_free) struct buf got = BUF_INIT;

	assert_int_equal(path_read(log_path, 4 << 20, &log, NULL), 0);
	describe(&log, &got);
	if (getenv("UPDATE_GOLDEN"))
		assert_int_equal(path_write_atomic(want_path, got.data, got.len, 0644, NULL), 0);
	assert_int_equal(path_read(want_path, 1 << 20, &want, NULL), 0);
	if (strcmp(buf_cstr(&want), buf_cstr(&got)) != 0)
		fail_msg("%s: found\n%swhere this was due\n%s", log_path, buf_cstr(&got),
			 buf_cstr(&want));
}

/* Every log of a folder and of the folders in it; returns how many there were. */
static int check_folder(const char *folder)
{
	DIR *d = opendir(folder);
	int n = 0;

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));) {
		size_t len = strlen(e->d_name);

		if (e->d_type == DT_DIR && e->d_name[0] != '.') {
			CLEANUP(free_p) char *below = xasprintf("%s/%s", folder, e->d_name);

			n += check_folder(below);
		} else if (len > 4 && strcmp(e->d_name + len - 4, ".log") == 0) {
			check_golden(folder, e->d_name, (int)len - 4);
			n++;
		}
	}
	closedir(d);
	return n;
}

static void golden(void **state)
{
	(void)state;
	assert_true(check_folder(GOLDEN "/real") >= 100);
	assert_true(check_folder(GOLDEN "/synthetic") >= 40);
}

static void classify_file(const char *path, struct classify *c)
{
	CLEANUP(buf_free) struct buf log = BUF_INIT;

	assert_int_equal(path_read(path, 4 << 20, &log, NULL), 0);
	classify_init(c, NULL);
	classify_feed(c, buf_cstr(&log), log.len);
	classify_end(c);
}

/* False for logs of which one is corrupted. */
static bool check_pair(const char *os_path, const char *o2_path)
{
	struct classify os, o2;
	bool whole;

	classify_file(os_path, &os);
	classify_file(o2_path, &o2);
	assert_true(os.n_found > 0 && o2.n_found > 0);
	/* Whose lines are whose is not known then. */
	whole = !os.found[0].splat.corrupted && !o2.found[0].splat.corrupted;
	if (whole && strcmp(os.found[0].splat.fingerprint, o2.found[0].splat.fingerprint) != 0)
		fail_msg("%s: '%s' (%s), but in the other build '%s' (%s)", os_path,
			 os.found[0].splat.title, os.found[0].splat.fingerprint,
			 o2.found[0].splat.title, o2.found[0].splat.fingerprint);
	classify_free(&os);
	classify_free(&o2);
	return whole;
}

/* The same defect, compiled at -Os and at -O2: other functions are inlined, the fingerprint stays. */
static int check_pairs(const char *os, const char *o2)
{
	DIR *d = opendir(os);
	int n = 0;

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));) {
		CLEANUP(free_p) char *os_path = xasprintf("%s/%s", os, e->d_name);
		CLEANUP(free_p) char *o2_path = xasprintf("%s/%s", o2, e->d_name);
		size_t len = strlen(e->d_name);

		if (len < 5 || strcmp(e->d_name + len - 4, ".log") != 0 || !path_exists(o2_path))
			continue;
		n += check_pair(os_path, o2_path);
	}
	closedir(d);
	return n;
}

static void optimisation_keeps_the_fingerprint(void **state)
{
	(void)state;
	assert_true(check_pairs(GOLDEN "/real/plain-os", GOLDEN "/real/plain-o2") >= 25);
	assert_true(check_pairs(GOLDEN "/real/memory-os", GOLDEN "/real/memory-o2") >= 20);
}

static void first_of(const char *log, struct splat *s)
{
	struct stack *stacks;
	size_t n;

	splat_read_log(log, strlen(log), s, &stacks, &n);
	stacks_free(stacks, n);
}

static const char bug_log[] = "[    1.000000] kernel BUG at mm/x.c:10!\n"
			      "[    1.000000] RIP: 0010:f.isra.0+0x1/0x2f0\n"
			      "[    1.000000]  f.isra.0+0x1/0x2f0\n"
			      "[    1.000000]  g+0x1/0x2\n";

/* Another build: other lines, offsets, addresses and suffixes, the same defect. */
static void fingerprint_is_stable(void **state)
{
	static const char other[] = "[   99.000000][  T77] kernel BUG at mm/x.c:99!\n"
				    "[   99.000000][  T77] RIP: 0010:f+0x100/0x200\n"
				    "[   99.000000][  T77]  f+0x100/0x200\n"
				    "[   99.000000][  T77]  ? stale+0x1/0x2\n"
				    "[   99.000000][  T77]  g.constprop.3+0x7/0x8 [mod]\n";
	static const char different[] = "kernel BUG at mm/x.c:10!\nRIP: 0010:h+0x1/0x200\n"
					" h+0x1/0x200\n g+0x1/0x2\n";
	struct splat a, b, c;

	(void)state;
	first_of(bug_log, &a);
	first_of(other, &b);
	first_of(different, &c);
	assert_string_equal(a.title, "kernel BUG in f");
	assert_string_equal(a.title, b.title);
	assert_string_equal(a.fingerprint, b.fingerprint);
	assert_int_equal(strlen(a.fingerprint), 16);
	assert_string_not_equal(a.fingerprint, c.fingerprint);
	splat_free(&a);
	splat_free(&b);
	splat_free(&c);
}

static void nothing_in_nothing(void **state)
{
	struct splat s;

	(void)state;
	first_of("", &s);
	assert_int_equal(s.kind, SPLAT_NONE);
	first_of("faultline: begin id=1 nth=1\nBUG", &s);
	assert_int_equal(s.kind, SPLAT_NONE);
	/* A mark is ours, whatever words are in it. */
	first_of("faultline: BUG: kernel BUG at\n", &s);
	assert_int_equal(s.kind, SPLAT_NONE);
}

static void excerpt_is_capped_and_printable(void **state)
{
	struct buf log = BUF_INIT;
	struct splat s;

	(void)state;
	buf_str(&log, "BUG: Bad \x1b[31mthing\n");
	for (int i = 0; i < 1000; i++)
		buf_printf(&log, "%0200d\n", i);
	first_of(buf_cstr(&log), &s);
	assert_true(strlen(s.excerpt) <= PARTS_EXCERPT_BYTES);
	assert_null(strchr(s.excerpt, '\x1b'));
	assert_null(strchr(s.title, '\x1b'));
	splat_free(&s);
	buf_free(&log);
}

/* x86 says where it happened and who called; arm64 begins its trace with where it happened. */
static void trace_begins_where_it_happened(void **state)
{
	static const char *const logs[] = {
		"kernel BUG at mm/x.c:10!\nRIP: 0010:f.isra.0+0x7/0x2f0\nCall Trace:\n <TASK>\n"
		" ? f.isra.0+0x1/0x2f0\n g+0x1/0x2 [mod]\n </TASK>\n",
		"kernel BUG at mm/x.c:10!\npc : f.isra.0+0x7/0x2f0\nCall trace:\n"
		" f.isra.0+0x7/0x2f0\n g+0x1/0x2 [mod]\n---[ end trace 0000000000000000 ]---\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
		struct splat s;

		first_of(logs[i], &s);
		assert_int_equal(s.trace.n, 2);
		assert_string_equal(s.trace.frames[0].function, "f");
		assert_string_equal(s.trace.frames[0].symbol, "f.isra.0");
		assert_int_equal(s.trace.frames[0].offset, 7);
		assert_int_equal(s.trace.frames[0].size, 0x2f0);
		assert_true(s.trace.frames[0].exact);
		assert_string_equal(s.trace.frames[1].function, "g");
		assert_string_equal(s.trace.frames[1].module, "mod");
		assert_false(s.trace.frames[1].exact);
		splat_free(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden),
		cmocka_unit_test(optimisation_keeps_the_fingerprint),
		cmocka_unit_test(fingerprint_is_stable),
		cmocka_unit_test(nothing_in_nothing),
		cmocka_unit_test(excerpt_is_capped_and_printable),
		cmocka_unit_test(trace_begins_where_it_happened),
	};

	return cmocka_run_group_tests_name("splat", tests, NULL, NULL);
}
