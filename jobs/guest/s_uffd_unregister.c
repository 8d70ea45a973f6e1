/* SPDX-License-Identifier: MIT */
/*
 * split.uffd_unregister: all of p is write-protected, then UFFDIO_UNREGISTER of p + 8K, 4K
 *
 * userfaultfd_clear_vma() first lifts the write protection of the page, in uffd_wp_range(), then
 * splits the VMA; the first of the two splits the PMD. Without a page table the call may fail with
 * ENOMEM, and all of p must be registered and protected as before. To go on after the first step
 * failed would leave a page behind that is write-protected for ever, with nobody to lift it.
 */
#include "check.h"
#include "uapi.h"
#include "uffd.h"

#include <signal.h>
#include <unistd.h>

#define PAGE 2

void scenario_uffd_unregister(struct scenario *s)
{
	struct thp thp;
	bool done;
	int fd, r;

	fd = uffd_fixture(s, UAPI_UFFD_FEATURE_PAGEFAULT_FLAG_WP, true, &thp);
	if (fd < 0)
		return;
	scenario_arm(s);
	r = uffd_unregister(fd, thp_page(&thp, PAGE), THP_PAGE);
	scenario_disarm(s, -r);

	done = check_errno(s);
	check_pagemap_bit(s, "invariant.uffd_wp", &thp, UAPI_PM_UFFD_WP, true,
			  done ? PAGE : THP_PAGES);
	check_writes_raise(s, "invariant.stopped_before", &thp, 0, PAGE, SIGBUS);
	check_writes_raise(s, "invariant.page", &thp, PAGE, 1, done ? 0 : SIGBUS);
	check_writes_raise(s, "invariant.stopped_behind", &thp, PAGE + 1, THP_PAGES - PAGE - 1,
			   SIGBUS);
	if (done) {
		check_vma(s, &thp, PAGE, NULL, "uw", false);
		check_pattern(s, "data.pattern", &thp, thp.addr, 0, THP_PAGES);
	} else {
		check_unchanged(s, &thp);
	}
	close(fd);
	check_neighbours_writable(s, &thp, PAGE);
	scenario_finish(s, &thp);
}
