/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/path.h"
#include "lib/proc.h"

#define SH(script) ((const char *const[]){ "sh", "-c", (script), NULL })

static int run_sh(const char *script, const struct proc_run_opts *o, int *status, struct error *err)
{
	struct proc_spec spec = { .argv = SH(script) };

	return proc_run(&spec, o, status, err);
}

/* A pipe whose write end every process of the script inherits as stdout: its end comes when the
 * last of them is gone. True when it came within ms. */
static bool ends_within(int fd, int ms)
{
	int64_t until = clock_real_mono_us() + ms * US_PER_MS;
	char c[256];

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = (until - clock_real_mono_us()) / US_PER_MS;
		ssize_t n;

		if (left <= 0 || poll(&p, 1, (int)left) <= 0)
			return false;
		n = read(fd, c, sizeof(c));
		if (n <= 0)
			return n == 0;
	}
}

static void test_output_and_status(void **state)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	CLEANUP(buf_free) struct buf err_out = BUF_INIT;
	struct proc_run_opts o = { .out = &out, .err_out = &err_out };
	struct error err = ERROR_INIT;
	char text[64];
	int status;

	(void)state;
	assert_int_equal(run_sh("echo out; echo err >&2; exit 3", &o, &status, &err), 0);
	assert_string_equal(out.data, "out\n");
	assert_string_equal(err_out.data, "err\n");
	assert_string_equal(proc_status_text(status, text), "exit 3");
	assert_int_equal(err.code, 0);

	buf_reset(&out);
	o.err_out = NULL;
	assert_int_equal(run_sh("echo a; echo b >&2; kill -9 $$", &o, &status, &err), 0);
	assert_string_equal(out.data, "a\nb\n");
	assert_string_equal(proc_status_text(status, text), "signal 9 (Killed)");
}

static void test_missing_program(void **state)
{
	const char *const argv[] = { "no-such-program-here", NULL };
	const char *const abs[] = { "/no/such/program", NULL };
	struct proc_spec spec = { .argv = argv };
	struct proc p = { .pid = 42 };
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(proc_spawn(&spec, &p, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "no-such-program-here"));
	spec.argv = abs;
	assert_int_equal(proc_spawn(&spec, &p, &err), -ENOENT);
	assert_int_equal(p.pid, 42);
	spec.argv = SH("true");
	spec.cwd = "/no/such/folder";
	assert_int_equal(proc_spawn(&spec, &p, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "chdir"));
}

static void test_environment_and_cwd(void **state)
{
	const char *const env[] = { "ONLY=this", NULL };
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	struct proc_run_opts o = { .out = &out };
	struct proc_spec spec = { .argv = SH("echo $ONLY$HOME; pwd"), .env = env, .cwd = "/" };
	struct error err = ERROR_INIT;
	int status;

	(void)state;
	assert_int_equal(proc_run(&spec, &o, &status, &err), 0);
	assert_string_equal(out.data, "this\n/\n");
}

static void test_input_larger_than_a_pipe(void **state)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	CLEANUP(free_p) char *in = xcalloc(1, 300000);
	struct proc_run_opts o = { .out = &out, .input = in, .input_len = 300000 };
	struct error err = ERROR_INIT;
	int status;

	(void)state;
	memset(in, 'x', 300000);
	assert_int_equal(run_sh("cat", &o, &status, &err), 0);
	assert_int_equal(out.len, 300000);
	assert_memory_equal(out.data, in, 300000);
	/* A child that does not read its input is no error. */
	assert_int_equal(run_sh("exit 0", &o, &status, &err), 0);
	assert_int_equal(status, 0);
}

static void test_output_cap(void **state)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	struct proc_run_opts o = { .out = &out, .output_max_bytes = 1000 };
	struct error err = ERROR_INIT;
	int status = 77;

	(void)state;
	assert_int_equal(run_sh("while :; do echo flood; done", &o, &status, &err), -EFBIG);
	assert_int_equal(out.len, 1000);
	assert_int_equal(status, 77);
}

