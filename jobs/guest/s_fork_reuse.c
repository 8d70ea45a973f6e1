/* SPDX-License-Identifier: MIT */
/*
 * mthp.fork_reuse: what is left of a large folio after fork, when the child is gone
 *
 * fork() write-protects what it shares. When the child has ended the parent owns its folios alone
 * again, but do_wp_page() does not reuse a page of a large folio (wp_can_reuse_anon_folio()): it
 * copies the page, and the folio, one page short, goes to the list of deferred splits. Memory is
 * wasted until the shrinker comes. A PMD-mapped THP is reused whole (do_huge_pmd_wp_page()). The
 * metrics say how it is on this kernel, in shares of the folios; what must hold everywhere is that
 * the data is right, and that no folio is counted any more once all are unmapped.
 */
#include "check.h"
#include "mthp.h"
#include "pagemap.h"
#include "pattern.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOLIOS 16
#define WRITTEN 1 /* the page of each folio that the parent writes to */
#define FOLIO_KB_MAX 2048

static const unsigned int sizes_kb[] = { 16, 64, 256, FOLIO_KB_MAX };

struct stats {
	long allocated, deferred, partial;
};

static struct stats read_stats(unsigned int size_kb)
{
	return (struct stats){
		.allocated = mthp_stat(size_kb, "anon_fault_alloc"),
		.deferred = mthp_stat(size_kb, "split_deferred"),
		.partial = mthp_stat(size_kb, "nr_anon_partially_mapped"),
	};
}

struct region {
	char *reserve, *addr;
	size_t reserve_size, size;
	size_t folio_pages;
};

static int map_region(unsigned int size_kb, struct region *ret_region)
{
	struct region region = { .size = (size_t)size_kb * 1024 * FOLIOS };

	region.folio_pages = (size_t)size_kb * 1024 / THP_PAGE;
	region.reserve_size = region.size + THP_SIZE;
	region.reserve = mmap(NULL, region.reserve_size, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (region.reserve == MAP_FAILED)
		return -errno;
	region.addr = thp_align(region.reserve);
	if (madvise(region.addr, region.size, MADV_HUGEPAGE))
		return -errno;
	*ret_region = region;
	return 0;
}

static bool fork_and_wait(void)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status == 0;
}

static int read_frames(const struct region *region, uint64_t frames[FOLIOS])
{
	size_t i;
	int r = 0;

	for (i = 0; i < FOLIOS && !r; i++)
		r = pagemap_frame(region->addr + (i * region->folio_pages + WRITTEN) * THP_PAGE,
				  &frames[i]);
	return r;
}

/* Writes what is there already, one page of each folio. Returns how many pages moved. */
static int write_one_each(const struct region *region, uint64_t seed, size_t *ret_copied)
{
	uint64_t before[FOLIOS], after[FOLIOS];
	size_t i, copied = 0;
	int r = read_frames(region, before);

	for (i = 0; i < FOLIOS; i++) {
		size_t page = i * region->folio_pages + WRITTEN;

		*(volatile unsigned char *)(region->addr + page * THP_PAGE) =
			pattern_byte(page, 0, seed);
	}
	if (!r)
		r = read_frames(region, after);
	for (i = 0; i < FOLIOS && !r; i++)
		copied += before[i] != after[i];
	*ret_copied = copied;
	return r;
}

static void metric(struct scenario *s, const char *what, unsigned int size_kb, double value,
		   const char *unit)
{
	char name[POINT_NAME_MAX];

	snprintf(name, sizeof(name), "%s.%ukB", what, size_kb);
	scenario_metric(s, name, value, unit);
}

static void measure(struct scenario *s, unsigned int size_kb, const struct region *region)
{
	struct stats was = read_stats(size_kb), filled, is;
	size_t pages = region->size / THP_PAGE, copied = 0;
	bool forked;
	int r;

	pattern_fill(region->addr, 0, pages, s->seed);
	filled = read_stats(size_kb);
	if (was.allocated >= 0 && filled.allocated - was.allocated != FOLIOS) {
		scenario_check(s, "harness.fixture", false, "%ld folios of %u kB, not %d",
			       filled.allocated - was.allocated, size_kb, FOLIOS);
		return;
	}
	forked = fork_and_wait();
	r = write_one_each(region, s->seed, &copied);
	is = read_stats(size_kb);
	scenario_check(s, "harness.frames", forked && !r, "%u kB: %s", size_kb,
		       forked ? strerror(-r) : "no child, or it died");
	scenario_check(s, "data.pattern", pattern_check(region->addr, 0, pages, s->seed) < 0,
		       "%u kB: a page is not what it was", size_kb);
	metric(s, "copied", size_kb, 100.0 * (double)copied / FOLIOS, "%");
	if (is.deferred >= 0)
		metric(s, "deferred", size_kb,
		       100.0 * (double)(is.deferred - filled.deferred) / FOLIOS, "%");
	if (is.partial >= 0)
		metric(s, "partially_mapped", size_kb,
		       100.0 * (double)(is.partial - filled.partial) / FOLIOS, "%");
}

static void one_size(struct scenario *s, unsigned int size_kb)
{
	long before = mthp_stat(size_kb, "nr_anon_partially_mapped"), after;
	struct region region = { .size = 0 };
	int r = map_region(size_kb, &region);

	if (r) {
		scenario_check(s, "harness.fixture", false, "mapping: %s", strerror(-r));
		return;
	}
	measure(s, size_kb, &region);
	munmap(region.reserve, region.reserve_size);
	after = mthp_stat(size_kb, "nr_anon_partially_mapped");
	scenario_check(s, "counter.partially_mapped", after == before,
		       "%u kB: %ld folios, all unmapped, and %ld before", size_kb, after, before);
}

void scenario_fork_reuse(struct scenario *s)
{
	size_t i;

	if (!mthp_supported(sizes_kb[1])) {
		scenario_skip(s, "kconfig", "the kernel has no huge pages of %u kB", sizes_kb[1]);
		return;
	}
	scenario_arm(s);
	for (i = 0; i < sizeof(sizes_kb) / sizeof(sizes_kb[0]); i++) {
		if (!mthp_supported(sizes_kb[i]))
			continue;
		if (!mthp_only(s, sizes_kb[i]))
			return;
		one_size(s, sizes_kb[i]);
	}
	scenario_disarm(s, 0);
	check_leaks(s);
}
