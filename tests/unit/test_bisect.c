/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/limits.h"
#include "tests/unit/test_bisect.h"

/* ---- what is refused at once ---------------------------------------------------------------- */

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccccccccccc"

static void test_lists(void **state)
{
	static const struct {
		const char *good, *bad, *list, *says; /* says NULL: accepted */
	} cases[] = {
		{ A, B, B " " A "\n", NULL },
		{ A, B, B " " A, NULL },
		{ A, C, B " " A "\n" C " " B "\n", NULL },
		{ A, B, A "\n" B " " A "\n", NULL }, /* the good end listed too */
		{ A, B, "", "no commits" },
		{ A, B, "\n", "line 1" },
		{ A, B, B " " A "\n\n" C "\n", "line 2" },
		{ A, B, B "  " A "\n", "line 1" },
		{ A, B, B " HEAD\n", "'HEAD'" },
		{ A, B, B " " A "0\n", "no commit's name" },
		{ A, B, B " " A "\n" B " " A "\n", "listed twice" },
		{ A, B, B " " C "\n" C " " B "\n", "its own ancestor" },
		{ A, B, B " " B "\n", "its own ancestor" },
		{ A, C, B " " A "\n", "the bad end " C " is not among" },
		{ A, A, B " " A "\n", "the bad end " A " is not among" },
		{ C, B, B " " A "\n", "the good end " C " is no ancestor" },
		{ B, B, B " " A "\n", "no ancestor" },
		{ C, B, B " " A "\n" C " " B "\n", "no ancestor" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(bisect_p) struct bisect *b = NULL;
		struct error err = ERROR_INIT;
		int r = bisect_new(NULL, cases[i].good, cases[i].bad, WANTED, cases[i].list, &b,
				   &err);

		assert_int_equal(r, cases[i].says ? -EINVAL : 0);
		if (cases[i].says && !strstr(err.msg, cases[i].says))
			fail_msg("case %zu: %s", i, err.msg);
		if (r)
			assert_null(b);
	}
}

static void test_sha256_names(void **state)
{
	static const char list[] =
		"1111111111111111111111111111111111111111111111111111111111111111 "
		"0000000000000000000000000000000000000000000000000000000000000000\n";
	CLEANUP(bisect_p) struct bisect *b = NULL;

	(void)state;
	assert_int_equal(bisect_new(NULL, list + 65, "", WANTED, list, &b, NULL), -EINVAL);
	{
		CLEANUP(free_p) char *good = xstrndup(list + 65, 64);
		CLEANUP(free_p) char *bad = xstrndup(list, 64);

		assert_int_equal(bisect_new(NULL, good, bad, WANTED, list, &b, NULL), 0);
	}
	assert_int_equal(bisect_commits(b), 1);
}

static void test_too_many_commits(void **state)
{
	CLEANUP(buf_free) struct buf list = BUF_INIT;
	CLEANUP(bisect_p) struct bisect *b = NULL;
	struct bisect_next next;
	struct error err = ERROR_INIT;

	(void)state;
	for (int i = 1; i <= LIMIT_BISECT_COMMITS; i++)
		buf_printf(&list, "%s %s\n", world_id(i), world_id(i - 1));
	assert_int_equal(bisect_new(NULL, world_id(0), world_id(LIMIT_BISECT_COMMITS), WANTED,
				    list.data, &b, &err),
			 0);
	assert_int_equal(bisect_commits(b), LIMIT_BISECT_COMMITS);
	bisect_next(b, &next);
	assert_int_equal(next.kind, BISECT_ASK);
	bisect_free(STEAL(b));
	buf_printf(&list, "%s %s\n", world_id(LIMIT_BISECT_COMMITS + 1),
		   world_id(LIMIT_BISECT_COMMITS));
	assert_int_equal(bisect_new(NULL, world_id(0), world_id(1), WANTED, list.data, &b, &err),
			 -E2BIG);
}

static void test_configuration(void **state)
{
	struct bisect_config good = bisect_defaults, bad[7];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		bad[i] = good;
	bad[0].false_rate = 0;
	bad[1].false_rate = 0.2;
	bad[2].error = 0;
	bad[3].error = 0.6;
	bad[4].batch = 0;
	bad[5].end_runs = BISECT_RUNS_MAX + 1;
	bad[6].max_runs = -1;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct bisect *b = NULL;

		assert_int_equal(bisect_new(&bad[i], A, B, WANTED, B " " A, &b, NULL), -EINVAL);
		assert_null(b);
	}
}

/* Verdicts that nobody asked for, in any order, spare the tests that they answer. */
static void test_given_in_any_order(void **state)
{
	struct world w = world_linear(16, 1);
	CLEANUP(bisect_p) struct bisect *b = world_search(&w, NULL);
	const struct bisect_step *steps;
	size_t n;

	(void)state;
	bad(b, 12);
	good(b, 9);
	good(b, 3);
	good(b, 0);
	assert_asks(b, 16, BISECT_ENDPOINT);
	bad(b, 16);
	assert_int_equal(verdict(b, 12), BISECT_BAD); /* once the rate is known */
	assert_asks(b, 10, BISECT_STEP);
	good(b, 11);
	assert_culprit(b, 12);
	steps = bisect_steps(b, &n);
	assert_int_equal(steps[0].purpose, BISECT_GIVEN);
	assert_int_equal(steps[0].verdict, BISECT_OPEN);
	assert_int_equal(steps[5].purpose, BISECT_GIVEN);
	assert_int_equal(steps[5].verdict, BISECT_GOOD);
}

