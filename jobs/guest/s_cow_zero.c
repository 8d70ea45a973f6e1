/* SPDX-License-Identifier: MIT */
/*
 * split.cow_zero: a read maps the huge zero page, then one byte is written
 *
 * do_huge_pmd_wp_page() cannot reuse the zero page: it splits the PMD into 512 entries of the
 * small one and leaves the write to the PTE level, which copies a single page. Without a page
 * table the fault must be retried until it succeeds, since a fault has no errno; a signal instead
 * is reported as EFAULT. All other bytes read as zeroes, before and after. The zero page is in
 * none of the counters of the process, so RSS grows by the one page that was written.
 */
#include "check.h"
#include "pagemap.h"
#include "probe.h"

#include <errno.h>
#include <string.h>

#define PAGE 2
#define VALUE 0xa5

/* Maps the huge zero page; whether it is there only the flags of the page tell. */
static bool map_zero_page(struct scenario *s, struct thp *thp)
{
	struct pagemap_counts counts = { 0 };
	struct problem problem;
	int r = thp_reserve(thp, s->seed, &problem);

	if (r) {
		scenario_check(s, "harness.fixture", false, "%s", problem.text);
		return false;
	}
	(void)*(volatile char *)thp->addr;
	r = pagemap_count(thp->addr, THP_SIZE, &counts);
	if (r || counts.zero_page != THP_PAGES || counts.huge != THP_PAGES) {
		scenario_check(s, "harness.fixture", false,
			       "no huge zero page: %zu zero pages, %zu of them huge; %s",
			       counts.zero_page, counts.huge, strerror(-r));
		return false;
	}
	return scenario_remember(s, thp);
}

void scenario_cow_zero(struct scenario *s)
{
	struct pagemap_counts counts = { 0 };
	struct thp thp;
	unsigned char *page;
	int number;

	if (!map_zero_page(s, &thp))
		return;
	page = (unsigned char *)thp_page(&thp, PAGE);
	scenario_arm(s);
	number = probe_write(page, VALUE);
	scenario_disarm(s, number ? EFAULT : 0);

	if (check_errno(s)) {
		scenario_check(s, "data.written", *page == VALUE, "reads as 0x%02x", *page);
		*page = 0;
	}
	check_zero(s, "data.zero", thp.addr, THP_SIZE);
	if (!pagemap_count(thp.addr, THP_SIZE, &counts))
		scenario_check(s, "invariant.copied", counts.present - counts.zero_page == 1,
			       "%zu pages present, %zu of them the zero page", counts.present,
			       counts.zero_page);
	scenario_finish(s, &thp);
}
