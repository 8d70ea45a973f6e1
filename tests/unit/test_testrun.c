/* SPDX-License-Identifier: MIT */
/* testrun_run() against machines that misbehave in every way we know. */
#include "tests/unit/test_testrun.h"

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
	/* the 10 s that the scenario has, and the grace */
	assert_true(p.took_ms >= 10000 && p.took_ms < 15000);
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
	struct play p = { .r = -1,
			  .boot_ms = 60000,
			  .cancel_at_us = clock_real_mono_us() + 200 * US_PER_MS };

	(void)state;
	play_at(&p, "hang", "split.mlock/none split.munmap/none", 2);
	assert_int_equal(p.r, -ECANCELED);
	assert_true(p.took_ms < 3000);
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
		cmocka_unit_test(unknown_scenario),
		cmocka_unit_test(nothing_can_run),
	};

	return play_main(argc, argv, "testrun", tests, ARRAY_SIZE(tests));
}
