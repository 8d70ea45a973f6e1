/* SPDX-License-Identifier: MIT */
/*
 * testrun_run() against machines that misbehave in every way we know. This program is its own
 * QEMU: called with QEMU's arguments it plays a script (tests/integration/fake_qemu.c).
 */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <dirent.h>
#include <errno.h>
#include <sys/wait.h>

#include "agent/engine.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/path.h"

int fake_qemu_main(int argc, char **argv);
#define main fake_qemu_main
#include "tests/integration/fake_qemu.c"
#undef main

#define MAX_CASES 80

static char work[256];
/* Of the machines of the next plays. */
static enum isolation isolation = ISOLATION_SHARED;

struct play {
	struct result_doc doc;
	struct buf log;
	int n_results; /* that on_result saw */
	int64_t cancel_at_us;
	int64_t took_ms;
	bool keep;
	int r;
	struct error err;
};

static void on_log(void *arg, const char *data, size_t len)
{
	buf_add(&((struct play *)arg)->log, data, len);
}

static bool on_cancelled(void *arg)
{
	const struct play *p = arg;

	return p->cancel_at_us && clock_real_mono_us() > p->cancel_at_us;
}

static void on_result(void *arg, const struct result *r)
{
	(void)r;
	((struct play *)arg)->n_results++;
}

/* "split.mprotect/sweep split.munmap/none" */
static size_t parse_cases(const char *text, struct plan_case *cases)
{
	CLEANUP(free_p) char *copy = xstrdup(text);
	char *save = NULL;
	size_t n = 0;

	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		char *fault = strchr(w, '/');
		struct error err = ERROR_INIT;

		assert_non_null(fault);
		*fault++ = '\0';
		assert_true(n < MAX_CASES);
		cases[n].scenario = xstrdup(w);
		cases[n].repeat = 1;
		assert_int_equal(fault_from_text(fault, &cases[n].fault, &err), 0);
		n++;
	}
	return n;
}

/* Nothing of ours runs, and of files only the cache and the script are there. */
static void check_clean(void)
{
	DIR *d = opendir(work);

	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));)
		assert_true(e->d_name[0] == '.' || strcmp(e->d_name, "cache") == 0 ||
			    strncmp(e->d_name, "script", 6) == 0);
	closedir(d);
}

static void play_at(struct play *p, const char *script, const char *text, int jobs)
{
	static int number;
	struct plan_case cases[MAX_CASES] = { 0 };
	CLEANUP(free_p) char *kernel = xasprintf("%s/script%d", work, number++);
	CLEANUP(free_p) char *full = xasprintf("#fake\n%s\n", script);
	struct engine_watch watch = { .log = on_log, .cancelled = on_cancelled, .arg = p };
	struct testrun_opts o = { .kernel = kernel,
				  .cases = cases,
				  .machine = { 2, 512 },
				  .accel = ACCEL_TCG,
				  .isolation = isolation,
				  .jobs = jobs,
				  .work = work,
				  .boot_timeout_ms = 700,
				  .grace_ms = 300,
				  .watch = &watch,
				  .on_result = on_result,
				  .arg = p,
				  .keep = p->keep };
	int64_t start = clock_real_mono_us();

	assert_int_equal(path_write_atomic(kernel, full, strlen(full), 0644, NULL), 0);
	o.n_cases = parse_cases(text, cases);
	p->r = testrun_run(&o, &p->doc, &p->err);
	p->took_ms = (clock_real_mono_us() - start) / US_PER_MS;
	for (size_t i = 0; i < o.n_cases; i++)
		free(cases[i].scenario);
	if (!p->keep)
		check_clean();
}

static void play(struct play *p, const char *script, const char *text)
{
	*p = (struct play){ .r = -1 };
	play_at(p, script, text, 1);
	if (p->r < 0)
		fail_msg("%s", p->err.msg);
	assert_int_equal(p->n_results, p->doc.n_results);
}

