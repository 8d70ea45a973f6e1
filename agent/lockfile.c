// SPDX-License-Identifier: MIT
#include "agent/lockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>

#include "lib/clean.h"

int lockfile_take(const char *path, const struct engine_watch *watch, int *ret_fd,
		  struct error *err)
{
	CLEANUP(close_p) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return error_errno(err, -errno, "cannot open '%s'", path);
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		struct timespec pause = { 0, 50 * 1000000L };

		if (errno != EWOULDBLOCK && errno != EINTR)
			return error_errno(err, -errno, "cannot lock '%s'", path);
		if (watch && watch->cancelled && watch->cancelled(watch->arg))
			return error_set(err, -ECANCELED, "cancelled while waiting for '%s'", path);
		nanosleep(&pause, NULL);
	}
	*ret_fd = steal_fd(&fd);
	return 0;
}
