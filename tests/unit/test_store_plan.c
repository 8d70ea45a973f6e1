/* SPDX-License-Identifier: MIT */
#include "tests/unit/test_store.h"

static void test_counts(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	int64_t id = submit(1, 3, make_plan(2, "cases"));

	(void)state;
	OK(view_submission(store, id, &o, &err));
	assert_string_equal(str_at(o, "state"), "planned");
	assert_string_equal(str_at(o, "base_sha"), sha(1));
	assert_string_equal(str_at(o, "head_sha"), sha(3));
	assert_int_equal(int_at(o, "jobs.queued"), 6); /* 3 commits × 2 configurations */
	assert_int_equal(int_at(o, "jobs.waiting"), 3); /* tests of "default" */
	assert_int_equal(len_at(o, "commits"), 3);
	assert_string_equal(str_at(o, "commits.0.sha"), sha(3));
	assert_int_equal(len_at(o, "matrix.rows"), 6);
	assert_int_equal(len_at(o, "matrix.cases"), 2);
	assert_int_equal(len_at(o, "matrix.rows.0.cells"), 2);
}

static void test_planned_once(void **state)
{
	int64_t id = submit(1, 1, make_plan(1, "cases"));
	struct commit_info c = make_commit(2);

	(void)state;
	assert_int_equal(store_submission_plan(store, id, &c, 1, &plan, &err), -ENOENT);
	assert_int_equal(store_submission_plan(store, 99, &c, 1, &plan, &err), -ENOENT);
	assert_int_equal(store_submission_plan(store, id, &c, 0, &plan, &err), -EINVAL);
}

/* Nothing is built twice: not for a second submission, not for a commit with the same tree. */
static void test_shared(void **state)
{
	CLEANUP(json_put_p) struct json_object *stats = NULL;
	int64_t a = submit(1, 3, make_plan(1, "cases"));
	int64_t b = submit(2, 3, make_plan(1, "cases"));
	struct commit_info same[2] = { make_commit(3), make_commit(40) };
	int64_t c;

	(void)state;
	same[1].tree = same[0].tree;
	OK(store_submission_add(store, repo, "revert", NULL, "thp-split", 0, &c, &err));
	OK(store_submission_plan(store, c, same, 2, &plan, &err));
	OK(view_stats(store, &stats, &err));
	assert_int_equal(int_at(stats, "builds"), 4);
	assert_int_equal(drain(all_pass), 8);
	assert_state(a, "done");
	assert_state(b, "done");
	assert_state(c, "done");
	/* Everything there already: done at once. */
	assert_state(submit(1, 4, make_plan(1, "cases")), "done");
	/* Other cases on the same kernels: tests only. */
	(void)submit(1, 4, make_plan(1, "other"));
	assert_int_equal(drain(all_pass), 4);
}

static void test_order(void **state)
{
	int want[] = { 1, 4, 2, 3, 11, 12 };
	char lease[8];

	(void)state;
	(void)submit(1, 4, make_plan(1, "cases"));
	(void)submit(11, 2, make_plan(1, "cases"));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		struct job job;

		snprintf(lease, sizeof(lease), "l%zu", i);
		job = must_claim(lease);
		assert_int_equal(job.kind, JOB_BUILD);
		assert_string_equal(job.commit, sha(want[i]));
		job_free(&job);
	}
}

static void test_job_document(void **state)
{
	struct job job;

	(void)state;
	(void)submit(1, 1, make_plan(1, "cases"));
	job = must_claim("l1");
	assert_string_equal(job.git_path, "/git/demo.git");
	assert_string_equal(job.tree, sha(20001));
	assert_string_equal(job.config.name, "default");
	assert_int_equal(job.config.n_fragments, 1);
	assert_string_equal(job.config.fragments[0].text, "CONFIG_SMP=y\n");
	assert_int_equal(job.attempt, 1);
	assert_int_equal(job.n_cases, 0);
	job_free(&job);
}

static void test_test_document(void **state)
{
	const char *hash = "0123456789012345678901234567890123456789012345678901234567890123";
	struct artifact_row a;
	struct job job;
	enum lease lease;

	(void)state;
	(void)submit(1, 1, make_plan(1, "cases"));
	job = must_claim("l1");
	OK(store_artifact_add(store, job.id, "l1", "bzImage", hash, 10, &lease, &err));
	assert_int_equal(lease, LEASE_OK);
	OK(store_artifact_add(store, job.id, "no", "bzImage", hash, 11, &lease, &err));
	assert_int_equal(lease, LEASE_LOST);
	assert_int_equal(build_answer(job.id, "l1", STATUS_PASS, REASON_NONE), LEASE_OK);
	job_free(&job);
	job = must_claim("l2");
	assert_int_equal(job.kind, JOB_TEST);
	assert_int_equal(job.n_artifacts, 1);
	assert_string_equal(job.artifacts[0].name, "bzImage");
	assert_string_equal(job.artifacts[0].sha256, hash);
	assert_int_equal(job.machine.memory_mib, 512);
	assert_int_equal(job.n_cases, 2);
	assert_string_equal(job.cases[1].scenario, "split.munmap");
	assert_int_equal(job.cases[1].fault.mode, FAULT_SWEEP);
	job_free(&job);
	OK(store_artifact_get(store, 1, "bzImage", &a, &err));
	assert_int_equal(a.size_bytes, 10);
	artifact_row_free(&a);
	assert_int_equal(store_artifact_get(store, 1, "vmlinux", &a, &err), -ENOENT);
}

/* Commit texts may be any bytes. */
static void test_odd_text(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct commit_info c = make_commit(1);
	int64_t id;

	(void)state;
	c.subject = "mm: caf\xe9 '; DROP TABLE jobs; --";
	OK(store_submission_add(store, repo, "topic", NULL, "thp-split", 0, &id, &err));
	OK(store_submission_plan(store, id, &c, 1, make_plan(1, "cases"), &err));
	OK(view_commit(store, sha(1), &o, &err));
	assert_string_equal(str_at(o, "subject"), "mm: caf\xef\xbf\xbd '; DROP TABLE jobs; --");
}

/* Given up for want of infrastructure: who asks again gets another try. */
static void test_revived(void **state)
{
	int64_t id;

	(void)state;
	(void)submit(1, 1, make_plan(1, "cases"));
	for (int i = 0; i < JOB_MAX_ATTEMPTS; i++) {
		struct job job = must_claim("l");

		assert_int_equal(build_answer(job.id, "l", STATUS_MISS, REASON_DISK), LEASE_OK);
		job_free(&job);
	}
	id = submit(1, 1, make_plan(1, "cases"));
	assert_state(id, "planned");
	assert_int_equal(drain(all_pass), 2);
	assert_state(id, "done");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_planned_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shared, setup, teardown),
		cmocka_unit_test_setup_teardown(test_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_test_document, setup, teardown),
		cmocka_unit_test_setup_teardown(test_job_document, setup, teardown),
		cmocka_unit_test_setup_teardown(test_odd_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_revived, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
