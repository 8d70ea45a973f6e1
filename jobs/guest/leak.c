/* SPDX-License-Identifier: MIT */
#include "leak.h"

#include "clock.h"
#include "fileio.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SETTLE_NS INT64_C(600000000)
#define TICK_NS 5000000L
#define PAGE_KB 4

static int64_t value_of(const char *vmstat, const char *name)
{
	size_t length = strlen(name);
	const char *line = vmstat;

	while (line && *line) {
		if (!strncmp(line, name, length) && line[length] == ' ')
			return strtoll(line + length + 1, NULL, 10);
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return -1;
}

void leak_parse(const char *vmstat, struct leak_level *ret_level)
{
	/* a folio that nobody can free stays on one of these lists, or isolated from them */
	static const char *const lists[] = { "nr_active_anon", "nr_inactive_anon", "nr_unevictable",
					     "nr_isolated_anon" };
	size_t i;

	ret_level->tables = value_of(vmstat, "nr_page_table_pages");
	ret_level->anon = 0;
	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		int64_t value = value_of(vmstat, lists[i]);

		if (value < 0) {
			ret_level->anon = -1;
			return;
		}
		ret_level->anon += value;
	}
}

void leak_read(struct leak_level *ret_level)
{
	static char text[16384];
	long own_tables_kb, own_anon_kb;

	/* first what makes init grow: its buffers are touched here; and no stdio, whose buffers come
	 * and go with the allocator's mood */
	memset(text, 0, sizeof(text));
	own_anon_kb = file_read_key_kb("/proc/self/smaps_rollup", "Anonymous");
	own_tables_kb = file_read_key_kb("/proc/self/status", "VmPTE");
	/* pages on per-CPU lists are on no LRU list, and counters lag by their per-CPU parts */
	(void)file_write("/proc/sys/vm/drop_caches", "1");
	(void)file_write("/proc/sys/vm/stat_refresh", "1");
	if (file_read("/proc/vmstat", text, sizeof(text)) < 0)
		text[0] = '\0';
	leak_parse(text, ret_level);
	if (ret_level->tables >= 0 && own_tables_kb > 0)
		ret_level->tables -= own_tables_kb / PAGE_KB;
	if (ret_level->anon >= 0 && own_anon_kb > 0)
		ret_level->anon -= own_anon_kb / PAGE_KB;
}

static bool above(const struct leak_level *now, const struct leak_level *before)
{
	return now->tables > before->tables || now->anon > before->anon;
}

void leak_check(struct scenario *s, const struct leak_level *before)
{
	int64_t deadline_ns = clock_now_ns() + SETTLE_NS;
	struct timespec tick = { .tv_nsec = TICK_NS };
	struct leak_level now;

	if (before->tables < 0 || before->anon < 0) {
		scenario_check(s, "harness.vmstat", false, "/proc/vmstat lacks a counter");
		return;
	}
	leak_read(&now);
	while (above(&now, before) && clock_now_ns() < deadline_ns) {
		nanosleep(&tick, NULL);
		leak_read(&now);
	}
	scenario_check(s, "leak.machine_tables", now.tables <= before->tables,
		       "%" PRId64 " page tables more than before, and their process is gone",
		       now.tables - before->tables);
	scenario_check(s, "leak.machine_pages", now.anon <= before->anon,
		       "%" PRId64 " anonymous pages more than before, and their process is gone",
		       now.anon - before->anon);
}
