/* SPDX-License-Identifier: MIT */
/* source_checkout() against a small local repository, made by the git command. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/engine.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/path.h"
#include "lib/proc.h"

#define FILES 300

static char *top, *work, *repo; /* below a temporary folder */
static char commits[3][41]; /* each the child of the one before */

static void sh(const char *script, struct buf *out)
{
	const char *const argv[] = { "sh", "-ec", script, "sh", repo, NULL };
	const char *const env[] = { "PATH=/usr/local/bin:/usr/bin:/bin",
				    "HOME=/nonexistent",
				    "GIT_CONFIG_NOSYSTEM=1",
				    "GIT_AUTHOR_NAME=a",
				    "GIT_AUTHOR_EMAIL=a@example.org",
				    "GIT_COMMITTER_NAME=a",
				    "GIT_COMMITTER_EMAIL=a@example.org",
				    NULL };
	struct proc_spec spec = { .argv = argv, .env = env };
	struct proc_run_opts o = { .timeout_ms = 60000, .out = out };
	struct error err = ERROR_INIT;

	if (proc_check(&spec, &o, &err) < 0)
		fail_msg("%s", err.msg);
}

/* base: many files of noise and an attribute that asks for a filter; then one file changes; then
 * one goes and one comes. */
static int setup_repo(void **state)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	char dir[] = "/tmp/faultline-source-XXXXXX";

	(void)state;
	top = xstrdup(mkdtemp(dir));
	repo = xasprintf("%s/repo", top);
	work = xasprintf("%s/work", top);
	sh("exec 2>/dev/null; git init -q \"$1\"; cd \"$1\"; mkdir mm; "
	   "echo '* -text -filter -ident' >.git/info/attributes; n=0; while [ $n -lt 300 ]; do "
	   "head -c 3000 /dev/urandom >mm/f$n.c; n=$((n + 1)); done; "
	   "printf 'a\\r\\nb\\n' >mm/crlf.c; ln -s f1.c mm/link.c; "
	   "printf '*.c text eol=crlf filter=evil ident\\n' >.gitattributes; "
	   "printf '$Id$\\n' >mm/ident.c; printf '*.o\\n' >.gitignore; "
	   "git add .; git commit -qm base; git rev-parse HEAD; "
	   "echo changed >mm/f7.c; git commit -qam one; git rev-parse HEAD; "
	   "git rm -q mm/f8.c; echo n >mm/new.c; git add . ; git commit -qm two; "
	   "git rev-parse HEAD; git config uploadpack.allowAnySHA1InWant true",
	   &out);
	for (int i = 0; i < 3; i++) {
		memcpy(commits[i], out.data + i * 41, 40);
		commits[i][40] = '\0';
	}
	return 0;
}

static int teardown_repo(void **state)
{
	(void)state;
	assert_int_equal(path_remove_tree(top, NULL), 0);
	free(top);
	free(repo);
	free(work);
	return 0;
}

static int fresh_work(void **state)
{
	(void)state;
	return path_remove_tree(work, NULL);
}

/* What git had begun when its parent was killed becomes ours, and its guard kills it as soon as that
 * gets a CPU (lib/proc.c): until then it may put a file into a folder that was just emptied. */
static void wait_for_orphans(void)
{
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	assert_int_equal(errno, ECHILD);
}

static int get(const char *url, int n, const struct engine_watch *w, struct error *err)
{
	CLEANUP(free_p) char *dir = NULL;
	CLEANUP(free_p) char *want = xasprintf("%s/src", work);
	int r = source_checkout(work, url, NULL, true, commits[n], w, &dir, err);

	if (r == 0)
		assert_string_equal(dir, want);
	return r;
}

static void get_ok(int n)
{
	struct error err = ERROR_INIT;

	if (get(repo, n, NULL, &err) < 0)
		fail_msg("%s", err.msg);
}

static void stat_of(const char *rel, struct stat *ret)
{
	CLEANUP(free_p) char *path = xasprintf("%s/src/%s", work, rel);

	if (lstat(path, ret) < 0)
		ret->st_ino = 0;
}

static bool there(const char *rel)
{
	struct stat st;

	stat_of(rel, &st);
	return st.st_ino != 0;
}

