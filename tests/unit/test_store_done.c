/* SPDX-License-Identifier: MIT */
#include "tests/unit/test_store.h"

static struct job built(const char *lease)
{
	struct job job = must_claim("b");

	assert_int_equal(job.kind, JOB_BUILD);
	assert_int_equal(build_answer(job.id, "b", STATUS_PASS, REASON_NONE), LEASE_OK);
	job_free(&job);
	return must_claim(lease);
}

static int64_t results_total(void)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;

	OK(view_stats(store, &o, &err));
	return int_at(o, "results.PASS") + int_at(o, "results.FAIL") + int_at(o, "results.MISS") +
	       int_at(o, "results.ERROR");
}

static void test_idempotent(void **state)
{
	static const enum status one[] = { STATUS_FAIL, STATUS_COUNT };
	int64_t id = submit(1, 1, make_plan(1, "cases"));
	struct job job = built("t");

	(void)state;
	assert_int_equal(test_answer(job.id, "t", all_pass), LEASE_OK);
	assert_state(id, "done");
	/* Again, even with other words: nothing changes. */
	assert_int_equal(test_answer(job.id, "t", all_pass), LEASE_OK);
	assert_int_equal(test_answer(job.id, "t", one), LEASE_OK);
	assert_int_equal(test_answer(job.id, "x", one), LEASE_LOST);
	assert_int_equal(test_answer(999, "t", one), LEASE_UNKNOWN);
	assert_int_equal(results_total(), 2);
	job_free(&job);
}

static void test_build_fails(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL, *build = NULL;
	char *errors[] = { (char *)"mm/rmap.c:1: 'THP_\xff' undeclared" };
	struct build_result b = { .status = STATUS_FAIL,
				  .reason = REASON_BUILD,
				  .detail = (char *)"does not compile",
				  .errors = errors,
				  .n_errors = 1 };
	int64_t id = submit(1, 2, make_plan(1, "cases"));
	enum lease lease;
	struct job job;

	(void)state;
	job = must_claim("base");
	assert_int_equal(build_answer(job.id, "base", STATUS_PASS, REASON_NONE), LEASE_OK);
	job_free(&job);
	job = must_claim("t"); /* the base's test goes before the head's build */
	assert_int_equal(job.kind, JOB_TEST);
	assert_int_equal(test_answer(job.id, "t", all_pass), LEASE_OK);
	job_free(&job);
	job = must_claim("head");
	OK(store_build_done(store, job.id, "head", &b, &lease, &err));
	assert_int_equal(lease, LEASE_OK);
	assert_state(id, "done");
	OK(view_submission(store, id, &o, &err));
	assert_int_equal(int_at(o, "jobs.cancelled"), 1);
	assert_int_equal(int_at(o, "jobs.done"), 3);
	assert_string_equal(str_at(o, "status"), "FAIL");
	assert_int_equal(int_at(o, "summary.FAIL"), 1);
	assert_int_equal(int_at(o, "summary.PASS"), 0); /* the base does not count */
	assert_string_equal(str_at(o, "matrix.rows.0.build.status"), "FAIL");
	assert_null(at(o, "matrix.rows.0.cells.0"));
	assert_string_equal(str_at(o, "commits.0.status"), "FAIL");
	assert_string_equal(str_at(o, "commits.1.status"), "PASS");
	OK(view_build(store, 2, &build, &err));
	assert_string_equal(str_at(build, "errors.0"),
			    "mm/rmap.c:1: 'THP_\xef\xbf\xbd' undeclared");
	job_free(&job);
	/* Somebody else wants the same commit tested: nothing left to do. */
	assert_state(submit(2, 1, make_plan(1, "other")), "done");
}

/* A build that made no image though a test waits for one must not look as if all was well. */
static void test_no_image(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct build_result b = { .status = STATUS_PASS };
	int64_t id = submit(1, 1, make_plan(1, "cases"));
	struct job job = must_claim("b");
	enum lease lease;

	(void)state;
	OK(store_build_done(store, job.id, "b", &b, &lease, &err));
	OK(view_submission(store, id, &o, &err));
	assert_string_equal(str_at(o, "state"), "done");
	assert_string_equal(str_at(o, "status"), "ERROR");
	job_free(&job);
}

