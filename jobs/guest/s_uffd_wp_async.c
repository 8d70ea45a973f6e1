/* SPDX-License-Identifier: MIT */
/*
 * split.uffd_wp_async: all of p is write-protected with WP_ASYNC, then one byte is written
 *
 * wp_huge_pmd() splits the PMD, so that the PTE level can lift the protection from the one page
 * that is written: that is how the kernel keeps a list of written pages. A fault has no errno:
 * without a page table it must be retried until it succeeds (VM_FAULT_OOM; the kernel may say
 * "Huh VM_FAULT_OOM leaked out"); a signal instead is reported as EFAULT. Afterwards the page
 * counts as written and no other does. Each of the others is then written too, and must be
 * noticed: an entry that the split left writable would hide a write.
 */
#include "check.h"
#include "pattern.h"
#include "probe.h"
#include "uapi.h"
#include "uffd.h"

#include <errno.h>
#include <unistd.h>

#define PAGE 2

void scenario_uffd_wp_async(struct scenario *s)
{
	unsigned char byte;
	struct thp thp;
	int fd, number;

	fd = uffd_fixture(s, UAPI_UFFD_FEATURE_PAGEFAULT_FLAG_WP | UAPI_UFFD_FEATURE_WP_ASYNC, true,
			  &thp);
	if (fd < 0)
		return;
	byte = pattern_byte(PAGE, 0, thp.seed);
	scenario_arm(s);
	number = probe_write(thp_page(&thp, PAGE), byte);
	scenario_disarm(s, number ? EFAULT : 0);

	if (check_errno(s)) {
		check_pagemap_bit(s, "invariant.uffd_wp", &thp, UAPI_PM_UFFD_WP, true, PAGE);
		check_writes_raise(s, "invariant.writable", &thp, 0, THP_PAGES, 0);
		check_pagemap_bit(s, "invariant.noticed", &thp, UAPI_PM_UFFD_WP, false, THP_PAGES);
	} else {
		check_pagemap_bit(s, "invariant.uffd_wp", &thp, UAPI_PM_UFFD_WP, true, THP_PAGES);
	}
	check_unchanged(s, &thp);
	close(fd);
	scenario_finish(s, &thp);
}
