/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "test_export.h"

static void test_formats(void **state)
{
	(void)state;
	for (size_t i = 0; i < export_n_formats; i++)
		assert_ptr_equal(export_format_find(export_formats[i].name), &export_formats[i]);
	assert_non_null(export_format_find("junit"));
	assert_null(export_format_find("json"));
	assert_null(export_format_find(""));
}

static void test_origins(void **state)
{
	CLEANUP(free_p) char *longest = xcalloc(102, 1);

	(void)state;
	memset(longest, 'a', 101);
	assert_true(export_origin_is_valid("faultline"));
	assert_true(export_origin_is_valid("lab_2"));
	assert_false(export_origin_is_valid(""));
	assert_false(export_origin_is_valid("Lab"));
	assert_false(export_origin_is_valid("a:b"));
	assert_false(export_origin_is_valid("a-b"));
	assert_false(export_origin_is_valid(longest));
}

#define MEMBERS                                                              \
	"\"build\":3,\"case\":\"split.fork\",\"fault\":{\"mode\":\"none\"}," \
	"\"repeat\":1,\"status\":\"PASS\",\"reason\":\"\",\"injected\":{}"

static int add(struct export *e, const char *text, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct jval v;

	if (json_parse(text, strlen(text), &o, err))
		fail_msg("%s", err->msg);
	v = json_root(o);
	return export_add_item(e, &v, err);
}

/* Rows of one run share it, runs of one build share that. */
static void test_items(void **state)
{
	CLEANUP(export_free) struct export e = { .origin = NULL };
	struct error err = ERROR_INIT;
	char prefix[16];

	(void)state;
	assert_int_equal(add(&e, "{\"id\":9,\"run\":2," MEMBERS ",\"commit\":\"abc\"}", &err), 0);
	assert_int_equal(add(&e, "{\"id\":10,\"run\":2," MEMBERS "}", &err), 0);
	assert_int_equal(add(&e, "{\"id\":4,\"run\":1," MEMBERS "}", &err), 0);
	assert_int_equal(e.n_rows, 3);
	assert_int_equal(e.n_runs, 2);
	assert_int_equal(e.n_builds, 1);
	assert_int_equal(e.rows[1].number, 10);
	assert_int_equal(export_row_run(&e, &e.rows[2])->number, 1);
	assert_string_equal(export_row_build(&e, &e.rows[2])->commit, "abc");
	export_row_prefix(&e, &e.rows[2], prefix);
	assert_string_equal(prefix, "abc ");
}

static void test_wrong_items(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "{\"run\":2," MEMBERS "}", "$.id" },
		{ "{\"id\":9," MEMBERS "}", "$.run" },
		{ "{\"id\":9,\"run\":2}", "$.build" },
		{ "{\"id\":9,\"run\":2,\"build\":1}", "$.case" },
		{ "{\"id\":9,\"run\":2," MEMBERS ",\"repo\":7}", "$.repo" },
		{ "{\"id\":9,\"run\":2," MEMBERS ",\"machine\":[]}", "$.machine" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(export_free) struct export e = { .origin = NULL };
		struct error err = ERROR_INIT;

		assert_int_equal(add(&e, rows[i].text, &err), -EINVAL);
		assert_non_null(strstr(err.msg, rows[i].why));
		assert_int_equal(e.n_rows, 0);
	}
}

static void test_build_numbers(void **state)
{
	static const char text[] = "{\"matrix\":{\"rows\":[{\"build\":{\"id\":5}},{\"build\":null},"
				   "{\"build\":{\"id\":2}}]}}";
	CLEANUP(json_put_p) struct json_object *o = NULL, *wrong = NULL;
	CLEANUP(free_p) int64_t *numbers = NULL;
	struct error err = ERROR_INIT;
	struct jval v;
	size_t n = 0;

	(void)state;
	assert_int_equal(json_parse(text, strlen(text), &o, &err), 0);
	v = json_root(o);
	assert_int_equal(export_build_numbers(&v, &numbers, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_int_equal(numbers[0], 5);
	assert_int_equal(numbers[1], 2);
	assert_int_equal(json_parse("{\"matrix\":{}}", 13, &wrong, &err), 0);
	v = json_root(wrong);
	assert_int_equal(export_build_numbers(&v, &numbers, &n, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),	      cmocka_unit_test(test_origins),
		cmocka_unit_test(test_items),	      cmocka_unit_test(test_wrong_items),
		cmocka_unit_test(test_build_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
