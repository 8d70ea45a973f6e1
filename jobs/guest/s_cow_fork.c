/* SPDX-License-Identifier: MIT */
/*
 * split.cow_fork: fork(), then the child writes one byte of a THP it shares with its parent
 *
 * do_huge_pmd_wp_page() cannot reuse the folio, splits the PMD and leaves the write to the PTE
 * level. A fault has no errno: without a page table it must be retried until it succeeds, and
 * end with the byte in the child changed and the parent's untouched, also when the child writes to
 * all other pages, which are still shared after the split. A signal instead is
 * reported as EFAULT. The child is the task under test: fork() never hands fail-nth on.
 */
#include "check.h"
#include "pattern.h"
#include "probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 2

static void child(struct scenario *s, const struct thp *thp)
{
	volatile unsigned char *byte = (volatile unsigned char *)thp_page(thp, PAGE);
	unsigned char old = pattern_byte(PAGE, 0, thp->seed), new = (unsigned char)~old;
	int number;

	scenario_arm(s);
	number = probe_write((void *)(uintptr_t)byte, new);
	scenario_disarm(s, number ? EFAULT : 0);

	if (check_errno(s)) {
		scenario_check(s, "data.written", *byte == new, "the child reads 0x%02x", *byte);
		*byte = old;
	}
	check_pattern(s, "data.child", thp, thp->addr, 0, THP_PAGES);
	/* all is shared but what the child has written: the parent looks whether it sees this */
	memset(thp->addr, 0xff, THP_SIZE);
	_exit(EXIT_SUCCESS);
}

void scenario_cow_fork(struct scenario *s)
{
	struct thp thp;
	int status = 0;
	pid_t pid;

	if (!scenario_fixture(s, &thp))
		return;
	pid = fork();
	if (pid < 0) {
		scenario_check(s, "harness.fork", false, "%s", strerror(errno));
		return;
	}
	if (!pid)
		child(s, &thp);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	scenario_check(s, "invariant.child", status == 0, "the child's wait status is 0x%x",
		       (unsigned int)status);
	check_unchanged(s, &thp);
	check_writable(s, &thp, PAGE);
	scenario_finish(s, &thp);
}
