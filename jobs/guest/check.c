/* SPDX-License-Identifier: MIT */
#include "check.h"

#include "fileio.h"
#include "pagemap.h"
#include "pattern.h"
#include "probe.h"
#include "uapi.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the kernel's per-CPU counters of an mm may be off by: percpu_counter_batch, 32 pages. */
#define RSS_SLACK_PAGES_PER_CPU 32
/* Page tables that an operation may need: one below each side of a moved range, and their PMDs. */
#define TABLE_SLACK_KB 16

static const struct {
	const char *name;
	int number;
} errnos[] = {
	{ "ENOMEM", ENOMEM }, { "EAGAIN", EAGAIN },	  { "EBUSY", EBUSY },
	{ "EIO", EIO },	      { "EHWPOISON", EHWPOISON }, { "EINVAL", EINVAL },
	{ "EFAULT", EFAULT }, { "EEXIST", EEXIST },
};

static bool errno_allowed(const char *allowed, int number)
{
	size_t i;

	for (i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++)
		if (errnos[i].number == number)
			return strstr(allowed, errnos[i].name) != NULL;
	return false;
}

bool check_errno(struct scenario *s)
{
	int number = s->point->op_errno;
	const char *allowed = scenario_was_hit(s) ? s->row->allowed_errnos : "";

	scenario_check(s, "errno.allowed", number == 0 || errno_allowed(allowed, number),
		       "%s, allowed: %s", strerror(number), *allowed ? allowed : "none");
	return number == 0;
}

struct compare {
	const void *memory;
	size_t first, pages; /* pages 0: compare `size` bytes with zero */
	size_t size;
	uint64_t seed;
	long wrong;
};

static void do_compare(void *argument)
{
	struct compare *compare = argument;

	if (compare->pages)
		compare->wrong = pattern_check(compare->memory, compare->first, compare->pages,
					       compare->seed);
	else
		compare->wrong = pattern_check_zero(compare->memory, compare->size);
}

static void compare(struct scenario *s, const char *name, struct compare *what)
{
	int number = probe_call(do_compare, what);

	if (number)
		scenario_check(s, name, false, "signal %d while reading it", number);
	else
		scenario_check(s, name, what->wrong < 0, "page %zu, byte %ld is wrong",
			       what->first + (size_t)what->wrong / PATTERN_PAGE,
			       what->wrong % PATTERN_PAGE);
}

void check_pattern(struct scenario *s, const char *name, const struct thp *thp, const void *memory,
		   size_t first, size_t pages)
{
	struct compare what = { memory, first, pages, 0, thp->seed, -1 };

	if (pages)
		compare(s, name, &what);
}

void check_rest(struct scenario *s, const struct thp *thp, size_t first, size_t pages)
{
	size_t after = first + pages;

	check_pattern(s, "data.before", thp, thp->addr, 0, first);
	check_pattern(s, "data.behind", thp, thp_page(thp, after), after, THP_PAGES - after);
}

void check_zero(struct scenario *s, const char *name, const void *memory, size_t size)
{
	struct compare what = { memory, 0, 0, size, 0, -1 };

	compare(s, name, &what);
}

void check_faults(struct scenario *s, const char *name, const void *address)
{
	int number = probe_read(address);

	scenario_check(s, name, number == SIGSEGV, "reading raised signal %d", number);
}

void check_write_faults(struct scenario *s, const struct thp *thp, size_t page)
{
	int number = probe_write(thp_page(thp, page), pattern_byte(page, 0, thp->seed));

	scenario_check(s, "invariant.write_faults", number == SIGSEGV,
		       "writing to page %zu raised signal %d", page, number);
}

void check_writable(struct scenario *s, const struct thp *thp, size_t page)
{
	int number = probe_write(thp_page(thp, page), pattern_byte(page, 0, thp->seed));

	scenario_check(s, "invariant.writable", !number, "writing to page %zu raised signal %d",
		       page, number);
}

