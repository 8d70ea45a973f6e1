/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "jobs/bisect.h"
#include "lib/limits.h"
#include "server/revlist.h"
#include "tests/unit/test_repo.h"

/* Besides what the repository has: a topic and an octopus on top of master, and a fork older than
 * the branch that it is merged to.
 *	m1 - m2 - m3 - a1 --------- M - a2 - O - a3	(bisect)
 *	  \        \ \             /        /|
 *	   \        \ b1 - b2 ----'        / |
 *	    \        `- c1 ---------------'  |
 *	     `- d1 -------------------------'		*/
static int setup(void **state)
{
	int r = repo_setup(state);

	GIT("checkout", "-q", "-b", "b", "master");
	repo_commit("b1");
	repo_commit("b2");
	GIT("checkout", "-q", "-b", "c", "master");
	repo_commit("c1");
	GIT("checkout", "-q", "-b", "d", "master~2");
	repo_commit("d1");
	GIT("checkout", "-q", "-b", "bisect", "master");
	repo_commit("a1");
	GIT("merge", "-q", "--no-ff", "-m", "M", "b");
	repo_commit("a2");
	GIT("merge", "-q", "--no-ff", "-m", "O", "c", "d");
	repo_commit("a3");
	GIT("checkout", "-q", "master");
	return r;
}

/* What git itself says. Owned. */
static char *git_says(const char *range)
{
	struct buf out = BUF_INIT;
	const char *const argv[] = { "git", "rev-list", "--topo-order", "--parents", range, NULL };
	struct proc_spec spec = { .argv = argv, .env = repo_env, .cwd = repo_path };
	struct proc_run_opts opts = { .timeout_ms = 20000, .out = &out };
	struct error err = ERROR_INIT;

	if (proc_check(&spec, &opts, &err))
		fail_msg("%s", err.msg);
	return buf_steal(&out);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Lines in alphabetical order: commits of one second have no other. Owned. */
static char *sorted(const char *text)
{
	CLEANUP(free_p) char *copy = xstrdup(text);
	struct buf out = BUF_INIT;
	char *lines[64], *rest = copy, *line;
	size_t n = 0;

	while ((line = strsep(&rest, "\n")))
		if (*line && n < ARRAY_SIZE(lines))
			lines[n++] = line;
	qsort(lines, n, sizeof(*lines), by_text);
	for (size_t i = 0; i < n; i++)
		buf_printf(&out, "%s\n", lines[i]);
	return buf_steal(&out);
}

static void test_as_git(void **state)
{
	static const struct {
		const char *good, *bad, *range;
		size_t n;
	} cases[] = {
		{ "master", "bisect", "master..bisect", 9 },
		{ "b", "bisect", "b..bisect", 7 },
		{ "v1", "topic", "v1..topic", 1 },
		{ "refs/heads/master", "bisect", "master..bisect", 9 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(free_p) char *git = git_says(cases[i].range);
		CLEANUP(free_p) char *want = sorted(git);
		CLEANUP(free_p) char *got = NULL;
		struct revlist l = { 0 };
		struct error err = ERROR_INIT;

		if (revlist_read(repo_path, cases[i].good, cases[i].bad, LIMIT_BISECT_COMMITS, &l,
				 &err))
			fail_msg("%s", err.msg);
		assert_int_equal(l.n, cases[i].n);
		got = sorted(l.text);
		assert_string_equal(got, want);
		assert_string_equal(l.good, repo_sha(cases[i].good));
		assert_string_equal(l.bad, repo_sha(cases[i].bad));
		revlist_free(&l);
		assert_null(l.text);
	}
}

static void test_errors(void **state)
{
	static const char gone[] = "0123456789012345678901234567890123456789";
	static const struct {
		const char *good, *bad;
		size_t max;
		int code;
		const char *says;
	} cases[] = {
		{ "nothing", "bisect", 99, -ENOENT, "'nothing'" },
		{ "master", gone, 99, -ENOENT, gone },
		{ "bisect", "master", 99, -EINVAL, "'bisect' is no ancestor of 'master'" },
		{ "topic", "bisect", 99, -EINVAL, "'topic' is no ancestor of 'bisect'" },
		{ "other", "bisect", 99, -EINVAL, "'other' is no ancestor of 'bisect'" },
		{ "master", "master", 99, -EINVAL, "same commit" },
		{ "master", "bisect", 8, -E2BIG, "master..bisect: more than 8 commits" },
		{ "bisect~1", "bisect", 99, -ENOENT, "'bisect~1'" }, /* no expressions */
	};
	struct revlist l = { .n = 77 };
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(revlist_read(repo_path, cases[i].good, cases[i].bad, cases[i].max,
					      &l, &err),
				 cases[i].code);
		if (!strstr(err.msg, cases[i].says))
			fail_msg("case %zu: %s", i, err.msg);
		assert_int_equal(l.n, 77);
	}
	assert_int_equal(revlist_read(repo_top, "master", "bisect", 99, &l, &err), -ENOENT);
}

/* libgit2 1.5 loses its list of commits when a walk comes to an edge; there with sanitizers only. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

/* A history that ends where it was cut off is an error, never a shorter list. */
static void test_shallow(void **state)
{
	CLEANUP(free_p) char *url = xasprintf("file://%s", repo_path);
	CLEANUP(free_p) char *shallow = xasprintf("%s/shallow", repo_top);
	struct revlist l = { 0 };
	struct error err = ERROR_INIT;
	int r;

	(void)state;
	GIT("clone", "-q", "--depth=3", "--branch=bisect", url, shallow);
	if (__lsan_disable)
		__lsan_disable();
	r = revlist_read(shallow, repo_sha("d"), repo_sha("bisect"), 99, &l, &err);
	if (__lsan_enable)
		__lsan_enable();
	assert_true(r == -ENOENT || r == -EIO);
	assert_null(l.text);
}

/* Each commit of a real history in turn is the first bad one, and is found. */
static void test_searched(void **state)
{
	struct revlist l = { 0 };
	char culprit[SHA_MAX];
	size_t searched = 0;

	(void)state;
	assert_int_equal(
		revlist_read(repo_path, "master", "bisect", LIMIT_BISECT_COMMITS, &l, NULL), 0);
	for (const char *line = l.text; *line; line = strchr(line, '\n') + 1) {
		CLEANUP(bisect_p) struct bisect *b = NULL;
		struct bisect_next next;

		snprintf(culprit, sizeof(culprit), "%.40s", line);
		assert_int_equal(bisect_new(NULL, l.good, l.bad, "f", l.text, &b, NULL), 0);
		assert_int_equal(bisect_commits(b), l.n);
		for (bisect_next(b, &next); next.kind == BISECT_ASK; bisect_next(b, &next)) {
			bool bad;

			assert_int_equal(
				range_is_ancestor(repo_path, culprit, next.commit, &bad, NULL), 0);
			assert_int_equal(bisect_record(b, next.commit, next.runs,
						       bad ? next.runs : 0, bad ? "f" : NULL, NULL),
					 0);
		}
		assert_int_equal(next.kind, BISECT_CULPRIT);
		assert_string_equal(next.commit, culprit);
		searched++;
	}
	assert_int_equal(searched, 9);
	revlist_free(&l);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_git),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_shallow),
		cmocka_unit_test(test_searched),
	};

	return cmocka_run_group_tests(tests, setup, repo_teardown);
}
