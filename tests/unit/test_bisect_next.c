/* SPDX-License-Identifier: MIT */
/* What the search asks for, and how it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/test_bisect.h"

static void test_one_commit(void **state)
{
	struct world w = world_linear(1, 1);
	CLEANUP(bisect_p) struct bisect *b = world_search(&w, NULL);

	(void)state;
	assert_asks(b, 1, BISECT_ENDPOINT);
	assert_true(bisect_rate(b) == 0);
	bad(b, 1);
	/* 10 of 10, wrong with one in 60: 0.05/3 = rate^10 */
	assert_true(bisect_rate(b) > 0.663 && bisect_rate(b) < 0.665);
	assert_asks(b, 0, BISECT_ENDPOINT);
	good(b, 0);
	assert_culprit(b, 1);
}

static void test_halves(void **state)
{
	struct world w = world_linear(8, 1);
	CLEANUP(bisect_p) struct bisect *b = verified(&w);
	size_t n;
	const struct bisect_step *steps;

	(void)state;
	assert_asks(b, 4, BISECT_STEP);
	bad(b, 4);
	assert_asks(b, 2, BISECT_STEP);
	good(b, 2);
	assert_asks(b, 3, BISECT_STEP);
	good(b, 3);
	assert_culprit(b, 4);
	steps = bisect_steps(b, &n);
	assert_int_equal(n, 5);
	assert_int_equal(steps[0].purpose, BISECT_ENDPOINT);
	assert_int_equal(steps[2].purpose, BISECT_STEP);
	assert_int_equal(world_commit(steps[2].commit), 4);
	assert_int_equal(steps[2].verdict, BISECT_BAD);
	assert_string_equal(steps[2].fingerprint, WANTED);
	assert_int_equal(steps[4].verdict, BISECT_GOOD);
	assert_int_equal(steps[4].runs, 10);
	assert_null(steps[4].fingerprint);
}

/* ---- the ends -------------------------------------------------------------------------------- */

static void test_bad_end_does_not_fail(void **state)
{
	struct world w = world_linear(8, 1);
	CLEANUP(bisect_p) struct bisect *b = world_search(&w, NULL);

	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_asks(b, 8, BISECT_ENDPOINT);
		good(b, 8);
	}
	assert_refused(b, "not reproducible: none of 200 runs");
}

static void test_bad_end_fails_too_rarely(void **state)
{
	struct world w = world_linear(8, 1);
	CLEANUP(bisect_p) struct bisect *b = world_search(&w, NULL);

	(void)state;
	seen(b, 8, 2, 199);
	assert_asks(b, 8, BISECT_ENDPOINT);
	seen(b, 8, 0, 1);
	assert_refused(b, "too rare: 2 of 200 runs");
}

static void test_bad_end_cannot_be_tested(void **state)
{
	static const char *const says[] = { "", "the bad end does not build",
					    "the bad end does not boot",
					    "the bad end could not be run" };
	struct world w = world_linear(8, 1);

	(void)state;
	for (int why = BISECT_WHY_BUILD; why <= BISECT_WHY_INFRA; why++) {
		CLEANUP(bisect_p) struct bisect *b = world_search(&w, NULL);

		skipped(b, 8, why);
		assert_refused(b, says[why]);
		/* tried again, and there it is */
		bad(b, 8);
		assert_asks(b, 0, BISECT_ENDPOINT);
	}
}

static void test_bad_end_fails_in_another_way(void **state)
{
	struct world w = world_linear(8, 1);
	CLEANUP(bisect_p) struct bisect *b = world_search(&w, NULL);

	(void)state;
	assert_int_equal(bisect_record(b, world_id(8), 10, 10, OTHER, NULL), 0);
	assert_refused(b, "the bad end fails in another way");
}

static void test_good_end_fails_as_well(void **state)
{
	struct world w = world_linear(8, 1);
	CLEANUP(bisect_p) struct bisect *b = world_search(&w, NULL);

	(void)state;
	bad(b, 8);
	seen(b, 0, 10, 10);
	assert_refused(b, "the good end fails as well: 10 of 10 runs");
}