static void play_free(struct play *p)
{
	result_doc_free(&p->doc);
	buf_free(&p->log);
}

/* "FAIL bug", for result i. */
static void expect(const struct play *p, size_t i, const char *verdict)
{
	const struct result *r = &p->doc.results[i];
	char got[100], title[100];

	assert_true(i < p->doc.n_results);
	result_title(r, title, sizeof(title));
	snprintf(got, sizeof(got), "%s%s%s", status_name(r->status), r->reason ? " " : "",
		 reason_name(r->reason));
	if (strcmp(got, verdict) != 0)
		fail_msg("%s: %s where %s was due: %s", title, got, verdict,
			 r->detail ? r->detail : "");
}

/* Plays a script for which every case has the same verdict after so many boots. */
static void expect_all(const char *script, const char *cases, const char *verdict, int boots)
{
	struct play p;

	play(&p, script, cases);
	for (size_t i = 0; i < p.doc.n_results; i++)
		expect(&p, i, verdict);
	assert_int_equal(p.doc.machine.boots, boots);
	play_free(&p);
}

static void good_kernel(void **state)
{
	struct play p;
	const struct result *r;

	(void)state;
	play(&p, "console Linux version 6.12\nready\nserve 2",
	     "split.mprotect/none split.mprotect/sweep split.munmap/mode=nth,nth=2 split.mlock/burst");
	assert_int_equal(p.doc.n_results, 6);
	for (size_t i = 0; i < 6; i++)
		expect(&p, i, "PASS");
	assert_int_equal(p.doc.machine.boots, 1);
	assert_string_equal(p.doc.kernel.release, "6.12.0-fake");
	assert_string_equal(p.doc.machine.qemu, "7.2.99");
	assert_string_equal(p.doc.machine.accel, "tcg");
	r = &p.doc.results[2];
	assert_int_equal(r->fault.nth, 2);
	assert_int_equal(r->injected_on, 1);
	assert_string_equal(r->stacks[0].frames[0], "pte_alloc_one");
	assert_non_null(strstr(r->repro, "mode=nth,nth=2"));
	assert_memory_equal(p.log.data + r->console_offset, "[    1.000000] faultline: begin id=2",
			    36);
	assert_true(p.doc.results[3].closing);
	assert_int_equal(p.doc.results[3].points, 2);
	play_free(&p);
}

static void crash_in_a_sweep(void **state)
{
	struct play p;

	(void)state;
	play(&p, "ready\ndie split.mprotect 2 __split_huge_pmd_locked\nserve 3",
	     "split.mlock/none split.mprotect/sweep split.munmap/burst");
	assert_int_equal(p.doc.n_results, 6);
	expect(&p, 0, "PASS");
	expect(&p, 1, "PASS");
	expect(&p, 2, "FAIL bug");
	expect(&p, 3, "PASS");
	expect(&p, 4, "FAIL bug");
	expect(&p, 5, "PASS");
	assert_string_equal(p.doc.results[2].splat.title, "kernel BUG in __split_huge_pmd_locked");
	assert_int_equal(p.doc.results[2].injected_on, 1);
	assert_memory_equal(p.log.data + p.doc.results[2].splat.console_offset,
			    "[    1.500000] kernel BUG at", 28);
	assert_int_equal(p.doc.machine.boots, 2);
	play_free(&p);
}

static void crash_in_every_point(void **state)
{
	struct play p;

	(void)state;
	play(&p, "ready\ndie split.mprotect 0 split_vma\nserve 1",
	     "split.mprotect/burst split.mprotect/none split.munmap/none");
	expect(&p, 0, "FAIL bug");
	expect(&p, 1, "FAIL bug");
	expect(&p, 2, "PASS");
	assert_int_equal(p.doc.machine.boots, 3);
	play_free(&p);
}

static void predeposit(void **state)
{
	(void)state;
	expect_all("ready\nskip\nserve 1", "split.mprotect/sweep split.munmap/burst",
		   "SKIP predeposit", 1);
}

