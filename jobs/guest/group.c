/* SPDX-License-Identifier: MIT */
#include "group.h"

#include "fileio.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOT "/sys/fs/cgroup/"
#define GROUP ROOT "split/"

bool group_enter(struct scenario *s)
{
	int r = file_write(ROOT "cgroup.subtree_control", "+memory");

	if (!r && mkdir(GROUP, 0755) && errno != EEXIST)
		r = -errno;
	if (!r)
		r = file_write(GROUP "cgroup.procs", "0");
	if (r)
		scenario_check(s, "harness.cgroup", false, "%s", strerror(-r));
	return !r;
}

int group_reclaim(const char *size)
{
	return file_write(GROUP "memory.reclaim", size);
}

void group_leave(struct scenario *s)
{
	int r = file_write(ROOT "cgroup.procs", "0");

	if (!r && rmdir(GROUP))
		r = -errno;
	if (r)
		scenario_check(s, "harness.cgroup", false, "leaving it: %s", strerror(-r));
}
