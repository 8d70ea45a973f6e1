/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pattern.h"

#define PAGES 512 /* one huge page */
#define BYTES ((size_t)PAGES * PATTERN_PAGE)

static unsigned char *memory;

static int setup(void **state)
{
	(void)state;
	memory = malloc(BYTES);
	return memory ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(memory);
	return 0;
}

static void test_fill_and_check(void **state)
{
	(void)state;
	pattern_fill(memory, 0, PAGES, 1);
	assert_int_equal(pattern_check(memory, 0, PAGES, 1), -1);
	/* Part of it, where it belongs and where it does not. */
	assert_int_equal(pattern_check(memory + 7 * PATTERN_PAGE, 7, 3, 1), -1);
	assert_int_equal(pattern_check(memory + 7 * PATTERN_PAGE, 8, 3, 1), 0);
	assert_int_equal(pattern_check(memory, 0, PAGES, 2), 0);
	assert_int_equal(pattern_check(memory, 0, 0, 2), -1);
}

static void test_a_page_in_anothers_place(void **state)
{
	(void)state;
	pattern_fill(memory, 0, PAGES, 1);
	memcpy(memory + 5 * PATTERN_PAGE, memory + 6 * PATTERN_PAGE, PATTERN_PAGE);
	assert_int_equal(pattern_check(memory, 0, PAGES, 1), 5 * PATTERN_PAGE);
}

static void test_every_single_byte_is_seen(void **state)
{
	static const size_t offsets[] = {
		0, 1, 7, 8, 4095, 4096, 4097, 100 * PATTERN_PAGE + 13, BYTES - 8, BYTES - 1,
	};

	(void)state;
	pattern_fill(memory, 0, PAGES, 3);
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		for (int bit = 0; bit < 8; bit++) {
			memory[offsets[i]] ^= (unsigned char)(1u << bit);
			assert_int_equal(pattern_check(memory, 0, PAGES, 3), (long)offsets[i]);
			memory[offsets[i]] ^= (unsigned char)(1u << bit);
		}
	}
	/* The first of several. */
	memory[100]++;
	memory[99]++;
	assert_int_equal(pattern_check(memory, 0, PAGES, 3), 99);
}

static void test_bytes_agree(void **state)
{
	(void)state;
	pattern_fill(memory, 40, 2, 9);
	for (size_t i = 0; i < 2 * PATTERN_PAGE; i++)
		assert_int_equal(pattern_byte(40 + i / PATTERN_PAGE, i % PATTERN_PAGE, 9),
				 memory[i]);
}

static int compare_words(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* No two words alike: whatever is moved, repeated or swapped inside a fixture shows. */
static void test_all_words_differ(void **state)
{
	uint64_t *words = (uint64_t *)(void *)memory;
	size_t n = BYTES / sizeof(*words);

	(void)state;
	pattern_fill(memory, 0, PAGES, 0);
	qsort(words, n, sizeof(*words), compare_words);
	for (size_t i = 1; i < n; i++)
		assert_true(words[i - 1] != words[i]);
}

static void test_no_page_is_all_zeroes(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		pattern_fill(memory, 0, PAGES, seed);
		for (size_t page = 0; page < PAGES; page++)
			assert_int_not_equal(
				pattern_check_zero(memory + page * PATTERN_PAGE, PATTERN_PAGE), -1);
	}
}

static void test_zeroes(void **state)
{
	(void)state;
	memset(memory, 0, BYTES);
	assert_int_equal(pattern_check_zero(memory, BYTES), -1);
	assert_int_equal(pattern_check_zero(memory, 0), -1);
	memory[BYTES - 1] = 1;
	assert_int_equal(pattern_check_zero(memory, BYTES), (long)BYTES - 1);
	assert_int_equal(pattern_check_zero(memory, BYTES - 1), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fill_and_check),
		cmocka_unit_test(test_a_page_in_anothers_place),
		cmocka_unit_test(test_every_single_byte_is_seen),
		cmocka_unit_test(test_bytes_agree),
		cmocka_unit_test(test_all_words_differ),
		cmocka_unit_test(test_no_page_is_all_zeroes),
		cmocka_unit_test(test_zeroes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
