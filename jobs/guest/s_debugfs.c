/* SPDX-License-Identifier: MIT */
/*
 * split.debugfs: "PID,START,END" is written to split_huge_pages in debugfs
 *
 * split_huge_pages_pid() splits the folio of the page that was asked for; unmap_folio() takes its
 * mapping away with a frozen split in try_to_migrate_one(). A folio that cannot be split is passed
 * over: the write succeeds, and the THP stays whole and mapped. The range is a single page, since
 * every page of a range is tried anew.
 */
#include "check.h"
#include "split.h"

#define PAGE 2

void scenario_debugfs(struct scenario *s)
{
	struct thp thp;
	int r;

	if (!scenario_fixture(s, &thp))
		return;
	scenario_arm(s);
	r = split_range(thp_page(&thp, PAGE), THP_PAGE, 0);
	scenario_disarm(s, -r);

	check_errno(s);
	split_check_folios(s, &thp, 0);
	check_unchanged(s, &thp);
	check_writable(s, &thp, PAGE);
	scenario_finish(s, &thp);
}
