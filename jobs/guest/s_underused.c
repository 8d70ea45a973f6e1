/* SPDX-License-Identifier: MIT */
/*
 * split.underused: a THP of which one page is in use, then drop_caches
 *
 * Writing 2 to drop_caches runs all shrinkers in the calling task, deferred_split_scan() among
 * them. It finds the 511 pages of zeroes to be more than khugepaged/max_ptes_none (0, set for the
 * machine) and splits the folio, with a frozen split in try_to_migrate_one(); remove_migration_pte()
 * then maps the shared zero page in place of each of them, and RSS falls by as many. A folio that
 * cannot be split is taken off the list and stays whole and mapped. Shrinking has no errno, and
 * nobody may see another byte than before.
 */
#include "check.h"
#include "fileio.h"
#include "pagemap.h"

#include <string.h>

#define PAGE 2

/* Only one page is in use; the others are there, but hold nothing. */
static void empty_rest(const struct thp *thp)
{
	memset(thp->addr, 0, PAGE * THP_PAGE);
	memset(thp_page(thp, PAGE + 1), 0, THP_SIZE - (PAGE + 1) * THP_PAGE);
}

static void check_data(struct scenario *s, const struct thp *thp)
{
	check_pattern(s, "data.used", thp, thp_page(thp, PAGE), PAGE, 1);
	check_zero(s, "data.zero_before", thp->addr, PAGE * THP_PAGE);
	check_zero(s, "data.zero_behind", thp_page(thp, PAGE + 1),
		   THP_SIZE - (PAGE + 1) * THP_PAGE);
}

void scenario_underused(struct scenario *s)
{
	struct pagemap_counts counts = { 0 };
	struct thp thp;
	int r;

	/* THPs are put on the list when they are made */
	if (!scenario_setting(s, THP_DIR "shrink_underused", "1") || !scenario_fixture(s, &thp))
		return;
	empty_rest(&thp);
	scenario_arm(s);
	r = file_write("/proc/sys/vm/drop_caches", "2");
	scenario_disarm(s, -r);

	check_errno(s);
	r = pagemap_count(thp.addr, THP_SIZE, &counts);
	scenario_check(s, "invariant.zero_pages",
		       !r && counts.present == THP_PAGES &&
			       (counts.huge == THP_PAGES ? counts.zero_page == 0
							 : counts.zero_page == THP_PAGES - 1),
		       "%zu pages present, %zu huge, %zu the zero page; %s", counts.present,
		       counts.huge, counts.zero_page, strerror(-r));
	check_data(s, &thp);
	check_neighbours_writable(s, &thp, PAGE);
	scenario_finish(s, &thp);
}
