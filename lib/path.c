/* SPDX-License-Identifier: MIT */
#include "lib/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/hash.h"

static int mkdir_one(const char *dir, mode_t mode, struct error *err)
{
	struct stat st;

	if (mkdir(dir, mode) == 0)
		return 0;
	if (errno != EEXIST)
		return error_errno(err, -errno, "cannot create folder '%s'", dir);
	if (stat(dir, &st) < 0)
		return error_errno(err, -errno, "cannot create folder '%s'", dir);
	if (!S_ISDIR(st.st_mode))
		return error_errno(err, -ENOTDIR, "cannot create folder '%s'", dir);
	return 0;
}

int path_mkdirs(const char *dir, mode_t mode, struct error *err)
{
	CLEANUP(free_p) char *copy = xstrdup(dir);
	int r;

	if (!*copy)
		return error_set(err, -EINVAL, "the name of a folder is empty");
	for (char *p = copy + 1; *p; p++) {
		if (*p != '/' || p[-1] == '/')
			continue;
		*p = '\0';
		r = mkdir_one(copy, mode, err);
		if (r < 0)
			return r;
		*p = '/';
	}
	return mkdir_one(copy, mode, err);
}

int path_read(const char *path, size_t max_bytes, struct buf *out, struct error *err)
{
	CLEANUP(close_p) int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t start = out->len;
	char chunk[16384];
	int r = 0;

	if (fd < 0)
		return error_errno(err, -errno, "cannot open '%s'", path);
	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			r = error_errno(err, -errno, "cannot read '%s'", path);
			break;
		}
		if (n == 0)
			break;
		if (out->len - start + (size_t)n > max_bytes) {
			r = error_set(err, -EFBIG, "'%s' is longer than %zu bytes", path,
				      max_bytes);
			break;
		}
		buf_add(out, chunk, (size_t)n);
	}
	if (r < 0 && out->len > start) {
		out->len = start;
		out->data[start] = '\0';
	}
	/* An empty file too leaves a string. */
	if (r == 0)
		buf_add(out, "", 0);
	return r;
}

/* The folder that holds `path`. Owned. */
static char *parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

static int sync_dir(const char *dir)
{
	CLEANUP(close_p) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	/* Some file systems cannot sync a folder and say EINVAL; they have nothing to lose. */
	if (fsync(fd) < 0 && errno != EINVAL && errno != ENOTSUP)
		return -errno;
	return 0;
}

static int write_tmp(const char *tmp, const void *data, size_t len, mode_t mode)
{
	CLEANUP(close_p) int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	int closing;
	int r;

	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, data, len);
	if (r < 0)
		return r;
	/* The mode was asked for: the umask of whoever started the program does not decide. */
	if (fchmod(fd, mode) < 0 || fsync(fd) < 0)
		return -errno;
	closing = steal_fd(&fd);
	return close(closing) < 0 ? -errno : 0;
}

int path_write_atomic(const char *path, const void *data, size_t len, mode_t mode,
		      struct error *err)
{
	CLEANUP(free_p) char *dir = parent_of(path);
	CLEANUP(free_p) char *nonce = hash_random_hex(8);
	CLEANUP(free_p) char *tmp = xasprintf("%s.%s.tmp", path, nonce);
	int r = write_tmp(tmp, data, len, mode);

	if (r == 0 && rename(tmp, path) < 0)
		r = -errno;
	if (r < 0) {
		unlink(tmp);
		return error_errno(err, r, "cannot write '%s'", path);
	}
	r = sync_dir(dir);
	return r < 0 ? error_errno(err, r, "cannot sync folder '%s'", dir) : 0;
}

static int remove_at(int dir_fd, const char *name, int depth);

static int remove_children(int fd, int depth)
{
	CLEANUP(closedir_p) DIR *d = fdopendir(fd);
	int first = 0;

	if (!d) {
		first = -errno;
		close(fd);
		return first;
	}
	for (;;) {
		struct dirent *e;
		int r;

		errno = 0;
		e = readdir(d);
		if (!e)
			return first ? first : -errno;
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		r = remove_at(dirfd(d), e->d_name, depth + 1);
		if (r < 0 && !first)
			first = r;
	}
}

/* Everything goes through folder descriptors and O_NOFOLLOW, so that a link that appears while
 * this runs cannot lead out of the tree. */
