/* SPDX-License-Identifier: MIT */
/*
 * split.mprotect_soft_dirty: mprotect(p + 8K, 4K, PROT_READ) of a THP that is soft-dirty but clean
 *
 * As split.mprotect; what is judged is the soft-dirty bit, which the split of the PMD hands to all
 * 512 entries (__split_huge_pmd_locked()), by whatever way and after whatever failure it comes to
 * it. A lost bit is a page that an incremental backup leaves out. On x86 the bit comes with the
 * dirty bit as well (pte_mkdirty()), which would hide the loss: MADV_FREE of all of p takes the
 * dirty bit away and leaves the other. Nothing is freed by that while there is memory.
 *
 * After the split the bits are cleared and one page is written: that page has the bit and no other,
 * so nothing that was write-protected to notice writes has become writable.
 */
#include "check.h"
#include "fileio.h"
#include "uapi.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 2
#define WRITTEN 300

static int clear_soft_dirty(void)
{
	return file_write("/proc/self/clear_refs", "4");
}

/* The write makes all of the PMD soft-dirty again, so that nothing comes from the VMA's flag. */
static bool make_clean(struct scenario *s, const struct thp *thp)
{
	int r = clear_soft_dirty();

	if (!r)
		check_writes_raise(s, "invariant.fixture_writable", thp, WRITTEN, 1, 0);
	if (!r && madvise(thp->addr, THP_SIZE, MADV_FREE))
		r = -errno;
	if (r)
		scenario_check(s, "harness.fixture", false, "%s", strerror(-r));
	else
		check_pagemap_bit(s, "invariant.before", thp, UAPI_PM_SOFT_DIRTY, true, THP_PAGES);
	return !r;
}

/* With the PMD split, writes are noticed page by page. */
static void check_tracking(struct scenario *s, const struct thp *thp)
{
	int r = clear_soft_dirty();

	if (r) {
		scenario_check(s, "harness.clear_refs", false, "%s", strerror(-r));
		return;
	}
	check_pagemap_bit(s, "invariant.cleared", thp, UAPI_PM_SOFT_DIRTY, false, THP_PAGES);
	check_writes_raise(s, "invariant.writable", thp, WRITTEN, 1, 0);
	check_pagemap_bit(s, "invariant.noticed", thp, UAPI_PM_SOFT_DIRTY, false, WRITTEN);
}

void scenario_mprotect_soft_dirty(struct scenario *s)
{
	struct thp thp;
	int r;

	if (!scenario_fixture(s, &thp) || !make_clean(s, &thp))
		return;
	scenario_arm(s);
	r = mprotect(thp_page(&thp, PAGE), THP_PAGE, PROT_READ);
	scenario_disarm(s, r ? errno : 0);

	check_pagemap_bit(s, "invariant.soft_dirty", &thp, UAPI_PM_SOFT_DIRTY, true, THP_PAGES);
	if (check_errno(s)) {
		check_vma(s, &thp, PAGE, "r--p", NULL, true);
		check_tracking(s, &thp);
		check_write_faults(s, &thp, PAGE);
		check_pattern(s, "data.pattern", &thp, thp.addr, 0, THP_PAGES);
	} else {
		check_unchanged(s, &thp);
		check_writable(s, &thp, PAGE);
	}
	check_neighbours_writable(s, &thp, PAGE);
	scenario_finish(s, &thp);
}
