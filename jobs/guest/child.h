/* SPDX-License-Identifier: MIT */
/*
 * A function in a process and session of its own, with a deadline. Owner: init, which therefore
 * also reaps what its children leave behind. SIGCHLD must be blocked.
 */
#ifndef FAULTLINE_GUEST_CHILD_H
#define FAULTLINE_GUEST_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define STUCK_FRAMES_MAX 24
#define STUCK_LINE_MAX 80

enum child_end {
	CHILD_EXITED,
	CHILD_SIGNALED,
	CHILD_TIMEOUT, /* and killed, or not: see stuck.killed */
};

struct child_result {
	enum child_end end;
	int status; /* exit status or signal number */
	struct stuck {
		char state; /* of /proc/PID/stat: R, S, D, … */
		bool killed; /* SIGKILL ended it within the grace period */
		char wchan[STUCK_LINE_MAX];
		char syscall[STUCK_LINE_MAX];
		char stack[STUCK_FRAMES_MAX][STUCK_LINE_MAX];
		unsigned int frames;
		long stime_ticks; /* CPU time in the kernel while it was watched: progress */
	} stuck;
};

/*
 * Runs function(argument) in a new process, which exits with its return value. Called before the
 * process is reaped: at_end(pid, argument), while /proc/PID is still there (also after a timeout,
 * before the kill). `under_test` points to the pid that is sampled on a timeout, in memory shared
 * with the child; while it is 0 the child itself is. Returns 0, or -errno if there was no child.
 */
struct child_spec {
	int (*function)(void *argument);
	void (*at_end)(pid_t pid, void *argument);
	void *argument;
	uint32_t deadline_ms;
	const volatile int32_t *under_test;
};
int child_run(const struct child_spec *spec, struct child_result *ret_result)
	__attribute__((warn_unused_result));

#endif
