/* SPDX-License-Identifier: MIT */
/*
 * split.mlock: mlock(p + 8K, 4K), then munlock of the same
 *
 * mlock_fixup() splits the VMA, vma_adjust_trans_huge() the PMD. ENOMEM is allowed, and EAGAIN,
 * into which mlock() turns an ENOMEM of populating (__mlock_posix_error_return(), mm/mlock.c).
 * After a failure no page may be locked. munlock() runs unarmed: it needs no split any more.
 */
#include "check.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 2

void scenario_mlock(struct scenario *s)
{
	struct thp thp;
	int r;

	if (!scenario_fixture(s, &thp))
		return;
	scenario_arm(s);
	r = mlock(thp_page(&thp, PAGE), THP_PAGE);
	scenario_disarm(s, r ? errno : 0);

	/* before munlock() joins the VMAs again and hides it */
	check_huge_whole(s, "invariant.locked_state", &thp);
	if (check_errno(s)) {
		check_vma(s, &thp, PAGE, NULL, "lo", true);
		r = munlock(thp_page(&thp, PAGE), THP_PAGE);
		scenario_check(s, "errno.munlock", !r, "%s", strerror(errno));
	}
	check_unchanged(s, &thp);
	scenario_finish(s, &thp);
}
