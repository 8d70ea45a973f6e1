/* SPDX-License-Identifier: MIT */
/*
 * How a child is kept from outliving us:
 *
 * - PR_SET_PDEATHSIG kills the direct child when the spawning thread ends.
 * - A guard process in the child's group holds the read end of a pipe whose only write end is ours.
 *   When we die, however that happens, the guard reads the end of the pipe and kills the group, and
 *   with it the grandchildren that PDEATHSIG does not reach. The guard is an orphan (nobody has to
 *   reap it), and as long as it lives the number of the group cannot be given to another one.
 * - When the direct child ends, the rest of its group is killed before the child is reaped.
 *
 * Only a process that leaves the group by itself (setsid) escapes; the sandbox of a build holds it
 * by its own process namespace.
 */
#include "lib/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/path.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

/* What the child says through the error pipe when it cannot become the program. */
struct child_failure {
	int errno_value;
	char step[24];
};

struct child_args {
	const struct proc_spec *spec;
	const char *file;
	pid_t parent;
	int failure_fd;
	int guard_fd;
	int null_fd;
};

/* ---- in the child: async-signal-safe functions only ---------------------------------------- */

static _Noreturn void child_fail(int fd, int errno_value, const char *step)
{
	struct child_failure f = { .errno_value = errno_value };

	for (size_t i = 0; i + 1 < sizeof(f.step) && step[i]; i++)
		f.step[i] = step[i];
	/* Shorter than PIPE_BUF: all of it or nothing. */
	if (write(fd, &f, sizeof(f)) < 0)
		_exit(126);
	_exit(127);
}

static _Noreturn void guard_main(int guard_fd)
{
	sigset_t all;
	char c;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	prctl(PR_SET_NAME, "faultline-guard");
	/* Nothing else may stay open here: a reader of the child's output waits for its end. */
	if (dup2(guard_fd, 0) < 0)
		_exit(1);
	if (close_range(1, ~0U, 0) < 0)
		for (int fd = 1; fd < 65536; fd++)
			close(fd);
	while (read(0, &c, 1) < 0 && errno == EINTR)
		;
	kill(0, SIGKILL);
	_exit(0);
}

/* The guard is a grandchild whose parent ends at once, so that the program that is about to run
 * does not find a child that it did not start. */
static void child_start_guard(const struct child_args *a)
{
	pid_t middle = fork();
	int status;

	if (middle < 0)
		child_fail(a->failure_fd, errno, "fork");
	if (middle == 0) {
		pid_t guard = fork();

		if (guard == 0)
			guard_main(a->guard_fd);
		_exit(guard < 0);
	}
	while (waitpid(middle, &status, 0) < 0)
		if (errno != EINTR)
			child_fail(a->failure_fd, errno, "waitpid");
	if (status)
		child_fail(a->failure_fd, EAGAIN, "fork");
}

static void child_limit(int fd, int resource, int64_t value)
{
	struct rlimit lim = { (rlim_t)value, (rlim_t)value };

	if (value > 0 && setrlimit(resource, &lim) < 0)
		child_fail(fd, errno, "setrlimit");
}

static void child_signals(void)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigset_t none;

	/* What we ignore (SIGPIPE) would be ignored by the program too. */
	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, &dfl, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Copies above 2 first: the caller's descriptors may be any of 0..2 in any order. */
static void child_stdio(const struct child_args *a)
{
	int fds[3] = { a->spec->stdin_fd, a->spec->stdout_fd, a->spec->stderr_fd };

	for (int i = 0; i < 3; i++) {
		fds[i] = fcntl(fds[i] < 0 ? a->null_fd : fds[i], F_DUPFD_CLOEXEC, 3);
		if (fds[i] < 0)
			child_fail(a->failure_fd, errno, "dup");
	}
	for (int i = 0; i < 3; i++)
		if (dup2(fds[i], i) < 0)
			child_fail(a->failure_fd, errno, "dup2");
}

