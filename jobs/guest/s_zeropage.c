/* SPDX-License-Identifier: MIT */
/*
 * zeropage.remap: the zero-filled pages of a THP whose folio is split
 *
 * split_folio() puts the PTEs back with remove_migration_pte(), and
 * try_to_map_unused_to_zeropage() (mm/migrate.c, since 6.12) then maps the shared zero page in
 * place of a page that holds only zeroes, whoever asked for the split: the shrinker of underused
 * THPs or anybody else. What must hold: only pages that are zero to the last byte go, each of them
 * does, RSS falls by exactly their number, and a write afterwards gets a page of its own. With
 * mlock() none may go, since locked memory must not fault again; under userfaultfd none may become
 * a hole, because the monitor would be asked for a page that it has already filled in.
 */
#include "check.h"
#include "fileio.h"
#include "pagemap.h"
#include "pattern.h"
#include "uapi.h"
#include "uffd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ZERO_PAGES 64
#define STRIDE (THP_PAGES / ZERO_PAGES)
#define FIRST 3 /* of each stride one page is zero */
#define SPLIT_TRIES 8
#define SHRINKER THP_DIR "shrink_underused"

struct variant {
	const char *name; /* of the metric */
	size_t least, most; /* how many pages may go */
	bool by_shrinker;
};

static bool is_zeroed(size_t page)
{
	return page % STRIDE == FIRST;
}

static bool make_fixture(struct scenario *s, struct thp *ret_thp)
{
	size_t page;

	if (!scenario_fixture(s, ret_thp))
		return false;
	for (page = 0; page < THP_PAGES; page++)
		if (is_zeroed(page))
			memset(thp_page(ret_thp, page), 0, THP_PAGE);
	return true;
}

static int split_by_debugfs(const struct thp *thp)
{
	char text[64];

	snprintf(text, sizeof(text), "%d,0x%lx,0x%lx", (int)getpid(), (unsigned long)thp->addr,
		 (unsigned long)thp->addr + THP_SIZE);
	return file_write("/sys/kernel/debug/split_huge_pages", text);
}

static bool still_huge(const struct thp *thp)
{
	struct pagemap_counts counts;

	return pagemap_count(thp->addr, THP_SIZE, &counts) || counts.huge;
}

/* A reference that somebody holds for a moment makes a split fail, and rightly. */
static bool split(const struct thp *thp, bool by_shrinker)
{
	int try;

	for (try = 0; try < SPLIT_TRIES && still_huge(thp); try++)
		if (by_shrinker ? file_write("/proc/sys/vm/drop_caches", "2")
				: split_by_debugfs(thp))
			return false;
	return !still_huge(thp);
}

static long rss_kb(const struct thp *thp)
{
	struct smaps smaps;
	long sum = 0;
	size_t i;

	if (smaps_read(thp->addr, THP_SIZE, &smaps))
		return -1;
	for (i = 0; i < smaps.count; i++)
		sum += smaps.vmas[i].rss_kb;
	return sum;
}

/* Every byte of every page; a page that was zero and is written gets one of its own. */
static bool data_right(const struct thp *thp)
{
	size_t page;

	for (page = 0; page < THP_PAGES; page++) {
		const char *at = thp_page(thp, page);

		if (is_zeroed(page) ? pattern_check_zero(at, THP_PAGE) >= 0
				    : pattern_check(at, page, 1, thp->seed) >= 0)
			return false;
	}
	return true;
}

static bool write_is_private(const struct thp *thp)
{
	pattern_fill(thp_page(thp, FIRST), FIRST, 1, thp->seed);
	return pattern_check(thp_page(thp, FIRST), FIRST, 1, thp->seed) < 0 &&
	       pattern_check_zero(thp_page(thp, FIRST + STRIDE), THP_PAGE) < 0;
}

static void check_variant(struct scenario *s, const struct thp *thp, const struct variant *variant)
{
	struct pagemap_counts counts = { 0 };
	long before_kb = rss_kb(thp), freed;
	bool was_split = split(thp, variant->by_shrinker);

	freed = (before_kb - rss_kb(thp)) / (long)(THP_PAGE >> 10);
	if (!was_split)
		scenario_check(s, "harness.split", false, "%s: the folio is still whole",
			       variant->name);
	scenario_check(s, "invariant.pagemap",
		       !pagemap_count(thp->addr, THP_SIZE, &counts) &&
			       counts.present == THP_PAGES && counts.zero_page >= variant->least &&
			       counts.zero_page <= variant->most,
		       "%s: %zu pages are present, %zu the zero page", variant->name,
		       counts.present, counts.zero_page);
	scenario_check(s, "invariant.rss", freed == (long)counts.zero_page,
		       "%s: RSS fell by %ld pages, %zu are the zero page", variant->name, freed,
		       counts.zero_page);
	scenario_check(s, "data.pattern", data_right(thp), "%s: a page is not what it was",
		       variant->name);
	scenario_metric(s, variant->name, (double)freed, "pages");
}

