/* SPDX-License-Identifier: MIT */
#include "kthread.h"

#include "fileio.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PF_KTHREAD 0x00200000u /* include/linux/sched.h */

/* "57 (ksmd) S 2 0 0 0 -1 2129984 …": fields 2, 3, 9 and 15 of proc_pid_stat(5). */
int task_stat_parse(const char *text, struct task_stat *ret_stat)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	struct task_stat stat = { .state = '\0' };
	size_t length;

	if (!open || !close || close < open) /* the name between them may hold anything */
		return -EINVAL;
	length = (size_t)(close - open) - 1;
	if (length >= sizeof(stat.comm))
		return -EINVAL;
	memcpy(stat.comm, open + 1, length);
	if (sscanf(close + 1, " %c %*d %*d %*d %*d %*d %" SCNu32 " %*u %*u %*u %*u %*u %ld",
		   &stat.state, &stat.flags, &stat.stime_ticks) != 3)
		return -EINVAL;
	*ret_stat = stat;
	return 0;
}

int task_stat_read(int pid, struct task_stat *ret_stat)
{
	char path[64], text[1024];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	n = file_read(path, text, sizeof(text));
	return n < 0 ? (int)n : task_stat_parse(text, ret_stat);
}

bool task_is_kthread(const struct task_stat *stat)
{
	return stat->flags & PF_KTHREAD;
}

/* The pid that this entry of /proc stands for, if it is the kernel thread `comm`; else 0. */
static int match(const char *name, const char *comm)
{
	struct task_stat stat;
	long pid = strtol(name, NULL, 10); /* 0 for what is no number */

	if (pid > 0 && !task_stat_read((int)pid, &stat) && task_is_kthread(&stat) &&
	    !strcmp(stat.comm, comm))
		return (int)pid;
	return 0;
}

int kthread_find(const char *comm)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	int pid = 0;

	if (!proc)
		return 0;
	while (!pid && (entry = readdir(proc)))
		pid = match(entry->d_name, comm);
	closedir(proc);
	return pid;
}

bool kthread_is_idle(int pid)
{
	struct task_stat stat;

	return !task_stat_read(pid, &stat) && task_is_kthread(&stat) &&
	       (stat.state == 'S' || stat.state == 'I');
}
