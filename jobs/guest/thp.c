/* SPDX-License-Identifier: MIT */
#include "thp.h"

#include "fileio.h"
#include "pattern.h"
#include "smaps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define THP_TRIES 8

bool thp_supported(void)
{
	char size[32];

	if (file_read(THP_DIR "hpage_pmd_size", size, sizeof(size)) < 0)
		return false;
	return strtoul(size, NULL, 10) == THP_SIZE;
}

long thp_mapped_huge_kb(const struct thp *thp)
{
	struct smaps smaps;
	int r = smaps_read(thp->addr, THP_SIZE, &smaps);

	return r ? r : smaps_sum_anon_huge_kb(&smaps);
}

/* Room for `count` of them, one behind the other in one VMA. */
static int map_range(struct thp *thp, size_t count, struct problem *problem)
{
	thp->reserve_size = (count + 2) * THP_SIZE;
	thp->reserve = mmap(NULL, thp->reserve_size, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (thp->reserve == MAP_FAILED)
		return problem_set(problem, -errno, "mmap: %s", strerror(errno));
	/* at least one page of guard on either side, wherever the kernel put it */
	thp->addr = thp_align(thp->reserve + THP_PAGE);
	if (mprotect(thp->addr, count * THP_SIZE, PROT_READ | PROT_WRITE))
		return problem_set(problem, -errno, "mprotect: %s", strerror(errno));
	if (madvise(thp->addr, count * THP_SIZE, MADV_HUGEPAGE))
		return problem_set(problem, -errno, "MADV_HUGEPAGE: %s", strerror(errno));
	return 0;
}

/* `before` more of them are in the same VMA, mapped already. */
static int fault_in(struct thp *thp, size_t before, struct problem *problem)
{
	const long want = (long)((before + 1) * THP_SIZE >> 10);
	long huge = 0;
	int try;

	for (try = 0; try < THP_TRIES; try++) {
		if (try) {
			(void)madvise(thp->addr, THP_SIZE, MADV_DONTNEED);
			(void)file_write("/proc/sys/vm/compact_memory", "1");
		}
		*(volatile char *)thp->addr = 1;
		huge = thp_mapped_huge_kb(thp);
		if (huge == want)
			return 0;
		if (huge < 0)
			return problem_set(problem, (int)huge, "smaps: %s", strerror((int)-huge));
	}
	return problem_set(problem, -EAGAIN, "no huge page after %d tries (AnonHugePages %ld kB)",
			   THP_TRIES, huge);
}

static int reserve(struct thp *ret_thp, size_t count, uint64_t seed, struct problem *problem)
{
	struct thp thp = { .seed = seed };
	int r = map_range(&thp, count, problem);

	if (r) {
		if (thp.reserve != MAP_FAILED)
			munmap(thp.reserve, thp.reserve_size);
		return r;
	}
	*ret_thp = thp;
	return 0;
}

int thp_reserve(struct thp *ret_thp, uint64_t seed, struct problem *problem)
{
	return reserve(ret_thp, 1, seed, problem);
}

int thp_create_pair(struct thp *ret_first, struct thp *ret_second, uint64_t seed,
		    struct problem *problem)
{
	struct thp first, second = { .seed = ~seed };
	int r = reserve(&first, 2, seed, problem);

	if (r)
		return r;
	second.addr = first.addr + THP_SIZE;
	r = fault_in(&first, 0, problem);
	if (!r)
		r = fault_in(&second, 1, problem);
	if (r) {
		munmap(first.reserve, first.reserve_size);
		return r;
	}
	pattern_fill(first.addr, 0, THP_PAGES, first.seed);
	pattern_fill(second.addr, 0, THP_PAGES, second.seed);
	*ret_first = first;
	*ret_second = second;
	return 0;
}

int thp_create(struct thp *ret_thp, uint64_t seed, struct problem *problem)
{
	struct thp thp;
	int r = thp_reserve(&thp, seed, problem);

	if (r)
		return r;
	r = fault_in(&thp, 0, problem);
	if (r) {
		munmap(thp.reserve, thp.reserve_size);
		return r;
	}
	pattern_fill(thp.addr, 0, THP_PAGES, seed);
	*ret_thp = thp;
	return 0;
}

int thp_destroy(struct thp *thp)
{
	if (munmap(thp->reserve, thp->reserve_size))
		return -errno;
	return 0;
}
