/* SPDX-License-Identifier: MIT */
/*
 * split.mprotect_shared: mprotect(p + 8K, 4K, PROT_READ) while a forked child shares p
 *
 * As split.mprotect, but the PMD is write-protected in a VMA that may be written: the folio belongs
 * to both processes, and the first write has to copy. The split has to hand that protection to all
 * 512 entries. So every page is written afterwards, and the child looks at all of its memory: an
 * entry that was left writable lets one process write into the memory of the other.
 */
#include "check.h"
#include "pattern.h"
#include "probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 2

struct child {
	pid_t pid;
	int go; /* it begins to look when this is closed */
};

static void look(struct scenario *s, const struct thp *thp, int wait_fd)
{
	char byte;

	(void)!read(wait_fd, &byte, 1);
	check_pattern(s, "data.child", thp, thp->addr, 0, THP_PAGES);
	_exit(EXIT_SUCCESS);
}

static bool make_child(struct scenario *s, const struct thp *thp, struct child *ret_child)
{
	int fds[2] = { -1, -1 };
	pid_t pid = pipe(fds) ? -1 : fork();

	if (pid < 0) {
		scenario_check(s, "harness.fork", false, "%s", strerror(errno));
		return false;
	}
	if (!pid) {
		close(fds[1]);
		look(s, thp, fds[0]);
	}
	close(fds[0]);
	*ret_child = (struct child){ pid, fds[1] };
	return true;
}

static void join_child(struct scenario *s, const struct child *child)
{
	int status = -1;

	close(child->go);
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		;
	scenario_check(s, "invariant.child", status == 0, "the child's wait status is 0x%x",
		       (unsigned int)status);
}

/* Changes the first byte of each page that may be written. */
static void write_others(struct scenario *s, const struct thp *thp, size_t read_only)
{
	size_t page, failed = 0;

	for (page = 0; page < THP_PAGES; page++) {
		unsigned char other = (unsigned char)~pattern_byte(page, 0, thp->seed);

		if (page != read_only)
			failed += probe_write(thp_page(thp, page), other) != 0;
	}
	scenario_check(s, "invariant.writable", !failed, "%zu pages could not be written", failed);
}

void scenario_mprotect_shared(struct scenario *s)
{
	struct child child;
	struct thp thp;
	bool done;
	int r;

	if (!scenario_fixture(s, &thp) || !make_child(s, &thp, &child))
		return;
	scenario_arm(s);
	r = mprotect(thp_page(&thp, PAGE), THP_PAGE, PROT_READ);
	scenario_disarm(s, r ? errno : 0);

	done = check_errno(s);
	if (done) {
		check_vma(s, &thp, PAGE, "r--p", NULL, true);
		check_write_faults(s, &thp, PAGE);
		check_pattern(s, "data.pattern", &thp, thp.addr, 0, THP_PAGES);
	} else {
		check_unchanged(s, &thp);
	}
	write_others(s, &thp, done ? PAGE : THP_PAGES);
	join_child(s, &child);
	/* puts the first bytes back */
	check_writes_raise(s, "invariant.before", &thp, 0, PAGE, 0);
	check_writes_raise(s, "invariant.behind", &thp, PAGE + 1, THP_PAGES - PAGE - 1, 0);
	if (!done)
		check_writable(s, &thp, PAGE);
	check_pattern(s, "data.after", &thp, thp.addr, 0, THP_PAGES);
	scenario_finish(s, &thp);
}
