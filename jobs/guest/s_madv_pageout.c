/* SPDX-License-Identifier: MIT */
/*
 * split.madv_pageout: madvise(p + 8K, 4K, MADV_PAGEOUT)
 *
 * madvise_cold_or_pageout_pte_range() splits the folio; unmap_folio() migrates its mapping away
 * with a frozen split in try_to_migrate_one(). When that cannot be done the folio has to stay
 * whole and mapped: the advice is dropped and the call succeeds. Carrying on with a folio that is
 * still mapped is a BUG in remove_migration_pte(). The data must be right after it is faulted in.
 */
#include "check.h"
#include "pagemap.h"

#include <errno.h>
#include <sys/mman.h>

#define PAGE 2

void scenario_madv_pageout(struct scenario *s)
{
	struct pagemap_counts counts;
	struct thp thp;
	int r;

	if (!scenario_fixture(s, &thp))
		return;
	scenario_arm(s);
	r = madvise(thp_page(&thp, PAGE), THP_PAGE, MADV_PAGEOUT);
	scenario_disarm(s, r ? errno : 0);

	check_errno(s);
	if (!pagemap_count(thp.addr, THP_SIZE, &counts))
		scenario_metric(s, "pages.swapped", (double)counts.swapped, "pages");
	check_unchanged(s, &thp);
	check_writable(s, &thp, PAGE);
	scenario_finish(s, &thp);
}
