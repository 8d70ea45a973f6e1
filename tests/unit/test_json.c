/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/json.h"

/* Parses an exactly sized copy, so that ASan sees a read behind the end. */
static int parse(const char *text, size_t len, struct json_object **o, struct error *err)
{
	CLEANUP(free_p) char *copy = xcalloc(len, 1);

	memcpy(copy, text, len);
	return json_parse(copy, len, o, err);
}

static void test_accepted(void **state)
{
	/* input, what comes out again */
	static const char *const rows[][2] = {
		{ "{}", "{}" },
		{ " [ 1 , 2 ] \n", "[1,2]" },
		{ "0", "0" },
		{ "-12", "-12" },
		{ "9223372036854775807", "9223372036854775807" },
		{ "-9223372036854775808", "-9223372036854775808" },
		{ "1.5e3", "1.5e3" },
		{ "1E-2", "1E-2" },
		{ "1e-999", "1e-999" },
		{ "null", "null" },
		{ "true", "true" },
		{ "\"\"", "\"\"" },
		{ "\"a/b\\u00e9\\ud83d\\ude00\\n\"", "\"a/b\xc3\xa9\xf0\x9f\x98\x80\\n\"" },
		{ "{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":2}]}",
		  "{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":2}]}" },
		{ "\"\\u0000\"", "\"\\u0000\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(json_put_p) struct json_object *o = NULL;
		CLEANUP(free_p) char *text = NULL;
		struct error err = ERROR_INIT;

		if (parse(rows[i][0], strlen(rows[i][0]), &o, &err) < 0)
			fail_msg("%s: %s", rows[i][0], err.msg);
		assert_int_equal(err.code, 0);
		text = json_text(o);
		assert_string_equal(text, rows[i][1]);
	}
}

static void test_refused(void **state)
{
	/* input, a part of the message */
	static const char *const rows[][2] = {
		{ "", "unexpected end" },
		{ "  ", "unexpected end" },
		{ "{", "string expected" },
		{ "[1", "',' or ']'" },
		{ "[1,]", "value expected" },
		{ "{\"a\":1,}", "string expected" },
		{ "{a:1}", "string expected" },
		{ "{'a':1}", "string expected" },
		{ "'a'", "value expected" },
		{ "NaN", "value expected" },
		{ "-NaN", "digit" },
		{ "Infinity", "value expected" },
		{ "-Infinity", "digit" },
		{ "nul", "unknown word" },
		{ "nULL", "unknown word" },
		{ "True", "value expected" },
		{ "01", "leading zero" },
		{ "-01", "leading zero" },
		{ "+1", "value expected" },
		{ ".5", "value expected" },
		{ "1.", "digit expected" },
		{ "1e", "digit expected" },
		{ "1e+", "digit expected" },
		{ "0x10", "behind the value" },
		{ "1 2", "behind the value" },
		{ "{} {}", "behind the value" },
		{ "{}x", "behind the value" },
		{ "/* c */ {}", "value expected" },
		{ "// c\n{}", "value expected" },
		{ "\xef\xbb\xbf{}", "value expected" },
		{ "9223372036854775808", "out of range" },
		{ "-9223372036854775809", "out of range" },
		{ "[18446744073709551615]", "out of range" },
		{ "1e999", "out of range" },
		{ "11111111111111111111111111111111111111111111111111111111111111111.0",
		  "too many digits" },
		{ "{\"a\":1,\"a\":2}", "duplicate key 'a'" },
		{ "{\"a\":1,\"b\":2,\"\\u0061\":3}", "duplicate key 'a'" },
		{ "[{\"x\":{\"k\":1,\"k\":1}}]", "duplicate key 'k'" },
		{ "{\"\":1,\"\":2}", "duplicate key ''" },
		{ "{\"a\\u0000b\":1}", "NUL in a key" },
		{ "\"\\ud800\"", "lone surrogate" },
		{ "\"\\ud800x\"", "lone surrogate" },
		{ "\"\\ud800\\u0041\"", "lone surrogate" },
		{ "\"\\udc00\"", "lone surrogate" },
		{ "\"\\u12\"", "hexadecimal" },
		{ "\"\\x41\"", "unknown escape" },
		{ "\"\\\"", "without end" },
		{ "\"a", "without end" },
		{ "\"a\nb\"", "control character" },
		{ "\"\t\"", "control character" },
		{ "\"\xff\"", "invalid UTF-8" },
		{ "\"\xc0\xaf\"", "invalid UTF-8" },
		{ "\"\xed\xa0\x80\"", "invalid UTF-8" },
		{ "\"\xc3\"", "invalid UTF-8" },
		{ "{\"a\" 1}", "':' expected" },
		{ "{\"a\":1 \"b\":2}", "',' or '}'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct json_object *o = (struct json_object *)0x1;
		struct error err = ERROR_INIT;

		if (parse(rows[i][0], strlen(rows[i][0]), &o, &err) != -EINVAL)
			fail_msg("accepted: %s", rows[i][0]);
		if (!strstr(err.msg, rows[i][1]))
			fail_msg("%s: message '%s' lacks '%s'", rows[i][0], err.msg, rows[i][1]);
		assert_ptr_equal(o, (struct json_object *)0x1);
	}
}

static void test_nul_bytes_end_nothing(void **state)
{
	struct json_object *o = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(parse("{}\0", 3, &o, &err), -EINVAL);
	assert_int_equal(parse("\"a\0b\"", 5, &o, &err), -EINVAL);
	assert_int_equal(parse("\0", 1, &o, &err), -EINVAL);
}

static void test_depth(void **state)
{
	char text[200];
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t depth = 30; depth <= 34; depth++) {
		CLEANUP(json_put_p) struct json_object *o = NULL;
		int r;

		memset(text, '[', depth);
		text[depth] = '1';
		memset(text + depth + 1, ']', depth);
		r = parse(text, 2 * depth + 1, &o, &err);
		assert_int_equal(r, depth <= 32 ? 0 : -EINVAL);
	}
}