static void boots_that_fail(void **state)
{
	(void)state;
	expect_all("hang", "split.mprotect/sweep split.munmap/none", "MISS boot_host", 2);
	expect_all("console Linux version 6.12\nhang", "split.mprotect/none", "MISS boot_host", 2);
	expect_all("console Linux version 6.12\ncrash", "split.mprotect/none", "MISS boot_host", 2);
	expect_all("exit 1", "split.mprotect/sweep split.mlock/none", "MISS qemu", 2);
	expect_all("panic start_kernel", "split.mprotect/sweep split.mlock/none", "FAIL bug", 2);
	expect_all("record what is this\nhang", "split.mlock/none", "ERROR harness", 2);
	expect_all("once f hang\nready\nserve 1", "split.mlock/none", "PASS", 2);
}

static void machine_that_hangs(void **state)
{
	struct play p;

	(void)state;
	play(&p,
	     "ready\nawait\nrecord KTAP version 1\nrecord 1..1\n"
	     "record # faultline {\"type\":\"begin\",\"id\":1,\"nth\":0}\n"
	     "console faultline: begin id=1 nth=0\nconsole faultline: armed id=1 nth=0\nhang",
	     "split.mprotect/burst");
	expect(&p, 0, "FAIL hang");
	assert_true(p.took_ms < 15000);
	play_free(&p);
}

static void machine_that_floods(void **state)
{
	expect_all(
		"ready\nawait\nrecord KTAP version 1\nrecord 1..1\n"
		"record # faultline {\"type\":\"begin\",\"id\":1,\"nth\":0}\n"
		"console faultline: begin id=1 nth=0\nconsole faultline: armed id=1 nth=0\nflood",
		"split.mprotect/burst", "FAIL livelock", 1);
	(void)state;
}

static void records_that_lie(void **state)
{
	(void)state;
	expect_all("ready\nawait\nrecord \x01garbage\nhang", "split.mlock/none", "ERROR truncated",
		   2);
	expect_all("ready\nawait\nrecord KTAP version 1\nrecord 1..2\nhang", "split.mlock/none",
		   "ERROR truncated", 2);
	expect_all("ready\nawait\nrecord KTAP version 1\nrecord 1..1\n"
		   "record # faultline {\"type\":\"end\"}\nhang",
		   "split.mlock/none", "ERROR truncated", 2);
	expect_all(
		"ready\nawait\nrecord KTAP version 1\nrecord 1..1\nrecord ok 1 split.mlock\nhang",
		"split.mlock/none", "ERROR truncated", 2);
}

static void unkillable_task(void **state)
{
	struct play p;

	(void)state;
	play(&p, "ready\nstuck split.munmap\nserve 1",
	     "split.mprotect/none split.munmap/burst split.mlock/none");
	expect(&p, 0, "PASS");
	expect(&p, 1, "FAIL unkillable");
	expect(&p, 2, "PASS");
	assert_int_equal(p.doc.machine.boots, 2);
	play_free(&p);
}

static void qemu_is_killed(void **state)
{
	(void)state;
	expect_all("ready\nonce f killin split.munmap\nserve 1",
		   "split.mprotect/none split.munmap/none split.mlock/none", "PASS", 2);
	expect_all("ready\nkillin split.munmap\nserve 1", "split.munmap/none", "MISS qemu", 2);
}

static void crash_in_calibration(void **state)
{
	struct play p;

	(void)state;
	play(&p, "ready\nawait\npanic __split_huge_pmd", "split.munmap/none");
	expect(&p, 0, "FAIL bug");
	assert_int_equal(p.doc.machine.boots, 2);
	play_free(&p);
}

