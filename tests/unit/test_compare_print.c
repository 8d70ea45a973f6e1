/* SPDX-License-Identifier: MIT */
/* The view of a comparison and what is printed of it. */
#include "tests/unit/test_compare.h"

#include "lib/json.h"

#define BUG "FAIL bug 00000000000000aa"

/* One case of each kind, a sweep whose points differ, two metrics. */
static void fill(void)
{
	static const char *const points[] = { "PASS", "PASS", BUG };
	char fault[32];

	for (int i = 0; i < 10; i++) {
		struct result *r = add(i / 5, "burst,times=2", "DONE");

		r->repeat = 1 + i % 5;
		add_metric(r, "rss.freed", i < 5 ? 64 + i : 96 + i);
		add_metric(r, "rounds", 7);
	}
	for (int i = 0; i < 3; i++) {
		snprintf(fault, sizeof(fault), "sweep,nth=%d", i + 1);
		if (i < 2)
			add(COMPARE_A, fault, points[i]);
		add(COMPARE_B, fault, points[i]);
	}
	add(COMPARE_A, "sweep", "PASS");
	add(COMPARE_B, "sweep", BUG);
	add(COMPARE_A, "nth,nth=1", BUG);
	add(COMPARE_B, "nth,nth=1", "FAIL leak");
	add(COMPARE_A, "nth,nth=2", BUG);
	add(COMPARE_B, "nth,nth=2", "PASS");
	add(COMPARE_A, "nth,nth=3", "PASS");
	add(COMPARE_B, "nth,nth=3", "MISS qemu");
	add(COMPARE_A, "nth,nth=4", "PASS");
	add(COMPARE_B, "nth,nth=5", "PASS");
	sides[COMPARE_A].commit = "1111111111111111111111111111111111111111";
	sides[COMPARE_A].subject = "mm: split at once";
	sides[COMPARE_B].submission = 12;
}

static struct json_object *make_view(void)
{
	compare_them();
	return compare_to_json(&got);
}

/* The view as a program gets it that asked a server. */
static struct json_object *sent(struct json_object *view)
{
	CLEANUP(free_p) char *text = json_text(view);
	struct error err = ERROR_INIT;
	struct json_object *o = NULL;

	if (json_parse(text, strlen(text), &o, &err))
		fail_msg("%s", err.msg);
	return o;
}

static struct json_object *at(struct json_object *o, const char *path)
{
	CLEANUP(free_p) char *copy = xstrdup(path);
	char *save = NULL;

	for (char *key = strtok_r(copy, ".", &save); key; key = strtok_r(NULL, ".", &save)) {
		if (json_object_is_type(o, json_type_array))
			o = json_object_array_get_idx(o, (size_t)atoi(key));
		else if (!json_object_object_get_ex(o, key, &o))
			fail_msg("no %s in %s", key, path);
	}
	return o;
}

static void assert_at(struct json_object *o, const char *path, const char *wanted)
{
	CLEANUP(free_p) char *text = at(o, path) ? json_text(at(o, path)) : xstrdup("null");

	if (strcmp(text, wanted))
		fail_msg("%s: %s, not %s", path, text, wanted);
}