static void test_what_cannot_be_told(void **state)
{
	struct world w = world_linear(4, 1);
	CLEANUP(bisect_p) struct bisect *b = world_search(&w, NULL);
	struct bisect_known known;
	struct error err = ERROR_INIT;
	size_t n;

	(void)state;
	assert_int_equal(bisect_record(b, A, 1, 0, NULL, &err), -ENOENT);
	assert_non_null(strstr(err.msg, A));
	assert_int_equal(bisect_record(b, "", 1, 0, NULL, NULL), -ENOENT);
	assert_int_equal(bisect_record(b, world_id(1), 0, 0, NULL, NULL), -EINVAL);
	assert_int_equal(bisect_record(b, world_id(1), 1, 2, WANTED, NULL), -EINVAL);
	assert_int_equal(bisect_record(b, world_id(1), 1, -1, WANTED, NULL), -EINVAL);
	assert_int_equal(bisect_record(b, world_id(1), 1, 1, NULL, NULL), -EINVAL);
	assert_int_equal(bisect_record(b, world_id(1), 1, 1, "", NULL), -EINVAL);
	assert_int_equal(bisect_record(b, world_id(1), 1, 0, WANTED, NULL), -EINVAL);
	assert_int_equal(bisect_record(b, world_id(1), BISECT_RUNS_MAX + 1, 0, NULL, NULL),
			 -EINVAL);
	assert_int_equal(bisect_skip(b, world_id(1), BISECT_WHY_NONE, NULL, NULL), -EINVAL);
	assert_int_equal(bisect_skip(b, world_id(1), BISECT_WHY_OTHER, NULL, NULL), -EINVAL);
	assert_int_equal(bisect_skip(b, A, BISECT_WHY_BOOT, NULL, NULL), -ENOENT);
	assert_int_equal(bisect_noop(b, world_id(3), world_id(1), NULL), -EINVAL);
	assert_int_equal(bisect_noop(b, world_id(3), A, NULL), -ENOENT);
	assert_int_equal(bisect_known(b, A, &known, NULL), -ENOENT);
	bisect_steps(b, &n);
	assert_int_equal(n, 0);
}

/* ---- evidence -------------------------------------------------------------------------------- */

static void test_one_failure_is_not_bad(void **state)
{
	struct world w = world_linear(8, 1);
	CLEANUP(bisect_p) struct bisect *b = verified(&w);

	(void)state;
	seen(b, 4, 1, 1);
	assert_int_equal(verdict(b, 4), BISECT_OPEN);
	assert_asks(b, 4, BISECT_STEP); /* to its end, before another is built */
	seen(b, 4, 1, 1);
	assert_int_equal(verdict(b, 4), BISECT_BAD);
}

/* Later runs of the bad end do not change what was asked of the others. */
static void test_rate_stays(void **state)
{
	struct world w = world_linear(8, 1);
	CLEANUP(bisect_p) struct bisect *b = verified(&w);
	double rate = bisect_rate(b);

	(void)state;
	good(b, 4);
	seen(b, 8, 0, 200);
	assert_true(bisect_rate(b) == rate);
	assert_int_equal(verdict(b, 8), BISECT_BAD);
	assert_int_equal(verdict(b, 4), BISECT_GOOD);
}

static void test_other_failures(void **state)
{
	struct world w = world_linear(8, 1);
	CLEANUP(bisect_p) struct bisect *b = verified(&w);
	struct bisect_known known;

	(void)state;
	/* One says little: its run does not count. */
	assert_int_equal(bisect_record(b, world_id(4), 1, 1, OTHER, NULL), 0);
	assert_asks(b, 4, BISECT_STEP);
	good(b, 4);
	assert_int_equal(verdict(b, 4), BISECT_GOOD);
	/* When it always fails so, nobody knows whether it would fail the other way. */
	assert_asks(b, 6, BISECT_STEP);
	assert_int_equal(bisect_record(b, world_id(6), 10, 10, OTHER, NULL), 0);
	assert_int_equal(bisect_known(b, world_id(6), &known, NULL), 0);
	assert_int_equal(known.verdict, BISECT_SKIP);
	assert_int_equal(known.why, BISECT_WHY_OTHER);
	assert_int_equal(known.runs, 10);
	assert_int_equal(known.fails, 0);
	assert_int_equal(known.other, 10);
	assert_asks(b, 5, BISECT_STEP);
	good(b, 5);
	bad(b, 7);
	assert_suspects(b, (const int[]){ 6, 7, -1 }, "fails in another way");
	/* Beside the right one it does not matter. */
	bad(b, 6);
	assert_int_equal(verdict(b, 6), BISECT_BAD);
	assert_int_equal(bisect_rate(b) > 0, 1);
}