static void destroy(struct scenario *s, struct thp *thp)
{
	int r;

	scenario_check(s, "data.written", write_is_private(thp),
		       "a write to one zero page is seen in another, or is lost");
	r = thp_destroy(thp);
	if (r)
		scenario_check(s, "errno.unmap", false, "munmap: %s", strerror(-r));
}

/* The shrinker finds the THP on its list only if faulting it in put it there. */
static void with_shrinker(struct scenario *s)
{
	const struct variant variant = { "rss.freed", ZERO_PAGES, ZERO_PAGES, true };
	struct thp thp;

	if (!make_fixture(s, &thp))
		return;
	check_variant(s, &thp, &variant);
	destroy(s, &thp);
}

static void without_shrinker(struct scenario *s)
{
	const struct variant variant = { "rss.freed_shrinker_off", ZERO_PAGES, ZERO_PAGES, false };
	struct thp thp;

	if (!make_fixture(s, &thp))
		return;
	(void)file_write("/proc/sys/vm/drop_caches", "2");
	scenario_check(s, "invariant.shrinker_off", still_huge(&thp),
		       "the shrinker split a THP that it was told to leave");
	check_variant(s, &thp, &variant);
	destroy(s, &thp);
}

static void with_mlock(struct scenario *s)
{
	const struct variant variant = { "rss.freed_mlock", 0, 0, false };
	struct thp thp;

	if (!make_fixture(s, &thp))
		return;
	if (mlock(thp.addr, THP_SIZE))
		scenario_check(s, "harness.mlock", false, "%s", strerror(errno));
	else
		check_variant(s, &thp, &variant);
	destroy(s, &thp);
}

/*
 * Faults that a monitor would have to resolve raise SIGBUS here, so that a hole, or protection
 * that is lost, shows in the checks. Whether a page goes is the kernel's choice.
 */
static void with_uffd(struct scenario *s)
{
	const struct variant variant = { "rss.freed_uffd", 0, ZERO_PAGES, false };
	int fd = uffd_open(UAPI_UFFD_FEATURE_PAGEFAULT_FLAG_WP), r = fd < 0 ? fd : 0;
	const uint64_t modes = UAPI_UFFDIO_REGISTER_MODE_MISSING | UAPI_UFFDIO_REGISTER_MODE_WP;
	struct thp thp;

	if (!make_fixture(s, &thp))
		return;
	if (!r)
		r = uffd_register(fd, thp.addr, THP_SIZE, modes);
	if (!r)
		r = uffd_write_protect(fd, thp.addr, THP_SIZE, true);
	if (r) {
		scenario_check(s, "harness.uffd", false, "%s", strerror(-r));
		return;
	}
	check_variant(s, &thp, &variant);
	check_pagemap_bit(s, "invariant.uffd_wp", &thp, UAPI_PM_UFFD_WP, true, THP_PAGES);
	close(fd); /* lifts the protection */
	destroy(s, &thp);
}

/* Page i of the n-th THP is zero but for byte n * 512 + i: eight THPs try every byte of a page. */
static void every_byte(struct scenario *s)
{
	const size_t thps = THP_PAGE / THP_PAGES;
	struct pagemap_counts counts;
	size_t n, page, lost = 0, wrong = 0;
	struct thp thp;

	for (n = 0; n < thps; n++) {
		if (!scenario_fixture(s, &thp))
			return;
		memset(thp.addr, 0, THP_SIZE);
		for (page = 0; page < THP_PAGES; page++)
			thp_page(&thp, page)[n * THP_PAGES + page] = 1;
		if (!split(&thp, false) || pagemap_count(thp.addr, THP_SIZE, &counts))
			scenario_check(s, "harness.split", false, "every byte: still whole");
		else
			lost += counts.zero_page;
		for (page = 0; page < THP_PAGES; page++)
			wrong += thp_page(&thp, page)[n * THP_PAGES + page] != 1;
		if (thp_destroy(&thp))
			return;
	}
	scenario_check(s, "data.every_byte", !lost && !wrong,
		       "%zu pages with one byte set became the zero page, %zu lost it", lost,
		       wrong);
	scenario_metric(s, "pages.one_byte_set", (double)(thps * THP_PAGES), "pages");
}

void scenario_zeropage(struct scenario *s)
{
	if (!scenario_setting(s, SHRINKER, "1"))
		return;
	scenario_arm(s);
	with_shrinker(s);
	(void)file_write(SHRINKER, "0");
	without_shrinker(s);
	with_mlock(s);
	with_uffd(s);
	every_byte(s);
	scenario_disarm(s, 0);
	check_leaks(s);
}
