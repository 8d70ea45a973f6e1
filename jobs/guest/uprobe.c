/* SPDX-License-Identifier: MIT */
#include "uprobe.h"

#include "fileio.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int uprobe_open(int file, size_t offset)
{
	char type[16], path[32];
	struct perf_event_attr attr = { .size = sizeof(attr) };
	long fd;

	if (file_read("/sys/bus/event_source/devices/uprobe/type", type, sizeof(type)) <= 0)
		return -ENOENT;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	attr.type = (uint32_t)strtoul(type, NULL, 10);
	attr.uprobe_path = (uintptr_t)path;
	attr.probe_offset = offset;
	fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, (unsigned long)PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : (int)fd;
}

int uprobe_try(void)
{
	int file = memfd_create("uprobe", MFD_CLOEXEC), fd;

	if (file < 0)
		return -errno;
	fd = ftruncate(file, sysconf(_SC_PAGESIZE)) ? -errno : uprobe_open(file, 0);
	close(file);
	return fd;
}