void check_neighbours_writable(struct scenario *s, const struct thp *thp, size_t page)
{
	int below = probe_write(thp_page(thp, page - 1), pattern_byte(page - 1, 0, thp->seed));
	int above = probe_write(thp_page(thp, page + 1), pattern_byte(page + 1, 0, thp->seed));

	scenario_check(s, "invariant.neighbours_writable", !below && !above,
		       "writing raised signal %d below, %d above", below, above);
}

void check_mapping(struct scenario *s, const struct thp *thp)
{
	static struct smaps now;
	int r = smaps_read(thp->addr, THP_SIZE, &now);

	if (r) {
		scenario_check(s, "harness.smaps", false, "%s", strerror(-r));
		return;
	}
	smaps_normalise(&now, thp->addr, THP_SIZE);
	scenario_check(s, "invariant.mapping", smaps_equal(&s->mapping, &now),
		       "%zu ranges, first ends at page %zu with '%s'", now.count,
		       now.count ? (now.vmas[0].end - (uintptr_t)thp->addr) / THP_PAGE : 0,
		       now.count ? now.vmas[0].attributes : "");
}

void check_unchanged(struct scenario *s, const struct thp *thp)
{
	check_mapping(s, thp);
	check_pattern(s, "data.pattern", thp, thp->addr, 0, THP_PAGES);
}

void check_pagemap_bit(struct scenario *s, const char *name, const struct thp *thp, uint64_t bit,
		       bool set, size_t other)
{
	static uint64_t entries[THP_PAGES];
	int r = pagemap_read(thp->addr, THP_PAGES, entries);
	long wrong;

	if (r) {
		scenario_check(s, "harness.pagemap", false, "%s", strerror(-r));
		return;
	}
	wrong = pagemap_find_wrong(entries, THP_PAGES, bit, set, other);
	scenario_check(s, name, wrong < 0, "page %ld is mapped as 0x%016llx", wrong,
		       wrong < 0 ? 0ULL : (unsigned long long)entries[wrong]);
}

void check_writes_raise(struct scenario *s, const char *name, const struct thp *thp, size_t first,
			size_t pages, int signal)
{
	size_t page, wrong = THP_PAGES;
	int number, got = 0;

	for (page = first; page < first + pages && wrong == THP_PAGES; page++) {
		number = probe_write(thp_page(thp, page), pattern_byte(page, 0, thp->seed));
		if (number != signal) {
			wrong = page;
			got = number;
		}
	}
	scenario_check(s, name, wrong == THP_PAGES, "writing to page %zu raised signal %d, not %d",
		       wrong, got, signal);
}

static bool vma_matches(const struct smaps_vma *vma, const char *perms, const char *flag)
{
	if (!vma)
		return false;
	if (perms && strncmp(vma->attributes, perms, strlen(perms)))
		return false;
	return !flag || smaps_has_flag(vma, flag);
}

void check_vma(struct scenario *s, const struct thp *thp, size_t page, const char *perms,
	       const char *flag, bool present)
{
	static struct smaps now;
	int r = smaps_read(thp->addr, THP_SIZE, &now);
	const struct smaps_vma *own, *below, *above;

	if (r) {
		scenario_check(s, "harness.smaps", false, "%s", strerror(-r));
		return;
	}
	own = smaps_find(&now, thp_page(thp, page));
	below = smaps_find(&now, thp_page(thp, page - 1));
	above = smaps_find(&now, thp_page(thp, page + 1));
	scenario_check(s, "invariant.vma", vma_matches(own, perms, flag) == present,
		       "page %zu has '%s'", page, own ? own->attributes : "no mapping");
	scenario_check(s, "invariant.neighbours",
		       below && above && vma_matches(below, perms, flag) != present &&
			       vma_matches(above, perms, flag) != present,
		       "'%s' and '%s'", below ? below->attributes : "",
		       above ? above->attributes : "");
}

