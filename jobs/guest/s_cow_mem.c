/* SPDX-License-Identifier: MIT */
/*
 * split.cow_mem: one byte of a forked child's memory is written through /proc/PID/mem
 *
 * access_remote_vm() faults the page in for the child with do_huge_pmd_wp_page(), which splits the
 * child's PMD and leaves the write to the PTE level. The fault is taken for somebody else, so
 * nobody retries it: without a page table mem_rw() gives up, and write() fails with EIO, with the
 * child's memory as it was. The writer's own memory, shared with the child until then, must not
 * change either way.
 */
#include "check.h"
#include "pattern.h"
#include "share.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PAGE 2

/* In the child: `word` tells whether the write is said to have succeeded. */
static void check_written(struct scenario *s, const struct thp *thp, char word)
{
	volatile unsigned char *byte = (volatile unsigned char *)thp_page(thp, PAGE);
	unsigned char old = pattern_byte(PAGE, 0, thp->seed), new = (unsigned char)~old;

	if (word) {
		scenario_check(s, "data.written", *byte == new, "the child reads 0x%02x", *byte);
		*byte = old;
	}
	check_pattern(s, "data.child", thp, thp->addr, 0, THP_PAGES);
}

static int open_memory(pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	return open(path, O_RDWR | O_CLOEXEC);
}

void scenario_cow_mem(struct scenario *s)
{
	struct share child;
	struct thp thp;
	unsigned char new;
	ssize_t n;
	int fd;

	if (!scenario_fixture(s, &thp) || !share_begin(s, &thp, check_written, &child))
		return;
	new = (unsigned char)~pattern_byte(PAGE, 0, thp.seed);
	fd = open_memory(child.pid);
	if (fd < 0) {
		scenario_check(s, "harness.mem", false, "%s", strerror(errno));
		return;
	}
	scenario_arm(s);
	n = pwrite(fd, &new, 1, (off_t)(uintptr_t)thp_page(&thp, PAGE));
	scenario_disarm(s, n < 0 ? errno : 0);

	close(fd);
	share_end(s, &child, (char)check_errno(s));
	check_unchanged(s, &thp);
	check_writable(s, &thp, PAGE);
	scenario_finish(s, &thp);
}
