/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/render.h"

typedef void (*escaper)(struct buf *out, const char *s, size_t len);

static void check_bytes(escaper fn, const char *s, size_t len, const char *wanted)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT;

	fn(&out, s, len);
	assert_string_equal(buf_cstr(&out), wanted);
}

static void check(escaper fn, const char *s, const char *wanted)
{
	check_bytes(fn, s, strlen(s), wanted);
}

static void test_text(void **state)
{
	(void)state;
	check(render_text, "", "");
	check(render_text, "a <b> & \"c\" 'd'", "a &lt;b&gt; &amp; &#34;c&#34; &#39;d&#39;");
	check(render_text, "&lt;", "&amp;lt;");
	check(render_text, "a\tb\nc", "a\tb\nc");
	check(render_text, "\033[31m\r\177", "^[[31m^M^?");
	check_bytes(render_text, "a\0b", 3, "a^@b");
	check(render_text, "\xff\xfe\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	check(render_text, "\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"); /* cut in the middle */
	check(render_text, "\xc2\x9b", "\xef\xbf\xbd"); /* CSI as one character */
	check(render_text, "\xef\xbf\xbe", "\xef\xbf\xbd"); /* U+FFFE is no character */
	check(render_text,
	      "\xe2\x80\xae"
	      "evil\xe2\x81\xa9",
	      "[U+202E]evil[U+2069]");
	check(render_text, "\xe2\x80\x8b", "[U+200B]");
	check(render_text, "\xd7\xa9 \xf0\x9f\x90\xa7", "\xd7\xa9 \xf0\x9f\x90\xa7");
}

static void test_url(void **state)
{
	(void)state;
	check(render_url, "/runs/1?a=b&c=d#e", "/runs/1?a=b&amp;c=d#e");
	check(render_url, "/", "/");
	check(render_url, "https://example.org/x", "https://example.org/x");
	check(render_url, "HTTP://example.org", "HTTP://example.org");
	check(render_url, "/a\"b'c<d", "/a%22b%27c%3Cd");
	check(render_url, "/\xc3\xa4\xff", "/%C3%A4%FF");
	check(render_url, "", "#");
	check(render_url, "javascript:alert(1)", "#");
	check(render_url, "JaVaScRiPt:alert(1)", "#");
	check(render_url, " javascript:alert(1)", "#");
	check(render_url, "java\nscript:alert(1)", "#");
	check(render_url, "data:text/html,x", "#");
	check(render_url, "ftp://example.org", "#");
	check(render_url, "//evil.example", "#");
	check(render_url, "/\\evil.example", "#");
	check(render_url, "/\t/evil.example", "#");
	check(render_url, "relative", "#");
	check(render_url, "http://", "#");
}

static void test_url_part(void **state)
{
	(void)state;
	check(render_url_part, "lazy/topic-1.2_x~", "lazy/topic-1.2_x~");
	check(render_url_part, "/evil.example", "%2Fevil.example");
	check(render_url_part, "//evil", "%2F%2Fevil");
	check(render_url_part, "\\evil", "%5Cevil");
	check(render_url_part, "a b&c=d?e#f%g\"h'<i>", "a%20b%26c%3Dd%3Fe%23f%25g%22h%27%3Ci%3E");
	check(render_url_part, "\xff", "%FF");
}

/* The page of an error, which shows title and detail. */
static struct json_object *error_view(const char *detail, size_t len)
{
	struct json_object *o = NULL;
	static const char text[] =
		"{\"status\":404,\"title\":\"Not Found\","
		"\"page\":{\"title\":\"t\",\"version\":\"1\",\"since\":\"\",\"nav\":{}}}";

	assert_int_equal(json_parse(text, strlen(text), &o, NULL), 0);
	if (detail)
		json_object_object_add(o, "detail", json_object_new_string_len(detail, (int)len));
	return o;
}

static void test_page(void **state)
{
	static const char evil[] = "<script>x</script>\033[0m\xff\0{{title}}";
	CLEANUP(json_put_p) struct json_object *view = error_view(evil, sizeof(evil) - 1);
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(render_template(PAGE_ERROR, view, &out, &err), 0);
	assert_true(str_starts(out.data, "<!DOCTYPE html>\n"));
	assert_null(strstr(out.data, "<script>x"));
	assert_non_null(
		strstr(out.data, "&lt;script&gt;x&lt;/script&gt;^[[0m\xef\xbf\xbd^@{{title}}"));
	assert_non_null(strstr(out.data, "</html>"));
	assert_int_equal(strlen(out.data), out.len);
}

static void test_missing_key(void **state)
{
	CLEANUP(json_put_p) struct json_object *view = error_view(NULL, 0);
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	buf_str(&out, "before");
	assert_int_equal(render_template(PAGE_ERROR, view, &out, &err), -EINVAL);
	assert_true(str_starts(err.msg, "error.html:"));
	assert_non_null(strstr(err.msg, "'detail' is not in the view"));
	assert_string_equal(out.data, "before");
	/* null is there, and prints nothing; an object cannot be printed. */
	json_object_object_add(view, "detail", NULL);
	assert_int_equal(render_template(PAGE_ERROR, view, &out, &err), 0);
	json_object_object_add(view, "detail", json_object_new_object());
	assert_int_equal(render_template(PAGE_ERROR, view, &out, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "'detail' is no single value"));
}

static void check_part(enum template_id id, const char *text, const char *wanted)
{
	CLEANUP(json_put_p) struct json_object *view = NULL;
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	struct error err = ERROR_INIT;

	assert_int_equal(json_parse(text, strlen(text), &view, &err), 0);
	if (render_template(id, view, &out, &err))
		fail_msg("%s", err.msg);
	if (!strstr(buf_cstr(&out), wanted))
		fail_msg("no '%s' in %s", wanted, buf_cstr(&out));
}

static void test_sections(void **state)
{
	(void)state;
	/* 0 is not there, 3 is; within an object its members come first. */
	check_part(
		PAGE_PART_SUMMARY, "{\"FAIL\":9,\"summary\":{\"FAIL\":0,\"PASS\":3}}",
		"<span class=\"summary\"><span class=\"n s-PASS\" title=\"3 PASS\">P 3</span></span>");
	check_part(PAGE_PART_SUMMARY, "{\"summary\":null}", "");
	check_part(PAGE_PART_FAULT, "{\"fault\":{\"mode\":\"nth\",\"nth\":2}}", "nth n=2</span>");
	check_part(PAGE_PART_AGENTS, "{\"agents\":[]}", "No agent has come yet");
	check_part(
		PAGE_PART_AGENTS,
		"{\"agents\":[{\"name\":\"a<\",\"live\":true,\"health\":\"live\",\"busy\":0,\"silent_us\":5000000,\"slots\":2,\"can_build\":true,"
		"\"can_test\":false,\"version\":\"1\",\"runs\":[],"
		"\"last_seen\":\"2026-01-31T23:59:59.123456Z\"}]}",
		"<time datetime=\"2026-01-31 23:59:59Z\" title=\"2026-01-31 23:59:59Z\">5.0 s ago</time>");
}

static void test_repeat(void **state)
{
	static const char row[] =
		"{\"matrix\":{\"cases\":[\"a\"],\"rows\":[{\"sha\":\"1\",\"short\":\"1\",\"subject\":\"\","
		"\"position\":1,\"config\":\"\",\"build\":null,\"test\":null,\"run\":null,"
		"\"strip\":[{\"status\":\"PASS\",\"result\":null,\"n\":";
	static const char cell[] = "<td><b class=\"c s-PASS\">P</b></td>";
	static const char *const times[] = { "0", "1", "3", "70" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		CLEANUP(buf_free) struct buf out = BUF_INIT;
		CLEANUP(json_put_p) struct json_object *view = NULL;
		CLEANUP(free_p) char *text = NULL;
		struct error err = ERROR_INIT;
		int n = 0;

		text = xasprintf("%s%s}]}]}}", row, times[i]);
		assert_int_equal(json_parse(text, strlen(text), &view, &err), 0);
		assert_int_equal(render_template(PAGE_PART_MATRIX, view, &out, &err), 0);
		for (const char *p = buf_cstr(&out); (p = strstr(p, cell)); p += strlen(cell))
			n++;
		assert_int_equal(n, strtol(times[i], NULL, 10));
	}
}

/* Whoever is not from here reads that a job runs, not that it is leased. */
static void test_job_states(void **state)
{
	static const char *const states[][2] = { { "leased", "running<" },
						 { "queued", "queued<" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		CLEANUP(free_p)
		char *view = xasprintf(
			"{\"matrix\":{\"cases\":[],\"rows\":[{\"sha\":\"1\",\"short\":\"1\","
			"\"subject\":\"\",\"position\":1,\"config\":\"\",\"build\":null,"
			"\"test\":{\"run\":null,\"state\":\"%s\"},\"run\":null,"
			"\"strip\":[]}]}}",
			states[i][0]);

		check_part(PAGE_PART_MATRIX, view, states[i][1]);
	}
}

static void test_numbers(void **state)
{
	static const char *const rows[] = { "7", "10", "-1", "9223372036854775807",
					    "-9223372036854775808" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(free_p) char *view = xasprintf("{\"summary\":{\"PASS\":%s}}", rows[i]);
		CLEANUP(free_p)
		char *wanted = xasprintf("title=\"%s PASS\">P %s<", rows[i], rows[i]);

		check_part(PAGE_PART_SUMMARY, view, wanted);
	}
}

static void test_filters(void **state)
{
	static const struct {
		const char *size, *wanted;
	} rows[] = {
		{ "0", ">0 B<" },	 { "1023", ">1023 B<" },	{ "1536", ">1.5 KiB<" },
		{ "20480", ">20 KiB<" }, { "1073741824", ">1.0 GiB<" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(free_p)
		char *view = xasprintf(
			"{\"id\":1,\"kind\":\"test\",\"plan\":null,\"ended\":null,\"status\":null,"
			"\"outcome\":null,\"reason\":null,\"detail\":null,\"progress\":null,"
			"\"commit\":\"x\",\"short\":\"x\",\"subject\":\"\",\"build\":1,"
			"\"config\":\"\",\"arch\":\"\",\"compiler\":\"\",\"agent\":null,"
			"\"attempt\":1,\"job\":1,\"started\":\"\",\"duration_us\":61000000,"
			"\"page\":{\"title\":\"\",\"version\":\"\",\"since\":\"\"},"
			"\"log_size\":%s}",
			rows[i].size);

		check_part(PAGE_RUN, view, rows[i].wanted);
		check_part(PAGE_RUN, view, "1 min 1 s");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),	    cmocka_unit_test(test_url),
		cmocka_unit_test(test_url_part),    cmocka_unit_test(test_page),
		cmocka_unit_test(test_missing_key), cmocka_unit_test(test_sections),
		cmocka_unit_test(test_repeat),	    cmocka_unit_test(test_job_states),
		cmocka_unit_test(test_numbers),	    cmocka_unit_test(test_filters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
