/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/clean.h"
#include "lib/table.h"

static struct json_object *parse(const char *text)
{
	struct error err = ERROR_INIT;
	struct json_object *o = NULL;

	if (json_parse(text, strlen(text), &o, &err))
		fail_msg("%s", err.msg);
	return o;
}

static void test_csv(void **state)
{
	CLEANUP(json_put_p)
	struct json_object *items =
		parse("[{\"a\":1,\"b\":{\"c\":\"x,y\"},\"list\":[1]},"
		      "{\"a\":-2,\"b\":{\"c\":\"say \\\"so\\\"\"},\"late\":null},"
		      "{\"b\":{\"c\":\"=1+1\"},\"late\":\"two\\nlines\"},"
		      "{\"b\":{\"c\":\"@x\"},\"late\":\"-1e3\"}]");
	CLEANUP(buf_free) struct buf out = BUF_INIT;

	(void)state;
	table_csv(items, &out);
	assert_string_equal(buf_cstr(&out), "a,b.c,late\r\n"
					    "1,\"x,y\",\r\n"
					    "-2,\"say \"\"so\"\"\",\r\n"
					    ",\"'=1+1\",\"two\nlines\"\r\n"
					    ",\"'@x\",-1e3\r\n");
}

static void test_txt(void **state)
{
	CLEANUP(json_put_p)
	struct json_object *items = parse("[{\"name\":\"ä\",\"what\":\"red\\u001b[31m\"},"
					  "{\"name\":\"long name\",\"what\":null}]");
	CLEANUP(buf_free) struct buf out = BUF_INIT;

	(void)state;
	table_txt(items, &out);
	assert_string_equal(buf_cstr(&out), "name       what\n"
					    "ä          red?[31m\n"
					    "long name  \n");
}

/* A cell ends before a character that would be cut in two. */
static void test_long_cell(void **state)
{
	CLEANUP(json_put_p) struct json_object *items = json_object_new_array();
	struct json_object *o = json_object_new_object();
	CLEANUP(buf_free) struct buf out = BUF_INIT, text = BUF_INIT;

	(void)state;
	for (int i = 0; i < 59; i++)
		buf_char(&text, 'x');
	buf_str(&text, "ää");
	json_object_object_add(o, "c", json_str(buf_cstr(&text)));
	json_object_array_add(items, o);
	table_txt(items, &out);
	assert_int_equal(out.len, strlen("c\n") + 59 + 1);
}

static void test_nothing(void **state)
{
	CLEANUP(json_put_p) struct json_object *items = json_object_new_array();
	CLEANUP(buf_free) struct buf out = BUF_INIT;

	(void)state;
	table_txt(items, &out);
	assert_string_equal(buf_cstr(&out), "");
	table_csv(items, &out);
	assert_string_equal(buf_cstr(&out), "\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_csv),
		cmocka_unit_test(test_txt),
		cmocka_unit_test(test_long_cell),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