static void put(const char *rel, const char *text)
{
	CLEANUP(free_p) char *path = xasprintf("%s/%s", work, rel);

	assert_int_equal(path_write_atomic(path, text, strlen(text), 0644, NULL), 0);
}

static void assert_text(const char *rel, const char *text)
{
	CLEANUP(free_p) char *path = xasprintf("%s/src/%s", work, rel);
	CLEANUP(buf_free) struct buf b = BUF_INIT;

	assert_int_equal(path_read(path, 1 << 20, &b, NULL), 0);
	assert_string_equal(b.data, text);
}

/* The tree is exactly the commit's, as git itself sees it. */
static void assert_is(int n)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	CLEANUP(free_p)
	char *script = xasprintf(
		"export GIT_DIR=\"%s/git\" GIT_WORK_TREE=\"%s/src\" GIT_INDEX_FILE=\"%s/i\"; "
		"rm -f \"$GIT_INDEX_FILE\"; cd \"$GIT_WORK_TREE\"; git read-tree %s; "
		"git update-index -q --really-refresh || true; git diff-files --name-only; "
		"git ls-files -o",
		work, work, top, commits[n]);

	sh(script, &out);
	assert_string_equal(buf_cstr(&out), "");
}

static void test_only_what_differs_is_written(void **state)
{
	struct stat same, changed, now;

	(void)state;
	get_ok(0);
	assert_is(0);
	stat_of("mm/f1.c", &same);
	stat_of("mm/f7.c", &changed);
	get_ok(1);
	assert_is(1);
	assert_text("mm/f7.c", "changed\n");
	stat_of("mm/f1.c", &now);
	assert_int_equal(now.st_ino, same.st_ino);
	assert_int_equal(now.st_mtim.tv_nsec, same.st_mtim.tv_nsec);
	get_ok(2);
	assert_is(2);
	assert_false(there("mm/f8.c"));
	assert_true(there("mm/new.c"));
	get_ok(0);
	assert_is(0);
}

static int64_t packs_bytes(int *ret_n)
{
	CLEANUP(free_p) char *dir = xasprintf("%s/git/objects/pack", work);
	CLEANUP(closedir_p) DIR *d = opendir(dir);
	struct dirent *e;
	struct stat st;
	int64_t bytes = 0;

	*ret_n = 0;
	while (d && (e = readdir(d)) != NULL) {
		if (!strstr(e->d_name, ".pack") || fstatat(dirfd(d), e->d_name, &st, 0) < 0)
			continue;
		bytes += st.st_size;
		(*ret_n)++;
	}
	return bytes;
}

static void test_next_fetch_is_small(void **state)
{
	CLEANUP(free_p) char *away = xasprintf("%s.away", repo);
	CLEANUP(free_p) char *url = xasprintf("file://%s", repo);
	struct error err = ERROR_INIT;
	int64_t first, second;
	int n;

	(void)state;
	assert_int_equal(get(url, 0, NULL, &err), 0);
	first = packs_bytes(&n);
	assert_int_equal(n, 1);
	assert_true(first > FILES * 2000);
	assert_int_equal(get(url, 2, NULL, &err), 0);
	second = packs_bytes(&n) - first;
	assert_int_equal(n, 2);
	assert_true(second < 8000);

	/* What was fetched needs no repository. */
	assert_int_equal(rename(repo, away), 0);
	assert_int_equal(get(url, 0, NULL, &err), 0);
	assert_int_equal(get(url, 1, NULL, &err), -EIO);
	assert_int_equal(rename(away, repo), 0);
}

static void test_attributes_do_nothing(void **state)
{
	(void)state;
	get_ok(0);
	assert_text("mm/crlf.c", "a\r\nb\n");
	assert_text("mm/ident.c", "$Id$\n");
}

static void test_foreign_files_and_damage_are_healed(void **state)
{
	CLEANUP(free_p) char *lost = xasprintf("%s/src/mm/f3.c", work);

	(void)state;
	get_ok(0);
	put("src/mm/x.o", "object");
	put("src/mm/f1.c", "edited");
	assert_int_equal(unlink(lost), 0);
	put("src/.config", "CONFIG_X=y\n");
	get_ok(0);
	assert_is(0);
	assert_false(there("mm/x.o"));
}

