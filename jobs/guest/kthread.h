/* SPDX-License-Identifier: MIT */
/* Kernel threads, as /proc shows them. */
#ifndef FAULTLINE_GUEST_KTHREAD_H
#define FAULTLINE_GUEST_KTHREAD_H

#include <stdbool.h>
#include <stdint.h>

#define KTHREAD_COMM_MAX 64 /* a kernel thread's name in proc(5) may be longer than TASK_COMM_LEN */

/* What is used of /proc/PID/stat. */
struct task_stat {
	char comm[KTHREAD_COMM_MAX];
	char state; /* R, S, D, I, … */
	uint32_t flags; /* PF_*, include/linux/sched.h */
	long stime_ticks; /* time in the kernel */
};

/* Parses the text of a stat file. Returns 0, or -EINVAL with *ret_stat untouched. */
int task_stat_parse(const char *text, struct task_stat *ret_stat)
	__attribute__((warn_unused_result));

/* The same for a task. Returns 0 or -errno (-ENOENT, -ESRCH: it is gone). */
int task_stat_read(int pid, struct task_stat *ret_stat) __attribute__((warn_unused_result));

bool task_is_kthread(const struct task_stat *stat);

/* The pid of the kernel thread of exactly this name ("ksmd", "kswapd0"), or 0. */
int kthread_find(const char *comm);

/* True if `pid` is a kernel thread that waits for work. */
bool kthread_is_idle(int pid);

#endif
