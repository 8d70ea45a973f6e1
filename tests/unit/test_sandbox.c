/* SPDX-License-Identifier: MIT */
/* What a command in the sandbox cannot do. Skipped where the kernel allows no sandbox. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/cgroup.h"
#include "agent/sandbox.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/path.h"

static char *top, *source, *obj;
static struct buf said;
static volatile bool stop;

static void on_output(void *arg, const char *data, size_t len)
{
	(void)arg;
	buf_add(&said, data, len);
}

static bool cancelled(void *arg)
{
	(void)arg;
	return stop;
}

static int setup(void **state)
{
	char dir[] = "/tmp/faultline-sandbox-XXXXXX";
	CLEANUP(free_p) char *file = NULL;

	(void)state;
	top = xstrdup(mkdtemp(dir));
	source = xasprintf("%s/src", top);
	obj = xasprintf("%s/obj", top);
	file = xasprintf("%s/file", source);
	assert_int_equal(path_mkdirs(source, 0755, NULL), 0);
	assert_int_equal(path_mkdirs(obj, 0755, NULL), 0);
	assert_int_equal(path_write_atomic(file, "text\n", 5, 0644, NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	int r = path_remove_tree(top, NULL);

	(void)state;
	buf_free(&said);
	free(top);
	free(source);
	free(obj);
	return r;
}

static int need_sandbox(void **state)
{
	(void)state;
	buf_reset(&said);
	stop = false;
	return 0;
}

/* Runs a shell script inside; limits that are 0 are none. */
static int run_with(const char *script, struct sandbox_opts o, struct sandbox_end *end,
		    struct error *err)
{
	const struct sandbox_bind binds[] = { { source, "/faultline/src", false },
					      { obj, "/faultline/obj", true } };
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };

	if (sandbox_check(NULL) < 0)
		skip();
	o.argv = argv;
	o.binds = binds;
	o.n_binds = 2;
	o.cwd = "/faultline/src";
	o.on_output = on_output;
	o.cancelled = cancelled;
	if (!o.timeout_ms)
		o.timeout_ms = 30000;
	return sandbox_run(&o, end, err);
}

static int run(const char *script)
{
	struct sandbox_end end = { 0 };
	struct error err = ERROR_INIT;

	if (run_with(script, (struct sandbox_opts){ 0 }, &end, &err) < 0)
		fail_msg("%s", err.msg);
	return WIFEXITED(end.status) ? WEXITSTATUS(end.status) : -1;
}

static void test_reads_and_writes_what_it_may(void **state)
{
	CLEANUP(free_p) char *made = xasprintf("%s/made", obj);

	(void)state;
	assert_int_equal(run("cat file; echo x >/faultline/obj/made; echo t >/tmp/t; exit 3"), 3);
	assert_string_equal(buf_cstr(&said), "text\n");
	assert_true(path_exists(made));
}

static void test_source_is_read_only(void **state)
{
	(void)state;
	assert_int_not_equal(run("echo x >/faultline/src/file"), 0);
	assert_int_not_equal(run("rm /faultline/src/file"), 0);
	assert_int_not_equal(run("echo x >/usr/x"), 0);
	assert_int_not_equal(run("mkdir /x"), 0);
	assert_int_not_equal(run("mount -o remount,rw /faultline/src"), 0);
	assert_int_equal(run("cat /faultline/src/file"), 0);
}

static void test_host_is_out_of_sight(void **state)
{
	CLEANUP(free_p) char *script = xasprintf("ls %s", top);

	(void)state;
	assert_int_not_equal(run("cat /etc/shadow"), 0);
	assert_int_not_equal(run("cat /etc/passwd"), 0);
	assert_int_equal(
		run("for d in /root /home /var /run /sys /boot /etc/ssh /proc/1/root/home; do "
		    "[ ! -e $d ] || exit 1; done"),
		0);
	assert_int_not_equal(run(script), 0);
	buf_reset(&said);
	assert_int_equal(run("hostname; ls /; ls /proc | grep -c '^[0-9]'"), 0);
	assert_true(str_starts(buf_cstr(&said), "faultline\n"));
	assert_null(strstr(said.data, "root"));
}

