/* SPDX-License-Identifier: MIT */
/*
 * control.shmem_dontneed: madvise(p + 8K, 4K, MADV_DONTNEED) on a shared mapping of a shmem THP
 *
 * zap_pmd_range() finds a part of a huge PMD and calls __split_huge_pmd(), which for a file only
 * clears the PMD: no page table is needed, so nothing may be there to inject into, and the call
 * must succeed. The file keeps its folio: every page, the dropped one too, reads the pattern.
 */
#include "check.h"
#include "shmem.h"

#include <errno.h>
#include <sys/mman.h>

#define PAGE 2

void scenario_shmem_dontneed(struct scenario *s)
{
	struct shmem shmem;
	int r;

	if (!shmem_fixture(s, false, &shmem))
		return;
	scenario_arm(s);
	r = madvise(thp_page(&shmem.map, PAGE), THP_PAGE, MADV_DONTNEED);
	scenario_disarm(s, r ? errno : 0);

	shmem_check_split(s, &shmem, 1);
	check_pattern(s, "data.pattern", &shmem.map, shmem.map.addr, 0, THP_PAGES);
	shmem_check_file(s, &shmem, 0, 0);
	shmem_finish(s, &shmem);
}
