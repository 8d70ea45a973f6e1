/* SPDX-License-Identifier: MIT */
/*
 * Splits of a PMD that the machine under test cannot reach, each with what it would take. They
 * are rows of their own so that the catalogue is whole: what is not tested is said, not left out.
 */
#include "scenario.h"

/*
 * split.hmm_device: migrate_vma_collect_pmd() splits a THP that is to move to device memory. The
 * only such device without hardware is the dmirror of lib/test_hmm.c.
 */
void scenario_hmm_device(struct scenario *s)
{
	scenario_skip(s, "kconfig", "needs device-private memory: the dmirror device of TEST_HMM");
}

/* split.fs_dax: a PMD that maps a file on persistent memory is split like that of any file. */
void scenario_fs_dax(struct scenario *s)
{
	scenario_skip(s, "kconfig", "needs FS_DAX and a persistent memory device");
}

/* split.pud: only device memory is mapped by a huge PUD; __split_huge_pud() clears it. */
void scenario_pud(struct scenario *s)
{
	scenario_skip(s, "kconfig", "needs DEV_DAX and a persistent memory device of 1 GiB");
}

/*
 * split.memcg_v1_move: mem_cgroup_move_charge_pte_range() splits a THP on the deferred list whose
 * charge moves between control groups of version 1; the machine has version 2 only.
 */
void scenario_memcg_v1_move(struct scenario *s)
{
	scenario_skip(s, "kconfig", "needs MEMCG_V1 and a version 1 hierarchy");
}

/* split.subpage_prot: the powerpc system call splits what it protects (subpage_mark_vma_nohuge). */
void scenario_subpage_prot(struct scenario *s)
{
	scenario_skip(s, "arch", "the subpage_prot system call is powerpc only");
}

/* split.gmap: s390 splits all THPs of a process that is to run a guest (thp_split_mm()). */
void scenario_gmap(struct scenario *s)
{
	scenario_skip(s, "arch", "guest address spaces (gmap) are s390 only");
}

/*
 * zeropage.mte: a zero-filled page of an arm64 process may carry memory tags that the shared zero
 * page does not have; to map it there loses them.
 */
void scenario_zeropage_mte(struct scenario *s)
{
	scenario_skip(s, "arch", "memory tags (MTE) are arm64 only");
}