static void test_no_network(void **state)
{
	(void)state;
	buf_reset(&said);
	assert_int_equal(run("cat /proc/net/dev | tail -n +3 | grep -v '^ *lo:' | wc -l"), 0);
	assert_string_equal(buf_cstr(&said), "0\n");
	assert_int_not_equal(run("exec 3<>/dev/tcp/127.0.0.1/80"), 0);
	assert_int_not_equal(run("bash -c 'exec 3<>/dev/tcp/1.1.1.1/80'"), 0);
}

static void test_environment_is_clean(void **state)
{
	const char *const env[] = { "GIVEN=1", NULL };
	struct sandbox_opts o = { .env = env };
	struct sandbox_end end = { 0 };
	struct error err = ERROR_INIT;

	(void)state;
	setenv("FAULTLINE_TOKEN", "secret", 1);
	assert_int_equal(run_with("env; cat /proc/1/environ", o, &end, &err), 0);
	unsetenv("FAULTLINE_TOKEN");
	assert_null(strstr(buf_cstr(&said), "secret"));
	assert_non_null(strstr(buf_cstr(&said), "GIVEN=1\n"));
}

static void test_no_privileges(void **state)
{
	(void)state;
	assert_int_equal(run("grep -h Cap /proc/self/status"), 0);
	assert_non_null(strstr(buf_cstr(&said), "CapEff:\t0000000000000000"));
	assert_non_null(strstr(buf_cstr(&said), "CapBnd:\t0000000000000000"));
	assert_int_not_equal(run("unshare -Ur true"), 0);
}

/* No process of the sandbox is there when the call is back: its marker is in their arguments. */
static bool still_running(const char *marker)
{
	CLEANUP(closedir_p) DIR *d = opendir("/proc");
	struct dirent *e;

	while (d && (e = readdir(d)) != NULL) {
		CLEANUP(free_p) char *path = xasprintf("/proc/%s/cmdline", e->d_name);
		CLEANUP(buf_free) struct buf b = BUF_INIT;

		if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && atoi(e->d_name) != getpid() &&
		    path_read(path, 1 << 20, &b, NULL) == 0 &&
		    memmem(b.data, b.len, marker, strlen(marker)))
			return true;
	}
	return false;
}

static void test_timeout_leaves_nothing(void **state)
{
	struct sandbox_opts o = { .timeout_ms = 500 };
	struct sandbox_end end = { 0 };
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(run_with("setsid sleep 4711.25 & sleep 4711.25", o, &end, &err),
			 -ETIMEDOUT);
	for (int i = 0; i < 100 && still_running("4711.25"); i++)
		usleep(10000);
	assert_false(still_running("4711.25"));
}

static void on_first_output(void *arg, const char *data, size_t len)
{
	(void)arg;
	(void)data;
	(void)len;
	stop = true;
}

static void test_cancel(void **state)
{
	const char *const argv[] = { "/bin/sh", "-c", "echo go; sleep 4712.25", NULL };
	struct sandbox_opts o = { .argv = argv,
				  .timeout_ms = 30000,
				  .on_output = on_first_output,
				  .cancelled = cancelled };
	struct sandbox_end end = { 0 };
	struct error err = ERROR_INIT;

	(void)state;
	if (sandbox_check(NULL) < 0)
		skip();
	assert_int_equal(sandbox_run(&o, &end, &err), -ECANCELED);
	for (int i = 0; i < 100 && still_running("4712.25"); i++)
		usleep(10000);
	assert_false(still_running("4712.25"));
}

static void test_endless_output(void **state)
{
	struct sandbox_opts o = { .output_max_bytes = 100000 };
	struct sandbox_end end = { 0 };
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(run_with("yes", o, &end, &err), -EFBIG);
	assert_int_equal(said.len, 100000);
}

