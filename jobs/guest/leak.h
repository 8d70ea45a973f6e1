/* SPDX-License-Identifier: MIT */
/*
 * What a point leaves behind in the machine. check.c looks at the process while it lives; memory
 * that nobody owns any more, a page table that was never freed or a folio whose last reference is
 * never dropped, shows only in the machine's counters when the process is gone.
 */
#ifndef FAULTLINE_GUEST_LEAK_H
#define FAULTLINE_GUEST_LEAK_H

#include "scenario.h"

#include <stdint.h>

struct leak_level {
	int64_t tables; /* pages that are page tables, without init's own; -1: not known */
	int64_t anon; /* anonymous and shmem pages on the LRU lists, without init's own; -1 */
};

/* Picks the two out of the text of /proc/vmstat; kept apart for tests. */
void leak_parse(const char *vmstat, struct leak_level *ret_level);

/* The levels now, in init, with no process of a point alive. */
void leak_read(struct leak_level *ret_level);

/*
 * Adds leak.machine_tables and leak.machine_pages to the point: the levels are not above `before`.
 * Waits a bounded time for what is freed late (RCU, per-CPU lists).
 */
void leak_check(struct scenario *s, const struct leak_level *before);

#endif
