/* SPDX-License-Identifier: MIT */
/* Sweeps: their points and the whole of them. */
#include "tests/unit/test_compare.h"

#define BUG "FAIL bug 00000000000000aa"

/* The points in their order, then the whole of the sweep, if it has one. */
static void sweep(int side, const char *const *points, const char *whole)
{
	char fault[32];

	for (int i = 0; points[i]; i++) {
		snprintf(fault, sizeof(fault), "sweep,nth=%d", i + 1);
		add(side, fault, points[i]);
	}
	if (whole)
		add(side, "sweep", whole);
}

#define POINTS(...)               \
	(const char *const[])     \
	{                         \
		__VA_ARGS__, NULL \
	}
static const char *const no_points[] = { NULL };

static void test_sweep(void **state)
{
	(void)state;
	sweep(COMPARE_A, POINTS("PASS", "PASS"), "PASS");
	sweep(COMPARE_B, POINTS("PASS", BUG), BUG);
	compare_them();
	assert_int_equal(got.n_rows, 3);
	assert_int_equal(got.counts[COMPARE_REGRESSED], 1); /* the case, not each of its results */
	assert_int_equal(got.counts[COMPARE_UNCHANGED], 0);
	assert_int_equal(got.rows[0].point, 0);
	assert_class(&got.rows[0], COMPARE_REGRESSED);
	assert_true(got.rows[0].sweep && !got.rows[0].points_differ);
	assert_int_equal(got.rows[1].point, 1);
	assert_class(&got.rows[1], COMPARE_UNCHANGED);
	assert_false(got.rows[1].shown);
	assert_int_equal(got.rows[2].point, 2);
	assert_class(&got.rows[2], COMPARE_REGRESSED);
	assert_true(got.rows[2].shown);
}

/* Three allocations fail where there were two. */
static void test_points_differ(void **state)
{
	(void)state;
	sweep(COMPARE_A, POINTS("PASS", "PASS"), "PASS");
	sweep(COMPARE_B, POINTS("PASS", "PASS", "PASS"), "PASS");
	compare_them();
	assert_class(row_of("split.mprotect", "sweep"), COMPARE_UNCHANGED);
	assert_true(got.rows[0].points_differ);
	assert_true(got.rows[0].shown);
	assert_int_equal(got.rows[0].points[COMPARE_A], 2);
	assert_int_equal(got.rows[0].points[COMPARE_B], 3);
	assert_class(row_of("split.mprotect", "sweep,nth=3"), COMPARE_APPEARED);
	assert_int_equal(got.counts[COMPARE_APPEARED], 0);
}

/* A sweep that ends at its first failure says nothing about the points behind it. */
static void test_sweep_cut_short(void **state)
{
	const struct compare_row *row;

	(void)state;
	sweep(COMPARE_A, POINTS("PASS", "PASS", "PASS"), "PASS");
	sweep(COMPARE_B, POINTS(BUG), BUG);
	compare_them();
	row = row_of("split.mprotect", "sweep,nth=3");
	assert_class(row, COMPARE_NOT_COMPARABLE);
	assert_string_equal(row->why, "B's sweep did not end well");
	assert_false(row->shown);
	assert_class(row_of("split.mprotect", "sweep,nth=1"), COMPARE_REGRESSED);
	assert_class(row_of("split.mprotect", "sweep"), COMPARE_REGRESSED);
}

static void test_sweep_lost(void **state)
{
	(void)state;
	sweep(COMPARE_A, POINTS("PASS", "PASS"), "PASS");
	sweep(COMPARE_B, no_points, "MISS qemu");
	compare_them();
	assert_int_equal(got.counts[COMPARE_NOT_COMPARABLE], 1);
	for (size_t i = 0; i < got.n_rows; i++)
		assert_class(&got.rows[i], COMPARE_NOT_COMPARABLE);
}

/* A has no such allocation, so it cannot fail there: that it does in B is new, which of its points
 * are cannot be said. */
static void test_sweep_skipped(void **state)
{
	(void)state;
	sweep(COMPARE_A, no_points, "SKIP predeposit");
	sweep(COMPARE_B, POINTS("PASS", BUG), BUG);
	compare_them();
	assert_int_equal(got.counts[COMPARE_REGRESSED], 1);
	assert_class(row_of("split.mprotect", "sweep"), COMPARE_REGRESSED);
	assert_string_equal(got.rows[0].why, "A skips it");
	assert_class(row_of("split.mprotect", "sweep,nth=2"), COMPARE_NOT_COMPARABLE);
	assert_string_equal(row_of("split.mprotect", "sweep,nth=2")->why, "A skips it");
	assert_false(row_of("split.mprotect", "sweep,nth=2")->shown);
}

