/* SPDX-License-Identifier: MIT */
/*
 * split.madv_dontneed: madvise(p + 8K, 4K, MADV_DONTNEED)
 *
 * zap_pmd_range() splits the PMD, then looks at it again and retries as long as it is huge. The
 * call has no error to return for this: it must succeed, the page must read as zeroes afterwards
 * and no other byte may be lost. Skipping the page silently would hand old data to the caller.
 */
#include "check.h"

#include <errno.h>
#include <sys/mman.h>

#define PAGE 2

void scenario_madv_dontneed(struct scenario *s)
{
	struct thp thp;
	int r;

	if (!scenario_fixture(s, &thp))
		return;
	scenario_arm(s);
	r = madvise(thp_page(&thp, PAGE), THP_PAGE, MADV_DONTNEED);
	scenario_disarm(s, r ? errno : 0);

	if (check_errno(s)) {
		check_zero(s, "data.dropped", thp_page(&thp, PAGE), THP_PAGE);
		check_rest(s, &thp, PAGE, 1);
	} else {
		check_unchanged(s, &thp);
	}
	scenario_finish(s, &thp);
}
