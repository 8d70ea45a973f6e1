/* SPDX-License-Identifier: MIT */
#include "uffd.h"

#include "uapi.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int uffd_open(uint64_t features)
{
	struct uapi_uffdio_api api = {
		.api = UAPI_UFFD_API,
		.features = features | UAPI_UFFD_FEATURE_SIGBUS,
	};
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK), r;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, UAPI_UFFDIO_API, &api) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

int uffd_register(int fd, const void *start, size_t size, uint64_t mode)
{
	struct uapi_uffdio_register arg = {
		.range = { (uintptr_t)start, size },
		.mode = mode,
	};

	return ioctl(fd, UAPI_UFFDIO_REGISTER, &arg) < 0 ? -errno : 0;
}

int uffd_unregister(int fd, const void *start, size_t size)
{
	struct uapi_uffdio_range arg = { (uintptr_t)start, size };

	return ioctl(fd, UAPI_UFFDIO_UNREGISTER, &arg) < 0 ? -errno : 0;
}

int uffd_write_protect(int fd, const void *start, size_t size, bool protect)
{
	struct uapi_uffdio_writeprotect arg = {
		.range = { (uintptr_t)start, size },
		.mode = protect ? UAPI_UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	return ioctl(fd, UAPI_UFFDIO_WRITEPROTECT, &arg) < 0 ? -errno : 0;
}

int uffd_fixture(struct scenario *s, uint64_t features, bool protect, struct thp *ret_thp)
{
	int fd, r;

	if (!scenario_fixture(s, ret_thp))
		return -1;
	fd = uffd_open(features);
	if (fd < 0) {
		scenario_check(s, "harness.fixture", false, "userfaultfd: %s", strerror(-fd));
		return -1;
	}
	r = uffd_register(fd, ret_thp->addr, THP_SIZE, UAPI_UFFDIO_REGISTER_MODE_WP);
	if (!r && protect)
		r = uffd_write_protect(fd, ret_thp->addr, THP_SIZE, true);
	if (r)
		scenario_check(s, "harness.fixture", false, "userfaultfd: %s", strerror(-r));
	/* a descriptor that is left open goes with the process */
	return !r && scenario_remember(s, ret_thp) ? fd : -1;
}

int uffd_move(int fd, void *target, const void *source, size_t size)
{
	struct uapi_uffdio_move arg = {
		.dst = (uintptr_t)target,
		.src = (uintptr_t)source,
		.len = size,
	};

	return ioctl(fd, UAPI_UFFDIO_MOVE, &arg) < 0 ? -errno : 0;
}