/*
 * VmRSS comes from per-CPU counters and may be off by their batch; a lost or doubled THP is 512
 * pages. The exact test is the kernel's own: check_mm() complains at exit, and the host reads it.
 */
static void check_rss(struct scenario *s, const char *name)
{
	long slack_kb = RSS_SLACK_PAGES_PER_CPU * sysconf(_SC_NPROCESSORS_ONLN) * 4;
	long counted = file_read_key_kb("/proc/self/status", "RssAnon");
	static struct smaps now;
	int r = smaps_read(NULL, 0, &now); /* no VMA, only the total */

	if (r)
		scenario_check(s, "harness.smaps", false, "%s", strerror(-r));
	else
		scenario_check(s, name, labs(counted - now.total_anonymous_kb) <= slack_kb,
			       "RssAnon is %ld kB, %ld kB are mapped", counted,
			       now.total_anonymous_kb);
}

static void check_tables(struct scenario *s)
{
	long now_kb = file_read_key_kb("/proc/self/status", "VmPTE");

	scenario_check(s, "leak.pgtables",
		       now_kb >= s->table_kb - TABLE_SLACK_KB &&
			       now_kb <= s->table_kb + TABLE_SLACK_KB,
		       "VmPTE was %ld kB, is %ld kB", (long)s->table_kb, now_kb);
	scenario_metric(s, "pgtables.before", (double)s->table_kb, "kB");
	scenario_metric(s, "pgtables.after", (double)now_kb, "kB");
}

static void check_split(struct scenario *s)
{
	if (s->row->kind == SCENARIO_CONTROL)
		scenario_check(s, "invariant.nosplit", s->point->splits <= 0,
			       "thp_split_pmd rose by %lld", (long long)s->point->splits);
	else if (s->row->kind == SCENARIO_SPLIT && !scenario_was_hit(s) && s->point->splits >= 0)
		scenario_check(s, "counter.split", s->point->splits > 0,
			       "thp_split_pmd did not rise");
}

void check_huge_whole(struct scenario *s, const char *name, const struct thp *thp)
{
	long huge_kb = thp_mapped_huge_kb(thp);

	scenario_check(s, name, huge_kb == 0 || huge_kb == (long)(THP_SIZE >> 10),
		       "AnonHugePages adds up to %ld kB", huge_kb);
}

/*
 * As long as a page of the fixture's folio is mapped huge or by its compound pages, all its frames
 * are taken, and each can be mapped in its own place only. Copies have frames from elsewhere.
 */
static void check_order(struct scenario *s, const struct thp *thp,
			const struct pagemap_counts *counts)
{
	static uint64_t entries[THP_PAGES];
	long wrong;
	int r;

	if (!s->first_frame || !counts->huge)
		return;
	r = pagemap_read(thp->addr, THP_PAGES, entries);
	if (r) {
		scenario_check(s, "harness.pagemap", false, "%s", strerror(-r));
		return;
	}
	wrong = pagemap_find_misplaced(entries, THP_PAGES, s->first_frame);
	scenario_check(s, "invariant.frames", wrong < 0,
		       "page %ld maps frame 0x%llx of a folio that begins at 0x%llx", wrong,
		       wrong < 0 ? 0ULL : (unsigned long long)(entries[wrong] & UAPI_PM_PFN_MASK),
		       (unsigned long long)s->first_frame);
}

void check_common(struct scenario *s, const struct thp *thp)
{
	struct pagemap_counts counts;
	int r;

	check_split(s);
	check_huge_whole(s, "invariant.thp_state", thp);
	r = pagemap_count(thp->addr, THP_SIZE, &counts);
	scenario_check(s, "invariant.pagemap",
		       !r && counts.present + counts.swapped + counts.none == THP_PAGES, "%s",
		       r ? strerror(-r) : "pages are missing");
	if (!r)
		check_order(s, thp, &counts);
	check_rss(s, "leak.rss");
	check_tables(s);
}

void check_leaks(struct scenario *s)
{
	check_rss(s, "leak.rss_after");
}
