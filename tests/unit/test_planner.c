/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/planner.h"
#include "tests/unit/test_repo.h"

static size_t every_max;

/* Subjects of a range, blank-separated, the base first; or the error's message. */
static const char *range(const char *ref, const char *base, const char *default_base)
{
	static char text[512];
	CLEANUP(commit_list_free) struct commit_list l = { 0 };
	CLEANUP(free_p) char *dir = NULL;
	struct range_request req = { .id = 1,
				     .url = repo_path,
				     .ref = ref,
				     .base = base,
				     .default_base = default_base,
				     .every_max = every_max };
	struct error err = ERROR_INIT;

	assert_int_equal(gitcmd_ensure(&repo_git, "demo", repo_path, &dir, NULL), 0);
	if (planner_range(&repo_git, dir, &req, &l, &err)) {
		snprintf(text, sizeof(text), "%s", err.msg);
		return text;
	}
	text[0] = 0;
	for (size_t i = 0; i < l.n; i++) {
		size_t at = strlen(text);

		snprintf(text + at, sizeof(text) - at, "%s%s", i ? " " : "", l.items[i].subject);
	}
	return text;
}

static void test_ranges(void **state)
{
	char sha[SHA_MAX];

	(void)state;
	assert_string_equal(range("topic", "master", NULL), "m2 t1 t2 t3");
	assert_string_equal(range("topic", NULL, "master"), "m2 t1 t2 t3");
	assert_string_equal(range("topic", NULL, NULL), "t2 t3");
	assert_string_equal(range("topic", "v1", NULL), "t2 t3");
	assert_string_equal(range("v1", NULL, "master"), "m2 t1 t2");
	assert_string_equal(range("refs/heads/topic", "refs/heads/master", NULL), "m2 t1 t2 t3");
	assert_string_equal(range("master", NULL, "master"), "m2 m3");
	assert_string_equal(range("other", NULL, "master"), "o1");
	snprintf(sha, sizeof(sha), "%s", repo_sha("topic"));
	assert_string_equal(range(sha, repo_sha("master"), NULL), "m2 t1 t2 t3");
}

/* Of a long movement of a branch only the ends are tested. */
static void test_ends(void **state)
{
	(void)state;
	every_max = 3;
	assert_string_equal(range("topic", "master", NULL), "m2 t1 t2 t3");
	every_max = 2;
	assert_string_equal(range("topic", "master", NULL), "m2 t3");
	assert_string_equal(range("topic", NULL, NULL), "t2 t3");
	every_max = 0;
}

static void test_refusals(void **state)
{
	(void)state;
	assert_string_equal(range("none", NULL, NULL),
			    "the repository has no branch or tag 'none'");
	assert_string_equal(range("topic", "none", NULL),
			    "base: the repository has no branch or tag 'none'");
	assert_non_null(strstr(range("topic", "topic", NULL), "nothing to test"));
	assert_non_null(strstr(range("master", "master", NULL), "nothing to test"));
	assert_non_null(strstr(range("other", "master", NULL), "no common ancestor"));
	assert_non_null(
		strstr(range("0123456789012345678901234567890123456789", NULL, NULL), "fetching"));
}

static void test_unreachable(void **state)
{
	CLEANUP(commit_list_free) struct commit_list l = { 0 };
	struct range_request req = { .id = 1, .url = "/nonexistent", .ref = "topic" };
	CLEANUP(free_p) char *dir = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(gitcmd_ensure(&repo_git, "demo", repo_path, &dir, NULL), 0);
	assert_int_equal(planner_range(&repo_git, dir, &req, &l, &err), -EIO);
	assert_non_null(strstr(err.msg, "asking for branches: git: exit 128"));
}

/* A merge: both sides are in the range, ancestors before what follows them. */
static void test_merge(void **state)
{
	const char *text;

	(void)state;
	GIT("merge", "-q", "--no-ff", "-m", "merged", "topic");
	text = range("master", "v1", NULL);
	if (strcmp(text, "t2 m3 t3 merged") && strcmp(text, "t2 t3 m3 merged"))
		fail_msg("%s", text);
}

static void test_cap(void **state)
{
	CLEANUP(commit_list_free) struct commit_list l = { 0 };
	char base[SHA_MAX];

	(void)state;
	assert_int_equal(range_merge_base(repo_path, "master", "topic", base, NULL), 0);
	assert_int_equal(range_walk(repo_path, base, "topic", 2, &l, NULL), -E2BIG);
	assert_int_equal(l.n, 0);
	assert_int_equal(range_walk(repo_path, base, "topic", 3, &l, NULL), 0);
	assert_int_equal(l.n, 4);
	assert_string_equal(l.items[0].sha, base);
	assert_string_equal(l.items[3].author, "a <a@example.org>");
	assert_true(l.items[3].committed_us > 0);
}

static void test_names_are_no_expressions(void **state)
{
	static const char *const names[] = { "master~1", "HEAD^",	  ":/m1",
					     "@{-1}",	 "master^{tree}", "" };
	char sha[SHA_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_not_equal(range_resolve(repo_path, names[i], sha, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ranges, repo_setup, repo_teardown),
		cmocka_unit_test_setup_teardown(test_ends, repo_setup, repo_teardown),
		cmocka_unit_test_setup_teardown(test_refusals, repo_setup, repo_teardown),
		cmocka_unit_test_setup_teardown(test_unreachable, repo_setup, repo_teardown),
		cmocka_unit_test_setup_teardown(test_merge, repo_setup, repo_teardown),
		cmocka_unit_test_setup_teardown(test_cap, repo_setup, repo_teardown),
		cmocka_unit_test_setup_teardown(test_names_are_no_expressions, repo_setup,
						repo_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
