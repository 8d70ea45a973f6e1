/* SPDX-License-Identifier: MIT */
/*
 * split.migrate_fallback: move_pages() of a THP to a node that has no free huge page
 *
 * migrate_pages() gets no folio of order 9 there, and moves the pages one by one instead: it splits
 * the folio with try_split_folio(), by a frozen split in try_to_migrate_one(). When that cannot be
 * done either, the THP stays where it is, whole and mapped, and the call fails with ENOMEM. After a
 * success the page is on the other node. The node is filled up in earnest, so that the fault is
 * free for the page table; single pages are left for all that is to move.
 */
#include "check.h"
#include "node.h"

#include <errno.h>
#include <string.h>

#define PAGE 2
#define FROM 0
#define TO 1

/* The THP is on one node, and the other is full of memory that stays there. */
static bool set_up(struct scenario *s, struct thp *thp)
{
	int r = node_bind(FROM);

	if (!r && !scenario_fixture(s, thp))
		return false;
	if (!r)
		r = node_bind(-1);
	if (r) {
		scenario_check(s, "harness.fixture", false, "set_mempolicy: %s", strerror(-r));
		return false;
	}
	/* the memory that fills the node has page tables too */
	return node_exhaust(s, TO, 2 * THP_PAGES) && scenario_remember(s, thp);
}

void scenario_migrate_fallback(struct scenario *s)
{
	struct thp thp;
	int r, node;

	if (!set_up(s, &thp))
		return;
	scenario_arm(s);
	r = node_move(thp_page(&thp, PAGE), TO);
	scenario_disarm(s, r < 0 ? -r : 0);

	node = node_of(thp_page(&thp, PAGE));
	scenario_check(s, "harness.node", node != TO || !thp_mapped_huge_kb(&thp),
		       "the THP moved whole: there was a free huge page");
	scenario_check(s, "invariant.node", node == (check_errno(s) ? TO : FROM),
		       "the page is on node %d", node);
	check_unchanged(s, &thp);
	check_writable(s, &thp, PAGE);
	scenario_finish(s, &thp);
}
