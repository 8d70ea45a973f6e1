/* SPDX-License-Identifier: MIT */
/*
 * split.uprobe: a uprobe is set in the text of a shmem THP that is mapped r-x
 *
 * uprobe_write_opcode() asks get_user_pages() for the page with FOLL_SPLIT_PMD, and
 * follow_pmd_mask() splits the PMD. The PMD of a file is only thrown away (__split_huge_pmd()
 * allocates nothing for it) and a page table is made for the one page that is faulted in again:
 * __pte_alloc(), which is no split and which the default site does not look at. So this one is a
 * control: nothing below the split may be there to make fail. The breakpoint must hit, neither the
 * file nor any other byte of the mapping may change, and the old byte comes back when the probe
 * goes.
 */
#include "check.h"
#include "pattern.h"
#include "probe.h"
#include "shmem.h"
#include "uprobe.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 2

/* x86: nop, ret; the probe replaces the first by int3 */
static const unsigned char code[] = { 0x90, 0xc3 };
#define BREAKPOINT 0xcc

/* Puts the function into the file, and makes the mapping one that could be a program's text. */
static bool make_text(struct scenario *s, const struct shmem *shmem)
{
	ssize_t n = pwrite(shmem->fd, code, sizeof(code), PAGE * THP_PAGE);

	if (n != (ssize_t)sizeof(code) ||
	    mprotect(shmem->map.addr, THP_SIZE, PROT_READ | PROT_EXEC)) {
		scenario_check(s, "harness.text", false, "%s", strerror(errno));
		return false;
	}
	return true;
}

static void call_text(void *argument)
{
	((void (*)(void))(uintptr_t)argument)();
}

static void check_hit(struct scenario *s, const struct shmem *shmem, int probe)
{
	unsigned char *text = (unsigned char *)thp_page(&shmem->map, PAGE);
	uint64_t count = 0;
	int number;

	scenario_check(s, "data.breakpoint", *text == BREAKPOINT, "the text begins with 0x%02x",
		       *text);
	number = probe_call(call_text, text);
	if (number || read(probe, &count, sizeof(count)) != (ssize_t)sizeof(count))
		count = 0;
	scenario_check(s, "invariant.hit", count == 1, "%" PRIu64 " hits; signal %d", count,
		       number);
}

/* The text is as it was, and behind it comes the pattern. */
static void check_text(struct scenario *s, const char *name, const struct shmem *shmem,
		       const unsigned char *text)
{
	unsigned char page[THP_PAGE];

	memcpy(page, text, sizeof(page));
	scenario_check(s, name, !memcmp(page, code, sizeof(code)), "begins with 0x%02x 0x%02x",
		       page[0], page[1]);
	page[0] = pattern_byte(PAGE, 0, shmem->map.seed);
	page[1] = pattern_byte(PAGE, 1, shmem->map.seed);
	check_pattern(s, name, &shmem->map, page, PAGE, 1);
}

void scenario_uprobe(struct scenario *s)
{
	unsigned char page[THP_PAGE];
	struct shmem shmem;
	int probe;

	if (!shmem_fixture(s, true, &shmem) || !make_text(s, &shmem))
		return;
	scenario_arm(s);
	probe = uprobe_open(shmem.fd, PAGE * THP_PAGE);
	scenario_disarm(s, probe < 0 ? -probe : 0);

	shmem_check_split(s, &shmem, 1);
	if (probe >= 0) {
		check_hit(s, &shmem, probe);
		close(probe);
	}
	check_text(s, "data.text", &shmem, (unsigned char *)thp_page(&shmem.map, PAGE));
	check_rest(s, &shmem.map, PAGE, 1);
	if (pread(shmem.fd, page, sizeof(page), PAGE * THP_PAGE) == (ssize_t)sizeof(page))
		check_text(s, "data.file_text", &shmem, page);
	shmem_check_file(s, &shmem, PAGE, 1);
	shmem_finish(s, &shmem);
}
