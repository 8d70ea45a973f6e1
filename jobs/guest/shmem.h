/* SPDX-License-Identifier: MIT */
/*
 * The fixture of the file controls: one shmem THP mapped by a PMD, filled with a known pattern.
 * Splitting such a PMD throws the mapping away instead of filling a page table, because the page
 * cache still knows the pages (__split_huge_pmd_locked(), mm/huge_memory.c): nothing is allocated.
 */
#ifndef FAULTLINE_GUEST_SHMEM_H
#define FAULTLINE_GUEST_SHMEM_H

#include "scenario.h"

#include <stdbool.h>

struct shmem {
	struct thp map; /* the mapping; `seed` is that of the pattern in the file */
	int fd;
	long rss_kb; /* RssShmem and VmPTE before there was a mapping */
	long table_kb;
};

/*
 * A file of one THP, mapped MAP_SHARED, or MAP_PRIVATE and only read. On failure it records the
 * skip or `harness.fixture` and returns false: the scenario returns at once.
 */
bool shmem_fixture(struct scenario *s, bool private, struct shmem *ret_shmem);

/*
 * Right after scenario_disarm(), before anything touches the mapping: the operations succeeded,
 * split `splits` PMDs, and nothing of the mapping is huge any more.
 */
void shmem_check_split(struct scenario *s, const struct shmem *shmem, long splits);

/* The pages of the file itself hold their pattern, but `pages` from `first`. */
void shmem_check_file(struct scenario *s, const struct shmem *shmem, size_t first, size_t pages);

/* Unmaps and closes; then RSS and page tables must be what they were. */
void shmem_finish(struct scenario *s, struct shmem *shmem);

#endif
