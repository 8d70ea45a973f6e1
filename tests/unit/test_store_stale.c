/* SPDX-License-Identifier: MIT */
/* Regressions about which nothing can be learned any more. */
#include "tests/unit/test_store.h"

#include "db/store_regress.h"

static const enum status fails[] = { STATUS_FAIL, STATUS_COUNT };

/* A plan of one case with one fault, as make_doc() answers it. */
static const struct plan *plan_of(const char *scenario, enum fault_mode mode, const char *hash)
{
	make_plan(1, hash);
	plan.n_cases = 1;
	plan_cases[0].scenario = (char *)scenario;
	plan_cases[0].fault.mode = mode;
	plan_cases[0].fault.nth = 1;
	return &plan;
}

static int64_t tested(int first, const struct plan *p)
{
	int64_t id = submit(first, 2, p);

	drain(fails);
	return id;
}

/* A regression in split.mprotect that the submission showed. */
static void declare(int64_t submission)
{
	char signature[SIGNATURE_MAX];
	const struct case_seen *at_bad = NULL;
	struct regression_new g = { .cases = &at_bad, .n_cases = 1 };
	CLEANUP(free_p) char *title = NULL;
	struct case_seen *rows;
	enum reason reason;
	int found;
	size_t n;

	OK(store_compare_cases(store, submission, &rows, &n, &err));
	for (size_t i = 0; i < n; i++)
		if (!strcmp(rows[i].scenario, "split.mprotect"))
			at_bad = &rows[i];
	assert_non_null(at_bad);
	g.good_id = at_bad->commit_id - 1;
	g.bad_id = at_bad->commit_id;
	OK(store_compare_failure(store, at_bad->failure, signature, &reason, &title, &err));
	g.reason = reason_name(reason);
	g.signature = signature;
	g.title = title;
	OK(store_compare_done(store, submission, &g, 1, &found, &err));
	assert_int_equal(found, 1);
	case_seen_free(rows, n);
}

/* How many of the line of a submission are without their case for three submissions. */
static size_t without(int64_t submission)
{
	CLEANUP(free_p) int64_t *ids = NULL;
	size_t n = 7;

	OK(store_regressions_without(store, submission, 3, &ids, &n, &err));
	return n;
}

static void test_without(void **state)
{
	int64_t id = tested(0, plan_of("split.mprotect", FAULT_NTH, "a"));

	(void)state;
	declare(id);
	assert_int_equal(without(id), 0);
	assert_int_equal(without(tested(2, plan_of("split.munmap", FAULT_NTH, "b"))), 0);
	assert_int_equal(without(tested(4, plan_of("split.munmap", FAULT_NTH, "b"))), 0);
	/* it is back */
	assert_int_equal(without(tested(6, plan_of("split.mprotect", FAULT_NTH, "a"))), 0);
	/* of another kind of fault: another case */
	assert_int_equal(without(tested(8, plan_of("split.mprotect", FAULT_NONE, "c"))), 0);
	assert_int_equal(without(tested(10, plan_of("split.munmap", FAULT_NTH, "b"))), 0);
	/* not tested yet: says nothing */
	id = submit(12, 2, plan_of("split.munmap", FAULT_NTH, "b"));
	assert_int_equal(without(id), 0);
	drain(fails);
	assert_int_equal(without(id), 1);
}

static void test_without_builds(void **state)
{
	int64_t id = tested(0, plan_of("split.mprotect", FAULT_NTH, "a"));

	(void)state;
	declare(id);
	/* the kernel cannot be built, so there are no results; the case is still asked for */
	for (int first = 2; first < 10; first += 2) {
		struct job job;

		id = submit(first, 2, plan_of("split.mprotect", FAULT_NTH, "a"));
		while (claim_as("agent1", "x", &job) == CLAIM_JOB) {
			assert_int_equal(build_answer(job.id, "x", STATUS_FAIL, REASON_BUILD),
					 LEASE_OK);
			job_free(&job);
		}
		assert_state(id, "done");
		assert_int_equal(without(id), 0);
	}
}

/* 'u': not followed, 'g': gone, '-': neither; with since when. */
static char lost(int64_t *ret_since)
{
	CLEANUP(free_p) struct regression_lost *rows = NULL;
	size_t n = 7;

	OK(store_regressions_lost(store, &rows, &n, &err));
	if (!n)
		return '-';
	assert_int_equal(n, 1);
	*ret_since = rows[0].gone_us;
	return rows[0].followed ? 'g' : 'u';
}

static void test_lost(void **state)
{
	const struct plan *p = plan_of("split.mprotect", FAULT_NTH, "a");
	struct commit_info commits[2] = { make_commit(0), make_commit(1) };
	int64_t branch, id, since = 0, again = 0;

	(void)state;
	OK(store_branch_put(store, repo, "main", NULL, "thp-split", &branch, &err));
	OK(store_branch_moved(store, branch, NULL, sha(1), &id, &err));
	OK(store_submission_plan(store, id, commits, 2, p, &err));
	drain(fails);
	declare(id);
	assert_int_equal(lost(&since), '-');
	clock_fake(1800000000 * US_PER_S);
	OK(store_branch_checked(store, branch, "no branch 'main'", true, &err));
	assert_int_equal(lost(&since), 'g');
	assert_int_equal(since, 1800000000 * US_PER_S);
	/* since when stays, whether it is asked again or cannot be */
	clock_fake(1800000060 * US_PER_S);
	OK(store_branch_checked(store, branch, "no branch 'main'", true, &err));
	OK(store_branch_checked(store, branch, "no route", false, &err));
	assert_int_equal(lost(&again), 'g');
	assert_int_equal(again, since);
	OK(store_branch_checked(store, branch, NULL, false, &err));
	assert_int_equal(lost(&since), '-');
	OK(store_branch_checked(store, branch, "no route", false, &err));
	assert_int_equal(lost(&since), '-');
	OK(store_branches_unfollow(store, &err));
	assert_int_equal(lost(&since), 'u');
	OK(store_branch_put(store, repo, "main", NULL, "thp-split", &branch, &err));
	assert_int_equal(lost(&since), '-');
}

/* What a badge says follows the branch, and knows none that is not followed. */
static void test_badge(void **state)
{
	const struct plan *p = plan_of("split.mprotect", FAULT_NTH, "a");
	struct commit_info commits[2] = { make_commit(0), make_commit(1) };
	struct badge_facts f;
	int64_t branch, id;

	(void)state;
	OK(store_branch_badge(store, "demo", "main", &f, &err));
	assert_false(f.known);
	OK(store_branch_put(store, repo, "main", NULL, "thp-split", &branch, &err));
	OK(store_branch_badge(store, "demo", "main", &f, &err));
	assert_true(f.known && !f.under_way && !f.judged);
	OK(store_branch_moved(store, branch, NULL, sha(1), &id, &err));
	OK(store_submission_plan(store, id, commits, 2, p, &err));
	OK(store_branch_badge(store, "demo", "main", &f, &err));
	assert_true(f.under_way && !f.judged);
	drain(fails);
	OK(store_branch_badge(store, "demo", "main", &f, &err));
	assert_true(f.under_way && f.judged && !f.unconfirmed);
	declare(id);
	OK(store_branch_badge(store, "demo", "main", &f, &err));
	assert_true(!f.under_way && f.unconfirmed == 1 && f.regressions == 0);
	OK(store_branches_unfollow(store, &err));
	OK(store_branch_badge(store, "demo", "main", &f, &err));
	assert_false(f.known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_without, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_builds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_badge, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