/* It does not apply to B any more: nobody mended anything. */
static void test_sweep_skipped_later(void **state)
{
	(void)state;
	sweep(COMPARE_A, POINTS("PASS", BUG), BUG);
	sweep(COMPARE_B, no_points, "SKIP predeposit");
	compare_them();
	assert_int_equal(got.counts[COMPARE_NOT_COMPARABLE], 1);
	assert_int_equal(got.counts[COMPARE_FIXED], 0);
}

/* The whole fails on both sides, but a point that was good is not any more. */
static void test_point_regressed(void **state)
{
	(void)state;
	sweep(COMPARE_A, POINTS(BUG, "PASS"), BUG);
	sweep(COMPARE_B, POINTS("PASS", BUG), BUG);
	compare_them();
	assert_class(row_of("split.mprotect", "sweep"), COMPARE_REGRESSED);
	assert_string_equal(got.rows[0].why, "one of its points regressed");
	assert_class(row_of("split.mprotect", "sweep,nth=1"), COMPARE_FIXED);
	assert_class(row_of("split.mprotect", "sweep,nth=2"), COMPARE_REGRESSED);
	assert_int_equal(got.counts[COMPARE_REGRESSED], 1);
	assert_int_equal(got.counts[COMPARE_FIXED], 0);
}

/* Without closing results the points speak for themselves. */
static void test_sweep_without_end(void **state)
{
	(void)state;
	sweep(COMPARE_A, POINTS("PASS", "PASS", "PASS"), NULL);
	sweep(COMPARE_B, POINTS("PASS", BUG), NULL);
	compare_them();
	assert_int_equal(got.n_rows, 3);
	assert_int_equal(got.counts[COMPARE_REGRESSED], 1);
	assert_int_equal(got.counts[COMPARE_UNCHANGED], 1);
	assert_int_equal(got.counts[COMPARE_NOT_COMPARABLE], 1);
	assert_class(&got.rows[0], COMPARE_REGRESSED);
	/* One side closes it. */
	add(COMPARE_A, "sweep", "PASS");
	compare_them();
	assert_class(row_of("split.mprotect", "sweep"), COMPARE_REGRESSED);
	assert_int_equal(got.counts[COMPARE_REGRESSED], 1);
}

static void test_only_one_side_sweeps(void **state)
{
	(void)state;
	sweep(COMPARE_B, POINTS("PASS", BUG), BUG);
	compare_them();
	assert_int_equal(got.counts[COMPARE_APPEARED], 1);
	assert_true(got.rows[0].shown);
	assert_false(got.rows[0].points_differ);
	for (size_t i = 0; i < got.n_rows; i++)
		assert_class(&got.rows[i], COMPARE_APPEARED);
	assert_false(got.rows[1].shown); /* its case says it */
}

/* A closing result that has an n, and a point that has none, are the whole. */
static void test_odd_sweeps(void **state)
{
	(void)state;
	add(COMPARE_A, "sweep", "PASS")->fault.nth = 9;
	add(COMPARE_B, "sweep", "MISS lease")->closing = false;
	compare_them();
	assert_int_equal(got.n_rows, 1);
	assert_int_equal(got.rows[0].point, 0);
	assert_class(&got.rows[0], COMPARE_NOT_COMPARABLE);
	/* A single case that says it closes something is still that case. */
	teardown(NULL);
	setup(NULL);
	add(COMPARE_A, "nth,nth=2", "PASS")->closing = true;
	add(COMPARE_B, "nth,nth=2", "FAIL bug");
	compare_them();
	assert_int_equal(got.n_rows, 1);
	assert_class(&got.rows[0], COMPARE_REGRESSED);
	assert_false(got.rows[0].sweep);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(sweep),	       TEST(points_differ),	TEST(sweep_cut_short),
		TEST(sweep_lost),      TEST(sweep_skipped),	TEST(sweep_skipped_later),
		TEST(point_regressed), TEST(sweep_without_end), TEST(only_one_side_sweeps),
		TEST(odd_sweeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
