/* SPDX-License-Identifier: MIT */
#include "kmsg.h"

#include "fileio.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

static int kmsg_fd = -1;

int kmsg_open(void)
{
	kmsg_fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	return kmsg_fd < 0 ? -errno : 0;
}

void kmsg_mark(const char *what, uint32_t id, uint32_t nth)
{
	char line[96];
	int length;

	/* <5>: KERN_NOTICE, the level of the fault dumps */
	length = snprintf(line, sizeof(line), "<5>faultline: %s id=%" PRIu32 " nth=%" PRIu32 "\n",
			  what, id, nth);
	if (kmsg_fd >= 0 && write_full(kmsg_fd, line, (size_t)length))
		kmsg_fd = -1;
}
