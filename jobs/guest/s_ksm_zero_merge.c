/* SPDX-License-Identifier: MIT */
/*
 * ksm.zero_merge: how fast KSM gives back THPs that are all zero, or all alike
 *
 * ksmd works page by page, and try_to_merge_one_page() splits the THP that a page belongs to. That
 * split maps the shared zero page for every zero-filled page of the THP at once
 * (try_to_map_unused_to_zeropage(), mm/migrate.c): pages go that ksmd never looked at. With
 * use_zero_pages memory may then go faster than pages_to_scan allows; without it the pages that are
 * left were no candidates any more, and merging was reported to be slower. The metrics compare the
 * four cases on one kernel and one kernel with another; what must hold is that the memory reads as
 * it did, and that KSM holds nothing any more once it is unmapped.
 */
#include "check.h"
#include "clock.h"
#include "fileio.h"
#include "pattern.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define KSM_DIR "/sys/kernel/mm/ksm/"
#define THPS 4
#define SIZE (THPS * THP_SIZE)
#define PAGES (THPS * (long)THP_PAGES)
#define PAGES_TO_SCAN "256"
#define POINT_NS INT64_C(3000000000)
#define POLL_US 10000

struct sample {
	int64_t ns;
	long freed; /* pages that cost no memory any more */
	long merged; /* the same, and those that others share */
	long scanned;
	long cpu_ticks; /* of ksmd */
};

static long read_long(const char *path)
{
	char text[32];

	return file_read(path, text, sizeof(text)) > 0 ? strtol(text, NULL, 10) : -1;
}

static pid_t find_ksmd(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;

	while (proc && !found && (entry = readdir(proc)) != NULL) {
		char path[280], name[32];

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		if (file_read_line(path, name, sizeof(name)) > 0 && !strcmp(name, "ksmd"))
			found = (pid_t)strtol(entry->d_name, NULL, 10);
	}
	if (proc)
		closedir(proc);
	return found;
}

/* utime and stime, fields 14 and 15 of /proc/PID/stat; the name in brackets holds no blanks. */
static long cpu_ticks(pid_t pid)
{
	char path[32], text[512];
	long user, system;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (file_read(path, text, sizeof(text)) <= 0 ||
	    sscanf(text, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %ld %ld", &user,
		   &system) != 2)
		return 0;
	return user + system;
}

static long rss_pages(const char *region)
{
	struct smaps smaps;
	long sum = 0;
	size_t i;

	if (smaps_read(region, SIZE, &smaps))
		return 0;
	for (i = 0; i < smaps.count; i++)
		sum += smaps.vmas[i].rss_kb;
	return sum / (long)(THP_PAGE >> 10);
}

/*
 * The zero page does not count as resident, pages that KSM shares do. Walking the region is left
 * out where nothing is zero: whoever runs in the address space must answer ksmd's TLB flushes.
 */
static struct sample take_sample(const char *region, pid_t ksmd, bool zero_filled)
{
	long zero = zero_filled ? PAGES - rss_pages(region) : 0;
	struct sample sample = {
		.ns = clock_now_ns(),
		.freed = zero + read_long(KSM_DIR "pages_sharing"),
		.merged = zero + read_long(KSM_DIR "pages_sharing") +
			  read_long(KSM_DIR "pages_shared"),
		.scanned = read_long(KSM_DIR "pages_scanned"),
		.cpu_ticks = cpu_ticks(ksmd),
	};

	return sample;
}

