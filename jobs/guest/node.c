/* SPDX-License-Identifier: MIT */
#include "node.h"

#include "fileio.h"
#include "thp.h"
#include "uapi.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define VM_DIR "/proc/sys/vm/"
#define HUGE_ORDER 9
#define FILL_TRIES 8
#define MOVE_TRIES 4
#define FILL_ROUNDS 2
#define DRAINS 32 /* from 3000 pages to 60, an eighth at a time (decay_pcp_high()) */

int node_bind(int node)
{
	unsigned long mask = node < 0 ? 0 : 1UL << node;
	int mode = node < 0 ? UAPI_MPOL_DEFAULT : UAPI_MPOL_BIND;

	/* the kernel reads one bit less than it is told */
	return syscall(SYS_set_mempolicy, mode, node < 0 ? NULL : &mask,
		       node < 0 ? 0UL : 8 * sizeof(mask))
		       ? -errno
		       : 0;
}

int node_of(void *page)
{
	int status = -1;

	if (syscall(SYS_move_pages, 0, 1UL, &page, NULL, &status, 0) < 0)
		return -errno;
	return status;
}

int node_move(void *page, int node)
{
	int status = node, try;
	long left = 1;

	for (try = 0; left > 0 && try < MOVE_TRIES; try++)
		left = syscall(SYS_move_pages, 0, 1UL, &page, &node, &status, UAPI_MPOL_MF_MOVE);
	if (left)
		return left < 0 ? -errno : -EAGAIN;
	return status;
}

/* "Node 1 MemFree: 123 kB" */
static size_t read_bytes(int node, const char *key)
{
	char path[64], text[2048];
	const char *at;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/meminfo", node);
	if (file_read(path, text, sizeof(text)) <= 0)
		return 0;
	at = strstr(text, key);
	return at ? strtoul(at + strlen(key), NULL, 10) << 10 : 0;
}

/*
 * Address space whose pages come from the node, and stay where they are once they are touched. With
 * MPOL_PREFERRED they come from another one when it has none left; with MPOL_BIND the kernel
 * reclaims and compacts first, and calls the OOM killer in the end.
 */
static char *map_on(int node, int mode, size_t size, int advice)
{
	unsigned long mask = 1UL << node;
	char *start = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (start == MAP_FAILED)
		return NULL;
	if (madvise(start, size, advice) ||
	    syscall(SYS_mbind, start, size, mode, &mask, 8 * sizeof(mask), 0U) ||
	    syscall(SYS_mlock2, start, size, UAPI_MLOCK_ONFAULT)) {
		munmap(start, size);
		return NULL;
	}
	return start;
}

static bool touched_huge(char *start, int node)
{
	static unsigned char present[THP_PAGES];

	*(volatile char *)start = 1;
	return node_of(start) == node && !mincore(start, THP_SIZE, present) &&
	       !memchr(present, 0, sizeof(present));
}

/* Takes huge pages until there is none, or until no more than `keep` bytes are free. */
static bool take_huge(int node, size_t keep)
{
	size_t size = read_bytes(node, "MemFree:") + 2 * THP_SIZE;
	char *map = map_on(node, UAPI_MPOL_PREFERRED, size, MADV_HUGEPAGE);
	char *start, *end = map + size;

	if (!map)
		return false;
	start = thp_align(map);
	while (start + THP_SIZE <= end && read_bytes(node, "MemFree:") > keep &&
	       touched_huge(start, node))
		start += THP_SIZE;
	/* what went to another node, or is not huge */
	munmap(start, (size_t)(end - start));
	return true;
}

/* Takes single pages until one comes from another node: no more than the watermark is free then. */
static bool take_singles(int node)
{
	size_t size = read_bytes(node, "MemFree:") + THP_SIZE;
	char *map = map_on(node, UAPI_MPOL_PREFERRED, size, MADV_NOHUGEPAGE);
	char *page, *end = map + size;

	if (!map)
		return false;
	for (page = map; page < end; page += THP_PAGE) {
		*(volatile char *)page = 1;
		if (node_of(page) != node)
			break;
	}
	munmap(page, (size_t)(end - page));
	return true;
}