static int remove_at(int dir_fd, const char *name, int depth)
{
	int fd;
	int r;

	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (depth > 200)
		return -ELOOP;
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == EACCES && fchmodat(dir_fd, name, 0700, 0) == 0)
		fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOTDIR ? -EPERM : -errno;
	/* A read-only folder in an archive must not survive its removal. */
	(void)fchmod(fd, 0700);
	r = remove_children(fd, depth);
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT && r == 0)
		r = -errno;
	return r;
}

int path_remove_tree(const char *path, struct error *err)
{
	int r = remove_at(AT_FDCWD, path, 0);

	return r < 0 ? error_errno(err, r, "cannot remove '%s'", path) : 0;
}

bool path_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

int64_t path_free_bytes(const char *path)
{
	CLEANUP(free_p) char *at = xstrdup(path);
	struct statvfs st;

	while (statvfs(at, &st) < 0) {
		char *up;

		if (errno != ENOENT || !strcmp(at, "/") || !strcmp(at, "."))
			return -errno;
		up = parent_of(at);
		free(at);
		at = up;
	}
	return (int64_t)st.f_bavail * (int64_t)st.f_frsize;
}

bool path_name_is_safe(const char *name)
{
	size_t len = name ? strlen(name) : 0;

	if (!len || len > 200 || name[0] == '.' || name[0] == '-')
		return false;
	return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			    "0123456789._+-") == len;
}

int fd_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int fd_memory(const char *name, int *ret_fd)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

int fd_pipe(int ret_fds[2])
{
	int fds[2];
	int high[2];
	int e;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	high[0] = fcntl(fds[0], F_DUPFD_CLOEXEC, 3);
	high[1] = fcntl(fds[1], F_DUPFD_CLOEXEC, 3);
	e = errno;
	close(fds[0]);
	close(fds[1]);
	if (high[0] < 0 || high[1] < 0) {
		close_p(&high[0]);
		close_p(&high[1]);
		return -e;
	}
	ret_fds[0] = high[0];
	ret_fds[1] = high[1];
	return 0;
}

/* The running program's folder. Owned, or NULL. */
static char *program_dir(void)
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (n <= 0)
		return NULL;
	exe[n] = '\0';
	return parent_of(exe);
}

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

char *path_find_program(const char *name)
{
	CLEANUP(free_p) char *dir = program_dir();
	const char *path = getenv("PATH");

	if (dir) {
		CLEANUP(free_p) char *beside = xasprintf("%s/%s", dir, name);

		if (is_program(beside))
			return STEAL(beside);
	}
	while (path && *path) {
		size_t n = strcspn(path, ":");
		CLEANUP(free_p) char *file = xasprintf("%.*s/%s", (int)n, path, name);

		/* An empty or relative entry would depend on where we happen to stand. */
		if (*path == '/' && is_program(file))
			return STEAL(file);
		path += n + (path[n] == ':');
	}
	return NULL;
}

/* dir/rel when that exists. Owned, or NULL. */
static char *existing(const char *dir, const char *rel)
{
	CLEANUP(free_p) char *p = xasprintf("%s/%s", dir, rel);

	return path_exists(p) ? STEAL(p) : NULL;
}

static bool is_source_root(const char *dir)
{
	CLEANUP(free_p) char *makefile = existing(dir, "Makefile");
	CLEANUP(free_p) char *header = existing(dir, "lib/path.h");

	return makefile && header;
}

/* When the program runs from <source>/<build>/…: <source>/rel, else <source>/<build>/rel. */
static char *share_in_source(const char *bin_dir, const char *rel)
{
	CLEANUP(free_p) char *build = xstrdup(bin_dir);

	for (int up = 0; up < 4 && strcmp(build, "/"); up++) {
		char *root = parent_of(build);

		if (is_source_root(root)) {
			char *p = existing(root, rel);

			free(root);
			return p ? p : existing(build, rel);
		}
		free(build);
		build = root;
	}
	return NULL;
}

char *path_share(const char *rel)
{
	CLEANUP(free_p) char *dir = program_dir();
	const char *env = getenv("FAULTLINE_SHARE");
	char *p;

	if (env && *env)
		return xasprintf("%s/%s", env, rel);
	if (!dir)
		return xstrdup(rel);
	p = share_in_source(dir, rel);
	return p ? p : xasprintf("%s/../share/faultline/%s", dir, rel);
}
