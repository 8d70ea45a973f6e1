/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "jobs/atom.h"
#include "lib/clean.h"

static const char two[] =
	"{\"items\":["
	"{\"id\":9,\"state\":\"bisected\",\"title\":\"kernel BUG in <f> & \\u202eg\\u0001\","
	"\"created\":\"2026-11-20T10:00:00.000000Z\",\"changed\":\"2026-11-20T11:00:00.000000Z\","
	"\"repo\":\"mm\",\"ref\":\"topic\",\"scenario\":\"split.mprotect\",\"config\":\"default\","
	"\"bad\":\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\","
	"\"good\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\","
	"\"culprit\":\"cccccccccccccccccccccccccccccccccccccccc\","
	"\"culprit_subject\":\"mm: break it\",\"fixed\":null},"
	"{\"id\":7,\"state\":\"fixed\",\"title\":\"leak\","
	"\"created\":\"2026-11-19T10:00:00.000000Z\",\"changed\":\"2026-11-21T12:00:00.000000Z\","
	"\"repo\":\"mm\",\"ref\":\"topic\",\"scenario\":\"split.munmap\",\"config\":\"default\","
	"\"bad\":\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\","
	"\"good\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"culprit\":null,"
	"\"culprit_subject\":null,\"fixed\":\"dddddddddddddddddddddddddddddddddddddddd\"}]}";

static int make(const struct atom_feed *f, const char *json, struct buf *out, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *view = NULL;

	assert_int_equal(json_parse(json, strlen(json), &view, err), 0);
	return atom_regressions(f, view, out, err);
}

static void has(const struct buf *b, const char *what, bool wanted)
{
	if ((strstr(b->data, what) != NULL) != wanted)
		fail_msg("%s '%s' in %s", wanted ? "no" : "there is", what, b->data);
}

static void test_entries(void **state)
{
	const struct atom_feed f = { .origin = "lab",
				     .url = "https://ci.example.org/f/",
				     .query = "repo=mm&ref=a%22b",
				     .what = "mm a\"b" };
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(make(&f, two, &b, &err), 0);
	buf_cstr(&b);
	has(&b, "<feed xmlns=\"http://www.w3.org/2005/Atom\">", true);
	has(&b, "<id>tag:faultline.invalid,2026:lab/regressions?repo=mm&amp;ref=a%22b</id>", true);
	has(&b, "<id>tag:faultline.invalid,2026:lab/regressions/9</id>", true);
	has(&b, "<title>bisected: kernel BUG in &lt;f&gt; &amp; ", true);
	has(&b, "(cccccccccccc)</title>", true);
	has(&b, "<title>fixed: leak (bbbbbbbbbbbb)</title>", true);
	has(&b, "First bad commit: cccccccccccc (\"mm: break it\").", true);
	has(&b, "Fixed by dddddddddddd.", true);
	has(&b, "href=\"https://ci.example.org/f/regressions/7\"", true);
	has(&b, "href=\"https://ci.example.org/f/feeds/regressions.atom?repo=mm&amp;ref=a%22b\"",
	    true);
	has(&b, "\xe2\x80\xae", false);
	has(&b, "\x01", false);
	/* the feed's own is the newest change, not that of the newest regression */
	assert_ptr_equal(strstr(b.data, "<updated>"),
			 strstr(b.data, "<updated>2026-11-21T12:00:00.000000Z"));
}

static void test_empty(void **state)
{
	const struct atom_feed f = { .origin = "lab", .query = "", .what = "all branches" };
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(make(&f, "{\"items\":[]}", &b, &err), 0);
	buf_cstr(&b);
	has(&b, "<updated>1970-01-01T00:00:00Z</updated>", true);
	has(&b, "href=\"/feeds/regressions.atom\"", true);
	has(&b, "<entry>", false);
}

static void test_lacks(void **state)
{
	const struct atom_feed f = { .origin = "lab", .query = "", .what = "" };
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(make(&f, "{\"items\":[{\"id\":1}]}", &b, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "state"));
	assert_int_equal(b.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_lacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