static void test_view(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;

	(void)state;
	fill();
	o = make_view();
	assert_at(o, "a.what", "\"old\"");
	assert_at(o, "a.short", "\"111111111111\"");
	assert_at(o, "a.results", "12");
	assert_at(o, "a.submission", "null");
	assert_at(o, "a.places",
		  "[{\"config\":\"default\",\"arch\":\"x86_64\",\"accel\":\"tcg\"}]");
	assert_at(o, "b.commit", "\"\"");
	assert_at(o, "b.submission", "12");
	assert_at(o, "summary",
		  "{\"regressed\":1,\"still_failing\":1,\"fixed\":1,\"appeared\":1,"
		  "\"disappeared\":1,\"not_comparable\":1,\"unchanged\":1,\"metrics_moved\":1}");
	assert_at(o, "cases.0.class", "\"regressed\"");
	assert_at(o, "cases.0.title", "\"split.mprotect sweep\"");
	assert_at(o, "cases.0.point", "null");
	assert_at(o, "cases.0.points", "{\"a\":2,\"b\":3,\"differ\":true}");
	assert_at(o, "cases.0.counted", "true");
	assert_at(o, "cases.0.p", "1.0");
	assert_at(o, "cases.0.a.status", "\"PASS\"");
	assert_at(o, "cases.0.b.reason", "\"bug\"");
	assert_at(o, "cases.0.b.failures.0.fingerprint", "\"00000000000000aa\"");
	assert_at(o, "cases.0.b.failures.0.signature", "\"00000000000000aa\"");
	assert_at(o, "cases.3.point", "3");
	assert_at(o, "cases.3.counted", "false");
	assert_at(o, "cases.3.class", "\"appeared\"");
	assert_at(o, "cases.3.a", "null");
	assert_at(o, "cases.3.p", "null");
	assert_at(o, "cases.4.class", "\"still_failing\"");
	assert_at(o, "cases.4.same_failure", "false");
	assert_at(o, "metrics.0.verdict", "\"moved\"");
	assert_at(o, "metrics.0.a.median", "66.0");
	assert_at(o, "metrics.0.b.n", "5");
	assert_at(o, "metrics.0.shift", "37.0");
	assert_at(o, "metrics.1.verdict", "\"same\"");
}

static const char wanted_txt[] =
	"A  old = 111111111111 mm: split at once, 12 results\n"
	"B  new, 13 results\n"
	"regressed 1, still failing 1, fixed 1, appeared 1, disappeared 1, not "
	"comparable 1, unchanged 1, metrics moved 1\n"
	"\n"
	"CLASS           CASE                          CONFIG              A           "
	"  B              P  WHAT\n"
	"regressed       split.mprotect sweep          default x86_64 tcg  PASS 0:1    "
	"  FAIL bug 1:1   1  kernel BUG in 00aa; 2 points in A, 3 in B\n"
	"appeared          split.mprotect sweep nth=3  default x86_64 tcg  -           "
	"  FAIL bug 1:1      kernel BUG in 00aa\n"
	"still failing   split.mprotect nth=1          default x86_64 tcg  FAIL bug "
	"1:1  FAIL leak 1:1  1  another: leak in split.mprotect\n"
	"fixed           split.mprotect nth=2          default x86_64 tcg  FAIL bug "
	"1:1  PASS 0:1       1  was: kernel BUG in 00aa\n"
	"appeared        split.mprotect nth=5          default x86_64 tcg  -           "
	"  PASS 0:1          \n"
	"disappeared     split.mprotect nth=4          default x86_64 tcg  PASS 0:1    "
	"  -                 \n"
	"not comparable  split.mprotect nth=3          default x86_64 tcg  PASS 0:1    "
	"  MISS qemu         B has no verdict\n"
	"\n"
	"METRIC     CASE                          CONFIG              A                "
	"    B                     CHANGE   P\n"
	"rss.freed  split.mprotect burst times=2  default x86_64 tcg  66 pages ±2.4 % "
	"(5)  103 pages ±1.5 % (5)  +56.1 %  0.00794\n";

static void test_txt(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL, *again = NULL;
	CLEANUP(buf_free) struct buf out = BUF_INIT, out_again = BUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	fill();
	o = make_view();
	again = sent(o);
	assert_int_equal(compare_txt(o, &out, &err), 0);
	assert_int_equal(compare_txt(again, &out_again, &err), 0);
	assert_string_equal(buf_cstr(&out), buf_cstr(&out_again));
	assert_string_equal(buf_cstr(&out), wanted_txt);
}