static void test_good_end_cannot_be_tested(void **state)
{
	struct world w = world_linear(8, 1);
	CLEANUP(bisect_p) struct bisect *b = world_search(&w, NULL);

	(void)state;
	bad(b, 8);
	skipped(b, 0, BISECT_WHY_BOOT);
	assert_refused(b, "the good end does not boot");
}

/* ---- skips ----------------------------------------------------------------------------------- */

static void test_skip_at_the_middle(void **state)
{
	struct world w = world_linear(8, 1);
	CLEANUP(bisect_p) struct bisect *b = verified(&w);

	(void)state;
	assert_asks(b, 4, BISECT_STEP);
	skipped(b, 4, BISECT_WHY_BUILD);
	assert_asks(b, 3, BISECT_STEP);
	good(b, 3);
	assert_asks(b, 6, BISECT_STEP);
	bad(b, 6);
	assert_asks(b, 5, BISECT_STEP);
	/* not beside the culprit: it hides nothing */
	good(b, 5);
	assert_culprit(b, 6);
}

static void test_skips_beside_the_culprit(void **state)
{
	struct world w = world_linear(8, 1);
	CLEANUP(bisect_p) struct bisect *b = verified(&w);
	struct bisect_next next;

	(void)state;
	skipped(b, 4, BISECT_WHY_BUILD);
	skipped(b, 5, BISECT_WHY_BOOT);
	good(b, 3);
	bad(b, 6);
	assert_suspects(b, (const int[]){ 4, 5, 6, -1 },
			"2 commits cannot be tested; the first, "
			"0000000000000000000000000000000000000005, does not build");
	bisect_next(b, &next);
	assert_true(next.confidence >= 0.95);
	/* one of them can be tested after all */
	good(b, 5);
	assert_culprit(b, 6);
}

static void test_nothing_but_skips(void **state)
{
	struct world w = world_linear(4, 1);
	CLEANUP(bisect_p) struct bisect *b = verified(&w);

	(void)state;
	for (int i = 1; i < 4; i++)
		skipped(b, i, BISECT_WHY_INFRA);
	assert_suspects(b, (const int[]){ 1, 2, 3, 4, -1 }, "could not be run");
}

/* ---- merges ---------------------------------------------------------------------------------- */

/*	0 - 1 - 2 ------- 5 - 6
 *	     \           /
 *	      3 ------- 4		*/
static struct world diamond(void)
{
	struct world w = { .rate = 1 };

	world_add(&w, -1, -1);
	world_add(&w, 0, -1);
	world_add(&w, 1, -1);
	world_add(&w, 1, -1);
	world_add(&w, 3, -1);
	world_add(&w, 2, 4);
	world_add(&w, 5, -1);
	return w;
}

static void test_merge_is_the_first(void **state)
{
	struct world w = diamond();
	CLEANUP(bisect_p) struct bisect *b = verified(&w);

	(void)state;
	bad(b, 5);
	good(b, 4);
	assert_asks(b, 2, BISECT_STEP);
	good(b, 2);
	assert_culprit(b, 5);
}

static void test_every_culprit_of_a_diamond(void **state)
{
	(void)state;
	for (int culprit = 1; culprit <= 6; culprit++) {
		struct world w = diamond();
		CLEANUP(bisect_p) struct bisect *b = world_search(&w, NULL);
		struct bisect_next next;

		world_plant(&w, culprit);
		next = world_solve(&w, &b);
		assert_int_equal(next.kind, BISECT_CULPRIT);
		assert_int_equal(world_commit(next.commit), culprit);
	}
}

/* The parent of 3 is good because 2 is, and is run all the same before 3 is named. */
static void test_parents_have_runs_of_their_own(void **state)
{
	struct world w = diamond();
	CLEANUP(bisect_p) struct bisect *b = verified(&w);

	(void)state;
	good(b, 2);
	bad(b, 3);
	assert_asks(b, 1, BISECT_RECHECK);
	good(b, 1);
	assert_culprit(b, 3);
}

/* … and when that parent fails, its good child holds a fix, and what is looked for is older. */
static void test_fixed_in_between(void **state)
{
	struct world w = diamond();
	CLEANUP(bisect_p) struct bisect *b = verified(&w);

	(void)state;
	good(b, 2);
	bad(b, 3);
	bad(b, 1);
	assert_culprit(b, 1);
}

