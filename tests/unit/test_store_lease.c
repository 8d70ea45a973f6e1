/* SPDX-License-Identifier: MIT */
#include "tests/unit/test_store.h"

#define T0 (INT64_C(1700000000) * US_PER_S)

static int expire_at(int64_t now_us)
{
	int n = 0;

	clock_fake(now_us);
	OK(store_expire(store, now_us, &n, &err));
	return n;
}

static enum lease beat(int64_t job, const char *lease, struct json_object *progress)
{
	enum lease ret;

	OK(store_heartbeat(store, job, lease, TTL_US, progress, &ret, &err));
	return ret;
}

static enum lease check(int64_t job, const char *lease, int64_t *ret_run)
{
	enum lease ret;

	OK(store_lease_check(store, job, lease, &ret, ret_run, &err));
	return ret;
}

static void test_heartbeat(void **state)
{
	CLEANUP(json_put_p) struct json_object *progress = json_object_new_object();
	CLEANUP(json_put_p) struct json_object *run = NULL;
	int64_t run_id = 0;
	struct job job;

	(void)state;
	clock_fake(T0);
	(void)submit(1, 1, make_plan(1, "cases"));
	job = must_claim("l1");
	assert_int_equal(expire_at(T0 + TTL_US), 0);
	json_object_object_add(progress, "phase", json_object_new_string("build"));
	assert_int_equal(beat(job.id, "l1", progress), LEASE_OK);
	assert_int_equal(beat(job.id, "other", NULL), LEASE_LOST);
	assert_int_equal(beat(job.id, "", NULL), LEASE_LOST);
	assert_int_equal(beat(job.id + 100, "l1", NULL), LEASE_UNKNOWN);
	assert_int_equal(expire_at(T0 + 2 * TTL_US), 0);
	assert_int_equal(check(job.id, "l1", &run_id), LEASE_OK);
	assert_int_equal(run_id, job.run_id);
	assert_int_equal(check(job.id, "l2", &run_id), LEASE_LOST);
	assert_int_equal(check(job.id + 100, "l1", &run_id), LEASE_UNKNOWN);
	/* A heartbeat without progress leaves what was said before. */
	assert_int_equal(beat(job.id, "l1", NULL), LEASE_OK);
	OK(view_run(store, job.run_id, &run, &err));
	assert_string_equal(str_at(run, "progress.phase"), "build");
	job_free(&job);
}

/* Expiry requeues; a requeued job has a new run; the late answer of the old lease is refused. */
static void test_stale(void **state)
{
	struct job first, second;
	int64_t run;

	(void)state;
	clock_fake(T0);
	(void)submit(1, 1, make_plan(1, "cases"));
	first = must_claim("l1");
	assert_int_equal(expire_at(T0 + TTL_US + 1), 1);
	assert_int_equal(expire_at(T0 + TTL_US + 1), 0);
	assert_int_equal(build_answer(first.id, "l1", STATUS_PASS, REASON_NONE), LEASE_LOST);
	second = must_claim("l2");
	assert_int_equal(second.id, first.id);
	assert_int_equal(second.attempt, 2);
	assert_true(second.run_id != first.run_id);
	assert_int_equal(beat(first.id, "l1", NULL), LEASE_LOST);
	assert_int_equal(check(first.id, "l1", &run), LEASE_LOST);
	assert_int_equal(build_answer(first.id, "l1", STATUS_FAIL, REASON_BUILD), LEASE_LOST);
	assert_int_equal(build_answer(first.id, "l2", STATUS_PASS, REASON_NONE), LEASE_OK);
	assert_int_equal(build_answer(first.id, "l2", STATUS_PASS, REASON_NONE), LEASE_OK);
	assert_int_equal(build_answer(first.id, "l1", STATUS_PASS, REASON_NONE), LEASE_LOST);
	assert_int_equal(build_answer(first.id, "l3", STATUS_PASS, REASON_NONE), LEASE_LOST);
	assert_int_equal(build_answer(999, "l2", STATUS_PASS, REASON_NONE), LEASE_UNKNOWN);
	job_free(&first);
	job_free(&second);
}