static void test_csv(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	struct error err = ERROR_INIT;
	size_t lines = 0;

	(void)state;
	fill();
	o = make_view();
	assert_int_equal(compare_csv(o, &out, &err), 0);
	assert_true(str_starts(buf_cstr(&out),
			       "class,case,fault,point,config,arch,accel,a.status,a.reason,"));
	for (const char *c = buf_cstr(&out); *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, 1 + got.n_rows + got.n_metrics);
	assert_non_null(
		strstr(buf_cstr(&out),
		       "\r\nregressed,split.mprotect,mode=sweep,,default,x86_64,tcg,PASS,,0,"
		       "1,,,,,,FAIL,bug,1,1,,,,00000000000000aa,kernel BUG in 00aa,,,,1"));
	assert_non_null(strstr(buf_cstr(&out), "\r\nappeared,split.mprotect,\"mode=sweep,nth=3\",3,"
					       "default,x86_64,tcg,,,,,,,,,,FAIL,bug,1,1,"));
	assert_non_null(strstr(buf_cstr(&out), "\r\nmoved,split.mprotect,\"mode=burst,times=2\",,"
					       "default,x86_64,tcg,,,,,5,66"));
	assert_non_null(strstr(buf_cstr(&out), ",rss.freed,pages,0.56"));
}

/* What a kernel, a commit and a file name say stays text of one line. */
static void test_hostile(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	CLEANUP(buf_free) struct buf txt = BUF_INIT, csv = BUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	add(COMPARE_A, "none", "PASS");
	add(COMPARE_B, "none", BUG);
	free(results[1]->splat.title);
	results[1]->splat.title = xstrdup("=cmd\033[31m\n\"a\",\xff\xfe");
	sides[COMPARE_A].what = "a\033]0;x\007\nB  nothing";
	sides[COMPARE_A].subject = "\xff\r\nregressed 0";
	o = make_view();
	assert_int_equal(compare_txt(o, &txt, &err), 0);
	assert_int_equal(compare_csv(o, &csv, &err), 0);
	for (const char *c = buf_cstr(&txt); *c; c++)
		assert_true(*c == '\n' || (unsigned char)*c >= ' ');
	assert_null(strstr(buf_cstr(&txt), "\nregressed 0"));
	assert_null(strstr(buf_cstr(&txt), "\nB  nothing"));
	assert_non_null(strstr(buf_cstr(&csv), "\"'=cmd"));
}

/* A side that has nothing, and sides that have nothing in common. */
static void test_nothing_in_common(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = make_view();
	CLEANUP(buf_free) struct buf txt = BUF_INIT, csv = BUF_INIT;
	struct error err = ERROR_INIT;
	int code = -1;

	(void)state;
	assert_int_equal(compare_txt(o, &txt, &err), 0);
	assert_non_null(strstr(buf_cstr(&txt), "A  old, 0 results\nB  new, 0 results\n"));
	assert_null(strstr(buf_cstr(&txt), "No case"));
	assert_int_equal(compare_csv(o, &csv, &err), 0);
	json_object_put(STEAL(o));
	add(COMPARE_A, "none", "PASS");
	add(COMPARE_B, "none", "PASS");
	sides[COMPARE_B].items[0].accel = "kvm";
	o = make_view();
	buf_reset(&txt);
	assert_int_equal(compare_txt(o, &txt, &err), 0);
	assert_non_null(strstr(buf_cstr(&txt), "No case is on both sides"));
	assert_int_equal(compare_exit_code(o, &code, &err), 0);
	assert_int_equal(code, 2);
}

