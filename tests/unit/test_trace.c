/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <string.h>

#include "jobs/trace.h"

static void add(struct trace *t, struct frame f)
{
	struct frame *at = trace_add(t);

	assert_non_null(at);
	*at = f;
	at->function = xstrdup(f.function);
	at->module = xstrdup(f.module);
	at->file = xstrdup(f.file);
}

static void fill(struct trace *t)
{
	add(t, (struct frame){ .function = (char *)"pmd_lock",
			       .file = (char *)"include/linux/mm.h",
			       .line = 3088,
			       .inlined = true });
	add(t, (struct frame){ .function = (char *)"__split_huge_pmd",
			       .offset = 0x1a,
			       .size = 0x240,
			       .file = (char *)"mm/huge_memory.c",
			       .line = 2543 });
	add(t,
	    (struct frame){
		    .function = (char *)"xfs_f", .module = (char *)"xfs", .offset = 1, .size = 2 });
	add(t, (struct frame){ .function = (char *)"bare" });
}

static void test_text(void **state)
{
	static const char *const want[] = {
		"pmd_lock (include/linux/mm.h:3088) [inline]",
		"__split_huge_pmd+0x1a/0x240 (mm/huge_memory.c:2543)",
		"xfs_f+0x1/0x2 [xfs]",
		"bare",
	};
	struct trace t = { 0 };

	(void)state;
	assert_false(trace_has_lines(&t));
	fill(&t);
	assert_true(trace_has_lines(&t));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		CLEANUP(buf_free) struct buf b = BUF_INIT;

		frame_text(&t.frames[i], &b);
		assert_string_equal(b.data, want[i]);
	}
	trace_free(&t);
}

static int parse(const char *text, struct trace *ret, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct jval v;

	assert_int_equal(json_parse(text, strlen(text), &o, err), 0);
	v = json_root(o);
	return trace_from_json(&v, "stack", ret, err);
}

static void test_round_trip(void **state)
{
	struct trace t = { 0 }, copy = { 0 }, again = { 0 };
	CLEANUP(json_put_p) struct json_object *o = json_object_new_object();
	CLEANUP(free_p) char *text = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	fill(&t);
	trace_copy(&t, &copy);
	trace_free(&t);
	json_object_object_add(o, "stack", trace_to_json(&copy));
	text = json_text(o);
	assert_non_null(strstr(text,
			       "{\"function\":\"__split_huge_pmd\",\"offset\":26,\"size\":576,"
			       "\"file\":\"mm/huge_memory.c\",\"line\":2543,"
			       "\"inlined\":false}"));
	assert_int_equal(parse(text, &again, &err), 0);
	assert_int_equal(again.n, copy.n);
	for (size_t i = 0; i < copy.n; i++) {
		CLEANUP(buf_free) struct buf a = BUF_INIT, b = BUF_INIT;

		frame_text(&copy.frames[i], &a);
		frame_text(&again.frames[i], &b);
		assert_string_equal(a.data, b.data);
	}
	trace_free(&copy);
	trace_free(&again);
	assert_int_equal(parse("{}", &again, &err), 0);
	assert_int_equal(again.n, 0);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *path;
	} bad[] = {
		{ "{\"stack\":{}}", "$.stack" },
		{ "{\"stack\":[1]}", "$.stack[0]" },
		{ "{\"stack\":[{}]}", "$.stack[0].function" },
		{ "{\"stack\":[{\"function\":\"\"}]}", "$.stack[0].function" },
		{ "{\"stack\":[{\"function\":\"f\",\"line\":-1}]}", "$.stack[0].line" },
		{ "{\"stack\":[{\"function\":\"f\",\"line\":1}]}", "$.stack[0]: a file" },
		{ "{\"stack\":[{\"function\":\"f\",\"file\":\"a.c\"}]}", "$.stack[0]: a file" },
		{ "{\"stack\":[{\"function\":\"f\",\"offset\":-1}]}", "$.stack[0].offset" },
		{ "{\"stack\":[{\"function\":\"f\",\"inlined\":1}]}", "$.stack[0].inlined" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct trace t = { 0 };
		struct error err = ERROR_INIT;

		assert_int_equal(parse(bad[i].text, &t, &err), -EINVAL);
		if (strncmp(err.msg, bad[i].path, strlen(bad[i].path)) != 0)
			fail_msg("%s: %s", bad[i].text, err.msg);
		assert_null(t.frames);
	}
}

static void test_full(void **state)
{
	struct trace t = { 0 };
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	buf_str(&text, "{\"stack\":[");
	for (int i = 0; i < TRACE_FRAMES_MAX; i++) {
		struct frame *f = trace_add(&t);

		assert_non_null(f);
		f->function = xstrdup("f");
		buf_str(&text, "{\"function\":\"f\"},");
	}
	assert_null(trace_add(&t));
	trace_free(&t);
	buf_str(&text, "{\"function\":\"f\"}]}");
	assert_int_equal(parse(text.data, &t, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "257 frames"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
