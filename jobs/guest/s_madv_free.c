/* SPDX-License-Identifier: MIT */
/*
 * split.madv_free: madvise(p + 8K, 4K, MADV_FREE)
 *
 * madvise_free_huge_pmd() splits the folio, so that only the page that was asked for is given up;
 * unmap_folio() takes its mapping away with a frozen split in try_to_migrate_one(). When that
 * cannot be done the folio has to stay whole and mapped, and the advice is dropped without an
 * error. The page itself may be freed or kept at any time: it reads as it was or as zeroes, until
 * it is written; all others are untouched.
 */
#include "check.h"
#include "pattern.h"

#include <errno.h>
#include <sys/mman.h>

#define PAGE 2

void scenario_madv_free(struct scenario *s)
{
	struct thp thp;
	char *page;
	int r;

	if (!scenario_fixture(s, &thp))
		return;
	page = thp_page(&thp, PAGE);
	scenario_arm(s);
	r = madvise(page, THP_PAGE, MADV_FREE);
	scenario_disarm(s, r ? errno : 0);

	check_errno(s);
	if (*(volatile char *)page)
		check_pattern(s, "data.freed", &thp, page, PAGE, 1);
	else
		check_zero(s, "data.freed", page, THP_PAGE);
	check_rest(s, &thp, PAGE, 1);
	/* a write takes the advice back: from here on nothing may be lost */
	check_writable(s, &thp, PAGE);
	pattern_fill(page, PAGE, 1, thp.seed);
	check_unchanged(s, &thp);
	scenario_finish(s, &thp);
}
