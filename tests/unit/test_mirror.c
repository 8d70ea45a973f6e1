/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "cli/mirror.h"
#include "lib/clean.h"

static void is_file(const char *target, const char *want)
{
	CLEANUP(free_p) char *file = mirror_file(target);

	assert_string_equal(file, want);
}

static void test_files(void **state)
{
	(void)state;
	is_file("/", "index.html");
	is_file("/?format=json", "index.json");
	is_file("/runs/7", "runs/7.html");
	is_file("/runs/7?format=csv", "runs/7.csv");
	is_file("/runs/7/log?offset=100", "runs/7/log@offset=100.html");
	is_file("/results?status=FAIL&format=txt&run=7", "results@status=FAIL~26run=7.txt");
	is_file("/results?format=jsonx", "results@format=jsonx.html");
	is_file("/regressions/3.mbox", "regressions/3.mbox");
	is_file("/feeds/regressions.atom?repo=a&ref=b", "feeds/regressions@repo=a~26ref=b.atom");
	is_file("/static/style.css", "static/style.css");
	is_file("/branches/mm/a%2Fb", "branches/mm/a~252Fb.html");
}

/* Nothing leaves the folder, hides, or is longer than a file system takes. */
static void test_hostile_files(void **state)
{
	char longer[400] = "/commits/";
	CLEANUP(free_p) char *one = NULL, *other = NULL;

	(void)state;
	is_file("/../../etc/passwd", "~2E./~2E./etc/passwd.html");
	is_file("/a//b/", "a/b.html");
	is_file("//evil/x", "evil/x.html");
	is_file("/.hidden/-rf", "~2Ehidden/~2Drf.html");
	is_file("/a b\"<>|*\n;$", "a~20b~22~3C~3E~7C~2A~0A~3B~24.html");
	is_file("/x?", "x.html");
	is_file("/x?q=../../y", "x@q=..~2F..~2Fy.html");
	is_file("", "index.html");
	is_file("/.json", "index.json");
	memset(longer + 9, 'a', 300);
	one = mirror_file(longer);
	longer[308] = 'b';
	other = mirror_file(longer);
	assert_true(strlen(one) < 200);
	assert_string_not_equal(one, other);
}

static bool has(void *arg, const char *target)
{
	struct buf *asked = arg;

	buf_printf(asked, "%s ", target);
	return !str_starts(target, "/api/");
}

static void rewrites(const char *target, const char *html, const char *want, const char *asks)
{
	struct buf out = BUF_INIT, asked = BUF_INIT;
	const struct mirror_page page = {
		.target = target, .live = "https://ci.example.org", .has = has, .arg = &asked
	};

	mirror_rewrite(&page, html, strlen(html), &out);
	assert_string_equal(buf_cstr(&out), want);
	assert_string_equal(buf_cstr(&asked), asks);
	buf_reset(&asked);
	mirror_rewrite(&page, html, strlen(html), NULL);
	assert_string_equal(buf_cstr(&asked), asks);
	buf_free(&out);
	buf_free(&asked);
}

static void test_links(void **state)
{
	(void)state;
	rewrites("/runs/7", "<a class=\"c\" href=\"/runs/7/log?a=1&amp;b=2#r3\">log</a>",
		 "<a class=\"c\" href=\"../runs/7/log@a=1~26b=2.html#r3\">log</a>",
		 "/runs/7/log?a=1&b=2 ");
	rewrites("/", "<img src=\"/badge/a/b.svg\"><a href=\"/\">",
		 "<img src=\"badge/a/b.svg\"><a "
		 "href=\"index.html\">",
		 "/badge/a/b.svg / ");
	rewrites("/a/b?x=1", "<a href=\"?x=2\">", "<a href=\"../a/b@x=2.html\">", "/a/b?x=2 ");
	/* what is not mirrored, forms, and elsewhere */
	rewrites("/x", "<a href=\"/api/v1/a?b&amp;c=%22\">",
		 "<a href=\"https://ci.example.org/api/v1/a?b&amp;c=%22\">", "/api/v1/a?b&c=%22 ");
	rewrites("/x", "<form action=\"/compare\">",
		 "<form action=\"https://ci.example.org/compare\">", "");
	rewrites("/x", "<a href=\"#main\"><a href=\"//h/p\"><a href=\"https://h/p\">",
		 "<a href=\"#main\"><a href=\"//h/p\"><a href=\"https://h/p\">", "");
	rewrites("/x", "<div id=\"live\" data-live=\"any\"><p>", "<div id=\"live\"><p>", "");
	rewrites("/x", "<pre data-console=\"7\" data-size=\"1\">", "<pre data-size=\"1\">", "");
}

static void test_text_stays(void **state)
{
	static const char text[] =
		"<p title=\"a\"> href=\"/x\" data-live=\"any\" &lt;a href=\"/y\"</p>";

	(void)state;
	rewrites("/x", text, text, "");
	rewrites("/x", "<a href=\"/cut", "<a href=\"/cut", "");
	rewrites("/x", "", "", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_hostile_files),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_text_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
