// SPDX-License-Identifier: MIT
/*
 * <work>/git is a bare store that holds fetched commits without their history, one ref for each
 * (refs/faultline/<commit>): the next fetch offers them and so gets only what differs. <work>/src is
 * its one tree; <work>/git/index knows the state of every file there, so that a checkout writes
 * what differs or was damaged, and nothing else. Killed at any point, the next call heals it: a
 * commit counts as fetched when its ref is there, which git writes last.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/engine.h"
#include "agent/git.h"
#include "agent/lockfile.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/limits.h"
#include "lib/path.h"

#define SHA_LEN 40
#define FIRST_BYTES (2560LL << 20) /* Linux 6.12: 1.7 GB of files, 0.3 GB of objects, slack */
#define NEXT_BYTES (256LL << 20)
#define FETCH_TIMEOUT_MS (60 * 60 * 1000)
#define CHECKOUT_TIMEOUT_MS (30 * 60 * 1000)
#define KEEP_COMMITS 128 /* refs that a fetch offers; each costs 50 bytes of the request */
#define PACKS_MAX 40 /* each lookup of an object asks every pack */

struct source {
	char *git, *src, *index, *ref; /* owned paths */
	const char *url, *commit;
	struct git tool;
};

static void source_free(struct source *s)
{
	free(s->git);
	free(s->src);
	free(s->index);
	free(s->ref);
}

/* ---- the store ----------------------------------------------------------------------------- */

static int write_attributes(const struct source *s, struct error *err)
{
	/* First in precedence (gitattributes(5)): the files are written as they were committed,
	 * no program and no conversion in between. */
	static const char text[] =
		"* -text -filter -ident !eol !working-tree-encoding -merge -diff\n";
	CLEANUP(free_p) char *info = xasprintf("%s/info", s->git);
	CLEANUP(free_p) char *path = xasprintf("%s/attributes", info);
	int r = path_mkdirs(info, 0755, err);

	return r < 0 ? r : path_write_atomic(path, text, sizeof(text) - 1, 0644, err);
}

/* The settings that git reads from the store. Checking every fetched object costs 0.2 s of 11 s for a
 * whole kernel tree; who needs a tree that git objects to sets fetch.fsckObjects to false there. */
static int write_config(const struct source *s, struct error *err)
{
	static const char text[] = "[core]\n"
				   "\trepositoryformatversion = 0\n"
				   "\tbare = false\n"
				   "\tfilemode = true\n"
				   "\tlogAllRefUpdates = false\n"
				   "\tcompression = 1\n"
				   "\tfsync = all,-loose-object\n"
				   "[fetch]\n"
				   "\tfsckObjects = true\n"
				   "\tunpackLimit = 1\n"
				   "[transfer]\n"
				   "\tunpackLimit = 1\n";
	CLEANUP(free_p) char *path = xasprintf("%s/config", s->git);

	return path_write_atomic(path, text, sizeof(text) - 1, 0644, err);
}

/* Made by hand: `git init` needs a second to do what these lines do. HEAD comes last and says that
 * the store is whole. */
static int make_store(const struct source *s, struct error *err)
{
	static const char *const dirs[] = { "objects/pack", "objects/info", "refs/faultline",
					    "refs/heads" };
	static const char head[] = "ref: refs/heads/none\n";
	CLEANUP(free_p) char *path = xasprintf("%s/HEAD", s->git);
	int r = 0;

	if (path_exists(path))
		return 0;
	for (size_t i = 0; !r && i < ARRAY_SIZE(dirs); i++) {
		CLEANUP(free_p) char *dir = xasprintf("%s/%s", s->git, dirs[i]);

		r = path_mkdirs(dir, 0755, err);
	}
	if (!r)
		r = write_attributes(s, err);
	if (!r)
		r = write_config(s, err);
	return r ? r : path_write_atomic(path, head, sizeof(head) - 1, 0644, err);
}

