/* SPDX-License-Identifier: MIT */
/*
 * split.madv_dontfork, split.madv_nohugepage, split.madv_dontdump, split.madv_mergeable:
 * madvise(p + 8K, 4K, …) with advice that is kept as a flag of the VMA
 *
 * madvise_update_vma() splits the VMA, so that the page can have flags of its own, and
 * vma_adjust_trans_huge() splits the PMD. Without a page table the call may fail, with EAGAIN:
 * madvise() turns ENOMEM into that (madvise_vma_behavior()), since its ENOMEM means an address that
 * is not mapped. No flag may be set then, and none on any other page ever: advice that reaches too
 * far is memory that a child or a core file lacks. The four take different ways to the flag
 * (hugepage_madvise(), ksm_madvise()), and each has to hand the error on. Nothing is merged:
 * ksmd does not run.
 */
#include "check.h"

#include <errno.h>
#include <sys/mman.h>

#define PAGE 2

static void advise(struct scenario *s, int advice, const char *flag)
{
	struct thp thp;
	int r;

	if (!scenario_fixture(s, &thp))
		return;
	scenario_arm(s);
	r = madvise(thp_page(&thp, PAGE), THP_PAGE, advice);
	scenario_disarm(s, r ? errno : 0);

	if (check_errno(s)) {
		check_vma(s, &thp, PAGE, NULL, flag, true);
		check_pattern(s, "data.pattern", &thp, thp.addr, 0, THP_PAGES);
	} else {
		check_unchanged(s, &thp);
	}
	check_writable(s, &thp, PAGE);
	check_neighbours_writable(s, &thp, PAGE);
	scenario_finish(s, &thp);
}

void scenario_madv_dontfork(struct scenario *s)
{
	advise(s, MADV_DONTFORK, "dc");
}

void scenario_madv_nohugepage(struct scenario *s)
{
	advise(s, MADV_NOHUGEPAGE, "nh");
}

void scenario_madv_dontdump(struct scenario *s)
{
	advise(s, MADV_DONTDUMP, "dd");
}

void scenario_madv_mergeable(struct scenario *s)
{
	advise(s, MADV_MERGEABLE, "mg");
}
