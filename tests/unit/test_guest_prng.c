/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "prng.h"

static void test_known_values(void **state)
{
	uint64_t s = 1234567;

	(void)state;
	/* The reference implementation's first numbers for this seed (prng.di.unimi.it). */
	assert_true(prng_next(&s) == UINT64_C(6457827717110365317));
	assert_true(prng_next(&s) == UINT64_C(3203168211198807973));
	assert_true(prng_next(&s) == UINT64_C(9817491932198370423));
}

static void test_seed_decides(void **state)
{
	int same = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 1000; seed++) {
		uint32_t index = prng_first_failure(seed, 10);

		assert_int_equal(prng_first_failure(seed, 10), index);
		same += prng_first_failure(seed + 1000, 10) == index;
	}
	/* Two draws agree by chance with probability p / (2 - p): 53 of 1000, not 1000. */
	assert_in_range(same, 20, 100);
}

static void test_extremes(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 1000; seed++) {
		assert_int_equal(prng_first_failure(seed, 100), 1);
		assert_in_range(prng_first_failure(seed, 1), 1, PRNG_INDEX_MAX);
		assert_in_range(prng_first_failure(UINT64_MAX - seed, 1), 1, PRNG_INDEX_MAX);
	}
	/* Never reached: it ends at the cap. */
	assert_int_equal(prng_first_failure(1, 0), PRNG_INDEX_MAX);
}

static void test_higher_percentage_fails_no_later(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++)
		for (unsigned int percent = 1; percent < 100; percent++)
			assert_true(prng_first_failure(seed, percent + 1) <=
				    prng_first_failure(seed, percent));
}

/* Geometric: the mean is 100 / percent, and percent in 100 fail at once. */
static void test_distribution(void **state)
{
	static const unsigned int percents[] = { 1, 5, 10, 25, 50, 90 };
	const unsigned int n = 20000;

	(void)state;
	for (size_t i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
		unsigned int p = percents[i], at_once = 0;
		double sum = 0, mean;

		for (uint64_t seed = 1; seed <= n; seed++) {
			uint32_t index = prng_first_failure(seed * 7919, p);

			sum += index;
			at_once += index == 1;
		}
		mean = sum / n;
		/* Five standard errors of the mean are at most 3.6 % of it. */
		if (mean < 0.96 * 100 / p || mean > 1.04 * 100 / p)
			fail_msg("%u %%: mean %.2f, expected %.2f", p, mean, 100.0 / p);
		/* Five standard deviations of the count are below 354. */
		assert_in_range(at_once, n / 100 * p > 360 ? n / 100 * p - 360 : 0,
				n / 100 * p + 360);
	}
}

/* What the allocations of an operation come to, drawn one by one. */
static void draw(uint64_t seed, unsigned int percent, bool *fails, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		fails[i] = prng_next(&seed) % 100 < percent;
}

static void test_sequence_is_the_draw(void **state)
{
	enum { N = 2000 };
	static bool fails[N];

	(void)state;
	for (uint64_t seed = 0; seed < 300; seed++) {
		unsigned int percent = 10 + (unsigned int)(seed % 80);
		struct prng_failures f;
		uint32_t at;

		draw(seed, percent, fails, N);
		prng_failures(seed, percent, 5, &f);
		assert_int_equal(f.first, prng_first_failure(seed, percent));
		assert_true(f.run >= 1 && f.run <= 4);
		assert_true(f.first + f.gap + f.run < N);
		for (at = 0; at < f.first - 1; at++)
			assert_false(fails[at]);
		assert_true(fails[at++]);
		for (uint32_t i = 0; i < f.gap; i++)
			assert_false(fails[at++]);
		for (uint32_t i = 0; i < f.run; i++)
			assert_true(fails[at++]);
		if (f.run < 4)
			assert_false(fails[at]); /* the run ended by itself, not by `times` */
	}
}

static void test_sequence_replays_and_ends(void **state)
{
	struct prng_failures a, b;

	(void)state;
	for (uint64_t seed = 0; seed < 100; seed++) {
		prng_failures(seed, 40, 9, &a);
		prng_failures(seed, 40, 9, &b);
		assert_memory_equal(&a, &b, sizeof(a));
		prng_failures(seed, 40, 1, &b);
		assert_int_equal(b.first, a.first);
		assert_int_equal(b.gap + b.run, 0);
	}
	prng_failures(7, 100, 6, &a);
	assert_int_equal(a.first, 1);
	assert_int_equal(a.gap, 0);
	assert_int_equal(a.run, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_values),
		cmocka_unit_test(test_seed_decides),
		cmocka_unit_test(test_sequence_is_the_draw),
		cmocka_unit_test(test_sequence_replays_and_ends),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_higher_percentage_fails_no_later),
		cmocka_unit_test(test_distribution),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
