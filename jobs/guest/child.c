/* SPDX-License-Identifier: MIT */
#include "child.h"

#include "clock.h"
#include "fileio.h"
#include "kthread.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILL_GRACE_MS 2000
#define WATCH_MS 200 /* long enough for a livelock to burn many ticks */

static void run_in_child(const struct child_spec *spec)
{
	sigset_t none;

	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	_exit(spec->function(spec->argument));
}

/*
 * Waits until `pid` has ended, without reaping it; orphans that init inherited are reaped on the
 * way. Returns false at the deadline.
 */
static bool wait_ended(pid_t pid, int64_t deadline_ns)
{
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	for (;;) {
		siginfo_t info = { .si_pid = 0 };
		struct timespec left;
		int64_t ns;

		if (!waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid)
			return true;
		info.si_pid = 0;
		while (!waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid &&
		       info.si_pid != pid) {
			waitpid(info.si_pid, NULL, 0);
			info.si_pid = 0;
		}
		if (info.si_pid == pid)
			return true;
		ns = deadline_ns - clock_now_ns();
		if (ns <= 0)
			return false;
		left.tv_sec = (time_t)(ns / 1000000000);
		left.tv_nsec = (long)(ns % 1000000000);
		(void)sigtimedwait(&chld, NULL, &left);
	}
}

static long read_stat(pid_t pid, char *ret_state)
{
	struct task_stat stat;

	if (task_stat_read((int)pid, &stat))
		return -1;
	*ret_state = stat.state;
	return stat.stime_ticks;
}

static void read_proc(pid_t pid, const char *name, char *line, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	file_read_line(path, line, size);
}

static void read_stack(pid_t pid, struct stuck *stuck)
{
	static char text[8192];
	char *line, *rest;

	stuck->frames = 0;
	read_proc(pid, "stack", text, sizeof(text));
	for (line = strtok_r(text, "\n", &rest); line && stuck->frames < STUCK_FRAMES_MAX;
	     line = strtok_r(NULL, "\n", &rest)) {
		char *function = strchr(line, ']'); /* "[<0>] function+0x12/0x34" */

		function = function && function[1] == ' ' ? function + 2 : line;
		snprintf(stuck->stack[stuck->frames++], STUCK_LINE_MAX, "%s", function);
	}
}

static void watch_stuck(pid_t pid, struct stuck *stuck)
{
	struct timespec pause = { .tv_nsec = WATCH_MS * 1000000L };
	long before, after;
	char later;

	/* the state at the deadline counts, even if the process ends while it is watched */
	before = read_stat(pid, &stuck->state);
	read_proc(pid, "wchan", stuck->wchan, sizeof(stuck->wchan));
	read_proc(pid, "syscall", stuck->syscall, sizeof(stuck->syscall));
	read_stack(pid, stuck);
	nanosleep(&pause, NULL);
	after = read_stat(pid, &later);
	stuck->stime_ticks = before >= 0 && after >= before ? after - before : 0;
}

/* A kernel thread does not end; what it was stuck in has ended when it waits for work again. */
static bool is_over(pid_t pid)
{
	return kill(pid, 0) || kthread_is_idle((int)pid);
}

/* SIGKILL for the whole session's group; true when both the child and its stuck part are gone. */
static bool kill_session(pid_t pid, pid_t stuck_pid)
{
	int64_t deadline_ns = clock_now_ns() + KILL_GRACE_MS * INT64_C(1000000);
	struct timespec tick = { .tv_nsec = 5000000 };

	kill(-pid, SIGKILL);
	kill(pid, SIGKILL); /* before setsid() there is no such group */
	if (!wait_ended(pid, deadline_ns))
		return false;
	waitpid(pid, NULL, 0);
	/* a grandchild is init's own now; it has no event of its own but SIGCHLD */
	while (stuck_pid != pid && !is_over(stuck_pid)) {
		waitpid(stuck_pid, NULL, WNOHANG);
		if (clock_now_ns() > deadline_ns)
			return false;
		nanosleep(&tick, NULL);
	}
	return true;
}

static void on_timeout(const struct child_spec *spec, pid_t pid, struct child_result *result)
{
	pid_t stuck_pid = spec->under_test && *spec->under_test > 1 ? *spec->under_test : pid;

	result->end = CHILD_TIMEOUT;
	if (is_over(stuck_pid)) /* not the task under test hangs but its parent, or who waits for it */
		stuck_pid = pid;
	watch_stuck(stuck_pid, &result->stuck);
	if (spec->at_end)
		spec->at_end(stuck_pid, spec->argument);
	result->stuck.killed = kill_session(pid, stuck_pid);
}

int child_run(const struct child_spec *spec, struct child_result *ret_result)
{
	int64_t deadline_ns = clock_now_ns() + spec->deadline_ms * INT64_C(1000000);
	struct child_result result;
	int status = 0;
	pid_t pid;

	memset(&result, 0, sizeof(result));
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid)
		run_in_child(spec);
	if (!wait_ended(pid, deadline_ns)) {
		on_timeout(spec, pid, &result);
		*ret_result = result;
		return 0;
	}
	if (spec->at_end)
		spec->at_end(pid, spec->argument);
	waitpid(pid, &status, 0);
	kill(-pid, SIGKILL); /* what the session may have left running */
	result.end = WIFSIGNALED(status) ? CHILD_SIGNALED : CHILD_EXITED;
	result.status = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
	*ret_result = result;
	return 0;
}
