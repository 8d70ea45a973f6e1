/* SPDX-License-Identifier: MIT */
/*
 * split.vma_merge, split.vma_merge_down: mprotect moves the boundary between two VMAs into p
 *
 * p may only be read, the page beside it may also be written. mprotect() gives the nearest two
 * pages of p the protection of that page: vma_merge_existing_range() lets the VMA beside p grow
 * and that of p shrink, and commit_merge() has vma_adjust_trans_huge() split the PMD that the
 * boundary moves into. Growing upwards it is the start of p's VMA that moves (adjust_next in
 * vma_adjust_trans_huge()), growing downwards its end; they are told apart in the kernel.
 *
 * Without a page table the call may fail with ENOMEM and the boundary must be where it was: a
 * merge that is given up after the VMAs have changed leaves a boundary inside a huge PMD (BUG in
 * __split_huge_pmd_locked()), or no VMA at all. The rest of p stays read-only, every page of it:
 * the PMD was write-protected, and the split has to hand that to all entries.
 */
#include "check.h"
#include "probe.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#define MOVED 2 /* pages */

/* p read-only, the page beside it in a writable VMA that p's could be part of. */
static bool set_up(struct scenario *s, char *beside, struct thp *thp)
{
	if (mprotect(beside, THP_PAGE, PROT_READ | PROT_WRITE) ||
	    madvise(beside, THP_PAGE, MADV_HUGEPAGE) || mprotect(thp->addr, THP_SIZE, PROT_READ)) {
		scenario_check(s, "harness.fixture", false, "%s", strerror(errno));
		return false;
	}
	return scenario_remember(s, thp);
}

/* `moved` are the pages of p, from `first` on, that became part of the VMA of `beside`. */
static void check_boundary(struct scenario *s, const struct thp *thp, const char *beside,
			   size_t first, size_t moved)
{
	static struct smaps now;
	int r = smaps_read(thp->reserve, thp->reserve_size, &now);
	const struct smaps_vma *vma;
	bool ok;

	if (r) {
		scenario_check(s, "harness.smaps", false, "%s", strerror(-r));
		return;
	}
	vma = smaps_find(&now, beside);
	ok = vma && !strncmp(vma->attributes, "rw-p", 4) &&
	     vma->end - vma->start == (moved + 1) * THP_PAGE &&
	     (!moved || vma == smaps_find(&now, thp_page(thp, first)));
	scenario_check(s, "invariant.boundary", ok, "the VMA beside has %zu pages and '%s'",
		       vma ? (vma->end - vma->start) / THP_PAGE : 0, vma ? vma->attributes : "");
}

/* The `MOVED` pages of p from `first` on are those beside the page `beside`. */
static void move_boundary(struct scenario *s, struct thp *thp, char *beside, size_t first)
{
	size_t rest = first ? 0 : MOVED;
	bool done;
	int r;

	scenario_arm(s);
	r = mprotect(thp_page(thp, first), MOVED * THP_PAGE, PROT_READ | PROT_WRITE);
	scenario_disarm(s, r ? errno : 0);

	done = check_errno(s);
	check_boundary(s, thp, beside, first, done ? MOVED : 0);
	if (done)
		check_pattern(s, "data.pattern", thp, thp->addr, 0, THP_PAGES);
	else
		check_unchanged(s, thp);
	check_writes_raise(s, "invariant.moved", thp, first, MOVED, done ? 0 : SIGSEGV);
	check_writes_raise(s, "invariant.read_only", thp, rest, THP_PAGES - MOVED, SIGSEGV);
	r = probe_write(beside, 1);
	scenario_check(s, "invariant.beside", !r, "writing beside it raised signal %d", r);
	scenario_finish(s, thp);
}

void scenario_vma_merge(struct scenario *s)
{
	struct thp thp;
	char *beside;

	if (!scenario_fixture(s, &thp))
		return;
	beside = thp.addr - THP_PAGE;
	if (set_up(s, beside, &thp))
		move_boundary(s, &thp, beside, 0);
}

void scenario_vma_merge_down(struct scenario *s)
{
	struct thp thp;
	char *beside;

	if (!scenario_fixture(s, &thp))
		return;
	beside = thp.addr + THP_SIZE;
	if (set_up(s, beside, &thp))
		move_boundary(s, &thp, beside, THP_PAGES - MOVED);
}