static void many_cases_in_order(void **state)
{
	struct buf cases = BUF_INIT;
	struct play p = { .r = -1 };

	(void)state;
	for (int i = 0; i < MAX_CASES; i++)
		buf_str(&cases, i % 2 ? "split.mlock/none " : "split.munmap/mode=nth,nth=7 ");
	play_at(&p, "ready\nserve 1", buf_cstr(&cases), 2);
	assert_int_equal(p.r, 0);
	assert_int_equal(p.doc.n_results, MAX_CASES);
	for (size_t i = 0; i < MAX_CASES; i++) {
		expect(&p, i, "PASS");
		assert_string_equal(p.doc.results[i].scenario,
				    i % 2 ? "split.mlock" : "split.munmap");
	}
	assert_true(p.doc.machine.boots <= 2);
	buf_free(&cases);
	play_free(&p);
}

static void cancelled(void **state)
{
	struct play p = { .r = -1, .cancel_at_us = clock_real_mono_us() + 200 * US_PER_MS };

	(void)state;
	play_at(&p, "hang", "split.mlock/none split.munmap/none", 2);
	assert_int_equal(p.r, -ECANCELED);
	assert_true(p.took_ms < 650);
	play_free(&p);
}

/* Only with `keep` anything is left: the consoles. */
static void keeps_the_consoles(void **state)
{
	struct play p = { .r = -1, .keep = true };
	CLEANUP(buf_free) struct buf log = BUF_INIT;
	CLEANUP(free_p) char *path = NULL;
	CLEANUP(free_p) char *dir = NULL;
	DIR *d;

	(void)state;
	play_at(&p, "ready\nserve 1", "split.mlock/sweep", 1);
	assert_int_equal(p.r, 0);
	d = opendir(work);
	for (struct dirent *e; (e = readdir(d));)
		if (strncmp(e->d_name, "run-", 4) == 0)
			dir = xasprintf("%s/%s", work, e->d_name);
	closedir(d);
	assert_non_null(dir);
	path = xasprintf("%s/console.log", dir);
	assert_int_equal(path_read(path, 1 << 20, &log, NULL), 0);
	assert_string_equal(buf_cstr(&log), buf_cstr(&p.log));
	assert_int_equal(path_remove_tree(dir, NULL), 0);
	play_free(&p);
}

/* The same script and cases in every isolation: the same verdicts, points and injections. */
static void same_verdicts(void **state)
{
	static const char script[] = "snapshots\nready\ndie split.mprotect 2 split_vma\n"
				     "stuck split.mlock\nserve 3";
	static const char cases[] = "split.mprotect/sweep split.munmap/sweep split.mlock/burst "
				    "split.mremap/none split.mremap/mode=nth,nth=2";
	struct play p[3];

	(void)state;
	for (enum isolation i = ISOLATION_SNAPSHOT; i <= ISOLATION_SHARED; i++) {
		isolation = i;
		play(&p[i], script, cases);
		assert_string_equal(p[i].doc.machine.isolation, isolation_name(i));
	}
	/* each point of the sweeps with its end, and the others */
	assert_int_equal(p[ISOLATION_SNAPSHOT].doc.machine.restores, 4 + 4 + 3);
	assert_int_equal(p[ISOLATION_SNAPSHOT].doc.machine.boots, 1);
	assert_true(p[ISOLATION_SNAPSHOT].doc.machine.result_us > 0);
	assert_int_equal(p[ISOLATION_COLD].doc.machine.boots, 4 + 4 + 3);
	assert_int_equal(p[ISOLATION_SHARED].doc.machine.boots, 3);
	assert_int_equal(p[0].doc.n_results, 4 + 4 + 3);
	for (enum isolation i = ISOLATION_COLD; i <= ISOLATION_SHARED; i++) {
		assert_int_equal(p[i].doc.n_results, p[0].doc.n_results);
		for (size_t k = 0; k < p[0].doc.n_results; k++) {
			const struct result *a = &p[0].doc.results[k], *b = &p[i].doc.results[k];

			assert_string_equal(a->scenario, b->scenario);
			assert_int_equal(a->fault.nth, b->fault.nth);
			assert_int_equal(a->status, b->status);
			assert_int_equal(a->reason, b->reason);
			assert_int_equal(a->injected_on, b->injected_on);
			assert_int_equal(a->points, b->points);
		}
	}
	for (int i = 0; i < 3; i++)
		play_free(&p[i]);
}

