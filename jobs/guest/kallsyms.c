/* SPDX-License-Identifier: MIT */
#include "kallsyms.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_MAX 16
#define SCAN_BUFFER 65536

static struct symbol_range cache[CACHE_MAX];
static size_t cache_used;

enum rank {
	RANK_NONE,
	RANK_VARIANT,
	RANK_EXACT,
};

static enum rank name_rank(const char *symbol, size_t length, const char *wanted)
{
	static const char *const variants[] = { "isra", "constprop", "part", "llvm" };
	size_t wanted_length = strlen(wanted), i;

	if (length < wanted_length || memcmp(symbol, wanted, wanted_length))
		return RANK_NONE;
	if (length == wanted_length)
		return RANK_EXACT;
	if (symbol[wanted_length] != '.' || memmem(symbol, length, ".cold", 5))
		return RANK_NONE;
	for (i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		size_t n = strlen(variants[i]);

		if (length > wanted_length + n &&
		    !memcmp(symbol + wanted_length + 1, variants[i], n))
			return RANK_VARIANT;
	}
	return RANK_NONE;
}

static void feed_range(struct symbol_range *range, uint64_t address, bool function,
		       const char *symbol, size_t length)
{
	enum rank rank;

	if (range->start && !range->end && address > range->start)
		range->end = address;
	if (!function || length >= sizeof(range->found))
		return;
	rank = name_rank(symbol, length, range->name);
	if (rank <= range->rank)
		return;
	range->rank = rank;
	range->start = address;
	range->end = 0;
	memcpy(range->found, symbol, length);
	range->found[length] = '\0';
}

void kallsyms_feed(const char *line, struct symbol_range *ranges, size_t count)
{
	uint64_t address = 0;
	const char *at = line;
	size_t length, i;
	bool function;

	for (;; at++) {
		if (*at >= '0' && *at <= '9')
			address = address << 4 | (uint64_t)(*at - '0');
		else if (*at >= 'a' && *at <= 'f')
			address = address << 4 | (uint64_t)(*at - 'a' + 10);
		else
			break;
	}
	if (at == line || at[0] != ' ' || !at[1] || at[2] != ' ' || !address)
		return;
	function = strchr("tTwW", at[1]) != NULL;
	at += 3;
	length = strcspn(at, "\t \n");
	for (i = 0; i < count; i++)
		feed_range(&ranges[i], address, function, at, length);
}

void kallsyms_scan(FILE *file, struct symbol_range *ranges, size_t count)
{
	char line[512];
	size_t i;

	while (fgets(line, sizeof(line), file))
		kallsyms_feed(line, ranges, count);
	/* a last symbol without a successor has no known size */
	for (i = 0; i < count; i++)
		if (!ranges[i].end)
			ranges[i].start = 0;
}

static int scan_running(struct symbol_range *ranges, size_t count)
{
	static char buffer[SCAN_BUFFER];
	FILE *file = fopen("/proc/kallsyms", "re");

	if (!file)
		return -errno;
	setvbuf(file, buffer, _IOFBF, sizeof(buffer));
	kallsyms_scan(file, ranges, count);
	fclose(file);
	return 0;
}

void kallsyms_prefetch(void)
{
	static const char *const names[] = {
		"pte_alloc_one",
		"__pte_alloc",
		"__split_huge_pmd",
		"try_to_unmap_one",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		snprintf(cache[i].name, sizeof(cache[i].name), "%s", names[i]);
	if (!scan_running(cache, i))
		cache_used = i;
}

int kallsyms_lookup(const char *name, struct symbol_range *ret_range)
{
	struct symbol_range range = { .start = 0 };
	size_t i;
	int r;

	if (strlen(name) >= sizeof(range.name))
		return -ENOENT;
	for (i = 0; i < cache_used; i++)
		if (!strcmp(cache[i].name, name))
			break;
	if (i == cache_used) {
		strcpy(range.name, name);
		r = scan_running(&range, 1);
		if (r)
			return r;
		if (cache_used == CACHE_MAX)
			cache_used--; /* the latest request displaces the one before */
		i = cache_used++;
		cache[i] = range;
	}
	if (!cache[i].start)
		return -ENOENT;
	*ret_range = cache[i];
	return 0;
}
