/* SPDX-License-Identifier: MIT */
/*
 * split.uffd_register: UFFDIO_REGISTER of p + 8K, 4K
 *
 * userfaultfd_register_range() splits the VMA, so that the page can belong to the userfaultfd, and
 * vma_adjust_trans_huge() splits the PMD. Without a page table the call may fail with ENOMEM, and
 * nothing may be registered: a page that is, without anybody knowing, blocks its next fault for
 * ever. UFFDIO_UNREGISTER afterwards runs unarmed: the PMD is split already.
 */
#include "check.h"
#include "uapi.h"
#include "uffd.h"

#include <string.h>
#include <unistd.h>

#define PAGE 2

void scenario_uffd_register(struct scenario *s)
{
	struct thp thp;
	int fd, r;

	if (!scenario_fixture(s, &thp))
		return;
	fd = uffd_open(0);
	if (fd < 0) {
		scenario_check(s, "harness.fixture", false, "userfaultfd: %s", strerror(-fd));
		return;
	}
	scenario_arm(s);
	r = uffd_register(fd, thp_page(&thp, PAGE), THP_PAGE, UAPI_UFFDIO_REGISTER_MODE_MISSING);
	scenario_disarm(s, -r);

	/* before the VMAs are joined again and hide it */
	check_huge_whole(s, "invariant.registered_state", &thp);
	if (check_errno(s)) {
		check_vma(s, &thp, PAGE, NULL, "um", true);
		r = uffd_unregister(fd, thp_page(&thp, PAGE), THP_PAGE);
		scenario_check(s, "errno.unregister", !r, "%s", strerror(-r));
	}
	check_unchanged(s, &thp);
	check_writable(s, &thp, PAGE);
	check_neighbours_writable(s, &thp, PAGE);
	close(fd);
	scenario_finish(s, &thp);
}
