/* SPDX-License-Identifier: MIT */
/*
 * proc: child processes without a shell.
 *
 * Every child gets its own process group and PR_SET_PDEATHSIG, so that a killed parent leaves
 * nothing running; ending a child ends its group, and when a child ends by itself what is left of
 * its group is killed. No descriptor but those that the caller lists reaches it, every signal has
 * its default action. The environment is what the caller lists.
 *
 * Thread: the thread that spawns must live as long as the child (PDEATHSIG is per thread).
 */
#ifndef FAULTLINE_LIB_PROC_H
#define FAULTLINE_LIB_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/error.h"

struct buf;

#define PROC_MORE_FDS 5

struct proc_spec {
	const char *const *argv; /* NULL-terminated; argv[0] is looked up in our PATH */
	const char *const *env; /* NULL-terminated "K=V"; NULL = inherit */
	const char *cwd; /* NULL = inherit */
	int stdin_fd, stdout_fd, stderr_fd; /* -1 = /dev/null; borrowed */
	const int *more_fds; /* these become 3, 4, …; -1 = /dev/null; borrowed */
	int n_more_fds; /* at most PROC_MORE_FDS */
	int64_t limit_address_space_bytes; /* 0 = none; RLIMIT_AS of the child */
	int64_t limit_file_bytes; /* RLIMIT_FSIZE, 0 = none */
	int limit_cpu_s; /* RLIMIT_CPU, 0 = none */
};

struct proc {
	pid_t pid; /* 0 = not running; also the process group */
	pid_t guard_pid; /* this and the next: proc.c's own, meaningless while pid is 0 */
	int guard_fd;
};

must_check int proc_spawn(const struct proc_spec *spec, struct proc *ret_proc, struct error *err);
/* Waits up to timeout_ms (-1 = for ever, 0 = look). 1 = ended (*ret_status as of waitpid),
 * 0 = still running, or -errno. */
must_check int proc_wait(struct proc *p, int timeout_ms, int *ret_status, struct error *err);
/* SIGTERM to the group, grace_ms, SIGKILL to the group, reap. Nothing if not running. */
void proc_end(struct proc *p, int grace_ms);

/* Polled during proc_run(); true ends the child (result -ECANCELED). */
typedef bool (*proc_cancel_fn)(void *arg);
/* Gets output as it comes (stdout and stderr together). */
typedef void (*proc_output_fn)(void *arg, const char *data, size_t len);

struct proc_run_opts {
	int64_t timeout_ms; /* 0 = none; past it the group is killed: -ETIMEDOUT */
	size_t output_max_bytes; /* past it the group is killed: -EFBIG; 0 = 1 MiB */
	struct buf *out; /* stdout (and stderr unless err_out) appended here; may be NULL */
	struct buf *err_out; /* stderr apart; may be NULL */
	proc_output_fn on_output; /* may be NULL */
	void *arg;
	proc_cancel_fn cancelled; /* may be NULL */
	const void *input; /* written to stdin; NULL = /dev/null */
	size_t input_len;
};

/* Runs to the end. 0 with *ret_status (as of waitpid) when the program ran, whatever its exit
 * code; the fd fields of `spec` are ignored. */
must_check int proc_run(const struct proc_spec *spec, const struct proc_run_opts *opts,
			int *ret_status, struct error *err);
/* proc_run() and a non-zero exit is an error that quotes the end of the output (-EIO). */
must_check int proc_check(const struct proc_spec *spec, const struct proc_run_opts *opts,
			  struct error *err);
/* "exit 3", "signal 9 (Killed)". Returns `out`. */
char *proc_status_text(int status, char out[64]);

#endif
