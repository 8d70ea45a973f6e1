/* SPDX-License-Identifier: MIT */
/*
 * split.reclaim: madvise(p, 2M, MADV_PAGEOUT)
 *
 * shrink_folio_list() unmaps the folio; try_to_unmap_one() splits the PMD to put swap entries
 * there, with a page table that lazy allocation has to get before it takes the page-table lock.
 * Without one the folio stays where it is and the call still succeeds: reclaim is best effort.
 */
#include "check.h"
#include "pagemap.h"

#include <errno.h>
#include <sys/mman.h>

void scenario_reclaim(struct scenario *s)
{
	struct pagemap_counts counts;
	struct thp thp;
	int r;

	if (!scenario_fixture(s, &thp))
		return;
	scenario_arm(s);
	r = madvise(thp.addr, THP_SIZE, MADV_PAGEOUT);
	scenario_disarm(s, r ? errno : 0);

	check_errno(s);
	if (!pagemap_count(thp.addr, THP_SIZE, &counts))
		scenario_metric(s, "pages.swapped", (double)counts.swapped, "pages");
	check_unchanged(s, &thp);
	check_writable(s, &thp, 0);
	scenario_finish(s, &thp);
}
