/* SPDX-License-Identifier: MIT */
#include "tests/unit/test_compare.h"

/* n repeats that measure first, first + step, … */
static void measure(int side, const char *fault, int n, double first, double step)
{
	for (int i = 0; i < n; i++) {
		struct result *r = add(side, fault, "DONE");

		r->repeat = 1 + i;
		add_metric(r, "rss.freed", first + i * step);
	}
}

static void test_moved(void **state)
{
	const struct compare_metric *m;

	(void)state;
	measure(COMPARE_A, "none", 5, 100, 1);
	measure(COMPARE_B, "none", 5, 150, 1);
	compare_them();
	assert_int_equal(got.n_metrics, 1);
	assert_int_equal(got.moved, 1);
	m = &got.metrics[0];
	assert_ptr_equal(m->row, &got.rows[0]);
	assert_string_equal(m->name, "rss.freed");
	assert_string_equal(m->unit, "pages");
	assert_int_equal(m->rank.verdict, RANK_MOVED);
	assert_int_equal(m->side[COMPARE_A].n, 5);
	assert_true(m->side[COMPARE_A].median == 102);
	assert_true(m->side[COMPARE_B].median == 152);
	assert_true(fabs(m->side[COMPARE_A].spread - 100 * sqrt(2.5) / 102) < 1e-9);
	assert_true(fabs(m->rank.p - 2.0 / 252) < 1e-12);
	assert_true(fabs(m->rank.effect - 50.0 / 102) < 1e-12);
	assert_class(m->row, COMPARE_UNCHANGED); /* a metric that moved is no failure */
}

static void test_not_moved(void **state)
{
	(void)state;
	measure(COMPARE_A, "none", 5, 100, 0.1);
	measure(COMPARE_B, "none", 5, 101, 0.1); /* certain, and not worth a word */
	measure(COMPARE_A, "nth,nth=1", 5, 100, 50);
	measure(COMPARE_B, "nth,nth=1", 5, 120, 50); /* large, and perhaps chance */
	measure(COMPARE_A, "nth,nth=2", 4, 100, 1);
	measure(COMPARE_B, "nth,nth=2", 50, 900, 1); /* too few on one side */
	compare_them();
	assert_int_equal(got.n_metrics, 3);
	assert_int_equal(got.moved, 0);
	for (size_t i = 0; i < got.n_metrics; i++) {
		bool few = got.metrics[i].row->item->result->fault.nth == 2;

		assert_int_equal(got.metrics[i].rank.verdict, few ? RANK_TOO_FEW : RANK_SAME);
	}
}

/* What failed measured a broken kernel, what passed was judged by other things. */
static void test_only_done_measures(void **state)
{
	(void)state;
	measure(COMPARE_A, "none", 6, 100, 1);
	measure(COMPARE_B, "none", 8, 200, 1);
	for (int i = 0; i < 3; i++)
		results[6 + i]->status = STATUS_PASS;
	results[6]->status = STATUS_FAIL;
	results[6]->reason = REASON_DATA;
	results[9]->metrics[0].value = INFINITY;
	results[10]->metrics[0].value = NAN;
	results[11]->closing = true;
	compare_them();
	assert_int_equal(got.n_metrics, 1);
	assert_int_equal(got.metrics[0].side[COMPARE_B].n, 2);
	assert_int_equal(got.metrics[0].rank.verdict, RANK_TOO_FEW);
	assert_class(&got.rows[0], COMPARE_REGRESSED);
}

/* Another unit is another metric; one that a side lacks is shown without a verdict. */
static void test_one_sided(void **state)
{
	(void)state;
	measure(COMPARE_A, "none", 5, 100, 1);
	measure(COMPARE_B, "none", 5, 900, 1);
	for (int i = 0; i < 5; i++) {
		free(results[5 + i]->metrics[0].unit);
		results[5 + i]->metrics[0].unit = xstrdup("KiB");
	}
	compare_them();
	assert_int_equal(got.n_metrics, 2);
	assert_string_equal(got.metrics[0].unit, "KiB");
	assert_int_equal(got.metrics[0].side[COMPARE_A].n, 0);
	assert_int_equal(got.metrics[0].side[COMPARE_B].n, 5);
	assert_int_equal(got.metrics[1].side[COMPARE_B].n, 0);
	assert_int_equal(got.metrics[0].rank.verdict, RANK_TOO_FEW);
	/* A case that only one side has is told by its class. */
	sides[COMPARE_A].n = 0;
	compare_them();
	assert_int_equal(got.n_metrics, 0);
}

static void test_order(void **state)
{
	(void)state;
	measure(COMPARE_A, "none", 5, 100, 1);
	measure(COMPARE_B, "none", 5, 100, 1);
	measure(COMPARE_A, "nth,nth=1", 5, 100, 1);
	measure(COMPARE_B, "nth,nth=1", 5, 200, 1);
	for (size_t i = 0; i < n_results; i++)
		add_metric(results[i], "a.first", 5);
	compare_them();
	assert_int_equal(got.n_metrics, 4);
	assert_int_equal(got.moved, 1);
	assert_string_equal(got.metrics[0].name, "rss.freed");
	assert_int_equal(got.metrics[0].row->item->result->fault.nth, 1);
	assert_string_equal(got.metrics[1].name, "a.first");
	assert_string_equal(got.metrics[2].name, "rss.freed");
	assert_ptr_equal(got.metrics[1].row, got.metrics[2].row);
}

/* The work does not grow with the square of what somebody sends. */
static void test_many_values(void **state)
{
	(void)state;
	measure(COMPARE_A, "none", COMPARE_VALUES_MAX + 500, 1, 0);
	measure(COMPARE_B, "none", COMPARE_VALUES_MAX + 1, 2, 0);
	compare_them();
	assert_int_equal(got.metrics[0].side[COMPARE_A].n, COMPARE_VALUES_MAX);
	assert_int_equal(got.metrics[0].side[COMPARE_B].n, COMPARE_VALUES_MAX);
	assert_int_equal(got.metrics[0].rank.verdict, RANK_MOVED);
	assert_int_equal(got.rows[0].side[COMPARE_A].runs, COMPARE_VALUES_MAX + 500);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(moved),	 TEST(not_moved), TEST(only_done_measures),
		TEST(one_sided), TEST(order),	  TEST(many_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