static void on_output(void *arg, const char *data, size_t len)
{
	buf_add(arg, data, len);
}

static void test_output_callback(void **state)
{
	CLEANUP(buf_free) struct buf seen = BUF_INIT;
	struct proc_run_opts o = { .on_output = on_output, .arg = &seen };
	struct error err = ERROR_INIT;
	int status;

	(void)state;
	assert_int_equal(run_sh("echo one; echo two >&2", &o, &status, &err), 0);
	assert_string_equal(seen.data, "one\ntwo\n");
}

/* Shell scripts whose grandchildren hold the write end of fd 5's file: a FIFO. */
struct fifo {
	char dir[32];
	char path[48];
	int fd;
};

static void fifo_open(struct fifo *f)
{
	strcpy(f->dir, "/tmp/proc-test-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/fifo", f->dir);
	assert_int_equal(mkfifo(f->path, 0600), 0);
	f->fd = open(f->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(f->fd >= 0);
}

static void fifo_close(struct fifo *f)
{
	close(f->fd);
	unlink(f->path);
	rmdir(f->dir);
}

/* Waits for the first byte: the script's processes hold the FIFO from here on. */
static void fifo_wait_started(struct fifo *f)
{
	char c;
	int64_t until = clock_real_mono_us() + 10 * US_PER_S;

	/* A FIFO that nobody has opened for writing yet reads as ended: no event to wait for. */
	while (read(f->fd, &c, 1) != 1) {
		assert_true(clock_real_mono_us() < until);
		poll(NULL, 0, 5);
	}
}

static char *holder_script(const struct fifo *f, const char *then)
{
	return xasprintf("exec >%s; echo; (trap '' TERM HUP INT; sleep 1000; sleep 1000) & %s",
			 f->path, then);
}

static void test_timeout_kills_grandchildren(void **state)
{
	struct proc_run_opts o = { .timeout_ms = 300 };
	struct error err = ERROR_INIT;
	struct fifo f;
	CLEANUP(free_p) char *script = NULL;
	int64_t start = clock_real_mono_us();
	int status;

	(void)state;
	fifo_open(&f);
	script = holder_script(&f, "wait");
	assert_int_equal(run_sh(script, &o, &status, &err), -ETIMEDOUT);
	assert_true(clock_real_mono_us() - start < 5 * US_PER_S);
	assert_true(ends_within(f.fd, 5000));
	fifo_close(&f);
}

static void test_end_of_the_leader_ends_its_group(void **state)
{
	struct error err = ERROR_INIT;
	struct fifo f;
	CLEANUP(free_p) char *script = NULL;
	int status;

	(void)state;
	fifo_open(&f);
	script = holder_script(&f, "exit 4");
	assert_int_equal(run_sh(script, NULL, &status, &err), 0);
	assert_int_equal(WEXITSTATUS(status), 4);
	assert_true(ends_within(f.fd, 5000));
	fifo_close(&f);
}

static void test_proc_end_with_grace(void **state)
{
	struct error err = ERROR_INIT;
	struct proc_spec spec = { .argv = SH(
					  "trap 'exit 0' TERM; echo; while :; do sleep 0.01; done"),
				  .stdin_fd = -1,
				  .stderr_fd = -1 };
	struct proc p;
	int fds[2];
	char c;
	int64_t start;

	(void)state;
	assert_int_equal(fd_pipe(fds), 0);
	spec.stdout_fd = fds[1];
	assert_int_equal(proc_spawn(&spec, &p, &err), 0);
	close(fds[1]);
	assert_int_equal(read(fds[0], &c, 1), 1);
	assert_int_equal(proc_wait(&p, 0, NULL, &err), 0);
	assert_int_equal(proc_wait(&p, 20, NULL, &err), 0);
	start = clock_real_mono_us();
	proc_end(&p, 30000);
	assert_true(clock_real_mono_us() - start < 20 * US_PER_S);
	assert_int_equal(p.pid, 0);
	assert_true(ends_within(fds[0], 5000));
	close(fds[0]);
	/* Ending what has ended is nothing; waiting for it is an error. */
	proc_end(&p, 10);
	assert_int_equal(proc_wait(&p, 0, NULL, &err), -ECHILD);
}

static void test_proc_end_of_the_deaf(void **state)
{
	struct error err = ERROR_INIT;
	struct proc_spec spec = { .argv = SH("trap '' TERM; echo; while :; do sleep 1; done"),
				  .stdin_fd = -1,
				  .stderr_fd = -1 };
	struct proc p;
	int fds[2];
	char c;

	(void)state;
	assert_int_equal(fd_pipe(fds), 0);
	spec.stdout_fd = fds[1];
	assert_int_equal(proc_spawn(&spec, &p, &err), 0);
	close(fds[1]);
	assert_int_equal(read(fds[0], &c, 1), 1);
	proc_end(&p, 50);
	assert_true(ends_within(fds[0], 5000));
	close(fds[0]);
}

static bool cancel_now(void *arg)
{
	return ++*(int *)arg >= 2;
}

static void test_cancel(void **state)
{
	int polls = 0;
	struct proc_run_opts o = { .cancelled = cancel_now, .arg = &polls };
	struct error err = ERROR_INIT;
	int status;

	(void)state;
	assert_int_equal(run_sh("sleep 1000", &o, &status, &err), -ECANCELED);
	assert_int_equal(polls, 2);
}

/* The process that spawns is killed without a chance to clean up. */
static void test_killed_parent_leaves_nothing(void **state)
{
	struct fifo f;
	CLEANUP(free_p) char *script = NULL;
	pid_t parent;

	(void)state;
	fifo_open(&f);
	script = holder_script(&f, "wait");
	parent = fork();
	assert_true(parent >= 0);
	if (parent == 0) {
		struct proc_spec spec = {
			.argv = SH(script), .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1
		};
		struct error err;
		struct proc p;

		if (proc_spawn(&spec, &p, &err) < 0)
			_exit(1);
		pause();
		_exit(0);
	}
	fifo_wait_started(&f);
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
	assert_true(ends_within(f.fd, 5000));
	fifo_close(&f);
}

static void test_nothing_leaks_into_the_child(void **state)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	struct proc_run_opts o = { .out = &out };
	struct error err = ERROR_INIT;
	/* Without O_CLOEXEC, as a careless library would. */
	int leak = dup2(0, 77);
	int status;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(
		run_sh("[ -e /proc/$$/fd/77 ] && echo leak; exec grep SigIgn /proc/$$/status", &o,
		       &status, &err),
		0);
	signal(SIGPIPE, SIG_DFL);
	close(leak);
	assert_int_equal(strncmp(out.data, "SigIgn:\t", 8), 0);
	/* Signals 32 and 33 belong to the C library, which lets nobody set them. */
	assert_int_equal(strtoull(out.data + 8, NULL, 16) & ~(3ULL << 31), 0);
}

