/* SPDX-License-Identifier: MIT */
/* Splitting on demand: /sys/kernel/debug/split_huge_pages (split_huge_pages_write()). */
#ifndef FAULTLINE_GUEST_SPLIT_H
#define FAULTLINE_GUEST_SPLIT_H

#include "scenario.h"

#include <stdbool.h>
#include <stddef.h>

bool split_possible(void);

/*
 * Asks for the folios of this process below [start, start + size) to be split into folios of
 * 2^order pages. Returns 0 or -errno; 0 does not say that anything was split.
 */
int split_range(const void *start, size_t size, unsigned int order)
	__attribute__((warn_unused_result));

/*
 * The THP is either whole, or all of it is mapped from folios of 2^order pages. A kernel that
 * split it into single pages although it was asked for a larger order gets skip/kconfig.
 */
void split_check_folios(struct scenario *s, const struct thp *thp, unsigned int order);

#endif