static bool groups_work(void)
{
	struct cgroup c;
	bool both;

	cgroup_make(64 << 20, 30, &c);
	both = c.memory && c.tasks;
	cgroup_remove(&c);
	return both;
}

static void test_fork_bomb(void **state)
{
	struct sandbox_opts o = { .tasks = 40, .timeout_ms = 3000 };
	struct sandbox_end end = { 0 };
	struct error err = ERROR_INIT;
	int r;

	(void)state;
	if (!groups_work())
		skip();
	r = run_with("i=0; while [ $i -lt 200 ]; do sleep 4713.25 & i=$((i+1)); done; echo all", o,
		     &end, &err);
	assert_true(r == 0 || r == -ETIMEDOUT);
	assert_null(strstr(buf_cstr(&said), "all"));
	if (r == 0)
		assert_true(end.tasks_hit);
	assert_false(still_running("4713.25"));
}

static void test_memory_limit(void **state)
{
	struct sandbox_opts o = { .memory_bytes = 48 << 20 };
	struct sandbox_end end = { 0 };
	struct error err = ERROR_INIT;

	(void)state;
	if (!groups_work())
		skip();
	assert_int_equal(run_with("head -c 300m /dev/zero | tail -n 1 >/dev/null; exit 9", o, &end,
				  &err),
			 0);
	assert_true(end.memory_hit);
}

static void test_file_size_limit(void **state)
{
	struct sandbox_opts o = { .file_bytes = 1 << 20 };
	struct sandbox_end end = { 0 };
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(run_with("head -c 3m /dev/zero >/faultline/obj/big", o, &end, &err), 0);
	assert_int_not_equal(end.status, 0);
}

static void test_a_folder_that_is_missing(void **state)
{
	const struct sandbox_bind binds[] = { { "/nonexistent/x", "/faultline/src", false } };
	const char *const argv[] = { "true", NULL };
	struct sandbox_opts o = { .argv = argv, .binds = binds, .n_binds = 1 };
	struct sandbox_end end = { 0 };
	struct error err = ERROR_INIT;

	(void)state;
	if (sandbox_check(NULL) < 0)
		skip();
	assert_int_equal(sandbox_run(&o, &end, &err), -EIO);
	assert_non_null(strstr(err.msg, "/nonexistent/x"));
}

/* The group of an agent that is gone is emptied and removed; a living one's is not. */
static void test_leftover_group_is_removed(void **state)
{
	struct cgroup c;
	CLEANUP(free_p) char *parent = NULL;
	CLEANUP(free_p) char *stale = NULL;
	struct stat ns;

	(void)state;
	cgroup_make(64 << 20, 30, &c);
	if (!c.n)
		skip();
	parent = xstrndup(c.dirs[0], (size_t)(strrchr(c.dirs[0], '/') - c.dirs[0]));
	assert_int_equal(stat("/proc/self/ns/pid", &ns), 0);
	stale = xasprintf("%s/faultline-%llu-%d-1-0", parent, (unsigned long long)ns.st_ino,
			  (int)getpid());
	assert_int_equal(mkdir(stale, 0755), 0);
	cgroup_clean(parent);
	assert_false(path_exists(stale));
	assert_true(path_exists(c.dirs[0]));
	cgroup_remove(&c);
}

#define TEST(f) cmocka_unit_test_setup(f, need_sandbox)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reads_and_writes_what_it_may),
		TEST(test_source_is_read_only),
		TEST(test_host_is_out_of_sight),
		TEST(test_no_network),
		TEST(test_environment_is_clean),
		TEST(test_no_privileges),
		TEST(test_timeout_leaves_nothing),
		TEST(test_cancel),
		TEST(test_endless_output),
		TEST(test_fork_bomb),
		TEST(test_memory_limit),
		TEST(test_file_size_limit),
		TEST(test_a_folder_that_is_missing),
		TEST(test_leftover_group_is_removed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