static _Noreturn void child_main(const struct child_args *a)
{
	const struct proc_spec *s = a->spec;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		child_fail(a->failure_fd, errno, "prctl");
	/* The parent may have died before the signal was asked for. */
	if (getppid() != a->parent)
		_exit(127);
	if (setpgid(0, 0) < 0)
		child_fail(a->failure_fd, errno, "setpgid");
	child_start_guard(a);
	child_stdio(a);
	if (s->cwd && chdir(s->cwd) < 0)
		child_fail(a->failure_fd, errno, "chdir");
	child_limit(a->failure_fd, RLIMIT_AS, s->limit_address_space_bytes);
	child_limit(a->failure_fd, RLIMIT_FSIZE, s->limit_file_bytes);
	child_limit(a->failure_fd, RLIMIT_CPU, s->limit_cpu_s);
	/* Nothing but 0..2 reaches the program, whatever a library forgot to mark. */
	(void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	child_signals();
	execve(a->file, (char *const *)(uintptr_t)s->argv,
	       s->env ? (char *const *)(uintptr_t)s->env : environ);
	child_fail(a->failure_fd, errno, "exec");
}

/* ---- in the parent -------------------------------------------------------------------------- */

/* Looked up before fork(), because execvp() may allocate. Owned, or NULL. */
static char *find_in_path(const char *name)
{
	const char *path = getenv("PATH");

	if (strchr(name, '/'))
		return xstrdup(name);
	if (!path || !*path)
		path = "/usr/local/bin:/usr/bin:/bin";
	while (*path) {
		size_t n = strcspn(path, ":");
		CLEANUP(free_p) char *file = xasprintf("%.*s/%s", (int)n, path, name);
		struct stat st;

		if (n && stat(file, &st) == 0 && S_ISREG(st.st_mode) && access(file, X_OK) == 0)
			return STEAL(file);
		path += n + (path[n] == ':');
	}
	return NULL;
}

static void reap(pid_t pid, int *status)
{
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
}

/* fork() with every signal blocked, so that no handler of ours runs in the child. */
static pid_t fork_child(const struct child_args *a)
{
	sigset_t all, old;
	pid_t pid;
	int e;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid = fork();
	if (pid == 0)
		child_main(a);
	e = errno;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = e;
	return pid;
}

/* Returns when the child has become the program (0) or could not (-errno). */
static int wait_for_exec(int fd, pid_t pid, const char *name, struct error *err)
{
	struct child_failure f;
	ssize_t n;
	int status;

	do
		n = read(fd, &f, sizeof(f));
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return 0;
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	reap(pid, &status);
	if (n != (ssize_t)sizeof(f))
		return error_set(err, -EIO, "cannot run '%s'", name);
	f.step[sizeof(f.step) - 1] = '\0';
	return error_errno(err, f.errno_value > 0 ? -f.errno_value : -EIO, "cannot run '%s' (%s)",
			   name, f.step);
}

int proc_spawn(const struct proc_spec *spec, struct proc *ret_proc, struct error *err)
{
	CLEANUP(free_p) char *file = find_in_path(spec->argv[0]);
	CLEANUP(close_p) int null_fd = -1;
	CLEANUP(close_p) int fail_r = -1;
	CLEANUP(close_p) int fail_w = -1;
	CLEANUP(close_p) int guard_r = -1;
	CLEANUP(close_p) int guard_w = -1;
	struct child_args args;
	int fds[2];
	pid_t pid;
	int r;

	if (!file)
		return error_set(err, -ENOENT, "program '%s' not found in PATH", spec->argv[0]);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0)
		return error_errno(err, -errno, "cannot open /dev/null");
	r = fd_pipe(fds);
	if (r < 0)
		return error_errno(err, r, "cannot run '%s'", spec->argv[0]);
	fail_r = fds[0];
	fail_w = fds[1];
	r = fd_pipe(fds);
	if (r < 0)
		return error_errno(err, r, "cannot run '%s'", spec->argv[0]);
	guard_r = fds[0];
	guard_w = fds[1];

	args = (struct child_args){ spec, file, getpid(), fail_w, guard_r, null_fd };
	pid = fork_child(&args);
	if (pid < 0)
		return error_errno(err, -errno, "cannot run '%s'", spec->argv[0]);
	close(steal_fd(&fail_w));
	r = wait_for_exec(fail_r, pid, spec->argv[0], err);
	if (r < 0)
		return r;
	ret_proc->pid = pid;
	ret_proc->guard_fd = steal_fd(&guard_w);
	return 0;
}

/* Waits without reaping. 1 = ended, 0 = still running, -errno. */
static int wait_ended(pid_t pid, int timeout_ms)
{
	CLEANUP(close_p) int fd = -1;
	siginfo_t si = { .si_pid = 0 };
	struct pollfd pfd;
	int64_t end_us;

	if (waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT | WNOHANG) < 0)
		return -errno;
	if (si.si_pid == pid)
		return 1;
	if (!timeout_ms)
		return 0;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return -errno;
	end_us = clock_real_mono_us() + timeout_ms * US_PER_MS;
	for (int left = timeout_ms;;) {
		int n;

		pfd = (struct pollfd){ .fd = fd, .events = POLLIN };
		n = poll(&pfd, 1, left);
		if (n > 0)
			return 1;
		if (n == 0)
			return 0;
		if (errno != EINTR)
			return -errno;
		if (timeout_ms < 0)
			continue;
		left = (int)((end_us - clock_real_mono_us()) / US_PER_MS);
		if (left < 0)
			left = 0;
	}
}

/* The leader has ended and is not reaped: its number, and so the group's, still belongs to us. */
static void finish(struct proc *p, int *ret_status)
{
	int status = 0;

	kill(-p->pid, SIGKILL);
	reap(p->pid, &status);
	close(p->guard_fd);
	p->pid = 0;
	p->guard_fd = -1;
	if (ret_status)
		*ret_status = status;
}

int proc_wait(struct proc *p, int timeout_ms, int *ret_status, struct error *err)
{
	int r;

	if (p->pid <= 0)
		return error_set(err, -ECHILD, "no child is running");
	r = wait_ended(p->pid, timeout_ms);
	if (r < 0)
		return error_errno(err, r, "cannot wait for child %d", (int)p->pid);
	if (r == 1)
		finish(p, ret_status);
	return r;
}

void proc_end(struct proc *p, int grace_ms)
{
	if (p->pid <= 0)
		return;
	if (grace_ms > 0) {
		kill(-p->pid, SIGTERM);
		if (wait_ended(p->pid, grace_ms) == 1) {
			finish(p, NULL);
			return;
		}
	}
	/* finish() kills the group and then waits for the leader. */
	finish(p, NULL);
}

char *proc_status_text(int status, char out[64])
{
	if (WIFEXITED(status))
		snprintf(out, 64, "exit %d", WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		snprintf(out, 64, "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(out, 64, "status 0x%x", (unsigned int)status);
	return out;
}
