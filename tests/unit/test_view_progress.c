/* SPDX-License-Identifier: MIT */
#include "tests/unit/test_store.h"

static int64_t now;

static void later(int64_t s)
{
	now += s * US_PER_S;
	clock_fake(now);
}

static struct json_object *view(int64_t id)
{
	struct json_object *o = NULL;

	OK(view_submission(store, id, &o, &err));
	return o;
}

static void stage_is(struct json_object *o, int i, const char *name, int total, int ended,
		     int running, int waiting)
{
	CLEANUP(free_p) char *path = xasprintf("progress.stages.%d", i);
	struct json_object *stage = at(o, path);

	assert_string_equal(str_at(stage, "name"), name);
	assert_int_equal(int_at(stage, "total"), total);
	assert_int_equal(int_at(stage, "ended"), ended);
	assert_int_equal(int_at(stage, "running"), running);
	assert_int_equal(int_at(stage, "waiting"), waiting);
}

static void why_is(int64_t id, const char *why)
{
	CLEANUP(json_put_p) struct json_object *o = view(id);

	assert_string_equal(str_at(o, "progress.left.why"), why);
	assert_null(json_object_object_get(at(o, "progress.left"), "low_us"));
}

static void test_import(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	int64_t id;

	(void)state;
	OK(store_submission_add(store, repo, "topic", NULL, "thp-split", 0, &id, &err));
	o = view(id);
	stage_is(o, 0, "import", 0, 0, 1, 0);
	assert_int_equal(len_at(o, "progress.stages"), 1);
	assert_null(at(o, "progress.left"));
}

/* From nobody there to the end, with what is known at each step. */
static void test_life(void **state)
{
	CLEANUP(json_put_p)
	struct json_object *first = NULL, *half = NULL, *other = NULL, *end = NULL;
	struct json_object *progress;
	int64_t id, second;
	enum lease lease;
	struct job job;

	(void)state;
	now = 1800000000 * US_PER_S;
	clock_fake(now);
	id = submit(1, 2, make_plan(1, "cases"));
	first = view(id);
	stage_is(first, 0, "import", 2, 2, 0, 0);
	stage_is(first, 1, "builds", 2, 0, 0, 2);
	stage_is(first, 2, "tests", 2, 0, 0, 2);
	why_is(id, "no agent is there that could go on");

	job = must_claim("b1");
	later(100);
	why_is(id, "nothing like it has ended yet");
	assert_int_equal(build_answer(job.id, "b1", STATUS_PASS, REASON_NONE), LEASE_OK);
	job_free(&job);
	job = must_claim("t1");
	assert_int_equal(job.kind, JOB_TEST);
	progress = json_object_new_object();
	json_object_object_add(progress, "phase", json_object_new_string("cases"));
	OK(store_heartbeat(store, job.id, "t1", TTL_US, progress, &lease, &err));
	json_object_put(progress);
	later(50);
	why_is(id, "nothing like it has ended yet"); /* no test has */
	half = view(id);
	stage_is(half, 1, "builds", 2, 1, 0, 1);
	stage_is(half, 2, "tests", 2, 0, 1, 1);
	assert_int_equal(len_at(half, "progress.running"), 1);
	assert_string_equal(str_at(half, "progress.running.0.kind"), "test");
	assert_string_equal(str_at(half, "progress.running.0.agent"), "agent1");
	assert_string_equal(str_at(half, "progress.running.0.commit"), sha(1));
	assert_int_equal(int_at(half, "progress.running.0.for_us"), 50 * US_PER_S);
	assert_string_equal(str_at(half, "progress.running.0.progress.phase"), "cases");
	later(150);
	OK(store_heartbeat(store, job.id, "t1", TTL_US, NULL, &lease, &err));
	assert_int_equal(test_answer(job.id, "t1", all_pass), LEASE_OK);
	job_free(&job);

	/* A build of 100 s, a test of 200 s behind it, and as long again at most. */
	json_object_put(half);
	half = view(id);
	assert_int_equal(int_at(half, "progress.left.low_us"), 300 * US_PER_S);
	assert_int_equal(int_at(half, "progress.left.high_us"), 600 * US_PER_S);
	assert_string_equal(str_at(half, "progress.left.text"), "5 min to 10 min");
	assert_false(json_object_get_boolean(at(half, "progress.left.others")));

	/* Another one of the same configuration learns from it, and waits behind it. */
	second = submit(10, 1, make_plan(1, "cases"));
	other = view(second);
	assert_true(json_object_get_boolean(at(other, "progress.left.others")));
	assert_int_equal(int_at(other, "progress.left.low_us"), 300 * US_PER_S);
	assert_int_equal(int_at(other, "progress.left.high_us"), 900 * US_PER_S);

	later(600);
	why_is(second, "no agent is there that could go on"); /* it has not been seen for long */
	drain(all_pass);
	end = view(id);
	assert_null(at(end, "progress"));
	assert_string_equal(str_at(end, "state"), "done");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_import, setup, teardown),
		cmocka_unit_test_setup_teardown(test_life, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
