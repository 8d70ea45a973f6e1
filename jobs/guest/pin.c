/* SPDX-License-Identifier: MIT */
#include "pin.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

int pin_open_ring(void)
{
	struct io_uring_params params = { .sq_entries = 0 };
	long fd = syscall(SYS_io_uring_setup, 1U, &params);

	return fd < 0 ? -errno : (int)fd;
}

int pin_ring_buffer(int ring, void *address, size_t size)
{
	struct iovec buffer = { address, size };

	if (syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &buffer, 1U))
		return -errno;
	return 0;
}
