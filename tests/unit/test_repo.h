/* SPDX-License-Identifier: MIT */
/*
 * A small repository in a temporary folder, made with the git command, for the tests of tracker and
 * planner:  m1 - m2 - m3 (master)
 *                 \
 *                  t1 - t2 - t3 (topic)        o1 (other, no common ancestor)
 */
#ifndef FAULTLINE_TESTS_TEST_REPO_H
#define FAULTLINE_TESTS_TEST_REPO_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/path.h"
#include "lib/proc.h"
#include "server/gitcmd.h"
#include "server/tracker_range.h"

static char repo_top[64], repo_path[80], repo_root[80];
static struct gitcmd repo_git;

static const char *const repo_env[] = {
	"PATH=/usr/local/bin:/usr/bin:/bin", "GIT_CONFIG_NOSYSTEM=1",
	"GIT_CONFIG_GLOBAL=/dev/null",	     "GIT_AUTHOR_NAME=a",
	"GIT_AUTHOR_EMAIL=a@example.org",    "GIT_COMMITTER_NAME=a",
	"GIT_COMMITTER_EMAIL=a@example.org", NULL
};

#define GIT(...) repo_run((const char *const[]){ "git", __VA_ARGS__, NULL })

static inline void repo_run(const char *const *argv)
{
	struct proc_spec spec = { .argv = argv,
				  .env = repo_env,
				  .cwd = repo_path,
				  .stdin_fd = -1,
				  .stdout_fd = -1,
				  .stderr_fd = -1 };
	struct proc_run_opts opts = { .timeout_ms = 20000 };
	struct error err = ERROR_INIT;

	if (proc_check(&spec, &opts, &err))
		fail_msg("%s", err.msg);
}

static inline void repo_commit(const char *subject)
{
	GIT("commit", "-q", "--allow-empty", "-m", subject);
}

/* Hash of a name in our repository. */
static inline const char *repo_sha(const char *rev)
{
	static char ring[8][SHA_MAX];
	static unsigned n;
	char *sha = ring[n++ % 8];
	struct error err = ERROR_INIT;

	if (range_resolve(repo_path, rev, sha, &err))
		fail_msg("%s", err.msg);
	return sha;
}

static inline int repo_setup(void **state)
{
	(void)state;
	snprintf(repo_top, sizeof(repo_top), "%s", "/tmp/fl-repo.XXXXXX");
	assert_non_null(mkdtemp(repo_top));
	snprintf(repo_path, sizeof(repo_path), "%s/repo", repo_top);
	snprintf(repo_root, sizeof(repo_root), "%s/git", repo_top);
	assert_int_equal(path_mkdirs(repo_path, 0700, NULL), 0);
	assert_int_equal(range_init(NULL), 0);
	assert_int_equal(gitcmd_setup(repo_root, NULL), 0);
	GIT("init", "-q", "-b", "master");
	repo_commit("m1");
	repo_commit("m2");
	GIT("checkout", "-q", "-b", "topic");
	repo_commit("t1");
	repo_commit("t2");
	repo_commit("t3");
	GIT("tag", "-a", "-m", "x", "v1", "topic~1");
	GIT("checkout", "-q", "--orphan", "other");
	repo_commit("o1");
	GIT("checkout", "-q", "master");
	repo_commit("m3");
	repo_git = (struct gitcmd){ .root = repo_root, .local = true, .timeout_ms = 20000 };
	return 0;
}

static inline int repo_teardown(void **state)
{
	(void)state;
	return path_remove_tree(repo_top, NULL);
}

#endif
