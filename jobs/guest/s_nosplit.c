/* SPDX-License-Identifier: MIT */
/*
 * control.nosplit: what looks at a THP, or moves it whole, must leave its PMD huge
 *
 * mincore(), reading smaps, clear_refs, move_pages() of the whole folio and PR_SET_THP_DISABLE
 * run armed; nothing may be there to inject into. fork() runs first and unarmed: a kernel that
 * deposits page tables allocates the child's in copy_huge_pmd(), which is no split.
 */
#include "check.h"
#include "fileio.h"
#include "node.h"
#include "uapi.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned char residency[THP_PAGES];

static bool plain_fork(void)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status == 0;
}

static int other_node(int node)
{
	if (node < 0 || !file_exists("/sys/devices/system/node/node1"))
		return -1;
	return node == 0 ? 1 : 0;
}

/* Returns 0 or the errno of the first operation that failed. */
static int look_and_move(const struct thp *thp, int target, int *ret_node)
{
	static struct smaps smaps;
	int r;

	if (mincore(thp->addr, THP_SIZE, residency))
		return errno;
	r = smaps_read(thp->addr, THP_SIZE, &smaps);
	if (!r)
		r = file_write("/proc/self/clear_refs", "1");
	if (r)
		return -r;
	/* soft dirty is a configuration option of its own */
	(void)file_write("/proc/self/clear_refs", "4");
	if (target >= 0)
		*ret_node = node_move(thp->addr, target);
	if (prctl(UAPI_PR_SET_THP_DISABLE, 1, 0, 0, 0) ||
	    prctl(UAPI_PR_SET_THP_DISABLE, 0, 0, 0, 0))
		return errno;
	return 0;
}

void scenario_nosplit(struct scenario *s)
{
	int target, node = -1, r;
	struct thp thp;

	if (!scenario_fixture(s, &thp))
		return;
	scenario_check(s, "invariant.fork", plain_fork(), "a child could not be made or died");
	target = other_node(node_of(thp.addr));
	scenario_arm(s);
	r = look_and_move(&thp, target, &node);
	scenario_disarm(s, r);

	check_errno(s);
	scenario_check(s, "invariant.moved", node == target, "move_pages to node %d gave %d",
		       target, node);
	scenario_check(s, "invariant.huge", thp_mapped_huge_kb(&thp) == (long)(THP_SIZE >> 10),
		       "the THP is not mapped by a PMD any more");
	check_unchanged(s, &thp);
	scenario_finish(s, &thp);
}
