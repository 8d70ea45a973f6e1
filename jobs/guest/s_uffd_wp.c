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

#include <signal.h>
#include <string.h>
#include <unistd.h>

#define PAGE 2

void scenario_uffd_wp(struct scenario *s)
{
	struct thp thp;
	bool done;
	int fd, r;

	fd = uffd_fixture(s, UAPI_UFFD_FEATURE_PAGEFAULT_FLAG_WP, true, &thp);
	if (fd < 0)
		return;
	scenario_arm(s);
	r = uffd_write_protect(fd, thp_page(&thp, PAGE), THP_PAGE, false);
	scenario_disarm(s, -r);

	done = check_errno(s);
	check_huge_whole(s, "invariant.protected_state", &thp);
	check_pagemap_bit(s, "invariant.uffd_wp", &thp, UAPI_PM_UFFD_WP, true,
			  done ? PAGE : THP_PAGES);
	check_writes_raise(s, "invariant.stopped_before", &thp, 0, PAGE, SIGBUS);
	check_writes_raise(s, "invariant.page", &thp, PAGE, 1, done ? 0 : SIGBUS);
	check_writes_raise(s, "invariant.stopped_behind", &thp, PAGE + 1, THP_PAGES - PAGE - 1,
			   SIGBUS);
	check_unchanged(s, &thp);
	close(fd); /* lifts the protection from all that is left */
	check_writable(s, &thp, PAGE);
	check_neighbours_writable(s, &thp, PAGE);
	scenario_finish(s, &thp);
}
