/* SPDX-License-Identifier: MIT */
/*
 * memory.pgtables: what a THP costs in page tables
 *
 * __do_huge_pmd_anonymous_page() deposits a page table with every PMD that it makes huge, 4 KiB
 * for 2 MiB, to have it when the PMD is split. A kernel that allocates it at split time saves it
 * for as long as the page stays whole. Both must have exactly one page table a THP once all of
 * them are split, and none when they are unmapped. VmPTE is an exact count, in bytes, of the
 * tables of all levels below the top; a first THP has brought in those above, so that what the
 * others add is theirs alone.
 */
#include "check.h"
#include "fileio.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define THPS 32 /* 64 MiB of a machine of 512 */
#define TABLE_KB 4 /* one page table: 512 entries of 8 bytes */
/* Aligned to what one PMD table maps, so that one table serves all. */
#define PLACE ((void *)0x100000000000)

struct tables {
	long process_kb;
	int64_t machine_pages;
};

static struct tables read_tables(void)
{
	static struct vmstat vmstat;
	struct tables tables = { .machine_pages = -1 };

	tables.process_kb = file_read_key_kb("/proc/self/status", "VmPTE");
	if (!vmstat_read(&vmstat))
		tables.machine_pages = vmstat_get(&vmstat, "nr_page_table_pages");
	return tables;
}

static void touch(char *region, size_t first, size_t thps)
{
	size_t i;

	for (i = first; i < first + thps; i++)
		*(volatile char *)(region + i * THP_SIZE) = 1;
}

static long huge_kb(const char *region)
{
	static struct smaps smaps;
	int r = smaps_read(region, (THPS + 1) * THP_SIZE, &smaps);

	return r ? r : smaps_sum_anon_huge_kb(&smaps);
}

static bool all_huge(struct scenario *s, const char *region)
{
	long huge = huge_kb(region);
	bool ok = huge == (long)((THPS + 1) * (THP_SIZE >> 10));

	if (!ok)
		scenario_check(s, "harness.fixture", false, "%ld kB are huge", huge);
	return ok;
}

/* One page less in each: zap_pmd_range() splits the PMD. */
static int split_all(char *region)
{
	size_t i;

	for (i = 1; i <= THPS; i++)
		if (madvise(region + i * THP_SIZE, THP_PAGE, MADV_DONTNEED))
			return errno;
	return 0;
}

static void report(struct scenario *s, const struct tables *before, const struct tables *whole,
		   const struct tables *split)
{
	double whole_kb = (double)(whole->process_kb - before->process_kb) / THPS;
	double split_kb = (double)(split->process_kb - before->process_kb) / THPS;

	scenario_metric(s, "pgtables.per_thp", whole_kb, "kB");
	scenario_metric(s, "pgtables.per_split_thp", split_kb, "kB");
	if (before->machine_pages >= 0 && whole->machine_pages >= 0)
		scenario_metric(s, "pgtables.machine_per_thp",
				(double)(whole->machine_pages - before->machine_pages) / THPS,
				"pages");
	scenario_metric(s, "thps", THPS, "THPs");
}

void scenario_pgtables(struct scenario *s)
{
	struct tables before, whole, split, after;
	size_t size = (THPS + 1) * THP_SIZE;
	char *region =
		mmap(PLACE, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int r;

	if (region != PLACE || madvise(region, size, MADV_HUGEPAGE)) {
		scenario_check(s, "harness.fixture", false, "mapping: %s", strerror(errno));
		return;
	}
	touch(region, 0, 1);
	/* the memory that reading needs has its own page tables: they must be there before */
	(void)huge_kb(region);
	(void)read_tables();
	before = read_tables();
	scenario_arm(s);
	touch(region, 1, THPS);
	scenario_disarm(s, 0);
	whole = read_tables();
	if (!all_huge(s, region))
		return;
	r = split_all(region);
	split = read_tables();
	scenario_check(s, "errno.split", !r, "MADV_DONTNEED: %s", strerror(r));
	report(s, &before, &whole, &split);
	scenario_check(s, "invariant.pgtables_whole",
		       whole.process_kb >= before.process_kb &&
			       whole.process_kb <= before.process_kb + THPS * TABLE_KB,
		       "%d whole THPs added %ld kB", THPS, whole.process_kb - before.process_kb);
	scenario_check(s, "invariant.pgtables_split",
		       split.process_kb == before.process_kb + THPS * TABLE_KB,
		       "%d split THPs have %ld kB", THPS, split.process_kb - before.process_kb);
	r = munmap(region, size);
	after = read_tables();
	scenario_check(s, "errno.unmap", !r, "munmap: %s", strerror(errno));
	scenario_check(s, "leak.pgtables", after.process_kb <= before.process_kb,
		       "VmPTE was %ld kB, is %ld kB", before.process_kb, after.process_kb);
	check_leaks(s);
}
