/* SPDX-License-Identifier: MIT */
/*
 * split.fork_pinned: one page of a THP is pinned as a fixed buffer of io_uring, then fork()
 *
 * A pinned page must stay the parent's own, so copy_huge_pmd() cannot share the folio: it splits
 * the parent's PMD, and copy_pte_range() copies the pages for the child. Without a page table
 * fork() has to fail with ENOMEM, and the parent goes on as if it had never called it. If it
 * reports success all the same, the PMD is still huge and copy_pmd_range() takes it for a broken
 * page table, or passes over it: the child then lacks the memory of its parent and reads zeroes.
 * After a fork() that succeeded both see the pattern, a write of the child stays with the child,
 * and the parent's page is still the one that is pinned.
 */
#include "check.h"
#include "fileio.h"
#include "pagemap.h"
#include "pattern.h"
#include "pin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 2

static void child(struct scenario *s, const struct thp *thp)
{
	/* fail-nth is cleared by fork(), this is not; kernels without injection lack the file */
	(void)file_write("/proc/thread-self/make-it-fail", "0");
	check_pattern(s, "data.child", thp, thp->addr, 0, THP_PAGES);
	memset(thp_page(thp, PAGE), 0, THP_PAGE);
	_exit(EXIT_SUCCESS);
}

static void check_child(struct scenario *s, pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	scenario_check(s, "invariant.child", status == 0, "the child's wait status is 0x%x",
		       (unsigned int)status);
}

/* Pins the page and says which frame that is. */
static bool pin_page(struct scenario *s, const struct thp *thp, int *ret_ring, uint64_t *ret_frame)
{
	int ring = pin_open_ring(), r;

	if (ring < 0) {
		scenario_check(s, "harness.pin", false, "no ring: %s", strerror(-ring));
		return false;
	}
	r = pin_ring_buffer(ring, thp_page(thp, PAGE), THP_PAGE);
	if (!r)
		r = pagemap_frame(thp_page(thp, PAGE), ret_frame);
	if (r) {
		scenario_check(s, "harness.pin", false, "%s", strerror(-r));
		return false;
	}
	*ret_ring = ring;
	return true;
}

void scenario_fork_pinned(struct scenario *s)
{
	uint64_t pinned, now = 0;
	struct thp thp;
	int ring, r;
	pid_t pid;

	if (!scenario_fixture(s, &thp) || !pin_page(s, &thp, &ring, &pinned))
		return;
	scenario_arm(s);
	pid = fork();
	if (!pid)
		child(s, &thp);
	scenario_disarm(s, pid < 0 ? errno : 0);

	if (check_errno(s))
		check_child(s, pid);
	check_unchanged(s, &thp);
	check_writable(s, &thp, PAGE);
	r = pagemap_frame(thp_page(&thp, PAGE), &now);
	scenario_check(s, "invariant.pinned", !r && now == pinned,
		       "frame 0x%llx is pinned, 0x%llx is mapped", (unsigned long long)pinned,
		       (unsigned long long)now);
	close(ring);
	scenario_finish(s, &thp);
}
