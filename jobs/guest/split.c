/* SPDX-License-Identifier: MIT */
#include "split.h"

#include "fileio.h"
#include "pagemap.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SPLIT_FILE "/sys/kernel/debug/split_huge_pages"

bool split_possible(void)
{
	return file_exists(SPLIT_FILE);
}

int split_range(const void *start, size_t size, unsigned int order)
{
	uintptr_t first = (uintptr_t)start;
	char text[80];

	snprintf(text, sizeof(text), "%d,0x%" PRIxPTR ",0x%" PRIxPTR ",%u", (int)getpid(), first,
		 first + size, order);
	return file_write(SPLIT_FILE, text);
}

void split_check_folios(struct scenario *s, const struct thp *thp, unsigned int order)
{
	struct pagemap_counts counts = { 0 };
	int r = pagemap_count(thp->addr, THP_SIZE, &counts);
	size_t large = order ? THP_PAGES : 0, heads = order ? THP_PAGES >> order : 0;

	if (!r && order && counts.present == THP_PAGES && !counts.huge) {
		scenario_skip(s, "kconfig", "the kernel splits to single pages only");
		return;
	}
	scenario_check(s, "invariant.folios",
		       !r && counts.present == THP_PAGES &&
			       ((counts.huge == THP_PAGES && counts.heads == 1) ||
				(counts.huge == large && counts.heads == heads)),
		       "%zu pages present, %zu in large folios, of which there are %zu; %s",
		       counts.present, counts.huge, counts.heads, strerror(-r));
}
