/* SPDX-License-Identifier: MIT */
/*
 * split.unshare_pin: a long-term read-only pin of one page of a THP that is shared with a child
 *
 * A page that is pinned must be the one that the process sees from then on, so get_user_pages()
 * unshares it first: faultin_page() with FAULT_FLAG_UNSHARE, do_huge_pmd_wp_page(), and from there
 * a split and a copy at PTE level. Without a page table the pin fails with ENOMEM and nothing is
 * pinned; or the fault is taken again. A pin that succeeds with the shared page, or with one that
 * the next write replaces, is the silent corruption that unsharing is there to prevent: what is
 * written afterwards must be read through the pin, and must not be seen by the child. The test
 * device of the kernel takes the pin; nothing else in the tree asks for a long-term pin that only
 * reads.
 */
#include "check.h"
#include "pattern.h"
#include "pin.h"
#include "share.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PAGE 2

static void check_child(struct scenario *s, const struct thp *thp, char word)
{
	(void)word;
	check_pattern(s, "data.child", thp, thp->addr, 0, THP_PAGES);
}

/* Through the pin the page reads like page `first` of the pattern. */
static void check_pinned(struct scenario *s, const char *name, const struct thp *thp, int fd,
			 size_t first)
{
	static char copy[THP_PAGE];
	int r = pin_test_read(fd, copy);

	if (r)
		scenario_check(s, name, false, "cannot read through the pin: %s", strerror(-r));
	else
		check_pattern(s, name, thp, copy, first, 1);
}

static void check_pin(struct scenario *s, const struct thp *thp, int fd)
{
	char *page = thp_page(thp, PAGE);

	check_pinned(s, "data.pinned", thp, fd, PAGE);
	pattern_fill(page, PAGE + 1, 1, thp->seed);
	check_pinned(s, "data.pinned_written", thp, fd, PAGE + 1);
}

void scenario_unshare_pin(struct scenario *s)
{
	struct share child;
	struct thp thp;
	bool pinned;
	int fd, r;

	if (!scenario_fixture(s, &thp) || !share_begin(s, &thp, check_child, &child))
		return;
	fd = pin_open_test();
	if (fd < 0) {
		scenario_check(s, "harness.pin", false, "%s", strerror(-fd));
		return;
	}
	scenario_arm(s);
	r = pin_test_page(fd, thp_page(&thp, PAGE));
	scenario_disarm(s, -r);

	pinned = check_errno(s);
	if (pinned)
		check_pin(s, &thp, fd);
	share_end(s, &child, 1); /* which looks while the page is written */
	if (pinned)
		pattern_fill(thp_page(&thp, PAGE), PAGE, 1, thp.seed);
	check_unchanged(s, &thp);
	close(fd);
	check_writable(s, &thp, PAGE);
	scenario_finish(s, &thp);
}
