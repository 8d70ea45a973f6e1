/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "server/url.h"

static void test_taken(void **state)
{
	static const char *const good[] = {
		"https://git.kernel.org/pub/scm/linux/kernel/git/akpm/mm.git",
		"https://git.example.org:8443/~user/linux.git/",
		"git://git.example.org/linux",
		"ssh://git@git.example.org/linux.git",
		"ssh://git.example.org:22/linux.git",
		"https://[2001:db8::1]/linux.git",
		"HTTPS://Git.Example.Org/Linux",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct error err = ERROR_INIT;

		if (url_check(good[i], &err))
			fail_msg("%s: %s", good[i], err.msg);
	}
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"linux",
		"/srv/linux",
		"./linux",
		"file:///srv/linux",
		"ext::sh -c id",
		"ext://sh",
		"fd::7",
		"ftp://git.example.org/linux",
		"git@git.example.org:linux.git",
		"-oProxyCommand=id",
		"--upload-pack=id",
		"https://",
		"https:///linux",
		"https://git.example.org",
		"https://git.example.org/",
		"https://user@git.example.org/linux",
		"https://user:secret@git.example.org/linux",
		"ssh://git:secret@git.example.org/linux",
		"ssh://-oProxyCommand=id/linux",
		"ssh://-o@git.example.org/linux",
		"ssh://git.example.org/-linux",
		"https://git.example.org:0/linux",
		"https://git.example.org:99999/linux",
		"https://git.example.org:+1/linux",
		"https://git.example.org:/linux",
		"https://git example.org/linux",
		"https://git.example.org/li nux",
		"https://git.example.org/li\nnux",
		"https://git.example.org/li\\nux",
		"https://git.example.org/linux?x=1",
		"https://git.example.org/linux#x",
		"https://git.example.org/a/../linux",
		"https://git.example.org/a/./linux",
		"https://git.example.org/%2e%2e/linux",
		"https://[::1/linux",
		"https://[::1]x/linux",
		"https://git.example.org/\xff",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error err = ERROR_INIT;

		if (url_check(bad[i], &err) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
		assert_true(err.msg[0]);
	}
}

static void test_allow_list(void **state)
{
	char *allow[] = { "https://git.example.org/pub/", "https://other.example.org",
			  "http://plain.example.org:8080/a" };
	static const struct {
		const char *url;
		bool allowed;
	} cases[] = {
		{ "https://git.example.org/pub/linux.git", true },
		{ "https://GIT.example.org/pub/linux.git", true },
		{ "https://git.example.org/pub", true },
		{ "https://git.example.org/public/linux.git", false },
		{ "https://git.example.org/PUB/linux.git", false },
		{ "https://git.example.org/priv/linux.git", false },
		{ "http://git.example.org/pub/linux.git", false },
		{ "ssh://git.example.org/pub/linux.git", false },
		{ "https://git.example.org:443/pub/linux.git", false },
		{ "https://other.example.org/any/thing", true },
		{ "https://other.example.org.evil.example/any", false },
		{ "https://other.example.org:8443/any", false },
		{ "https://evil.example/https://other.example.org/x", false },
		{ "http://plain.example.org:8080/a/b", true },
		{ "http://plain.example.org/a/b", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (url_allowed(cases[i].url, allow, ARRAY_SIZE(allow)) != cases[i].allowed)
			fail_msg("%s", cases[i].url);
	assert_false(url_allowed("https://git.example.org/pub/x", NULL, 0));
	assert_int_equal(url_check_allowed("https://evil.example/x", allow, 3, NULL), -EACCES);
	assert_int_equal(url_check_allowed("file:///x", allow, 3, NULL), -EINVAL);
}

static void test_refs(void **state)
{
	static const char *const good[] = { "master", "mm/unstable", "v6.12",	 "refs/heads/x",
					    "a@b",    "fix-1",	     "\xc3\xa9", "HEAD" };
	static const char *const bad[] = { "",	   "-x",    "--all",  "a..b", "a b",   "a~1",
					   "a^",   "a:b",   "a?",     "a*",   "a[b",   "a\\b",
					   "@",	   "a@{1}", "a.lock", ".a",   "a/.b",  "a/",
					   "/a",   "a//b",  "a.",     "a\n",  "a\x7f", "a.lock/b",
					   "\xff", "HEAD~3" };
	char hash[41], longer[300];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (ref_check(good[i], NULL))
			fail_msg("refused: %s", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (!ref_check(bad[i], NULL))
			fail_msg("taken: '%s'", bad[i]);
	memset(longer, 'a', sizeof(longer));
	longer[299] = 0;
	assert_int_equal(ref_check(longer, NULL), -EINVAL);
	memset(hash, 'a', 40);
	hash[40] = 0;
	assert_true(sha_is_full(hash));
	assert_int_equal(rev_check(hash, NULL), 0);
	hash[0] = 'A';
	assert_false(sha_is_full(hash));
	assert_false(sha_is_full("abc"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_allow_list),
		cmocka_unit_test(test_refs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
