/* SPDX-License-Identifier: MIT */
/*
 * split.uffd_wp: all of p is write-protected, then UFFDIO_WRITEPROTECT lifts it from p + 8K, 4K
 *
 * change_pmd_range() splits the PMD of which less than all changes; a kernel may also do so before,
 * in uffd_wp_range(). The split hands the uffd-wp bit of the PMD to all 512 entries. Without a page
 * table the call may fail with ENOMEM, and all of p must be protected as before: a lost bit is a
 * write that nobody was told of. So both are looked at, page by page: the bit in pagemap, and
 * whether a write is really stopped.
 */
#include "check.h"
#include "uapi.h"
#include "uffd.h"

#include <string.h>
#include <unistd.h>

#define PAGE 2

static int protect_all(int fd, const struct thp *thp)
{
	int r = uffd_register(fd, thp->addr, THP_SIZE, UAPI_UFFDIO_REGISTER_MODE_WP);

	return r ? r : uffd_write_protect(fd, thp->addr, THP_SIZE, true);
}

void scenario_uffd_wp(struct scenario *s)
{
	struct thp thp;
	size_t lifted;
	int fd, r;

	if (!scenario_fixture(s, &thp))
		return;
	fd = uffd_open(UAPI_UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	r = fd < 0 ? fd : protect_all(fd, &thp);
	if (r) {
		scenario_check(s, "harness.uffd", false, "%s", strerror(-r));
		return;
	}
	if (!scenario_remember(s, &thp))
		return;
	scenario_arm(s);
	r = uffd_write_protect(fd, thp_page(&thp, PAGE), THP_PAGE, false);
	scenario_disarm(s, -r);

	lifted = check_errno(s) ? PAGE : THP_PAGES;
	check_huge_whole(s, "invariant.protected_state", &thp);
	check_pagemap_bit(s, "invariant.uffd_wp", &thp, UAPI_PM_UFFD_WP, true, lifted);
	check_write_notifies(s, &thp, lifted);
	check_unchanged(s, &thp);
	close(fd); /* lifts the protection from all that is left */
	check_writable(s, &thp, PAGE);
	check_neighbours_writable(s, &thp, PAGE);
	scenario_finish(s, &thp);
}
