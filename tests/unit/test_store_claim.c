/* SPDX-License-Identifier: MIT */
#include "tests/unit/test_store.h"

#include <pthread.h>

#define THREADS 8
#define JOBS 48

static int64_t taken[JOBS * 2];
static int n_taken;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *claimer(void *arg)
{
	struct error e = ERROR_INIT;
	struct agent_info agent = {
		.name = arg, .version = "1", .slots = 1, .can_build = true, .can_test = true
	};

	for (int i = 0;; i++) {
		CLEANUP(free_p) char *lease = xasprintf("%s-%d", (char *)arg, i);
		struct job job;
		enum claim c;

		if (store_claim(store, &agent, lease, TTL_US, &c, &job, &e) < 0) {
			fprintf(stderr, "%s\n", e.msg);
			return (void *)1;
		}
		if (c == CLAIM_NONE)
			return NULL;
		pthread_mutex_lock(&mutex);
		if (n_taken < (int)ARRAY_SIZE(taken))
			taken[n_taken++] = job.id;
		pthread_mutex_unlock(&mutex);
		job_free(&job);
	}
}

static int cmp(const void *a, const void *b)
{
	return (*(const int64_t *)a > *(const int64_t *)b) -
	       (*(const int64_t *)a < *(const int64_t *)b);
}

/* Eight agents at once: each job goes to one of them. */
static void test_each_once(void **state)
{
	pthread_t threads[THREADS];
	char names[THREADS][8];

	(void)state;
	for (int i = 0; i < JOBS / 16; i++)
		(void)submit(1 + 16 * i, 16, make_plan(1, "cases"));
	n_taken = 0;
	for (int i = 0; i < THREADS; i++) {
		snprintf(names[i], sizeof(names[i]), "a%d", i);
		assert_int_equal(pthread_create(&threads[i], NULL, claimer, names[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		void *bad;

		pthread_join(threads[i], &bad);
		assert_null(bad);
	}
	assert_int_equal(n_taken, JOBS);
	qsort(taken, JOBS, sizeof(taken[0]), cmp);
	for (int i = 1; i < JOBS; i++)
		assert_true(taken[i] > taken[i - 1]);
}

static void test_fits(void **state)
{
	struct agent_info tester = { .name = "t", .version = "1", .slots = 1, .can_test = true };
	struct job job;
	enum claim c;

	(void)state;
	(void)submit(1, 1, make_plan(1, "cases"));
	OK(store_claim(store, &tester, "l1", TTL_US, &c, &job, &err));
	assert_int_equal(c, CLAIM_NONE);
	job = must_claim("l2");
	assert_int_equal(build_answer(job.id, "l2", STATUS_PASS, REASON_NONE), LEASE_OK);
	job_free(&job);
	OK(store_claim(store, &tester, "l3", TTL_US, &c, &job, &err));
	assert_int_equal(c, CLAIM_JOB);
	assert_int_equal(job.kind, JOB_TEST);
	job_free(&job);
	assert_int_equal(store_claim(store, &tester, "", TTL_US, &c, &job, &err), -EINVAL);
}

/* Idle polls keep the agent live without a write each. */
static void test_agents_seen(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL, *late = NULL, *later = NULL;
	struct job job;
	int64_t now = 1700000000 * US_PER_S;

	(void)state;
	clock_fake(now);
	assert_int_equal(claim_as("a1", "l", &job), CLAIM_NONE);
	clock_fake(now + 10 * US_PER_S);
	assert_int_equal(claim_as("a1", "l", &job), CLAIM_NONE);
	OK(view_agents(store, &o, &err));
	assert_int_equal(len_at(o, "items"), 1);
	has_keys(at(o, "items.0"), "id name version slots can_build can_test first_seen last_seen "
				   "live runs");
	assert_string_equal(str_at(o, "items.0.live"), "true");
	assert_string_equal(str_at(o, "items.0.last_seen"), str_at(o, "items.0.first_seen"));
	assert_string_equal(str_at(o, "items.0.health"), "live");
	assert_int_equal(int_at(o, "items.0.silent_us"), 10 * US_PER_S);
	assert_int_equal(int_at(o, "items.0.busy"), 0);
	clock_fake(now + 100 * US_PER_S);
	OK(view_agents(store, &late, &err));
	assert_string_equal(str_at(late, "items.0.health"), "late");
	assert_string_equal(str_at(late, "items.0.live"), "true");
	clock_fake(now + 1000 * US_PER_S);
	OK(view_agents(store, &later, &err));
	assert_string_equal(str_at(later, "items.0.live"), "false");
	assert_string_equal(str_at(later, "items.0.health"), "gone");
}

static void test_agent_runs(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct job job;

	(void)state;
	(void)submit(1, 1, make_plan(1, "cases"));
	job = must_claim("l1");
	OK(view_agents(store, &o, &err));
	assert_int_equal(int_at(o, "items.0.runs.0.job"), job.id);
	assert_int_equal(int_at(o, "items.0.runs.0.run"), job.run_id);
	assert_string_equal(str_at(o, "items.0.runs.0.commit"), sha(1));
	assert_true(int_at(o, "items.0.runs.0.for_us") >= 0);
	assert_int_equal(int_at(o, "items.0.busy"), 1);
	job_free(&job);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_agents_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(test_agent_runs, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
