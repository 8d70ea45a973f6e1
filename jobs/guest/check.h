/* SPDX-License-Identifier: MIT */
/* The checks that scenarios share. All of them touch memory under a signal guard. */
#ifndef FAULTLINE_GUEST_CHECK_H
#define FAULTLINE_GUEST_CHECK_H

#include "scenario.h"

/*
 * The operation's errno: 0, or one of the row's allowed ones if a fault was hit.
 * Returns whether the operation succeeded.
 */
bool check_errno(struct scenario *s);

/* `pages` pages at `memory` hold the pattern of pages first, first+1, … of the fixture. */
void check_pattern(struct scenario *s, const char *name, const struct thp *thp, const void *memory,
		   size_t first, size_t pages);

/* All pages of the THP but `pages` from `first` hold their pattern. */
void check_rest(struct scenario *s, const struct thp *thp, size_t first, size_t pages);

/* A page that reads as zeroes. */
void check_zero(struct scenario *s, const char *name, const void *memory, size_t size);

/* An access of this kind raises SIGSEGV, or works. Writing puts the pattern's byte back. */
void check_faults(struct scenario *s, const char *name, const void *address);
void check_write_faults(struct scenario *s, const struct thp *thp, size_t page);
void check_writable(struct scenario *s, const struct thp *thp, size_t page);
void check_neighbours_writable(struct scenario *s, const struct thp *thp, size_t page);

/* The mapping and its protection are as scenario_remember() found them, whatever the data is. */
void check_mapping(struct scenario *s, const struct thp *thp);

/* After a failed call: mapping, protection and every byte are as before. */
void check_unchanged(struct scenario *s, const struct thp *thp);

/*
 * The VMA of `page` has (or lacks) this permission string or VmFlag, and its neighbours on both
 * sides the opposite. `flag` is "lo" and the like, or NULL; `perms` is "r--p" and the like, or
 * NULL.
 */
void check_vma(struct scenario *s, const struct thp *thp, size_t page, const char *perms,
	       const char *flag, bool present);

/*
 * Every page of the THP has (`set`), or lacks, this bit in its pagemap entry (UAPI_PM_*); page
 * `other` is the opposite, THP_PAGES for none. A PMD that is split must hand the bit to all pages.
 */
void check_pagemap_bit(struct scenario *s, const char *name, const struct thp *thp, uint64_t bit,
		       bool set, size_t other);

/*
 * Writing to each of `pages` pages from `first` raises this signal, or none if it is 0. SIGBUS is
 * what a write-protecting userfaultfd makes of it (uffd.h). A protection that a split lost shows
 * only where it is tried.
 */
void check_writes_raise(struct scenario *s, const char *name, const struct thp *thp, size_t first,
			size_t pages, int signal);

/*
 * The THP is mapped by a PMD within a single VMA, or not by a PMD at all. A VMA boundary inside a
 * huge PMD is what a split that failed silently leaves behind; smaps then counts it once a VMA.
 */
void check_huge_whole(struct scenario *s, const char *name, const struct thp *thp);

/* For scenario_finish(): the split happened, RSS and page tables add up, the THP is readable. */
void check_common(struct scenario *s, const struct thp *thp);
void check_leaks(struct scenario *s);

#endif
