/* SPDX-License-Identifier: MIT */
/* NUMA nodes: where pages are, where they go, and a node that has no huge page left to give. */
#ifndef FAULTLINE_GUEST_NODE_H
#define FAULTLINE_GUEST_NODE_H

#include "scenario.h"

#include <stdbool.h>
#include <stddef.h>

/* Allocations of this process go to this node alone; -1: to any. Returns 0 or -errno. */
int node_bind(int node) __attribute__((warn_unused_result));

/* The node that the page is on, or -errno. */
int node_of(void *page);

/*
 * move_pages() of one page, and with it of the folio that it is part of. The single pages of a folio
 * that it split get one try each in the kernel: what was left behind, because somebody used it for a
 * moment, is asked for again. Returns the node it is on afterwards, or -errno: of the call, or what
 * the kernel says about the page.
 */
int node_move(void *page, int node);

/*
 * Whether the text of /proc/buddyinfo shows free blocks of a huge page or more on the node; kept
 * apart for tests.
 */
bool node_has_huge(const char *buddyinfo, int node);

/*
 * Takes all huge pages of the node, and leaves some `free_pages` single pages free that no
 * compaction can make a huge page of: between any two there is one that cannot be moved. The memory
 * is given back when the process ends, and the knobs that it takes are put back after the point. On
 * failure it records the skip or `harness.node` and returns false: the scenario returns at once.
 */
bool node_exhaust(struct scenario *s, int node, size_t free_pages);

/*
 * Fills the node but for an eighth, with memory that cannot be reclaimed, and sets the watermarks
 * so that this is too little: the next allocation that may come from nowhere else wakes kswapd. As
 * node_exhaust() otherwise.
 */
bool node_press(struct scenario *s, int node);

#endif
