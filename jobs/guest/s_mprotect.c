/* SPDX-License-Identifier: MIT */
/*
 * split.mprotect: mprotect(p + 8K, 4K, PROT_READ)
 *
 * mprotect_fixup() splits the VMA, and __split_vma() lets vma_adjust_trans_huge() split the PMD
 * that the new boundary cuts through. When the page table for that cannot be had, the call may
 * fail with ENOMEM before it changed anything, or go on after a retry. What must never be is a
 * VMA boundary inside a PMD that is still huge (BUG in __split_huge_pmd_locked()), or protection
 * on more or less than the page that was asked for.
 */
#include "check.h"

#include <errno.h>
#include <sys/mman.h>

#define PAGE 2

void scenario_mprotect(struct scenario *s)
{
	struct thp thp;
	int r;

	if (!scenario_fixture(s, &thp))
		return;
	scenario_arm(s);
	r = mprotect(thp_page(&thp, PAGE), THP_PAGE, PROT_READ);
	scenario_disarm(s, r ? errno : 0);

	if (check_errno(s)) {
		check_write_faults(s, &thp, PAGE);
		check_vma(s, &thp, PAGE, "r--p", NULL, true);
		check_pattern(s, "data.pattern", &thp, thp.addr, 0, THP_PAGES);
	} else {
		check_unchanged(s, &thp);
		check_writable(s, &thp, PAGE);
	}
	check_neighbours_writable(s, &thp, PAGE);
	scenario_finish(s, &thp);
}