/* Plays in snapshot isolation; the verdict and what it took. */
static void expect_restored(const char *script, const char *verdict, const char *really, int boots,
			    int restores)
{
	struct play p;

	isolation = ISOLATION_SNAPSHOT;
	play(&p, script, "split.mprotect/none");
	expect(&p, 0, verdict);
	assert_string_equal(p.doc.machine.isolation, really);
	assert_int_equal(p.doc.machine.boots, boots);
	assert_int_equal(p.doc.machine.restores, restores);
	if (strcmp(really, "shared") == 0)
		assert_non_null(strstr(p.log.data, "--- no snapshots, machines are shared: "));
	play_free(&p);
}

static void snapshots_that_fail(void **state)
{
	(void)state;
	/* no monitor at all: one machine for that knowledge */
	expect_restored("ready\nserve 1", "PASS", "shared", 2, 0);
	/* two snapshots that are good for nothing, each tried twice */
	expect_restored("snapshots\nready\nrestored exit 1\nserve 1", "PASS", "shared", 3, 4);
	/* the host had a bad moment */
	expect_restored("snapshots\nready\nrestored once f kill\nserve 1", "PASS", "snapshot", 1,
			2);
	/* the kernel does not survive a calibration: no word about snapshots, one about it */
	expect_restored("snapshots\nready\nawait\nrecord KTAP version 1\nrecord 1..1\n"
			"panic __split_huge_pmd",
			"FAIL bug", "snapshot", 1, 2);
}

static void unknown_scenario(void **state)
{
	(void)state;
	expect_all("ready\nserve 1", "split.nosuch/none", "ERROR harness", 0);
}

static void nothing_can_run(void **state)
{
	struct plan_case c = { .scenario = (char[]){ "split.mlock" }, .repeat = 1 };
	struct testrun_opts o = { .kernel = "/nonexistent",
				  .cases = &c,
				  .n_cases = 1,
				  .machine = { 1, 128 },
				  .accel = ACCEL_TCG,
				  .work = work };
	struct result_doc doc;
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(testrun_run(&o, &doc, &err), -ENOENT);
	o.n_cases = 0;
	assert_int_equal(testrun_run(&o, &doc, &err), -EINVAL);
}

static int setup(void **state)
{
	CLEANUP(free_p) char *guest = NULL;
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(work, sizeof(work), "%s/testrun-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(work))
		return -1;
	guest = xasprintf("%s/script-guest", work);
	setenv("FAULTLINE_GUEST", guest, 1);
	setenv("FAULTLINE_QEMU", "/proc/self/exe", 1);
	return path_write_atomic(guest, "guest", 5, 0755, NULL);
}

static int teardown(void **state)
{
	(void)state;
	return path_remove_tree(work, NULL);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_kernel),
		cmocka_unit_test(crash_in_a_sweep),
		cmocka_unit_test(crash_in_every_point),
		cmocka_unit_test(predeposit),
		cmocka_unit_test(boots_that_fail),
		cmocka_unit_test(machine_that_hangs),
		cmocka_unit_test(machine_that_floods),
		cmocka_unit_test(records_that_lie),
		cmocka_unit_test(unkillable_task),
		cmocka_unit_test(qemu_is_killed),
		cmocka_unit_test(crash_in_calibration),
		cmocka_unit_test(many_cases_in_order),
		cmocka_unit_test(cancelled),
		cmocka_unit_test(keeps_the_consoles),
		cmocka_unit_test(same_verdicts),
		cmocka_unit_test(snapshots_that_fail),
		cmocka_unit_test(unknown_scenario),
		cmocka_unit_test(nothing_can_run),
	};

	if (argc > 1 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-M") == 0))
		return fake_qemu_main(argc, argv);
	return cmocka_run_group_tests_name("testrun", tests, setup, teardown);
}