static void test_exit_code(void **state)
{
	static const struct {
		const char *a, *b;
		int code;
	} cases[] = {
		{ "PASS", "PASS", 0 },	    { "PASS", BUG, 1 }, { BUG, BUG, 0 },
		{ BUG, "PASS", 0 },	    { NULL, BUG, 2 },	{ "PASS", "MISS qemu", 2 },
		{ "SKIP arch", "PASS", 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(json_put_p) struct json_object *o = NULL;
		struct error err = ERROR_INIT;
		int code = -1;

		setup(NULL);
		if (cases[i].a)
			add(COMPARE_A, "none", cases[i].a);
		add(COMPARE_B, "none", cases[i].b);
		o = make_view();
		assert_int_equal(compare_exit_code(o, &code, &err), 0);
		if (code != cases[i].code)
			fail_msg("%zu: %d", i, code);
		teardown(NULL);
	}
}

/* A change of percentages from zero has no percentage, and no number in JSON. */
static void test_from_zero(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL, *again = NULL;
	CLEANUP(buf_free) struct buf txt = BUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	for (int i = 0; i < 10; i++) {
		struct result *r = add(i / 5, "none", "DONE");

		r->repeat = 1 + i % 5;
		add_metric(r, "lost", i / 5);
	}
	o = make_view();
	again = sent(o);
	assert_at(again, "metrics.0.verdict", "\"moved\"");
	assert_at(again, "metrics.0.effect", "null");
	assert_int_equal(compare_txt(again, &txt, &err), 0);
	assert_non_null(strstr(buf_cstr(&txt), "0 pages"));
	assert_null(strstr(buf_cstr(&txt), "inf"));
}

static bool is_refused(struct json_object *view)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	struct error err = ERROR_INIT;
	int code;
	bool csv = compare_csv(view, &out, &err) < 0;
	bool txt, exit_code;

	if (csv)
		assert_int_equal(out.len, 0);
	txt = compare_txt(view, &out, &err) < 0;
	exit_code = compare_exit_code(view, &code, &err) < 0;
	if (csv || txt || exit_code)
		assert_int_equal(err.code, EINVAL);
	return csv || txt || exit_code;
}

/* Each member of the view taken away, and each with a wrong type: never a crash. */
static void test_broken_views(void **state)
{
	static const char *const paths[] = { "a",
					     "b",
					     "summary",
					     "cases",
					     "metrics",
					     "a.what",
					     "a.results",
					     "summary.regressed",
					     "summary.metrics_moved",
					     "cases.0.class",
					     "cases.0.title",
					     "cases.0.shown",
					     "cases.0.config",
					     "cases.0.a.status",
					     "cases.0.b.fails",
					     "cases.0.what",
					     "metrics.0.verdict",
					     "metrics.0.name" };

	(void)state;
	fill();
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		CLEANUP(json_put_p) struct json_object *o = make_view();
		CLEANUP(free_p) char *path = xstrdup(paths[i]);
		char *key = strrchr(path, '.');
		struct json_object *parent = o;

		if (key)
			*key++ = '\0';
		if (key)
			parent = at(o, path);
		assert_false(is_refused(o));
		json_object_object_add(parent, key ? key : path, json_object_new_double(0.5));
		if (!is_refused(o))
			fail_msg("%s may be a number", paths[i]);
		json_object_object_del(parent, key ? key : path);
		if (!is_refused(o))
			fail_msg("%s may be missing", paths[i]);
	}
}

static void test_odd_views(void **state)
{
	static const char *const texts[] = { "[]",
					     "1",
					     "null",
					     "{}",
					     "{\"a\":{},\"b\":{},\"summary\":{},\"cases\":[],"
					     "\"metrics\":[]}",
					     "{\"cases\":[1],\"metrics\":[null]}" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		CLEANUP(json_put_p) struct json_object *o = NULL;
		struct error err = ERROR_INIT;

		assert_int_equal(json_parse(texts[i], strlen(texts[i]), &o, &err), 0);
		assert_true(is_refused(o));
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(view),
		TEST(txt),
		TEST(csv),
		TEST(hostile),
		TEST(nothing_in_common),
		cmocka_unit_test(test_exit_code),
		TEST(from_zero),
		TEST(broken_views),
		TEST(odd_views),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
