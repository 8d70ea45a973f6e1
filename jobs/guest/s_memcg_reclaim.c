/* SPDX-License-Identifier: MIT */
/*
 * split.memcg_reclaim: 2 MiB are reclaimed from the cgroup of a THP through memory.reclaim
 *
 * shrink_folio_list() unmaps the folio as for any reclaim; try_to_unmap_one() splits the PMD to
 * put swap entries there, with a page table that lazy allocation has to get before it takes the
 * page-table lock. Without one the folio becomes active and stays in memory. memory.reclaim goes on
 * until it reaches its goal, or gives up with EAGAIN: whether active folios are looked at is
 * decided by statistics that may be two seconds old (prepare_scan_control()). The data
 * must be right after it is faulted in again. The process charges itself to a cgroup of its own,
 * so that there is nothing else to reclaim.
 */
#include "check.h"
#include "group.h"
#include "pagemap.h"

void scenario_memcg_reclaim(struct scenario *s)
{
	struct pagemap_counts counts;
	struct thp thp;
	int r;

	if (!group_enter(s) || !scenario_fixture(s, &thp))
		return;
	scenario_arm(s);
	r = group_reclaim("2M");
	scenario_disarm(s, -r);

	check_errno(s);
	if (!pagemap_count(thp.addr, THP_SIZE, &counts))
		scenario_metric(s, "pages.swapped", (double)counts.swapped, "pages");
	check_unchanged(s, &thp);
	check_writable(s, &thp, 0);
	scenario_finish(s, &thp);
	group_leave(s);
}