static void test_undecided(void **state)
{
	struct bisect_config config = bisect_defaults;
	struct world w = world_linear(2, 1);
	CLEANUP(bisect_p) struct bisect *b = NULL;
	struct bisect_known known;

	(void)state;
	config.max_runs = 20;
	b = world_search(&w, &config);
	bad(b, 2);
	good(b, 0);
	seen(b, 1, 3, 19); /* between never and as often as the bad end */
	assert_asks(b, 1, BISECT_STEP);
	seen(b, 1, 0, 1);
	assert_int_equal(bisect_known(b, world_id(1), &known, NULL), 0);
	assert_int_equal(known.why, BISECT_WHY_UNDECIDED);
	assert_suspects(b, (const int[]){ 1, 2, -1 }, "undecided");
}

/* ---- no-op commits --------------------------------------------------------------------------- */

static void test_noop_takes_the_verdict(void **state)
{
	struct world w = world_linear(8, 1);
	CLEANUP(bisect_p) struct bisect *b = verified(&w);
	struct bisect_known known;

	(void)state;
	assert_int_equal(bisect_noop(b, world_id(5), world_id(4), NULL), 0);
	assert_int_equal(bisect_noop(b, world_id(6), world_id(5), NULL), 0);
	assert_int_equal(verdict(b, 6), BISECT_OPEN);
	good(b, 4);
	assert_int_equal(verdict(b, 6), BISECT_GOOD);
	assert_int_equal(bisect_known(b, world_id(6), &known, NULL), 0);
	assert_int_equal(known.runs, 10);
	assert_asks(b, 7, BISECT_STEP); /* 5 and 6 need no run */
	bad(b, 7);
	assert_culprit(b, 7);
}

/* Runs that were made before it was known go to the image that both have. */
static void test_noop_keeps_the_runs(void **state)
{
	struct world w = world_linear(4, 1);
	CLEANUP(bisect_p) struct bisect *b = verified(&w);

	(void)state;
	seen(b, 2, 5, 5);
	seen(b, 3, 2, 2);
	assert_int_equal(bisect_noop(b, world_id(3), world_id(2), NULL), 0);
	assert_int_equal(bisect_noop(b, world_id(3), world_id(2), NULL), 0);
	assert_int_equal(verdict(b, 3), BISECT_BAD);
	{
		struct bisect_known known;

		assert_int_equal(bisect_known(b, world_id(3), &known, NULL), 0);
		assert_int_equal(known.fails, 7);
	}
	assert_asks(b, 1, BISECT_STEP);
	/* The bad end, too: its rate is that of the image. */
	assert_int_equal(bisect_noop(b, world_id(4), world_id(3), NULL), 0);
	good(b, 1);
	assert_culprit(b, 2);
}

/* A chain of no-ops up to the culprit: their image is asked for under one name. */
static void test_noop_is_asked_once(void **state)
{
	struct world w = world_linear(16, 1);
	CLEANUP(bisect_p) struct bisect *b = world_search(&w, NULL);
	struct bisect_next next;

	(void)state;
	for (int i = 5; i < 16; i++)
		assert_int_equal(bisect_noop(b, world_id(i), world_id(i - 1), NULL), 0);
	world_plant(&w, 16);
	next = world_solve(&w, &b);
	assert_int_equal(next.kind, BISECT_CULPRIT);
	assert_int_equal(world_commit(next.commit), 16);
	assert_int_equal(w.builds, 3); /* 16, 0 and 4, the parent's image */
	assert_true(w.built[4]);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(bisect_verdict_name(BISECT_SKIP), "skip");
	assert_string_equal(bisect_verdict_name(BISECT_VERDICT_COUNT), "?");
	assert_string_equal(bisect_why_name(BISECT_WHY_UNDECIDED), "undecided");
	assert_string_equal(bisect_why_name(BISECT_WHY_COUNT), "?");
	assert_string_equal(bisect_purpose_name(BISECT_RECHECK), "recheck");
	assert_string_equal(bisect_purpose_name(BISECT_PURPOSE_COUNT), "?");
	assert_string_equal(bisect_kind_name(BISECT_REFUSED), "refused");
	assert_string_equal(bisect_kind_name(BISECT_KIND_COUNT), "?");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_sha256_names),
		cmocka_unit_test(test_too_many_commits),
		cmocka_unit_test(test_configuration),
		cmocka_unit_test(test_given_in_any_order),
		cmocka_unit_test(test_what_cannot_be_told),
		cmocka_unit_test(test_one_failure_is_not_bad),
		cmocka_unit_test(test_rate_stays),
		cmocka_unit_test(test_other_failures),
		cmocka_unit_test(test_undecided),
		cmocka_unit_test(test_noop_takes_the_verdict),
		cmocka_unit_test(test_noop_keeps_the_runs),
		cmocka_unit_test(test_noop_is_asked_once),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
