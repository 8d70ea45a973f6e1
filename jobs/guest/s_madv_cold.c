/* SPDX-License-Identifier: MIT */
/*
 * split.madv_cold: madvise(p + 8K, 4K, MADV_COLD)
 *
 * madvise_cold_or_pageout_pte_range() splits the folio to deactivate a single page; unmap_folio()
 * takes its mapping away with a frozen split in try_to_migrate_one(). When that cannot be done the
 * folio has to stay whole and mapped: the advice is dropped and the call succeeds. Advice may not
 * change a single byte, nor drop a page.
 */
#include "check.h"
#include "pagemap.h"
#include "uapi.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 2

void scenario_madv_cold(struct scenario *s)
{
	struct pagemap_counts counts = { 0 };
	struct thp thp;
	int r;

	if (!scenario_fixture(s, &thp))
		return;
	scenario_arm(s);
	r = madvise(thp_page(&thp, PAGE), THP_PAGE, MADV_COLD);
	scenario_disarm(s, r ? errno : 0);

	check_errno(s);
	r = pagemap_count(thp.addr, THP_SIZE, &counts);
	scenario_check(s, "invariant.present", !r && counts.present == THP_PAGES,
		       "%zu pages are present; %s", counts.present, strerror(-r));
	check_unchanged(s, &thp);
	check_writable(s, &thp, PAGE);
	scenario_finish(s, &thp);
}
