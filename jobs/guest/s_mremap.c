/* SPDX-License-Identifier: MIT */
/*
 * split.mremap: one page out of p to an address below another page table
 *
 * move_page_tables() splits the PMD because less than all of it moves. It may fail with ENOMEM
 * and move the page back, or succeed after a retry or by splitting at the later unmap of the old
 * range. Either the data is at the new address and the old one is a hole, or nothing has changed;
 * MREMAP_FIXED may have unmapped the target (an inaccessible guard here) even when it fails.
 *
 * When the old range cannot be unmapped for lack of memory after the move, move_vma() returns
 * success all the same ("OOM: unable to split vma, just get accounts right", mm/mremap.c, in
 * kernels without any change): the old address then stays mapped, empty. That is allowed under a
 * fault, but not that it still holds the data.
 */
#include "check.h"
#include "probe.h"

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
	r = mremap(thp_page(&thp, PAGE), THP_PAGE, THP_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target);
	scenario_disarm(s, r == MAP_FAILED ? errno : 0);

	if (check_errno(s)) {
		scenario_check(s, "invariant.target", r == target, "moved to another address");
		check_pattern(s, "data.moved", &thp, target, PAGE, 1);
		if (scenario_was_hit(s) && !probe_read(thp_page(&thp, PAGE)))
			check_zero(s, "data.left_over", thp_page(&thp, PAGE), THP_PAGE);
		else
			check_faults(s, "invariant.hole", thp_page(&thp, PAGE));
		check_rest(s, &thp, PAGE, 1);
	} else {
		check_unchanged(s, &thp);
	}
	scenario_finish(s, &thp);
}
