/* SPDX-License-Identifier: MIT */
/*
 * How pages are mapped, from /proc/PID/pagemap and /proc/kpageflags
 * (Documentation/admin-guide/mm/pagemap.rst). Reading does not fault anything in.
 */
#ifndef FAULTLINE_GUEST_PAGEMAP_H
#define FAULTLINE_GUEST_PAGEMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pagemap_counts {
	size_t present;
	size_t swapped;
	size_t none; /* neither: never touched, or dropped */
	size_t huge; /* present and part of a THP, or of the huge zero page */
	size_t heads; /* of these, first pages of a folio */
	size_t zero_page; /* present and the shared zero page, or part of the huge one */
};

/*
 * Counts the base pages of [start, start + size) of this process. huge and zero_page stay 0 on a
 * kernel without kpageflags. Returns 0 or -errno.
 */
int pagemap_count(const void *start, size_t size, struct pagemap_counts *ret_counts)
	__attribute__((warn_unused_result));

/*
 * The entries of `pages` pages from `start` of this process, UAPI_PM_* bits in each. A THP that a
 * PMD maps has one for each of its base pages. Returns 0 or -errno.
 */
int pagemap_read(const void *start, size_t pages, uint64_t *ret_entries)
	__attribute__((warn_unused_result));

/*
 * The first of `pages` entries at which `bit` is not as it should be: set everywhere (or nowhere,
 * if not `set`), except in entry `other`, where it is the opposite; SIZE_MAX for no such entry.
 * Returns -1 if there is none.
 */
long pagemap_find_wrong(const uint64_t *entries, size_t pages, uint64_t bit, bool set,
			size_t other);

/*
 * The first of `pages` entries that maps one of the frames `first`, first + 1, … out of its place:
 * entry i may map frame first + i or a frame that is none of them. Returns -1 if there is none.
 */
long pagemap_find_misplaced(const uint64_t *entries, size_t pages, uint64_t first);

/*
 * The number of the page frame that is mapped at `address`. Returns 0, -ENOENT if none is
 * present, or another -errno.
 */
int pagemap_frame(const void *address, uint64_t *ret_frame) __attribute__((warn_unused_result));

#endif