/* What a killed git leaves: we hold the only lock that counts. */
static void remove_leftovers(const struct source *s)
{
	static const char *const files[] = { "index.lock", "shallow.lock", "HEAD.lock",
					     "packed-refs.lock", "config.lock" };
	CLEANUP(free_p) char *packs = xasprintf("%s/objects/pack", s->git);
	CLEANUP(free_p) char *lock = xasprintf("%s.lock", s->ref);
	CLEANUP(closedir_p) DIR *d = opendir(packs);
	struct dirent *e;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		CLEANUP(free_p) char *path = xasprintf("%s/%s", s->git, files[i]);

		unlink(path);
	}
	unlink(lock);
	while (d && (e = readdir(d)) != NULL)
		if (str_starts(e->d_name, "tmp_") || str_starts(e->d_name, ".tmp-"))
			unlinkat(dirfd(d), e->d_name, 0);
}

static int check_space(const struct source *s, struct error *err)
{
	int64_t need = path_exists(s->index) ? NEXT_BYTES : FIRST_BYTES;
	int64_t have = path_free_bytes(s->git);

	if (have < 0 || have >= need)
		return 0;
	return error_set(err, -ENOSPC,
			 "%lld MiB free in '%s'; a kernel tree and its objects take %lld MiB",
			 (long long)(have >> 20), s->git, (long long)(need >> 20));
}

/* ---- fetch --------------------------------------------------------------------------------- */

static int check_url(const struct source *s, bool allow_local, struct error *err)
{
	bool remote = str_starts(s->url, "http://") || str_starts(s->url, "https://");
	bool local = str_starts(s->url, "file://") || s->url[0] == '/';

	if (strlen(s->url) > LIMIT_URL_LEN)
		return error_set(err, -EINVAL, "the git URL is longer than %d bytes",
				 LIMIT_URL_LEN);
	if (remote || (local && allow_local))
		return 0;
	return error_set(err, -EINVAL, "git URL '%.100s': only http and https are fetched from",
			 s->url);
}

static int check_commit(const struct source *s, struct error *err)
{
	if (strlen(s->commit) == SHA_LEN && strspn(s->commit, "0123456789abcdef") == SHA_LEN)
		return 0;
	return error_set(err, -EINVAL, "'%.60s' is no commit: 40 hexadecimal digits", s->commit);
}

struct ref_age {
	char name[SHA_LEN + 1];
	struct timespec at;
};

static int newest_first(const void *a, const void *b)
{
	const struct timespec *x = &((const struct ref_age *)a)->at;
	const struct timespec *y = &((const struct ref_age *)b)->at;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? 1 : -1;
	return x->tv_nsec < y->tv_nsec ? 1 : x->tv_nsec > y->tv_nsec ? -1 : 0;
}

/* Refs beyond the newest KEEP_COMMITS are dropped; their objects stay, being nearly all shared. */
static void drop_old_refs(const struct source *s)
{
	CLEANUP(free_p) char *dir = xasprintf("%s/refs/faultline", s->git);
	CLEANUP(free_p) struct ref_age *refs = NULL;
	CLEANUP(closedir_p) DIR *d = opendir(dir);
	size_t n = 0, cap = 0;
	struct dirent *e;
	struct stat st;

	while (d && (e = readdir(d)) != NULL) {
		if (strlen(e->d_name) != SHA_LEN || fstatat(dirfd(d), e->d_name, &st, 0) < 0)
			continue;
		ARRAY_RESERVE(refs, n, cap);
		refs[n].at = st.st_mtim;
		memcpy(refs[n++].name, e->d_name, SHA_LEN + 1);
	}
	if (n > KEEP_COMMITS)
		qsort(refs, n, sizeof(*refs), newest_first);
	for (size_t i = KEEP_COMMITS; i < n; i++)
		unlinkat(dirfd(d), refs[i].name, 0);
}

/* Many small packs become few; what this costs grows with what was fetched, not with the tree. */
static int join_packs(const struct source *s, struct error *err)
{
	CLEANUP(free_p) char *packs = xasprintf("%s/objects/pack", s->git);
	CLEANUP(closedir_p) DIR *d = opendir(packs);
	struct dirent *e;
	int n = 0;

	while (d && (e = readdir(d)) != NULL)
		n += strlen(e->d_name) > 5 && !strcmp(e->d_name + strlen(e->d_name) - 5, ".pack");
	if (n <= PACKS_MAX)
		return 0;
	return git_run(&s->tool, PHASE_FETCH, FETCH_TIMEOUT_MS,
		       (const char *const[]){ "repack", "-d", "-q", "--geometric=2", NULL }, err);
}

