/* SPDX-License-Identifier: MIT */
/*
 * The fixture of most scenarios: one PMD-mapped anonymous THP, filled with a known pattern, alone
 * in its VMA between inaccessible guards, so that nothing merges with it.
 */
#ifndef FAULTLINE_GUEST_THP_H
#define FAULTLINE_GUEST_THP_H

#include "problem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define THP_SIZE ((size_t)2 << 20) /* PMD_SIZE with 4 KiB pages: x86_64, arm64 */
#define THP_PAGE ((size_t)4096)
#define THP_PAGES (THP_SIZE / THP_PAGE)
#define THP_DIR "/sys/kernel/mm/transparent_hugepage/"

struct thp {
	char *reserve; /* guard, THP, guard: one mmap() */
	size_t reserve_size;
	char *addr;
	uint64_t seed; /* of the pattern */
};

/* Is there a THP of the size that the scenarios are written for? */
bool thp_supported(void);

/* Only maps the range, empty, for huge pages. Returns 0 or -errno. */
int thp_reserve(struct thp *ret_thp, uint64_t seed, struct problem *problem)
	__attribute__((warn_unused_result));

/*
 * Maps and fills. Retries a bounded number of times, compacting memory in between, until smaps
 * shows a huge page. Returns 0, or -errno: -EAGAIN when no huge page could be had.
 */
int thp_create(struct thp *ret_thp, uint64_t seed, struct problem *problem)
	__attribute__((warn_unused_result));

/*
 * Two, one behind the other in one VMA, with patterns of their own. The reserve is the first one's:
 * only that is destroyed. Returns 0 or -errno, as thp_create().
 */
int thp_create_pair(struct thp *ret_first, struct thp *ret_second, uint64_t seed,
		    struct problem *problem) __attribute__((warn_unused_result));

/* The first place at `address` or behind it where a THP can be. */
static inline char *thp_align(const char *address)
{
	return (char *)(((uintptr_t)address + THP_SIZE - 1) & ~(uintptr_t)(THP_SIZE - 1));
}

/* The address of one of its 512 pages. */
static inline char *thp_page(const struct thp *thp, size_t page)
{
	return thp->addr + page * THP_PAGE;
}

/* The last page of the guard behind the THP: inaccessible, under another page table. */
static inline char *thp_far_page(const struct thp *thp)
{
	return thp->reserve + thp->reserve_size - THP_PAGE;
}

/* Kilobytes of the range that smaps shows as mapped by a PMD, or -errno. */
long thp_mapped_huge_kb(const struct thp *thp);

/* Unmaps the reserve. Returns 0 or -errno. */
int thp_destroy(struct thp *thp) __attribute__((warn_unused_result));

#endif
