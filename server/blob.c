// SPDX-License-Identifier: MIT
#include "server/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/hash.h"
#include "lib/path.h"

struct blob_store {
	char *dir;
};

int blob_open_dir(const char *dir, struct blob_store **ret, struct error *err)
{
	int r = path_mkdirs(dir, 0700, err);
	struct blob_store *b;

	if (r)
		return r;
	b = xcalloc(1, sizeof(*b));
	b->dir = xstrdup(dir);
	*ret = b;
	return 0;
}

void blob_close(struct blob_store *b)
{
	if (!b)
		return;
	free(b->dir);
	free(b);
}

static bool is_hash(const char *s)
{
	return strlen(s) == HASH_HEX_LEN && strspn(s, "0123456789abcdef") == HASH_HEX_LEN;
}

static int fsync_path(const char *path, int flags, struct error *err)
{
	CLEANUP(close_p) int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0 || fsync(fd))
		return error_errno(err, -errno, "syncing '%s'", path);
	return 0;
}

int blob_put(struct blob_store *b, const char *path, const char *sha256, struct error *err)
{
	CLEANUP(free_p) char *dir = NULL, *to = NULL;
	int r;

	if (!is_hash(sha256))
		return error_set(err, -EINVAL, "not a SHA-256");
	dir = xasprintf("%s/%.2s", b->dir, sha256);
	to = xasprintf("%s/%s", dir, sha256 + 2);
	if (path_exists(to))
		return unlink(path) ? error_errno(err, -errno, "removing an upload") : 0;
	r = path_mkdirs(dir, 0700, err);
	if (!r)
		r = fsync_path(path, O_RDONLY, err);
	if (r)
		return r;
	if (rename(path, to))
		return error_errno(err, -errno, "moving a blob into place");
	r = fsync_path(dir, O_RDONLY | O_DIRECTORY, err);
	return r ? r : fsync_path(b->dir, O_RDONLY | O_DIRECTORY, err);
}

int blob_get(struct blob_store *b, const char *sha256, int *ret_fd, int64_t *ret_size,
	     struct error *err)
{
	CLEANUP(free_p) char *path = NULL;
	CLEANUP(close_p) int fd = -1;
	struct stat st;

	if (!is_hash(sha256))
		return error_set(err, -ENOENT, "there is no such blob");
	path = xasprintf("%s/%.2s/%s", b->dir, sha256, sha256 + 2);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return error_set(err, -ENOENT, "there is no such blob");
	if (fd < 0 || fstat(fd, &st))
		return error_errno(err, -errno, "opening a blob");
	*ret_size = st.st_size;
	*ret_fd = steal_fd(&fd);
	return 0;
}
