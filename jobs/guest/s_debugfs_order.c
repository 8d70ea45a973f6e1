/* SPDX-License-Identifier: MIT */
/*
 * split.debugfs_order: "PID,START,END,4" is written to split_huge_pages in debugfs
 *
 * As split.debugfs, but into 32 folios of 64 kB instead of single pages (since Linux 6.10): all of
 * the THP's 512 entries are mapped again after the frozen split in try_to_migrate_one(), to folios
 * that are still large. Without a page table the THP stays whole and mapped, and the write
 * succeeds; no folio of any other size may be left.
 */
#include "check.h"
#include "split.h"

#define PAGE 2
#define ORDER 4

void scenario_debugfs_order(struct scenario *s)
{
	struct thp thp;
	int r;

	if (!scenario_fixture(s, &thp))
		return;
	scenario_arm(s);
	r = split_range(thp_page(&thp, PAGE), THP_PAGE, ORDER);
	scenario_disarm(s, -r);

	check_errno(s);
	split_check_folios(s, &thp, ORDER);
	check_unchanged(s, &thp);
	check_writable(s, &thp, PAGE);
	scenario_finish(s, &thp);
}
