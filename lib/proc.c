/* SPDX-License-Identifier: MIT */
/*
 * How a child is kept from outliving us:
 *
 * - PR_SET_PDEATHSIG kills the direct child when the spawning thread ends.
 * - A guard process, our second child, in the first one's group holds the read end of a pipe whose
 *   only write end is ours. When we die, however that happens, the guard reads the end of the pipe
 *   and kills the group, and with it the grandchildren that PDEATHSIG does not reach. As long as it
 *   lives the number of the group cannot be given to another one. The child becomes the program
 *   only when the guard is in place.
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
	int failure_fd; /* write */
	int go_fd[2]; /* the guard says a byte when it is in place */
	int guard_fd; /* read */
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

static _Noreturn void guard_main(const struct child_args *a, pid_t group)
{
	sigset_t all;
	char c = 0;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	prctl(PR_SET_NAME, "faultline-guard");
	if (setpgid(0, group) < 0 || write(a->go_fd[1], &c, 1) != 1)
		_exit(1);
	/* Nothing else may stay open here: a reader of the child's output waits for its end. */
	if (dup2(a->guard_fd, 0) < 0)
		_exit(1);
	if (close_range(1, ~0U, 0) < 0)
		for (int fd = 1; fd < 65536; fd++)
			close(fd);
	while (read(0, &c, 1) < 0 && errno == EINTR)
		;
	kill(0, SIGKILL);
	_exit(0);
}

static void child_wait_for_guard(const struct child_args *a)
{
	char c;
	ssize_t n;

	close(a->go_fd[1]);
	do
		n = read(a->go_fd[0], &c, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		child_fail(a->failure_fd, n < 0 ? errno : ECHILD, "guard");
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

/* Copies above all targets first: the caller's descriptors may be any of them in any order. */
static void child_fds(struct child_args *a)
{
	const struct proc_spec *s = a->spec;
	int fds[3 + PROC_MORE_FDS] = { s->stdin_fd, s->stdout_fd, s->stderr_fd };
	int n = 3 + s->n_more_fds;

	for (int i = 3; i < n; i++)
		fds[i] = s->more_fds[i - 3];
	a->failure_fd = fcntl(a->failure_fd, F_DUPFD_CLOEXEC, n);
	if (a->failure_fd < 0)
		_exit(127);
	for (int i = 0; i < n; i++) {
		fds[i] = fcntl(fds[i] < 0 ? a->null_fd : fds[i], F_DUPFD_CLOEXEC, n);
		if (fds[i] < 0)
			child_fail(a->failure_fd, errno, "dup");
	}
	for (int i = 0; i < n; i++)
		if (dup2(fds[i], i) < 0)
			child_fail(a->failure_fd, errno, "dup2");
}

static _Noreturn void child_main(struct child_args *a)
{
	const struct proc_spec *s = a->spec;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		child_fail(a->failure_fd, errno, "prctl");
	/* The parent may have died before the signal was asked for. */
	if (getppid() != a->parent)
		_exit(127);
	if (setpgid(0, 0) < 0)
		child_fail(a->failure_fd, errno, "setpgid");
	child_wait_for_guard(a);
	child_fds(a);
	if (s->cwd && chdir(s->cwd) < 0)
		child_fail(a->failure_fd, errno, "chdir");
	child_limit(a->failure_fd, RLIMIT_AS, s->limit_address_space_bytes);
	child_limit(a->failure_fd, RLIMIT_FSIZE, s->limit_file_bytes);
	child_limit(a->failure_fd, RLIMIT_CPU, s->limit_cpu_s);
	/* Nothing else reaches the program, whatever a library forgot to mark. */
	(void)close_range(3 + (unsigned int)s->n_more_fds, ~0U, CLOSE_RANGE_CLOEXEC);
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

/* fork() with every signal blocked, so that no handler of ours runs in the child. `group` 0 forks
 * the program's process, else the guard of that group. */
static pid_t fork_child(struct child_args *a, pid_t group)
{
	sigset_t all, old;
	pid_t pid;
	int e;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid = fork();
	if (pid == 0 && group)
		guard_main(a, group);
	if (pid == 0)
		child_main(a);
	e = errno;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = e;
	return pid;
}

/* Returns when the child has become the program (0) or says why it could not (-errno). */
static int wait_for_exec(int fd, const char *name, struct error *err)
{
	struct child_failure f;
	ssize_t n;

	do
		n = read(fd, &f, sizeof(f));
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return 0;
	if (n != (ssize_t)sizeof(f))
		return error_set(err, -EIO, "cannot run '%s'", name);
	f.step[sizeof(f.step) - 1] = '\0';
	return error_errno(err, f.errno_value > 0 ? -f.errno_value : -EIO, "cannot run '%s' (%s)",
			   name, f.step);
}

/* Both processes are our children and not reaped: their numbers, and so the group's, are ours. */
static int kill_and_reap(pid_t pid, pid_t guard)
{
	int status = 0;

	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	if (guard > 0) {
		kill(guard, SIGKILL);
		reap(guard, &status);
	}
	reap(pid, &status);
	return status;
}

struct pipes {
	int fail[2], go[2], guard[2];
};

static void pipes_close(struct pipes *p)
{
	int *fds[] = { &p->fail[0], &p->fail[1], &p->go[0], &p->go[1], &p->guard[0], &p->guard[1] };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		close_p(fds[i]);
		*fds[i] = -1;
	}
}

static int pipes_open(struct pipes *p)
{
	int r = fd_pipe(p->fail);

	if (r == 0)
		r = fd_pipe(p->go);
	return r == 0 ? fd_pipe(p->guard) : r;
}

int proc_spawn(const struct proc_spec *spec, struct proc *ret_proc, struct error *err)
{
	CLEANUP(free_p) char *file = find_in_path(spec->argv[0]);
	CLEANUP(pipes_close) struct pipes p = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
	CLEANUP(close_p) int null_fd = -1;
	struct child_args args;
	pid_t pid, guard;
	int r;

	if (!file)
		return error_set(err, -ENOENT, "program '%s' not found in PATH", spec->argv[0]);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	r = null_fd < 0 ? -errno : pipes_open(&p);
	if (r < 0)
		return error_errno(err, r, "cannot run '%s'", spec->argv[0]);

	args = (struct child_args){ spec,	file,	getpid(), p.fail[1], { p.go[0], p.go[1] },
				    p.guard[0], null_fd };
	pid = fork_child(&args, 0);
	if (pid < 0)
		return error_errno(err, -errno, "cannot run '%s'", spec->argv[0]);
	/* The child does the same; whoever is first, the group is there for the guard. */
	(void)setpgid(pid, pid);
	guard = fork_child(&args, pid);
	if (guard < 0) {
		r = error_errno(err, -errno, "cannot run '%s'", spec->argv[0]);
		kill_and_reap(pid, 0);
		return r;
	}
	close(steal_fd(&p.go[1]));
	close(steal_fd(&p.fail[1]));
	r = wait_for_exec(p.fail[0], spec->argv[0], err);
	if (r < 0) {
		kill_and_reap(pid, guard);
		return r;
	}
	*ret_proc = (struct proc){ pid, guard, steal_fd(&p.guard[1]) };
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

/* What is left of the group is killed, both children are reaped. */
static void finish(struct proc *p, int *ret_status)
{
	int status = kill_and_reap(p->pid, p->guard_pid);

	close(p->guard_fd);
	*p = (struct proc){ 0, 0, -1 };
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
