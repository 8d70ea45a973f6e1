/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/tracker.h"
#include "tests/unit/test_repo.h"

static const char *start_of(const char *old_tip, const char *base, const char *tip)
{
	static char sha[SHA_MAX];
	struct error err = ERROR_INIT;

	if (tracker_range_start(repo_path, old_tip, base, tip, sha, &err))
		fail_msg("%s", err.msg);
	return sha;
}

static void test_first_sight(void **state)
{
	char base[SHA_MAX], parent[SHA_MAX];

	(void)state;
	/* of a topic: the merge base; of the base branch itself: its tip alone */
	assert_int_equal(range_merge_base(repo_path, "master", "topic", base, NULL), 0);
	assert_int_equal(range_first_parent(repo_path, "master", parent, NULL), 0);
	assert_string_equal(start_of(NULL, repo_sha("master"), repo_sha("topic")), base);
	assert_string_equal(start_of(NULL, repo_sha("master"), repo_sha("master")), parent);
	assert_string_equal(start_of(NULL, NULL, repo_sha("master")), parent);
	assert_string_equal(start_of(NULL, NULL, repo_sha("other")), "");
	assert_string_equal(start_of(NULL, repo_sha("master"), repo_sha("other")), "");
}

static void test_growth(void **state)
{
	char old[SHA_MAX];

	(void)state;
	assert_int_equal(range_first_parent(repo_path, "topic", old, NULL), 0);
	assert_string_equal(start_of(old, repo_sha("master"), repo_sha("topic")), old);
}

static void test_rewrite(void **state)
{
	static const char gone[] = "0123456789012345678901234567890123456789";
	char base[SHA_MAX], old[SHA_MAX];

	(void)state;
	assert_int_equal(range_merge_base(repo_path, "master", "topic", base, NULL), 0);
	snprintf(old, sizeof(old), "%s", repo_sha("topic"));
	GIT("checkout", "-q", "topic");
	GIT("commit", "-q", "--amend", "--allow-empty", "-m", "t3 again");
	GIT("checkout", "-q", "master");
	/* The old tip is no ancestor any more: from the merge base on. */
	assert_string_equal(start_of(old, repo_sha("master"), repo_sha("topic")), base);
	assert_string_equal(start_of(gone, repo_sha("master"), repo_sha("topic")), base);
}

static void test_delay(void **state)
{
	(void)state;
	assert_int_equal(tracker_delay_s(0, 60), 60);
	assert_int_equal(tracker_delay_s(1, 60), 120);
	assert_int_equal(tracker_delay_s(3, 60), 480);
	assert_int_equal(tracker_delay_s(50, 60), 3600);
	assert_int_equal(tracker_delay_s(3, 7200), 7200);
	assert_int_equal(tracker_delay_s(0, 0), 3600);
}

/* The objects of a local repository are used where they are. */
static void test_alternates(void **state)
{
	CLEANUP(free_p)
	char *dir = NULL, *again = NULL, *objects = NULL, *line = NULL, *path = NULL;
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	char sha[SHA_MAX];

	(void)state;
	assert_int_equal(gitcmd_ensure(&repo_git, "demo", repo_path, &dir, NULL), 0);
	assert_int_equal(gitcmd_ensure(&repo_git, "demo", repo_path, &again, NULL), 0);
	assert_string_equal(dir, again);
	assert_int_equal(range_objects_dir(repo_path, &objects, NULL), 0);
	path = xasprintf("%s/objects/info/alternates", dir);
	line = xasprintf("%s\n", objects);
	assert_int_equal(path_read(path, 1000, &text, NULL), 0);
	assert_string_equal(buf_cstr(&text), line);
	assert_int_equal(range_resolve(dir, repo_sha("topic"), sha, NULL), 0);
	assert_int_equal(gitcmd_ensure(&repo_git, "../x", repo_path, &line, NULL), -EINVAL);
}

static void test_ls_remote(void **state)
{
	static const char *const names[] = { "refs/heads/topic", "refs/heads/none",
					     "refs/heads/master" };
	CLEANUP(free_p) char *dir = NULL;
	struct gitcmd remote = repo_git;
	struct remote_ref *refs = NULL;
	struct error err = ERROR_INIT;
	size_t n = 0;

	(void)state;
	assert_int_equal(gitcmd_ensure(&repo_git, "demo", repo_path, &dir, NULL), 0);
	assert_int_equal(gitcmd_ls_remote(&repo_git, dir, repo_path, names, 3, &refs, &n, NULL), 0);
	assert_int_equal(n, 2);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(refs[i].sha, repo_sha(refs[i].name));
	remote_refs_free(refs, n);
	/* Without the administrator's word a path is no address, whatever it looks like. */
	remote.local = false;
	assert_int_equal(gitcmd_ls_remote(&remote, dir, repo_path, names, 3, &refs, &n, &err),
			 -EIO);
	assert_int_equal(gitcmd_ls_remote(&remote, dir, "ext::sh -c 'exit 0'", names, 3, &refs, &n,
					  &err),
			 -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_first_sight, repo_setup, repo_teardown),
		cmocka_unit_test_setup_teardown(test_growth, repo_setup, repo_teardown),
		cmocka_unit_test_setup_teardown(test_rewrite, repo_setup, repo_teardown),
		cmocka_unit_test_setup_teardown(test_alternates, repo_setup, repo_teardown),
		cmocka_unit_test_setup_teardown(test_ls_remote, repo_setup, repo_teardown),
		cmocka_unit_test(test_delay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
