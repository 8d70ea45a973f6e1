/* SPDX-License-Identifier: MIT */
/*
 * split.soft_offline: madvise(p + 8K, 4K, MADV_SOFT_OFFLINE)
 *
 * soft_offline_in_use_page() splits the folio, to move the page that begins to fail to another
 * frame and leave the other 511 alone; unmap_folio() takes the mapping away with a frozen split in
 * try_to_migrate_one(). When that cannot be done the call fails with EBUSY and the page is where
 * it was. After a success it is in another frame. Nothing is lost either way: that is what soft
 * means.
 */
#include "check.h"
#include "pagemap.h"
#include "uapi.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 2

void scenario_soft_offline(struct scenario *s)
{
	uint64_t before = 0, after = 0;
	struct thp thp;
	bool moved;
	int r;

	if (!scenario_fixture(s, &thp))
		return;
	r = pagemap_frame(thp_page(&thp, PAGE), &before);
	if (r) {
		scenario_check(s, "harness.frame", false, "%s", strerror(-r));
		return;
	}
	scenario_arm(s);
	r = madvise(thp_page(&thp, PAGE), THP_PAGE, UAPI_MADV_SOFT_OFFLINE);
	scenario_disarm(s, r ? errno : 0);

	moved = check_errno(s);
	check_unchanged(s, &thp);
	r = pagemap_frame(thp_page(&thp, PAGE), &after);
	scenario_check(s, "invariant.frame", !r && (before != after) == moved,
		       "frame 0x%llx before, 0x%llx after; %s", (unsigned long long)before,
		       (unsigned long long)after, strerror(-r));
	check_writable(s, &thp, PAGE);
	scenario_finish(s, &thp);
}
