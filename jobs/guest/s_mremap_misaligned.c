/* SPDX-License-Identifier: MIT */
/*
 * split.mremap_misaligned: two THPs as a whole to an address that is not a multiple of 2 MiB
 *
 * A PMD can only move to the same offset in another page table, so move_page_tables() splits both.
 * It may fail with ENOMEM at the first, with nothing moved, or at the second, with the first
 * already at its new place: move_vma() then has to move it back, page by page, and drop the new
 * mapping. Success after a retry is allowed. Either everything is at the target and the old range
 * is a hole, or everything is where it was and the target is one.
 */
#include "check.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define OFFSET (2 * THP_PAGE) /* of the target, from where a PMD could move to */
#define AREA (4 * THP_SIZE) /* room for two THPs, wherever it begins */

static bool make_pair(struct scenario *s, struct thp *first, struct thp *second)
{
	struct problem problem;

	if (thp_create_pair(first, second, s->seed, &problem)) {
		scenario_check(s, "harness.fixture", false, "%s", problem.text);
		return false;
	}
	return scenario_remember(s, first);
}

static void check_moved(struct scenario *s, const struct thp *first, const struct thp *second,
			char *target)
{
	struct thp moved_first = { .addr = target, .seed = first->seed };
	struct thp moved_second = { .addr = target + THP_SIZE, .seed = second->seed };

	check_pattern(s, "data.first", first, target, 0, THP_PAGES);
	check_pattern(s, "data.second", second, target + THP_SIZE, 0, THP_PAGES);
	check_writes_raise(s, "invariant.first_writable", &moved_first, 0, THP_PAGES, 0);
	check_writes_raise(s, "invariant.second_writable", &moved_second, 0, THP_PAGES, 0);
	check_faults(s, "invariant.hole", first->addr);
	check_faults(s, "invariant.hole_end", thp_page(second, THP_PAGES - 1));
}

static void check_moved_back(struct scenario *s, const struct thp *first, const struct thp *second,
			     char *target)
{
	check_unchanged(s, first);
	check_pattern(s, "data.second", second, second->addr, 0, THP_PAGES);
	check_writes_raise(s, "invariant.first_writable", first, 0, THP_PAGES, 0);
	check_writes_raise(s, "invariant.second_writable", second, 0, THP_PAGES, 0);
	check_faults(s, "invariant.target", target);
	check_faults(s, "invariant.target_end", target + 2 * THP_SIZE - THP_PAGE);
}

void scenario_mremap_misaligned(struct scenario *s)
{
	struct thp first, second;
	char *area, *target;
	bool unmapped;
	void *r;

	area = mmap(NULL, AREA, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (area == MAP_FAILED) {
		scenario_check(s, "harness.fixture", false, "%s", strerror(errno));
		return;
	}
	target = thp_align(area) + OFFSET;
	if (!make_pair(s, &first, &second))
		return;
	scenario_arm(s);
	r = mremap(first.addr, 2 * THP_SIZE, 2 * THP_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, target);
	scenario_disarm(s, r == MAP_FAILED ? errno : 0);

	if (check_errno(s)) {
		scenario_check(s, "invariant.target", r == target, "moved to another address");
		check_moved(s, &first, &second, target);
	} else {
		check_moved_back(s, &first, &second, target);
	}
	/* what is left of the first is then alone in its VMA, as scenario_finish() expects it */
	unmapped = !munmap(second.addr, THP_SIZE) && !munmap(area, AREA);
	scenario_check(s, "errno.unmap_others", unmapped, "%s", strerror(errno));
	scenario_finish(s, &first);
}