/* No zombie, no descriptor and no child is left after many runs. */
static void test_no_leaks_over_many_runs(void **state)
{
	struct error err = ERROR_INIT;
	int before = dup(0);
	int after;
	int status;

	(void)state;
	close(before);
	for (int i = 0; i < 30; i++)
		assert_int_equal(run_sh("exit 1", NULL, &status, &err), 0);
	after = dup(0);
	close(after);
	assert_int_equal(before, after);
	assert_int_equal(waitpid(-1, &status, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void test_the_program_has_no_foreign_child(void **state)
{
	struct error err = ERROR_INIT;
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	struct proc_run_opts o = { .out = &out, .timeout_ms = 20000 };
	int status;

	(void)state;
	/* Ends at once only when nothing is there to wait for. */
	assert_int_equal(
		run_sh("cat /proc/$$/task/$$/children; wait; echo done", &o, &status, &err), 0);
	/* cat itself is the only child. */
	assert_null(strchr(strchr(out.data, ' ') ? strchr(out.data, ' ') + 1 : "", ' '));
	assert_non_null(strstr(out.data, "done"));
}

static void test_check_quotes_the_output(void **state)
{
	struct proc_spec spec = { .argv = SH("echo first; echo 'fatal: bad ref' >&2; exit 128") };
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(proc_check(&spec, NULL, &err), -EIO);
	assert_string_equal(err.msg, "'sh': exit 128: first fatal: bad ref");
	spec.argv = SH("exit 1");
	assert_int_equal(proc_check(&spec, NULL, &err), -EIO);
	assert_string_equal(err.msg, "'sh': exit 1");
	spec.argv = SH("true");
	assert_int_equal(proc_check(&spec, NULL, &err), 0);
}

static void test_limits(void **state)
{
	struct proc_spec spec = { .argv = SH("head -c 100000 /dev/zero >f; ulimit -f; rm -f f"),
				  .limit_file_bytes = 4096,
				  .cwd = "/tmp" };
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	struct proc_run_opts o = { .out = &out };
	struct error err = ERROR_INIT;
	int status;

	(void)state;
	assert_int_equal(proc_run(&spec, &o, &status, &err), 0);
	assert_non_null(strstr(out.data, "8\n"));
	spec = (struct proc_spec){ .argv = SH("while :; do :; done"), .limit_cpu_s = 1 };
	assert_int_equal(proc_run(&spec, NULL, &status, &err), 0);
	assert_true(WIFSIGNALED(status));
}

/* They arrive as 3, 4, … in the order of the list, whatever their numbers are here, and nothing
 * else does; a program that is not there is still reported. */
static void test_more_descriptors(void **state)
{
	const char *const missing[] = { "/no/such/program", NULL };
	struct proc_spec spec = { .argv = SH("echo three >&3; echo four >&4; { echo x >&6; } "
					     "2>/dev/null || echo closed >&4"),
				  .stdin_fd = -1,
				  .stdout_fd = -1,
				  .stderr_fd = -1,
				  .n_more_fds = 3 };
	struct error err = ERROR_INIT;
	char text[64] = "";
	int a[2], b[2], status;
	struct proc p;

	(void)state;
	assert_int_equal(fd_pipe(a), 0);
	assert_int_equal(fd_pipe(b), 0);
	/* crossed: what becomes 3 may have been 4, and the other way round */
	spec.more_fds = (const int[]){ b[1], a[1], -1 };
	assert_int_equal(proc_spawn(&spec, &p, &err), 0);
	assert_int_equal(proc_wait(&p, 10000, &status, &err), 1);
	assert_int_equal(read(b[0], text, sizeof(text)), 6);
	assert_memory_equal(text, "three\n", 6);
	close(a[1]);
	for (ssize_t n, at = 0; (n = read(a[0], text + at, sizeof(text) - (size_t)at - 1)) > 0;)
		text[at += n] = '\0';
	assert_string_equal(text, "four\nclosed\n");
	spec.argv = missing;
	assert_int_equal(proc_spawn(&spec, &p, &err), -ENOENT);
	close(a[0]);
	close(b[0]);
	close(b[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_output_and_status),
		cmocka_unit_test(test_missing_program),
		cmocka_unit_test(test_environment_and_cwd),
		cmocka_unit_test(test_input_larger_than_a_pipe),
		cmocka_unit_test(test_output_cap),
		cmocka_unit_test(test_output_callback),
		cmocka_unit_test(test_timeout_kills_grandchildren),
		cmocka_unit_test(test_end_of_the_leader_ends_its_group),
		cmocka_unit_test(test_proc_end_with_grace),
		cmocka_unit_test(test_proc_end_of_the_deaf),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_killed_parent_leaves_nothing),
		cmocka_unit_test(test_nothing_leaks_into_the_child),
		cmocka_unit_test(test_no_leaks_over_many_runs),
		cmocka_unit_test(test_the_program_has_no_foreign_child),
		cmocka_unit_test(test_check_quotes_the_output),
		cmocka_unit_test(test_more_descriptors),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
