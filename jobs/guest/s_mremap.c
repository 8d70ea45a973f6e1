/* SPDX-License-Identifier: MIT */
/*
 * split.mremap: one page out of p to an address below another page table
 *
 * move_page_tables() splits the PMD because less than all of it moves. It may fail with ENOMEM
 * and move the page back, or succeed after a retry or by splitting at the later unmap of the old
 * range. Either the data is at the new address and the old one is a hole, or nothing has changed;
 * MREMAP_FIXED may have unmapped the target (an inaccessible guard here) even when it fails.
 */
#include "check.h"

#include <errno.h>
#include <sys/mman.h>

#define PAGE 2

void scenario_mremap(struct scenario *s)
{
	struct thp thp;
	char *target;
	void *r;

	if (!scenario_fixture(s, &thp))
		return;
	target = thp_far_page(&thp);
	scenario_arm(s);
	r = mremap(thp_page(&thp, PAGE), THP_PAGE, THP_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		   target);
	scenario_disarm(s, r == MAP_FAILED ? errno : 0);

	if (check_errno(s)) {
		scenario_check(s, "invariant.target", r == target, "moved to another address");
		check_pattern(s, "data.moved", &thp, target, PAGE, 1);
		check_faults(s, "invariant.hole", thp_page(&thp, PAGE));
		check_rest(s, &thp, PAGE, 1);
	} else {
		check_unchanged(s, &thp);
	}
	scenario_finish(s, &thp);
}
