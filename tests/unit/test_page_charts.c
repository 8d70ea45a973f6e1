/* SPDX-License-Identifier: MIT */
/* Series of a view become charts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/clean.h"
#include "server/pages.h"

#define POINTS                                                                   \
	"\"points\":[{\"short\":\"aaa\",\"sha\":\"aaaa\",\"subject\":\"x\"},"    \
	"{\"short\":\"bbb\",\"sha\":\"bbbb\",\"subject\":\"y\",\"regressions\":" \
	"[{\"id\":7,\"title\":\"BUG in x\"},{\"id\":8,\"title\":\"leak\"}]}]"

static struct json_object *prepared(const char *series, size_t max)
{
	CLEANUP(free_p) char *text = xasprintf("{" POINTS ",\"series\":[%s]}", series);
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;

	if (json_parse(text, strlen(text), &view, &err) < 0)
		fail_msg("%s", err.msg);
	page_charts_prepare(view, max);
	return view;
}

/* One series of the chart `key`. */
static char *series_of(const char *key, const char *kind, const char *name, const char *scenario,
		       const char *fault, const char *config, const char *values)
{
	return xasprintf("{\"chart\":\"%s\",\"kind\":\"%s\",\"name\":\"%s\",\"unit\":\"\","
			 "\"worse\":\"\",\"scenario\":\"%s\",\"fault\":%s,\"config\":\"%s\","
			 "\"accel\":\"\",\"values\":%s}",
			 key, kind, name, scenario, fault, config, values);
}

static char *series(const char *kind, const char *name, const char *config, const char *values)
{
	return series_of(name, kind, name, "", "null", config, values);
}

static struct json_object *at(struct json_object *o, const char *list, size_t i)
{
	struct json_object *a = json_object_object_get(o, list);

	assert_true(json_object_is_type(a, json_type_array) && i < json_object_array_length(a));
	return json_object_array_get_idx(a, i);
}

static bool is(struct json_object *o, const char *key)
{
	return json_object_get_boolean(json_object_object_get(o, key));
}

static size_t length(struct json_object *o, const char *list)
{
	return json_object_array_length(json_object_object_get(o, list));
}

static void test_lines_of_one_chart(void **state)
{
	CLEANUP(free_p) char *a = series("counter", "x", "default", "[1,2]");
	CLEANUP(free_p) char *b = series("counter", "x", "debug", "[null,4.5]");
	CLEANUP(free_p) char *c = series("counter", "y", "default", "[5,6]");
	CLEANUP(free_p) char *all = xasprintf("%s,%s,%s", a, b, c);
	CLEANUP(json_put_p) struct json_object *view = prepared(all, 12);
	struct json_object *chart = at(view, "charts", 0);

	(void)state;
	assert_int_equal(length(view, "charts"), 2);
	assert_string_equal(page_str(chart, "title"), "x");
	assert_string_equal(page_str(chart, "of"), "all cases");
	assert_int_equal(length(chart, "lines"), 2);
	assert_true(is(chart, "several"));
	assert_false(is(at(view, "charts", 1), "several"));
	assert_string_equal(page_str(at(chart, "lines", 1), "name"), "debug");
	assert_string_equal(page_str(chart, "words"),
			    "x, the last of 2 and their range: default 2; 1 to 2, debug 4.5");
	assert_string_equal(page_str(view, "oldest"), "aaa");
	assert_string_equal(page_str(view, "newest"), "bbb");
	assert_false(is(view, "any_more"));
}

static void test_titles(void **state)
{
	static const char nth[] = "{\"mode\":\"nth\",\"nth\":2,\"site\":\"pte_alloc_one\"}";
	CLEANUP(free_p) char *a = series("injected", "on_target", "default", "[1,2]");
	CLEANUP(free_p) char *b = series("injected", "off_target", "default", "[1,2]");
	CLEANUP(free_p)
	char *c = series_of("x", "metric", "split_ns", "memory.pgtables", nth, "default", "[1,2]");
	CLEANUP(free_p) char *all = xasprintf("%s,%s,%s", a, b, c);
	CLEANUP(json_put_p) struct json_object *view = prepared(all, 12);

	(void)state;
	assert_string_equal(page_str(at(view, "charts", 0), "title"), "faults injected on target");
	assert_string_equal(page_str(at(view, "charts", 1), "title"), "faults injected elsewhere");
	assert_string_equal(page_str(at(view, "charts", 2), "title"), "split_ns");
	assert_non_null(
		strstr(page_str(at(view, "charts", 2), "of"), "memory.pgtables mode=nth,nth=2"));
}

/* What is not drawn is named, each name once. */
static void test_bounded(void **state)
{
	struct buf all = BUF_INIT;
	CLEANUP(json_put_p) struct json_object *view = NULL;

	(void)state;
	for (int i = 0; i < 20; i++) {
		static const char *const names[] = { "a", "b", "c" };
		CLEANUP(free_p) char *key = xasprintf("%d", i);
		CLEANUP(free_p)
		char *one = series_of(key, "metric", names[i % 3], "", "null", "default", "[1,2]");

		buf_printf(&all, "%s%s", i ? "," : "", one);
	}
	view = prepared(buf_cstr(&all), 12);
	buf_free(&all);
	assert_int_equal(length(view, "charts"), 12);
	assert_true(is(view, "any_more"));
	assert_int_equal(length(view, "more"), 3);
}

static void test_many_lines(void **state)
{
	struct buf all = BUF_INIT;
	CLEANUP(json_put_p) struct json_object *view = NULL;

	(void)state;
	for (int i = 0; i < 20; i++) {
		CLEANUP(free_p) char *config = xasprintf("config%d", i);
		CLEANUP(free_p) char *one = series("counter", "x", config, "[1,2]");

		buf_printf(&all, "%s%s", i ? "," : "", one);
	}
	view = prepared(buf_cstr(&all), 12);
	buf_free(&all);
	assert_int_equal(length(view, "charts"), 1);
	assert_int_equal(length(at(view, "charts", 0), "lines"), 8);
}

static void test_marks(void **state)
{
	CLEANUP(free_p) char *a = series("counter", "x", "default", "[1,2]");
	CLEANUP(json_put_p) struct json_object *view = prepared(a, 12);

	(void)state;
	assert_string_equal(page_str(at(view, "charts", 0), "marks"), "M314 8V90");
	assert_true(is(view, "any_marked"));
	assert_int_equal(length(view, "marked"), 2);
	assert_int_equal(page_i64(at(view, "marked", 1), "id"), 8);
	assert_string_equal(page_str(at(view, "marked", 1), "sha"), "bbbb");
}

static void test_nothing(void **state)
{
	CLEANUP(json_put_p) struct json_object *view = prepared("", 12);
	CLEANUP(json_put_p) struct json_object *none = NULL;
	static const char empty[] = "{\"points\":[],\"series\":[]}";
	struct error err = ERROR_INIT;

	(void)state;
	assert_false(is(view, "any_chart"));
	assert_int_equal(json_parse(empty, strlen(empty), &none, &err), 0);
	page_charts_prepare(none, 12);
	assert_string_equal(page_str(none, "oldest"), "");
	assert_false(is(none, "any_marked"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_of_one_chart),
		cmocka_unit_test(test_titles),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_many_lines),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
