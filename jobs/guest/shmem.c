/* SPDX-License-Identifier: MIT */
#include "shmem.h"

#include "check.h"
#include "fileio.h"
#include "pattern.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SHMEM_ENABLED THP_DIR "shmem_enabled"
#define RSS_SLACK_KB 512 /* per-CPU counters; a lost THP is 2048 */
#define TABLE_SLACK_KB 16 /* of memory that the checks themselves need, and one level up */

static long huge_kb(const struct thp *map)
{
	struct smaps smaps;
	int r = smaps_read(map->addr, THP_SIZE, &smaps);
	long sum = 0;
	size_t i;

	for (i = 0; !r && i < smaps.count; i++)
		sum += smaps.vmas[i].shmem_huge_kb;
	return r ? r : sum;
}

/* Reserves address space with a guard on either side of an aligned THP. */
static int reserve(struct thp *map)
{
	map->reserve_size = 3 * THP_SIZE;
	map->reserve = mmap(NULL, map->reserve_size, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map->reserve == MAP_FAILED)
		return -errno;
	map->addr = thp_align(map->reserve + THP_PAGE);
	return 0;
}

static int map_file(const struct shmem *shmem, int protection, int flags)
{
	if (mmap(shmem->map.addr, THP_SIZE, protection, flags | MAP_FIXED, shmem->fd, 0) ==
	    MAP_FAILED)
		return -errno;
	return 0;
}

/* Allocates the THP through a shared mapping, which a private one then replaces. */
static int fill(const struct shmem *shmem, bool private)
{
	int r;

	if (ftruncate(shmem->fd, (off_t)THP_SIZE))
		return -errno;
	r = map_file(shmem, PROT_READ | PROT_WRITE, MAP_SHARED);
	if (r)
		return r;
	pattern_fill(shmem->map.addr, 0, THP_PAGES, shmem->map.seed);
	if (!private)
		return 0;
	r = map_file(shmem, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	if (!r)
		(void)*(volatile char *)shmem->map.addr;
	return r;
}

bool shmem_fixture(struct scenario *s, bool private, struct shmem *ret_shmem)
{
	struct shmem shmem = { .map = { .seed = s->seed } };
	int r;

	if (!scenario_setting(s, SHMEM_ENABLED, "always"))
		return false;
	shmem.rss_kb = file_read_key_kb("/proc/self/status", "RssShmem");
	shmem.table_kb = file_read_key_kb("/proc/self/status", "VmPTE");
	shmem.fd = memfd_create("faultline", MFD_CLOEXEC);
	r = shmem.fd < 0 ? -errno : reserve(&shmem.map);
	if (!r)
		r = fill(&shmem, private);
	if (r) {
		scenario_check(s, "harness.fixture", false, "shmem: %s", strerror(-r));
		return false;
	}
	if (huge_kb(&shmem.map) != (long)(THP_SIZE >> 10)) {
		scenario_check(s, "harness.fixture", false,
			       "the file's THP is not mapped by a PMD");
		return false;
	}
	*ret_shmem = shmem;
	return true;
}

void shmem_check_split(struct scenario *s, const struct shmem *shmem, long splits)
{
	long huge = huge_kb(&shmem->map);

	check_errno(s);
	scenario_check(s, "invariant.split", huge == 0, "%ld kB are still mapped by a PMD", huge);
	if (s->point->splits >= 0)
		scenario_check(s, "counter.split", s->point->splits == splits,
			       "thp_split_pmd rose by %lld, not %ld", (long long)s->point->splits,
			       splits);
}

void shmem_check_file(struct scenario *s, const struct shmem *shmem, size_t first, size_t pages)
{
	static char page[THP_PAGE];
	size_t i;

	for (i = 0; i < THP_PAGES; i++) {
		ssize_t n;

		if (i >= first && i < first + pages)
			continue;
		n = pread(shmem->fd, page, sizeof(page), (off_t)(i * THP_PAGE));
		if (n != (ssize_t)sizeof(page) || pattern_check(page, i, 1, shmem->map.seed) >= 0)
			break;
	}
	scenario_check(s, "data.file", i == THP_PAGES, "page %zu of the file is wrong", i);
}

void shmem_finish(struct scenario *s, struct shmem *shmem)
{
	long rss_kb, table_kb;
	int r = thp_destroy(&shmem->map);

	scenario_check(s, "errno.unmap", !r, "munmap of the fixture: %s", strerror(-r));
	close(shmem->fd);
	rss_kb = file_read_key_kb("/proc/self/status", "RssShmem");
	table_kb = file_read_key_kb("/proc/self/status", "VmPTE");
	scenario_check(s, "leak.rss_shmem", rss_kb <= shmem->rss_kb + RSS_SLACK_KB,
		       "RssShmem was %ld kB, is %ld kB", shmem->rss_kb, rss_kb);
	scenario_check(s, "leak.pgtables", table_kb <= shmem->table_kb + TABLE_SLACK_KB,
		       "VmPTE was %ld kB, is %ld kB", shmem->table_kb, table_kb);
	check_leaks(s);
}