static char *map_region(bool zero, uint64_t seed)
{
	char *reserve = mmap(NULL, SIZE + THP_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *region;
	long page;

	if (reserve == MAP_FAILED)
		return NULL;
	region = thp_align(reserve);
	/* what the alignment left over must not be merged, nor counted */
	munmap(reserve, (size_t)(region - reserve));
	munmap(region + SIZE, (size_t)(reserve + THP_SIZE - region));
	if (madvise(region, SIZE, MADV_HUGEPAGE))
		return NULL;
	for (page = 0; page < PAGES; page++) {
		if (zero)
			memset(region + page * THP_PAGE, 0, THP_PAGE);
		else
			pattern_fill(region + page * THP_PAGE, 0, 1, seed);
	}
	return region;
}

static bool data_right(const char *region, bool zero, uint64_t seed)
{
	long page;

	if (zero)
		return pattern_check_zero(region, SIZE) < 0;
	for (page = 0; page < PAGES; page++)
		if (pattern_check(region + page * THP_PAGE, 0, 1, seed) >= 0)
			return false;
	return true;
}

static void metric(struct scenario *s, const char *what, bool zero, bool use_zero, double value,
		   const char *unit)
{
	char name[POINT_NAME_MAX];

	snprintf(name, sizeof(name), "%s.%s.use_zero_%d", what, zero ? "zero" : "alike", use_zero);
	scenario_metric(s, name, value, unit);
}

/* `idle` is the last sample that had nothing freed yet: scanning before it only took checksums. */
static void report(struct scenario *s, bool zero, bool use_zero, const struct sample *first,
		   const struct sample *idle, const struct sample *last)
{
	double seconds = (double)(last->ns - first->ns) / 1e9;
	long scanned = last->scanned - idle->scanned;

	metric(s, "rate", zero, use_zero,
	       seconds > 0 ? (double)last->freed * THP_PAGE / 1e6 / seconds : 0, "MB/s");
	metric(s, "freed_per_scanned", zero, use_zero,
	       scanned > 0 ? (double)last->freed / (double)scanned : 0, "pages");
	metric(s, "cpu", zero, use_zero,
	       (double)(last->cpu_ticks - first->cpu_ticks) * 1000 / (double)sysconf(_SC_CLK_TCK),
	       "ms");
	metric(s, "merged", zero, use_zero, 100.0 * (double)last->merged / PAGES, "%");
}

/* Lets ksmd work until all is merged or the time is up; the last sample is the last progress. */
static void merge(struct scenario *s, const char *region, pid_t ksmd, bool zero, bool use_zero)
{
	struct sample first = take_sample(region, ksmd, zero), idle = first, last = first,
		      now = first;

	(void)file_write(KSM_DIR "run", "1");
	while (now.merged < PAGES && now.ns - first.ns < POINT_NS) {
		usleep(POLL_US);
		now = take_sample(region, ksmd, zero);
		if (!now.freed)
			idle = now;
		if (now.merged > last.merged)
			last = now;
	}
	report(s, zero, use_zero, &first, &idle, &last);
}

static void one_point(struct scenario *s, pid_t ksmd, bool zero, bool use_zero)
{
	char *region = map_region(zero, s->seed);
	bool right;

	if (!region || madvise(region, SIZE, MADV_MERGEABLE) ||
	    file_write(KSM_DIR "use_zero_pages", use_zero ? "1" : "0")) {
		scenario_check(s, "harness.fixture", false, "%s", strerror(errno));
		return;
	}
	merge(s, region, ksmd, zero, use_zero);
	right = data_right(region, zero, s->seed);
	scenario_check(s, "data.pattern", right, "%s memory, use_zero_pages %d: a page is wrong",
		       zero ? "zero" : "alike", use_zero);
	munmap(region, SIZE);
	/* stops ksmd, and drops what it knows of the region */
	(void)file_write(KSM_DIR "run", "2");
	scenario_check(s, "leak.ksm",
		       read_long(KSM_DIR "pages_shared") == 0 &&
			       read_long(KSM_DIR "pages_sharing") == 0 &&
			       read_long(KSM_DIR "ksm_zero_pages") <= 0,
		       "%ld shared, %ld sharing, %ld zero pages after munmap",
		       read_long(KSM_DIR "pages_shared"), read_long(KSM_DIR "pages_sharing"),
		       read_long(KSM_DIR "ksm_zero_pages"));
}

void scenario_ksm_zero_merge(struct scenario *s)
{
	pid_t ksmd = find_ksmd();
	int i;

	if (!scenario_setting(s, KSM_DIR "run", "2") ||
	    !scenario_setting(s, KSM_DIR "use_zero_pages", "0") ||
	    !scenario_setting(s, KSM_DIR "pages_to_scan", PAGES_TO_SCAN) ||
	    !scenario_setting(s, KSM_DIR "sleep_millisecs", "2"))
		return;
	scenario_arm(s);
	for (i = 0; i < 4; i++)
		one_point(s, ksmd, i < 2, i % 2);
	scenario_disarm(s, 0);
	check_leaks(s);
}
