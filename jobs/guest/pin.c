/* SPDX-License-Identifier: MIT */
#include "pin.h"

#include "thp.h"
#include "uapi.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/ioctl.h>
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

int pin_open_test(void)
{
	int fd = open("/sys/kernel/debug/gup_test", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int pin_test_page(int fd, void *page)
{
	struct uapi_pin_longterm_test pin = { .addr = (uintptr_t)page, .size = THP_PAGE };

	return ioctl(fd, UAPI_PIN_LONGTERM_TEST_START, &pin) ? -errno : 0;
}

int pin_test_read(int fd, void *page)
{
	uint64_t address = (uintptr_t)page;

	return ioctl(fd, UAPI_PIN_LONGTERM_TEST_READ, &address) ? -errno : 0;
}
