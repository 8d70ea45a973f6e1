/* SPDX-License-Identifier: MIT */
/*
 * control.shmem_cow: a write to one page of a private mapping of a shmem THP
 *
 * wp_huge_pmd() cannot copy a huge file page and calls __split_huge_pmd(), which for a file only
 * clears the PMD and allocates nothing. The fault then goes on at PTE level and does need a page
 * table (__do_fault() makes one beforehand): that one may be made to fail, since it is not below
 * the split; the fault is then taken again, and the write is never lost. The writer sees its
 * byte, and neither the file nor any other page changes.
 */
#include "check.h"
#include "pattern.h"
#include "probe.h"
#include "shmem.h"

#define PAGE 2
#define OFFSET 100

void scenario_shmem_cow(struct scenario *s)
{
	struct shmem shmem;
	unsigned char was;
	volatile char *at;
	int number;

	if (!shmem_fixture(s, true, &shmem))
		return;
	at = thp_page(&shmem.map, PAGE) + OFFSET;
	was = pattern_byte(PAGE, OFFSET, s->seed);
	scenario_arm(s);
	number = probe_write((void *)at, (unsigned char)~was);
	scenario_disarm(s, 0);

	shmem_check_split(s, &shmem, 1);
	scenario_check(s, "invariant.writable", !number, "the write raised signal %d", number);
	scenario_check(s, "data.written", (unsigned char)*at == (unsigned char)~was,
		       "the byte that was written is not there");
	shmem_check_file(s, &shmem, 0, 0);
	*at = (char)was;
	check_pattern(s, "data.pattern", &shmem.map, shmem.map.addr, 0, THP_PAGES);
	shmem_finish(s, &shmem);
}