static int fetch(const struct source *s, struct error *err)
{
	CLEANUP(free_p) char *spec = xasprintf("+%s:refs/faultline/%s", s->commit, s->commit);
	int r;

	if (path_exists(s->ref))
		return 0;
	drop_old_refs(s);
	r = git_run(&s->tool, PHASE_FETCH, FETCH_TIMEOUT_MS,
		    (const char *const[]){ "fetch", "--depth=1", "--no-tags",
					   "--no-write-fetch-head", "--no-recurse-submodules",
					   "--no-auto-maintenance", "--progress", "--", s->url,
					   spec, NULL },
		    err);
	if (r == -ENOENT)
		return error_wrap(err, r, "commit %.12s is not in '%.100s'", s->commit, s->url);
	return r < 0 ? r : join_packs(s, err);
}

/* ---- checkout ------------------------------------------------------------------------------ */

static int read_tree(const struct source *s, struct error *err)
{
	return git_run(&s->tool, PHASE_CHECKOUT, CHECKOUT_TIMEOUT_MS,
		       (const char *const[]){ "read-tree", "-u", "--reset", "-v", s->commit, NULL },
		       err);
}

static int checkout(const struct source *s, struct error *err)
{
	struct error first = ERROR_INIT;
	int r = read_tree(s, &first);

	/* A power cut can leave an index or objects that are no good: from the start, once. */
	if (r == -EIO) {
		unlink(s->index);
		unlink(s->ref);
		r = fetch(s, err);
		if (!r)
			r = read_tree(s, err);
	} else if (r < 0) {
		return error_set(err, r, "%s", first.msg);
	}
	if (r < 0)
		return r;
	/* With what another commit's build, an editor or a killed checkout left. */
	return git_run(&s->tool, PHASE_CHECKOUT, CHECKOUT_TIMEOUT_MS,
		       (const char *const[]){ "clean", "-ffdxq", NULL }, err);
}

static int prepare(struct source *s, struct error *err)
{
	int r = path_mkdirs(s->git, 0755, err);

	if (!r)
		r = path_mkdirs(s->src, 0755, err);
	if (!r)
		r = check_space(s, err);
	if (!r)
		r = make_store(s, err);
	return r;
}

int source_checkout(const char *work, const char *git_url, const char *token, bool allow_local,
		    const char *commit, const struct engine_watch *watch, char **ret_dir,
		    struct error *err)
{
	CLEANUP(free_p) char *top = NULL;
	CLEANUP(free_p) char *lock = NULL;
	CLEANUP(close_p) int lock_fd = -1;
	CLEANUP(source_free)
	struct source s = {
		.url = git_url,
		.commit = commit,
	};
	int r = check_commit(&s, err);

	if (!r)
		r = check_url(&s, allow_local, err);
	if (!r)
		r = path_mkdirs(work, 0755, err);
	if (r)
		return r;
	top = realpath(work, NULL);
	if (!top)
		return error_errno(err, -errno, "work folder '%s'", work);
	s.git = xasprintf("%s/git", top);
	s.src = xasprintf("%s/src", top);
	s.index = xasprintf("%s/git/index", top);
	s.ref = xasprintf("%s/git/refs/faultline/%s", top, commit);
	s.tool = (struct git){ s.git, s.src, s.index, allow_local, token, watch };
	lock = xasprintf("%s/source.lock", top);
	r = lockfile_take(lock, watch, &lock_fd, err);
	if (r)
		return r;
	remove_leftovers(&s);
	r = prepare(&s, err);
	if (!r)
		r = fetch(&s, err);
	if (!r)
		r = checkout(&s, err);
	if (!r)
		*ret_dir = STEAL(s.src);
	return r;
}
