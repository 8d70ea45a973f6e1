/* SPDX-License-Identifier: MIT */
/*
 * split.munmap: munmap(p + 8K, 4K)
 *
 * do_vmi_align_munmap() splits the VMA twice, at either end of the hole, and
 * vma_adjust_trans_huge() splits the PMD below it. A failed page table may make the call fail
 * with ENOMEM as long as nothing is unmapped then; a VMA that stays cut in two without a hole is
 * allowed. Going on with a PMD that is still huge is a BUG in unmap_page_range().
 */
#include "check.h"

#include <errno.h>
#include <sys/mman.h>

#define PAGE 2

void scenario_munmap(struct scenario *s)
{
	struct thp thp;
	int r;

	if (!scenario_fixture(s, &thp))
		return;
	scenario_arm(s);
	r = munmap(thp_page(&thp, PAGE), THP_PAGE);
	scenario_disarm(s, r ? errno : 0);

	if (check_errno(s)) {
		check_faults(s, "invariant.hole", thp_page(&thp, PAGE));
		check_rest(s, &thp, PAGE, 1);
	} else {
		check_unchanged(s, &thp);
	}
	check_neighbours_writable(s, &thp, PAGE);
	scenario_finish(s, &thp);
}
