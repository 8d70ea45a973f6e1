/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mman.h>

#include "pagemap.h"
#include "uapi.h"

#define PAGE ((size_t)4096)
#define BIT UAPI_PM_UFFD_WP

static void test_everywhere_or_nowhere(void **state)
{
	const uint64_t all[] = { BIT, BIT | UAPI_PM_PRESENT, BIT };
	const uint64_t none[] = { 0, UAPI_PM_PRESENT, UAPI_PM_SOFT_DIRTY };

	(void)state;
	assert_int_equal(pagemap_find_wrong(all, 3, BIT, true, SIZE_MAX), -1);
	assert_int_equal(pagemap_find_wrong(none, 3, BIT, false, SIZE_MAX), -1);
	assert_int_equal(pagemap_find_wrong(all, 3, BIT, false, SIZE_MAX), 0);
	assert_int_equal(pagemap_find_wrong(none, 3, BIT, true, SIZE_MAX), 0);
	assert_int_equal(pagemap_find_wrong(all, 0, BIT, false, SIZE_MAX), -1);
}

/* One entry apart from the others: the exception counts as wrong when it is not one. */
static void test_all_but_one(void **state)
{
	const uint64_t lifted[] = { BIT, BIT, 0, BIT };
	const uint64_t set[] = { 0, 0, BIT, 0 };

	(void)state;
	assert_int_equal(pagemap_find_wrong(lifted, 4, BIT, true, 2), -1);
	assert_int_equal(pagemap_find_wrong(set, 4, BIT, false, 2), -1);
	assert_int_equal(pagemap_find_wrong(lifted, 4, BIT, true, SIZE_MAX), 2);
	assert_int_equal(pagemap_find_wrong(lifted, 4, BIT, true, 1), 1);
	assert_int_equal(pagemap_find_wrong(set, 4, BIT, false, 3), 2);
	assert_int_equal(pagemap_find_wrong(lifted, 2, BIT, true, 1), 1);
}

static void test_misplaced_frames(void **state)
{
	const uint64_t here = UAPI_PM_PRESENT;
	const uint64_t right[] = { here | 512, here | 513, here | 514, here | 515 };
	const uint64_t twice[] = { here | 512, here | 513, here | 514, here | 514 };
	const uint64_t copied[] = { here | 512, here | 9000, 0, here | 515 };
	const uint64_t swapped_out[] = { here | 512, UAPI_PM_SWAP | 512, here | 514, here | 515 };

	(void)state;
	assert_int_equal(pagemap_find_misplaced(right, 4, 512), -1);
	assert_int_equal(pagemap_find_misplaced(twice, 4, 512), 3);
	assert_int_equal(pagemap_find_misplaced(copied, 4, 512), -1);
	assert_int_equal(pagemap_find_misplaced(swapped_out, 4, 512), -1);
	assert_int_equal(pagemap_find_misplaced(right, 4, 511), 0);
	assert_int_equal(pagemap_find_misplaced(right, 4, 4096), -1);
}

/* What any process may read of itself: whether its pages are there. */
static void test_reads_this_process(void **state)
{
	char *memory =
		mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t entries[4];

	(void)state;
	assert_ptr_not_equal(memory, MAP_FAILED);
	memory[0] = memory[PAGE] = memory[3 * PAGE] = 1;
	assert_int_equal(pagemap_read(memory, 4, entries), 0);
	assert_int_equal(pagemap_find_wrong(entries, 4, UAPI_PM_PRESENT, true, 2), -1);
	assert_int_equal(munmap(memory, 4 * PAGE), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everywhere_or_nowhere),
		cmocka_unit_test(test_all_but_one),
		cmocka_unit_test(test_misplaced_frames),
		cmocka_unit_test(test_reads_this_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