/* An object of very many keys must not take quadratic time. */
static void test_many_keys(void **state)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct json_object *twice = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	buf_char(&b, '{');
	for (int i = 0; i < 100000; i++)
		buf_printf(&b, "\"key%d\":%d,", i, i);
	buf_str(&b, "\"last\":0}");
	assert_int_equal(json_parse(b.data, b.len, &o, &err), 0);
	assert_int_equal(json_object_object_length(o), 100001);
	b.len--;
	buf_str(&b, ",\"key77\":1}");
	assert_int_equal(json_parse(b.data, b.len, &twice, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "'key77'"));
}

static struct json_object *parsed(const char *text)
{
	struct json_object *o = NULL;
	struct error err = ERROR_INIT;

	if (json_parse(text, strlen(text), &o, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return o;
}

static void test_getters(void **state)
{
	CLEANUP(json_put_p)
	struct json_object *o = parsed(
		"{\"s\":\"text\",\"n\":5,\"d\":1.5,\"b\":true,\"o\":{\"x\":1},\"a\":[\"p\",{\"n\":\"x\"}],"
		"\"nul\":\"a\\u0000b\",\"null\":null}");
	struct jval root = json_root(o);
	struct jval obj, arr, el;
	struct error err = ERROR_INIT;
	const char *s = NULL;
	int64_t n = 0;
	double d = 0;
	bool b = false;

	(void)state;
	assert_int_equal(json_get_str(&root, "s", 4, &s, &err), 0);
	assert_string_equal(s, "text");
	assert_int_equal(json_get_i64(&root, "n", 5, 5, &n, &err), 0);
	assert_int_equal(n, 5);
	assert_int_equal(json_get_double(&root, "d", &d, &err), 0);
	assert_true(d > 1.4 && d < 1.6);
	assert_int_equal(json_get_double(&root, "n", &d, &err), 0);
	assert_true(d > 4.9 && d < 5.1);
	assert_int_equal(json_get_bool(&root, "b", &b, &err), 0);
	assert_true(b);
	assert_int_equal(json_get_obj(&root, "o", &obj, &err), 0);
	assert_string_equal(obj.path, "$.o");
	assert_int_equal(json_get_arr(&root, "a", &arr, &err), 0);
	assert_int_equal(json_arr_len(&arr), 2);
	assert_int_equal(json_arr_len(&obj), 0);
	el = json_arr_at(&arr, 0);
	assert_int_equal(json_as_str(&el, 10, &s, &err), 0);
	assert_string_equal(s, "p");
	assert_int_equal(json_as_obj(&el, &err), -EINVAL);
	el = json_arr_at(&arr, 1);
	assert_string_equal(el.path, "$.a[1]");
	assert_int_equal(err.code, EINVAL);

	assert_int_equal(json_get_i64(&el, "n", 0, 9, &n, &err), -EINVAL);
	assert_string_equal(err.msg, "$.a[1].n: 'x' is not an integer");
	assert_int_equal(json_get_i64(&root, "d", 0, 9, &n, &err), -EINVAL);
	assert_string_equal(err.msg, "$.d: '1.5' is not an integer");
	assert_int_equal(json_get_i64(&root, "n", 6, 9, &n, &err), -EINVAL);
	assert_string_equal(err.msg, "$.n: 5 is not within 6 and 9");
	assert_int_equal(json_get_str(&root, "s", 3, &s, &err), -EINVAL);
	assert_string_equal(err.msg, "$.s: longer than 3 bytes");
	assert_int_equal(json_get_str(&root, "nul", 10, &s, &err), -EINVAL);
	assert_int_equal(json_get_str(&root, "missing", 3, &s, &err), -EINVAL);
	assert_string_equal(err.msg, "$.missing: missing");
	assert_int_equal(json_get_str(&root, "null", 3, &s, &err), -EINVAL);
	assert_int_equal(json_get_bool(&root, "n", &b, &err), -EINVAL);
	assert_int_equal(json_get_obj(&root, "a", &obj, &err), -EINVAL);
	assert_int_equal(json_get_i64(&arr, "x", 0, 1, &n, &err), -EINVAL);
	/* Outputs stay what they were. */
	assert_int_equal(n, 5);
	assert_string_equal(s, "p");
	assert_string_equal(obj.path, "$.o");
}

static void test_optional(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = parsed("{\"n\":5,\"null\":null,\"s\":\"x\"}");
	struct jval root = json_root(o);
	struct jval v = { .path = "untouched" };
	struct error err = ERROR_INIT;
	const char *s = "default";
	int64_t n = 7;
	bool b = true;

	(void)state;
	assert_int_equal(json_opt_i64(&root, "absent", 0, 9, &n, &err), 0);
	assert_int_equal(json_opt_i64(&root, "null", 0, 9, &n, &err), 0);
	assert_int_equal(n, 7);
	assert_int_equal(json_opt_str(&root, "null", 9, &s, &err), 0);
	assert_int_equal(json_opt_bool(&root, "absent", &b, &err), 0);
	assert_int_equal(json_opt_obj(&root, "absent", &v, &err), 0);
	assert_int_equal(json_opt_arr(&root, "absent", &v, &err), 0);
	assert_string_equal(s, "default");
	assert_string_equal(v.path, "untouched");
	assert_true(b);
	assert_int_equal(json_opt_i64(&root, "n", 0, 9, &n, &err), 0);
	assert_int_equal(n, 5);
	assert_int_equal(json_opt_i64(&root, "s", 0, 9, &n, &err), -EINVAL);
	assert_int_equal(json_opt_bool(&root, "s", &b, &err), -EINVAL);
	assert_int_equal(json_opt_arr(&root, "s", &v, &err), -EINVAL);
}

static void test_only_keys(void **state)
{
	static const char *const keys[] = { "a", "b", NULL };
	CLEANUP(json_put_p) struct json_object *good = parsed("{\"b\":1}");
	CLEANUP(json_put_p) struct json_object *bad = parsed("{\"a\":1,\"\\u001b[31mc\":1}");
	struct jval v = json_root(good);
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(json_only_keys(&v, keys, &err), 0);
	v = json_root(bad);
	assert_int_equal(json_only_keys(&v, keys, &err), -EINVAL);
	assert_string_equal(err.msg, "$.?[31mc: unknown key");
	v = json_root(NULL);
	assert_int_equal(json_only_keys(&v, keys, &err), -EINVAL);
}

static void test_long_paths_stay_in_their_buffer(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = parsed("[[[[[[[[[[1]]]]]]]]]]");
	struct jval v = json_root(o);
	char key[300];
	struct error err = ERROR_INIT;
	int64_t n;

	(void)state;
	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	for (int i = 0; i < 40; i++)
		v = json_arr_at(&v, 1000000);
	assert_true(strlen(v.path) < sizeof(v.path));
	v = json_root(o);
	assert_int_equal(json_get_i64(&v, key, 0, 1, &n, &err), -EINVAL);
}

static void test_strings_from_anywhere(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = json_object_new_array();
	CLEANUP(json_put_p) struct json_object *back = NULL;
	CLEANUP(free_p) char *text = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	json_object_array_add(o, json_str("gr\xc3\xbc\xc3\x9f </script>"));
	json_object_array_add(o, json_str("bad \xff\xc3 end"));
	json_object_array_add(o, json_strn("a\0b", 3));
	json_object_array_add(o, json_str(NULL));
	text = json_text(o);
	assert_string_equal(text, "[\"gr\xc3\xbc\xc3\x9f </script>\","
				  "\"bad \xef\xbf\xbd\xef\xbf\xbd end\",\"a\\u0000b\",null]");
	assert_int_equal(json_parse(text, strlen(text), &back, &err), 0);
	assert_true(json_object_equal(o, back));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nul_bytes_end_nothing),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_many_keys),
		cmocka_unit_test(test_getters),
		cmocka_unit_test(test_optional),
		cmocka_unit_test(test_only_keys),
		cmocka_unit_test(test_long_paths_stay_in_their_buffer),
		cmocka_unit_test(test_strings_from_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
