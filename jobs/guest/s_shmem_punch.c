/* SPDX-License-Identifier: MIT */
/*
 * control.shmem_punch: PUNCH_HOLE of one page of a shmem THP, and ftruncate() to half of another
 *
 * Both unmap a part of the file: unmap_mapping_range() comes to zap_pmd_range(), which splits the
 * PMD by clearing it, and truncate_inode_partial_folio() splits the folio. No page table is
 * needed, so nothing may be there to inject into, and both calls must succeed. The hole reads
 * zero, behind the new end of the file reading raises SIGBUS, and everything else is unchanged.
 */
#include "check.h"
#include "probe.h"
#include "shmem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#define PAGE 2
#define KEPT (THP_PAGES / 2)

void scenario_shmem_punch(struct scenario *s)
{
	struct shmem punched, cut;
	int r, number;

	if (!shmem_fixture(s, false, &punched) || !shmem_fixture(s, false, &cut))
		return;
	scenario_arm(s);
	r = fallocate(punched.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE * THP_PAGE,
		      THP_PAGE);
	if (!r)
		r = ftruncate(cut.fd, KEPT * THP_PAGE);
	scenario_disarm(s, r ? errno : 0);

	shmem_check_split(s, &punched, 2);
	shmem_check_split(s, &cut, 2);
	check_zero(s, "data.zero", thp_page(&punched.map, PAGE), THP_PAGE);
	check_rest(s, &punched.map, PAGE, 1);
	shmem_check_file(s, &punched, PAGE, 1);
	check_pattern(s, "data.kept", &cut.map, cut.map.addr, 0, KEPT);
	number = probe_read(thp_page(&cut.map, KEPT));
	scenario_check(s, "invariant.end_of_file", number == SIGBUS,
		       "reading behind the end raised signal %d", number);
	shmem_finish(s, &cut);
	shmem_finish(s, &punched);
}