/* A plan that only builds. */
static void test_build_only(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct plan p = *make_plan(2, "cases");
	int64_t id;

	(void)state;
	p.configs = &configs[1];
	p.n_configs = 1;
	id = submit(1, 1, &p);
	assert_int_equal(drain(all_pass), 1);
	OK(view_submission(store, id, &o, &err));
	assert_string_equal(str_at(o, "state"), "done");
	assert_string_equal(str_at(o, "status"), "PASS");
	assert_string_equal(str_at(o, "commits.0.status"), "PASS");
	assert_null(at(o, "matrix.rows.0.test"));
}

/* MISS by the agent's own word: again, up to the cap. */
static void test_missed(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	int64_t id = submit(1, 1, make_plan(1, "cases"));
	struct job job = built("t1");
	enum lease lease;

	(void)state;
	OK(store_test_done(store, job.id, "t1", NULL, REASON_QEMU, "no qemu", &lease, &err));
	assert_int_equal(lease, LEASE_OK);
	OK(store_test_done(store, job.id, "t1", NULL, REASON_QEMU, "no qemu", &lease, &err));
	assert_int_equal(lease, LEASE_OK); /* the same answer again */
	assert_int_equal(results_total(), 0);
	job_free(&job);
	job = must_claim("t2");
	assert_int_equal(job.attempt, 2);
	OK(store_test_done(store, job.id, "t2", NULL, REASON_QEMU, "no qemu", &lease, &err));
	job_free(&job);
	job = must_claim("t3");
	OK(store_test_done(store, job.id, "t3", NULL, REASON_DISK, "disk \xff full", &lease, &err));
	job_free(&job);
	assert_state(id, "done");
	assert_int_equal(results_total(), 2);
	OK(view_submission(store, id, &o, &err));
	assert_string_equal(str_at(o, "matrix.rows.0.cells.0.reason"), "disk");
}

static void test_refused(void **state)
{
	struct build_result b = { .status = STATUS_SKIP };
	struct result_doc empty = { 0 };
	enum lease lease = LEASE_LOST;
	struct job job;

	(void)state;
	(void)submit(1, 1, make_plan(1, "cases"));
	job = must_claim("b");
	assert_int_equal(store_build_done(store, job.id, "b", &b, &lease, &err), -EINVAL);
	assert_int_equal(store_test_done(store, job.id, "b", &empty, 0, NULL, &lease, &err),
			 -EINVAL);
	assert_int_equal(store_test_done(store, job.id, "b", NULL, REASON_BUG, "", &lease, &err),
			 -EINVAL);
	/* The wrong kind of answer. */
	assert_int_equal(store_test_done(store, job.id, "b", NULL, REASON_QEMU, "", &lease, &err),
			 -EINVAL);
	assert_int_equal(lease, LEASE_LOST);
	assert_int_equal(build_answer(job.id, "b", STATUS_PASS, REASON_NONE), LEASE_OK);
	job_free(&job);
}

/* The worst result makes the cell; of equals the first. */
static void test_cells(void **state)
{
	static const enum status mixed[] = { STATUS_PASS, STATUS_SKIP, STATUS_FAIL,
					     STATUS_DONE, STATUS_FAIL, STATUS_COUNT };
	CLEANUP(json_put_p) struct json_object *o = NULL, *run = NULL;
	int64_t id = submit(1, 1, make_plan(1, "cases"));

	(void)state;
	assert_int_equal(drain(mixed), 2);
	OK(view_submission(store, id, &o, &err));
	assert_string_equal(str_at(o, "matrix.cases.0"), "split.mprotect");
	assert_string_equal(str_at(o, "matrix.rows.0.cells.0.status"), "FAIL");
	assert_string_equal(str_at(o, "matrix.rows.0.cells.0.reason"), "bug");
	assert_int_equal(int_at(o, "matrix.rows.0.cells.0.injected"), 3);
	assert_int_equal(int_at(o, "matrix.rows.0.cells.0.result"), 3);
	assert_string_equal(str_at(o, "matrix.rows.0.cells.1.status"), "DONE");
	assert_int_equal(int_at(o, "summary.FAIL"), 2);
	OK(view_run(store, int_at(o, "matrix.rows.0.run"), &run, &err));
	assert_string_equal(str_at(run, "status"), "FAIL");
	assert_string_equal(str_at(run, "kernel.release"), "6.12.117");
	assert_int_equal(len_at(run, "results"), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_idempotent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_build_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_image, setup, teardown),
		cmocka_unit_test_setup_teardown(test_build_only, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cells, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
