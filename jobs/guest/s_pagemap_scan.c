/* SPDX-License-Identifier: MIT */
/*
 * split.pagemap_scan: PAGEMAP_SCAN with PM_SCAN_WP_MATCHING of p + 8K, 4K
 *
 * p is registered with WP_ASYNC and written. The scan is asked which of a single page were
 * written, and to write-protect those again: pagemap_scan_thp_entry() splits the PMD of which
 * less than all is to be protected. Without a page table the call may fail with ENOMEM, or report
 * the page after a retry. It must never report a page that it has not protected, since later
 * writes to it would be lost to the caller; nor protect one that it has not reported.
 */
#include "check.h"
#include "uapi.h"
#include "uffd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PAGE 2

static void check_reported(struct scenario *s, const struct thp *thp, int regions,
			   const struct uapi_page_region *region)
{
	uint64_t start = (uintptr_t)thp_page(thp, PAGE);

	scenario_check(s, "invariant.reported",
		       regions == 1 && region->start == start && region->end == start + THP_PAGE &&
			       region->categories == UAPI_PAGE_IS_WRITTEN,
		       "%d regions, the first of %lld bytes with 0x%llx", regions,
		       (long long)(region->end - region->start),
		       (unsigned long long)region->categories);
}

void scenario_pagemap_scan(struct scenario *s)
{
	struct uapi_page_region region = { 0, 0, 0 };
	struct uapi_pm_scan_arg arg = {
		.size = sizeof(arg),
		.flags = UAPI_PM_SCAN_WP_MATCHING,
		.vec = (uintptr_t)&region,
		.vec_len = 1,
		.category_mask = UAPI_PAGE_IS_WRITTEN,
		.return_mask = UAPI_PAGE_IS_WRITTEN,
	};
	int uffd, fd, r;
	struct thp thp;

	uffd = uffd_fixture(s, UAPI_UFFD_FEATURE_PAGEFAULT_FLAG_WP | UAPI_UFFD_FEATURE_WP_ASYNC,
			    false, &thp);
	if (uffd < 0)
		return;
	fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		scenario_check(s, "harness.fixture", false, "pagemap: %s", strerror(errno));
		return;
	}
	arg.start = (uintptr_t)thp_page(&thp, PAGE);
	arg.end = arg.start + THP_PAGE;
	scenario_arm(s);
	r = ioctl(fd, UAPI_PAGEMAP_SCAN, &arg);
	scenario_disarm(s, r < 0 ? errno : 0);

	if (check_errno(s)) {
		check_reported(s, &thp, r, &region);
		check_pagemap_bit(s, "invariant.uffd_wp", &thp, UAPI_PM_UFFD_WP, false, PAGE);
		check_writable(s, &thp, PAGE); /* which is noticed */
	}
	check_pagemap_bit(s, "invariant.noticed", &thp, UAPI_PM_UFFD_WP, false, THP_PAGES);
	check_unchanged(s, &thp);
	check_neighbours_writable(s, &thp, PAGE);
	close(fd);
	close(uffd);
	scenario_finish(s, &thp);
}