/* A test that nobody finishes: at the cap one MISS for each of its cases. */
static void test_cap_of_test(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL, *run = NULL;
	int64_t id, now = T0, run_id = 0;
	struct job job;

	(void)state;
	clock_fake(T0);
	id = submit(1, 1, make_plan(1, "cases"));
	job = must_claim("b");
	assert_int_equal(build_answer(job.id, "b", STATUS_PASS, REASON_NONE), LEASE_OK);
	job_free(&job);
	for (int i = 0; i < JOB_MAX_ATTEMPTS; i++) {
		assert_state(id, "planned");
		job = must_claim("t");
		assert_int_equal(job.attempt, i + 1);
		run_id = job.run_id;
		job_free(&job);
		now += 2 * TTL_US;
		assert_int_equal(expire_at(now), 1);
	}
	assert_state(id, "done");
	OK(view_run(store, run_id, &run, &err));
	assert_string_equal(str_at(run, "outcome"), "lost");
	assert_int_equal(len_at(run, "results"), 2);
	assert_string_equal(str_at(run, "results.1.status"), "MISS");
	assert_string_equal(str_at(run, "results.1.reason"), "lease");
	assert_string_equal(str_at(run, "results.1.case"), "split.munmap");
	OK(view_submission(store, id, &o, &err));
	assert_int_equal(int_at(o, "jobs.failed"), 1);
	assert_string_equal(str_at(o, "matrix.rows.0.cells.0.status"), "MISS");
	assert_int_equal(claim_as("agent1", "x", &job), CLAIM_NONE);
}

/* A build that nobody finishes: it ends MISS, and so do its tests. */
static void test_cap_of_build(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	int64_t id, now = T0;

	(void)state;
	clock_fake(T0);
	id = submit(1, 1, make_plan(1, "cases"));
	for (int i = 0; i < JOB_MAX_ATTEMPTS; i++) {
		struct job job = must_claim("b");

		job_free(&job);
		now += 2 * TTL_US;
		assert_int_equal(expire_at(now), 1);
	}
	assert_state(id, "done");
	OK(view_submission(store, id, &o, &err));
	assert_int_equal(int_at(o, "jobs.failed"), 2);
	assert_string_equal(str_at(o, "matrix.rows.0.build.status"), "MISS");
	assert_string_equal(str_at(o, "matrix.rows.0.cells.1.status"), "MISS");
	assert_int_equal(int_at(o, "summary.MISS"), 3); /* the build and two cases */
	assert_string_equal(str_at(o, "status"), "MISS");
}

static void test_release(void **state)
{
	struct job job;
	enum lease lease;

	(void)state;
	(void)submit(1, 1, make_plan(1, "cases"));
	for (int i = 0; i < 2 * JOB_MAX_ATTEMPTS; i++) {
		char name[8];

		snprintf(name, sizeof(name), "l%d", i);
		job = must_claim(name);
		assert_int_equal(job.attempt, 1);
		OK(store_release(store, job.id, "no", &lease, &err));
		assert_int_equal(lease, LEASE_LOST);
		OK(store_release(store, job.id, name, &lease, &err));
		assert_int_equal(lease, LEASE_OK);
		OK(store_release(store, job.id, name, &lease, &err));
		assert_int_equal(lease, LEASE_OK);
		assert_int_equal(build_answer(job.id, name, STATUS_PASS, REASON_NONE), LEASE_LOST);
		job_free(&job);
	}
	OK(store_release(store, 999, "l", &lease, &err));
	assert_int_equal(lease, LEASE_UNKNOWN);
}

static void test_log_size(void **state)
{
	CLEANUP(json_put_p) struct json_object *run = NULL;
	struct job job;

	(void)state;
	(void)submit(1, 1, make_plan(1, "cases"));
	job = must_claim("l1");
	OK(store_log_size(store, job.run_id, 4096, &err));
	OK(store_log_size(store, job.run_id, 100, &err)); /* acknowledged bytes never get fewer */
	OK(view_run(store, job.run_id, &run, &err));
	assert_int_equal(int_at(run, "log_size"), 4096);
	assert_int_equal(store_log_size(store, 999, 1, &err), -ENOENT);
	job_free(&job);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_heartbeat, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stale, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cap_of_test, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cap_of_build, setup, teardown),
		cmocka_unit_test_setup_teardown(test_release, setup, teardown),
		cmocka_unit_test_setup_teardown(test_log_size, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