/*
 * Takes a huge page if one can be had by all the means that migrate_pages() has: reclaim,
 * compaction, and the pages that CPUs have kept. Returns 1, 0 if there is none, or -errno.
 */
static int force_huge(int node)
{
	char *map = map_on(node, UAPI_MPOL_BIND, 2 * THP_SIZE, MADV_HUGEPAGE);

	if (!map)
		return -errno;
	if (touched_huge(thp_align(map), node))
		return 1;
	munmap(map, 2 * THP_SIZE);
	return 0;
}

bool node_has_huge(const char *buddyinfo, int node)
{
	const char *line = buddyinfo;

	while (line) {
		int of, used = 0, length, order = 0;
		unsigned long blocks;

		if (sscanf(line, "Node %d, zone %*s%n", &of, &used) == 1 && of == node && used)
			for (; sscanf(line + used, "%lu%n", &blocks, &length) == 1; order++) {
				if (blocks && order >= HUGE_ORDER)
					return true;
				used += length;
			}
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return false;
}

static bool huge_page_left(int node)
{
	char text[4096];

	return file_read("/proc/buddyinfo", text, sizeof(text)) <= 0 || node_has_huge(text, node);
}

static bool set_knobs(struct scenario *s)
{
	/* what fills the node is locked, and must not be moved together */
	return scenario_setting(s, VM_DIR "compact_unevictable_allowed", "0") &&
	       /* what the kernel keeps for itself has to be less than a huge page */
	       scenario_setting(s, VM_DIR "min_free_kbytes", "64") &&
	       /* CPUs may keep no more for themselves than they must: 4 batches */
	       scenario_setting(s, VM_DIR "percpu_pagelist_high_fraction", "1000000000");
}

/* Each refresh lets each CPU give back a part of what it keeps above its limit. */
static void drain_cpus(void)
{
	int i;

	for (i = 0; i < DRAINS; i++)
		(void)file_write(VM_DIR "stat_refresh", "1");
}

/*
 * Whatever is free is taken, so that what comes free later has a neighbour that stays. What the
 * CPUs have kept comes to light late, and after the huge pages there may be one left that only the
 * watermark kept.
 */
static int fill(int node, size_t free_pages)
{
	size_t size = 2 * free_pages * THP_PAGE, at;
	char *map = map_on(node, UAPI_MPOL_PREFERRED, size, MADV_NOHUGEPAGE);
	int round;

	if (!map)
		return -errno;
	for (at = 0; at < size; at += THP_PAGE)
		map[at] = 1;
	for (round = 0; round < FILL_ROUNDS; round++) {
		if (!take_huge(node, 0) || !take_singles(node))
			return -errno;
		drain_cpus();
	}
	for (at = 0; at < size; at += 2 * THP_PAGE)
		if (munmap(map + at, THP_PAGE))
			return -errno;
	return 0;
}

/* A huge page that one CPU has kept is not for a process that runs on another. */
static int stay_on_cpu(void)
{
	int cpu = sched_getcpu();
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu < 0 ? 0 : (size_t)cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

bool node_exhaust(struct scenario *s, int node, size_t free_pages)
{
	int r, try;

	if (!set_knobs(s))
		return false;
	r = stay_on_cpu();
	if (!r)
		r = fill(node, free_pages);
	for (try = 0; !r && try < FILL_TRIES; try++) {
		drain_cpus();
		r = force_huge(node);
		if (!r && !huge_page_left(node))
			return true;
		r = r < 0 ? r : 0;
	}
	scenario_check(s, "harness.node", false, "cannot fill it: %s",
		       r ? strerror(-r) : "it still has a free huge page");
	return false;
}

bool node_press(struct scenario *s, int node)
{
	size_t total = read_bytes(node, "MemTotal:");

	if (!take_huge(node, total / 8)) {
		scenario_check(s, "harness.node", false, "cannot fill it: %s", strerror(errno));
		return false;
	}
	/* in ten-thousandths: below three tenths kswapd wakes up, above six it rests */
	return scenario_setting(s, VM_DIR "watermark_scale_factor", "3000");
}
