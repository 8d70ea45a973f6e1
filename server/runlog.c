// SPDX-License-Identifier: MIT
#include "server/runlog.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/store.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/limits.h"
#include "lib/path.h"

#define STRIPES 64 /* runs that may append at the same time without waiting for each other */

struct runlog {
	struct store *store;
	char *dir;
	pthread_mutex_t locks[STRIPES];
};

int runlog_open(struct store *store, const char *dir, struct runlog **ret, struct error *err)
{
	int r = path_mkdirs(dir, 0700, err);
	struct runlog *l;

	if (r)
		return r;
	l = xcalloc(1, sizeof(*l));
	l->store = store;
	l->dir = xstrdup(dir);
	for (int i = 0; i < STRIPES; i++)
		pthread_mutex_init(&l->locks[i], NULL);
	*ret = l;
	return 0;
}

void runlog_close(struct runlog *l)
{
	if (!l)
		return;
	for (int i = 0; i < STRIPES; i++)
		pthread_mutex_destroy(&l->locks[i]);
	free(l->dir);
	free(l);
}

static char *log_path(const struct runlog *l, int64_t run)
{
	return xasprintf("%s/%lld.log", l->dir, (long long)run);
}

static char *mark_path(const struct runlog *l, int64_t run)
{
	return xasprintf("%s/%lld.truncated", l->dir, (long long)run);
}

static int write_at(const struct runlog *l, int64_t run, int64_t at, const char *data, size_t len,
		    struct error *err)
{
	CLEANUP(free_p) char *path = log_path(l, run);
	CLEANUP(close_p) int fd = -1;
	bool made = !path_exists(path);

	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_errno(err, -errno, "opening the log of run %lld", (long long)run);
	if (ftruncate(fd, at))
		return error_errno(err, -errno, "cutting the log of run %lld", (long long)run);
	for (size_t done = 0; done < len;) {
		ssize_t n = pwrite(fd, data + done, len - done, at + (int64_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, -errno, "writing the log of run %lld",
					   (long long)run);
		done += (size_t)n;
	}
	if (fdatasync(fd))
		return error_errno(err, -errno, "syncing the log of run %lld", (long long)run);
	if (made) {
		CLEANUP(close_p) int dir = open(l->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (dir < 0 || fsync(dir))
			return error_errno(err, -errno, "syncing '%s'", l->dir);
	}
	return 0;
}

static int append(struct runlog *l, int64_t run, int64_t offset, const char *data, size_t len,
		  enum runlog_append *ret, int64_t *ret_size, struct error *err)
{
	int64_t size = 0, skip;
	bool ended;
	int r = store_run_log(l->store, run, &size, &ended, err);

	if (r)
		return r;
	*ret_size = size;
	*ret = RUNLOG_OK;
	if (offset > size) {
		*ret = RUNLOG_GAP;
		return 0;
	}
	if (offset + (int64_t)len > LIMIT_LOG_BYTES) {
		CLEANUP(free_p) char *mark = mark_path(l, run);

		*ret = RUNLOG_FULL;
		return path_write_atomic(mark, "", 0, 0600, err);
	}
	skip = size - offset;
	if (skip >= (int64_t)len)
		return 0;
	r = write_at(l, run, size, data + skip, len - (size_t)skip, err);
	size += (int64_t)len - skip;
	if (!r)
		r = store_log_size(l->store, run, size, err);
	if (!r)
		*ret_size = size;
	return r;
}

int runlog_append(struct runlog *l, int64_t run, int64_t offset, const void *data, size_t len,
		  enum runlog_append *ret, int64_t *ret_size, struct error *err)
{
	pthread_mutex_t *lock = &l->locks[(uint64_t)run % STRIPES];
	enum runlog_append outcome;
	int64_t size;
	int r;

	pthread_mutex_lock(lock);
	r = append(l, run, offset, data, len, &outcome, &size, err);
	pthread_mutex_unlock(lock);
	if (r)
		return r;
	*ret = outcome;
	*ret_size = size;
	return 0;
}

int runlog_read(struct runlog *l, int64_t run, int *ret_fd, int64_t *ret_size, bool *ret_truncated,
		struct error *err)
{
	CLEANUP(free_p) char *path = log_path(l, run), *mark = mark_path(l, run);
	CLEANUP(close_p) int fd = -1;
	int64_t size = 0;
	bool ended;
	int r = store_run_log(l->store, run, &size, &ended, err);

	if (r)
		return r;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && (errno != ENOENT || size))
		return error_errno(err, -errno, "opening the log of run %lld", (long long)run);
	*ret_truncated = path_exists(mark);
	*ret_size = size;
	*ret_fd = steal_fd(&fd);
	return 0;
}