static void test_parent_that_cannot_be_tested(void **state)
{
	struct world w = diamond();
	CLEANUP(bisect_p) struct bisect *b = verified(&w);

	(void)state;
	good(b, 2);
	bad(b, 3);
	skipped(b, 1, BISECT_WHY_BUILD);
	assert_suspects(b, (const int[]){ 3, -1 },
			"its parent 0000000000000000000000000000000000000002 does not build");
}

/* 2 forked off before the good end: its parent is in no list, and is asked for by name.
 *	9 - 0 - 1 - 3
 *	 \         /
 *	  2 ------'			*/
static void test_fork_before_the_good_end(void **state)
{
	CLEANUP(bisect_p) struct bisect *b = NULL;
	CLEANUP(buf_free) struct buf list = BUF_INIT;

	(void)state;
	buf_printf(&list, "%s %s %s\n", world_id(3), world_id(1), world_id(2));
	buf_printf(&list, "%s %s\n", world_id(1), world_id(0));
	buf_printf(&list, "%s %s\n", world_id(2), world_id(9));
	assert_int_equal(bisect_new(NULL, world_id(0), world_id(3), WANTED, list.data, &b, NULL),
			 0);
	assert_int_equal(bisect_commits(b), 3);
	bad(b, 3);
	good(b, 0);
	bad(b, 2);
	assert_asks(b, 9, BISECT_RECHECK);
	good(b, 9);
	assert_culprit(b, 2);
	bad(b, 9);
	bad(b, 9);
	assert_refused(b, "older than the good end");
}

static void test_octopus(void **state)
{
	CLEANUP(bisect_p) struct bisect *b = NULL;
	CLEANUP(buf_free) struct buf list = BUF_INIT;
	bool built[21] = { false };
	struct bisect_next next;

	(void)state;
	buf_str(&list, world_id(20));
	for (int i = 1; i < 20; i++)
		buf_printf(&list, " %s", world_id(i));
	for (int i = 1; i < 20; i++)
		buf_printf(&list, "\n%s %s", world_id(i), world_id(0));
	assert_int_equal(bisect_new(NULL, world_id(0), world_id(20), WANTED, list.data, &b, NULL),
			 0);
	for (bisect_next(b, &next); next.kind == BISECT_ASK; bisect_next(b, &next)) {
		int commit = world_commit(next.commit);

		built[commit] = true;
		seen(b, commit, commit == 20 ? next.runs : 0, next.runs);
	}
	for (size_t i = 0; i < ARRAY_SIZE(built); i++)
		assert_true(built[i]); /* each of the parents may be the one */
	assert_culprit(b, 20);
}

/* ---- the re-check ---------------------------------------------------------------------------- */

/* To where 4 is bad and 3 good, with a failure that is not always seen. */
static struct bisect *flaky_pair(void)
{
	struct world w = world_linear(8, 1);
	struct bisect *b = world_search(&w, NULL);

	seen(b, 8, 10, 20);
	while (verdict(b, 0) == BISECT_OPEN)
		good(b, 0);
	seen(b, 4, 2, 4);
	while (verdict(b, 3) == BISECT_OPEN)
		good(b, 3);
	return b;
}

static void test_flaky_pair_is_run_again(void **state)
{
	CLEANUP(bisect_p) struct bisect *b = flaky_pair();

	(void)state;
	assert_asks(b, 4, BISECT_RECHECK);
	seen(b, 4, 2, 5);
	for (int i = 0; i < 2; i++) {
		assert_asks(b, 3, BISECT_RECHECK);
		good(b, 3);
	}
	assert_culprit(b, 4);
}

static void test_all_parents_are_run_again(void **state)
{
	struct world w = diamond();
	CLEANUP(bisect_p) struct bisect *b = world_search(&w, NULL);

	(void)state;
	seen(b, 6, 10, 20);
	seen(b, 0, 0, 50);
	seen(b, 5, 4, 10);
	seen(b, 2, 0, 50);
	seen(b, 4, 0, 50);
	assert_asks(b, 5, BISECT_RECHECK);
	seen(b, 5, 4, 10);
	assert_asks(b, 2, BISECT_RECHECK);
	seen(b, 2, 0, 50);
	assert_asks(b, 4, BISECT_RECHECK);
	seen(b, 4, 0, 50);
	assert_culprit(b, 5);
}

