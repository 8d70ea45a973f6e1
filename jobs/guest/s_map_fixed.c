/* SPDX-License-Identifier: MIT */
/*
 * split.map_fixed: mmap(p + 8K, 4K, MAP_FIXED) over one page of p
 *
 * vms_gather_munmap_vmas() splits the VMA at both ends of the range that is in the way, and
 * __split_vma() lets vma_adjust_trans_huge() split the PMD. Without a page table the call may fail
 * with ENOMEM as long as the old mapping is whole again then (vms_abort_munmap_vmas()): a hole
 * where data was would be a loss. On success the page is another mapping that reads as zeroes,
 * without the advice that its neighbours keep.
 */
#include "check.h"

#include <errno.h>
#include <sys/mman.h>

#define PAGE 2

void scenario_map_fixed(struct scenario *s)
{
	struct thp thp;
	void *r;

	if (!scenario_fixture(s, &thp))
		return;
	scenario_arm(s);
	r = mmap(thp_page(&thp, PAGE), THP_PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	scenario_disarm(s, r == MAP_FAILED ? errno : 0);

	if (check_errno(s)) {
		check_vma(s, &thp, PAGE, NULL, "hg", false);
		check_zero(s, "data.mapped", thp_page(&thp, PAGE), THP_PAGE);
		check_rest(s, &thp, PAGE, 1);
	} else {
		check_unchanged(s, &thp);
		check_writable(s, &thp, PAGE);
	}
	check_neighbours_writable(s, &thp, PAGE);
	scenario_finish(s, &thp);
}