static void test_leftovers_of_a_killed_git(void **state)
{
	CLEANUP(free_p) char *ref = xasprintf("git/refs/faultline/%s.lock", commits[1]);

	(void)state;
	get_ok(0);
	put("git/index.lock", "half");
	put("git/shallow.lock", "");
	put("git/objects/pack/tmp_pack_123456", "half");
	put(ref, "");
	put("src/mm/f7.c", "half of");
	get_ok(1);
	assert_is(1);
	put("git/index", "no index at all");
	get_ok(0);
	assert_is(0);
}

/* Killed at many points of fetch and checkout; the next call always brings the tree. */
static void test_killed_at_any_time(void **state)
{
	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	for (int ms = 1; ms < 120; ms += 9) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			struct error err = ERROR_INIT;

			setpgid(0, 0);
			_exit(get(repo, ms % 3, NULL, &err) ? 1 : 0);
		}
		usleep((useconds_t)ms * 1000);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		if (ms % 4 == 0) {
			wait_for_orphans();
			assert_int_equal(path_remove_tree(work, NULL), 0);
		}
	}
	get_ok(2);
	assert_is(2);
	wait_for_orphans();
}

static bool always(void *arg)
{
	(void)arg;
	return true;
}

static void test_refusals(void **state)
{
	CLEANUP(free_p) char *dir = NULL;
	struct engine_watch stop = { .cancelled = always };
	struct error err = ERROR_INIT;
	static const char gone[] = "0123456789012345678901234567890123456789";

	(void)state;
	assert_int_equal(source_checkout(work, repo, NULL, true, gone, NULL, &dir, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "012345678901"));
	assert_int_equal(source_checkout(work, repo, NULL, false, commits[0], NULL, &dir, &err),
			 -EINVAL);
	assert_int_equal(source_checkout(work, "ext::sh -c id", NULL, true, commits[0], NULL, &dir,
					 &err),
			 -EINVAL);
	assert_int_equal(source_checkout(work, "--upload-pack=id", NULL, true, commits[0], NULL,
					 &dir, &err),
			 -EINVAL);
	assert_int_equal(source_checkout(work, repo, NULL, true, "HEAD", NULL, &dir, &err),
			 -EINVAL);
	assert_int_equal(source_checkout(work, "http://127.0.0.1:1/x.git", NULL, false, commits[0],
					 NULL, &dir, &err),
			 -EIO);
	assert_int_equal(source_checkout(work, repo, NULL, true, commits[0], &stop, &dir, &err),
			 -ECANCELED);
	assert_null(dir);
	get_ok(0);
}

static void test_no_space(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	if (path_mkdirs(work, 0755, NULL) < 0 || mount("tmpfs", work, "tmpfs", 0, "size=8m") < 0)
		skip();
	assert_int_equal(get(repo, 0, NULL, &err), -ENOSPC);
	umount(work);
	assert_non_null(strstr(err.msg, "MiB"));
}

struct heard {
	int fetch, checkout;
};

static void on_progress(void *arg, enum engine_phase phase, int done, int total, const char *what)
{
	struct heard *h = arg;

	assert_true(done >= 0 && done <= total);
	assert_non_null(what);
	h->fetch += phase == PHASE_FETCH;
	h->checkout += phase == PHASE_CHECKOUT;
}

static void test_progress(void **state)
{
	struct heard h = { 0 };
	struct engine_watch w = { .progress = on_progress, .arg = &h };
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(get(repo, 0, &w, &err), 0);
	assert_true(h.fetch > 0);
	assert_true(h.checkout > 0);
}

#define TEST(f) cmocka_unit_test_setup(f, fresh_work)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_only_what_differs_is_written),
		TEST(test_next_fetch_is_small),
		TEST(test_attributes_do_nothing),
		TEST(test_foreign_files_and_damage_are_healed),
		TEST(test_leftovers_of_a_killed_git),
		TEST(test_killed_at_any_time),
		TEST(test_refusals),
		TEST(test_no_space),
		TEST(test_progress),
	};

	return cmocka_run_group_tests(tests, setup_repo, teardown_repo);
}
