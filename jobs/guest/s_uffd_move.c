/* SPDX-License-Identifier: MIT */
/*
 * split.uffd_move: UFFDIO_MOVE of p + 8K, 4K to a page below another page table
 *
 * move_pages() splits the PMD of which less than all moves; move_pages_pte() then splits the folio,
 * which is not mapped by a PMD any more. Without a page table the call may fail with ENOMEM and
 * must leave the page where it is, whole, and the target empty. On success the data is at the
 * target and the old address reads as zeroes. The target is registered for missing pages, so that
 * touching it while it is empty raises SIGBUS.
 */
#include "check.h"
#include "probe.h"
#include "uapi.h"
#include "uffd.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 2

/* An empty page that can be moved to, or NULL with a check recorded. */
static char *make_target(struct scenario *s, const struct thp *thp, int fd)
{
	char *target = thp_far_page(thp);
	int r = 0;

	if (mprotect(target, THP_PAGE, PROT_READ | PROT_WRITE))
		r = -errno;
	if (!r)
		r = uffd_register(fd, target, THP_PAGE, UAPI_UFFDIO_REGISTER_MODE_MISSING);
	if (r)
		scenario_check(s, "harness.fixture", false, "target: %s", strerror(-r));
	return r ? NULL : target;
}

void scenario_uffd_move(struct scenario *s)
{
	struct thp thp;
	char *target;
	int fd, r;

	if (!scenario_fixture(s, &thp))
		return;
	fd = uffd_open(UAPI_UFFD_FEATURE_MOVE);
	if (fd < 0) {
		scenario_check(s, "harness.fixture", false, "userfaultfd: %s", strerror(-fd));
		return;
	}
	target = make_target(s, &thp, fd);
	if (!target)
		return;
	scenario_arm(s);
	r = uffd_move(fd, target, thp_page(&thp, PAGE), THP_PAGE);
	scenario_disarm(s, -r);

	if (check_errno(s)) {
		check_mapping(s, &thp);
		check_pattern(s, "data.moved", &thp, target, PAGE, 1);
		check_zero(s, "data.left_over", thp_page(&thp, PAGE), THP_PAGE);
		check_rest(s, &thp, PAGE, 1);
	} else {
		r = probe_read(target);
		scenario_check(s, "invariant.target", r == SIGBUS, "reading raised signal %d", r);
		check_unchanged(s, &thp);
		check_writable(s, &thp, PAGE);
	}
	check_neighbours_writable(s, &thp, PAGE);
	close(fd);
	scenario_finish(s, &thp);
}