/* That an image has another name too does not make its re-check undone. */
static void test_noop_keeps_the_recheck(void **state)
{
	CLEANUP(bisect_p) struct bisect *b = flaky_pair();

	(void)state;
	seen(b, 4, 2, 5);
	good(b, 3);
	good(b, 3);
	assert_culprit(b, 4);
	assert_int_equal(bisect_noop(b, world_id(3), world_id(2), NULL), 0);
	assert_culprit(b, 4);
}

/* The good one fails now: the search goes on from there. */
static void test_recheck_goes_back(void **state)
{
	CLEANUP(bisect_p) struct bisect *b = flaky_pair();

	(void)state;
	seen(b, 4, 2, 5);
	assert_asks(b, 3, BISECT_RECHECK);
	seen(b, 3, 4, 8);
	assert_int_equal(verdict(b, 3), BISECT_BAD);
	assert_asks(b, 1, BISECT_STEP);
}

/* It hardly fails any more: then it never was bad, and 5 to 7 are left. */
static void test_recheck_takes_back(void **state)
{
	CLEANUP(bisect_p) struct bisect *b = flaky_pair();

	(void)state;
	for (; verdict(b, 4) == BISECT_BAD; good(b, 4))
		assert_asks(b, 4, BISECT_RECHECK);
	for (; verdict(b, 4) == BISECT_OPEN; good(b, 4))
		assert_asks(b, 4, BISECT_STEP);
	assert_int_equal(verdict(b, 4), BISECT_GOOD);
	assert_asks(b, 6, BISECT_STEP);
}

static void test_recheck_that_confirms_nothing(void **state)
{
	struct bisect_config config = bisect_defaults;
	struct world w = world_linear(2, 1);
	CLEANUP(bisect_p) struct bisect *b = NULL;

	(void)state;
	config.max_runs = 30;
	b = world_search(&w, &config);
	seen(b, 2, 10, 20);
	seen(b, 0, 0, 30);
	seen(b, 1, 10, 20);
	assert_asks(b, 1, BISECT_RECHECK);
	seen(b, 1, 1, 10);
	assert_asks(b, 1, BISECT_RECHECK);
	seen(b, 1, 0, 20);
	assert_suspects(b, (const int[]){ 1, -1 },
			"30 more runs of 0000000000000000000000000000000000000002, of which 1 "
			"failed, did not confirm that it is bad");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_commit),
		cmocka_unit_test(test_halves),
		cmocka_unit_test(test_bad_end_does_not_fail),
		cmocka_unit_test(test_bad_end_fails_too_rarely),
		cmocka_unit_test(test_bad_end_cannot_be_tested),
		cmocka_unit_test(test_bad_end_fails_in_another_way),
		cmocka_unit_test(test_good_end_fails_as_well),
		cmocka_unit_test(test_good_end_cannot_be_tested),
		cmocka_unit_test(test_skip_at_the_middle),
		cmocka_unit_test(test_skips_beside_the_culprit),
		cmocka_unit_test(test_nothing_but_skips),
		cmocka_unit_test(test_merge_is_the_first),
		cmocka_unit_test(test_every_culprit_of_a_diamond),
		cmocka_unit_test(test_parents_have_runs_of_their_own),
		cmocka_unit_test(test_fixed_in_between),
		cmocka_unit_test(test_parent_that_cannot_be_tested),
		cmocka_unit_test(test_fork_before_the_good_end),
		cmocka_unit_test(test_octopus),
		cmocka_unit_test(test_flaky_pair_is_run_again),
		cmocka_unit_test(test_all_parents_are_run_again),
		cmocka_unit_test(test_noop_keeps_the_recheck),
		cmocka_unit_test(test_recheck_goes_back),
		cmocka_unit_test(test_recheck_takes_back),
		cmocka_unit_test(test_recheck_that_confirms_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
