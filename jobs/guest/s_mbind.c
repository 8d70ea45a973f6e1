/* SPDX-License-Identifier: MIT */
/*
 * split.mbind: mbind(p + 8K, 4K, MPOL_BIND, node 1)
 *
 * mbind_range() splits the VMA so that the page can have a policy of its own, and
 * vma_adjust_trans_huge() splits the PMD. Without a page table the call may fail with ENOMEM, and
 * no page may have another policy than before. Nothing is moved (no MPOL_MF_MOVE), so the data
 * stays where it is. smaps does not show policies: they are asked for page by page.
 */
#include "check.h"
#include "uapi.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 2
#define NODE_MASK 2UL /* node 1 */
#define MASK_BITS (sizeof(unsigned long) * 8)

struct policy {
	int mode;
	unsigned long nodes;
};

static int read_policy(void *address, struct policy *ret_policy)
{
	struct policy policy = { -1, 0 };

	/* the kernel reads one bit less than it is told (get_nodes(), mm/mempolicy.c) */
	if (syscall(SYS_get_mempolicy, &policy.mode, &policy.nodes, MASK_BITS + 1, address,
		    (unsigned long)UAPI_MPOL_F_ADDR))
		return -errno;
	*ret_policy = policy;
	return 0;
}

static void check_policy(struct scenario *s, const struct thp *thp, size_t page, bool bound)
{
	struct policy policy = { -1, 0 };
	int r = read_policy(thp_page(thp, page), &policy);

	if (r)
		scenario_check(s, "harness.get_mempolicy", false, "%s", strerror(-r));
	else
		scenario_check(s, "invariant.policy",
			       bound ? policy.mode == UAPI_MPOL_BIND && policy.nodes == NODE_MASK
				     : policy.mode == UAPI_MPOL_DEFAULT,
			       "page %zu has mode %d, nodes 0x%lx", page, policy.mode,
			       policy.nodes);
}

void scenario_mbind(struct scenario *s)
{
	unsigned long nodes = NODE_MASK;
	struct thp thp;
	bool done;
	long r;

	if (!scenario_fixture(s, &thp))
		return;
	scenario_arm(s);
	r = syscall(SYS_mbind, thp_page(&thp, PAGE), THP_PAGE, (unsigned long)UAPI_MPOL_BIND,
		    &nodes, MASK_BITS + 1, 0UL);
	scenario_disarm(s, r ? errno : 0);

	done = check_errno(s);
	check_policy(s, &thp, PAGE, done);
	check_policy(s, &thp, PAGE - 1, false);
	check_policy(s, &thp, PAGE + 1, false);
	check_unchanged(s, &thp);
	check_writable(s, &thp, PAGE);
	check_neighbours_writable(s, &thp, PAGE);
	scenario_finish(s, &thp);
}
