/* SPDX-License-Identifier: MIT */
/*
 * split.mremap_dontunmap: one page out of p with MREMAP_DONTUNMAP
 *
 * As split.mremap, but the old mapping stays: move_page_tables() splits the PMD, and nothing is
 * unmapped afterwards that could split it instead. Without a page table the call may fail with
 * ENOMEM; move_vma() then moves back what it had moved and drops the new mapping. On success the
 * data is at the target and the old address reads as zeroes; the mapping of p is as before either
 * way.
 */
#include "check.h"
#include "uapi.h"

#include <errno.h>

#define PAGE 2

void scenario_mremap_dontunmap(struct scenario *s)
{
	struct thp thp;
	char *target;
	void *r;

	if (!scenario_fixture(s, &thp))
		return;
	target = thp_far_page(&thp);
	scenario_arm(s);
	r = mremap(thp_page(&thp, PAGE), THP_PAGE, THP_PAGE,
		   MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, target);
	scenario_disarm(s, r == MAP_FAILED ? errno : 0);

	if (check_errno(s)) {
		scenario_check(s, "invariant.target", r == target, "moved to another address");
		check_mapping(s, &thp);
		check_pattern(s, "data.moved", &thp, target, PAGE, 1);
		check_zero(s, "data.left_over", thp_page(&thp, PAGE), THP_PAGE);
		check_rest(s, &thp, PAGE, 1);
	} else {
		check_faults(s, "invariant.target", target);
		check_unchanged(s, &thp);
		check_writable(s, &thp, PAGE);
	}
	check_neighbours_writable(s, &thp, PAGE);
	scenario_finish(s, &thp);
}
