/* SPDX-License-Identifier: MIT */
/*
 * Where a kernel function lies: [symbol, next symbol) of /proc/kallsyms. The lines of the file are
 * sorted by address (scripts/kallsyms.c sorts them, modules follow), so one pass is enough.
 */
#ifndef FAULTLINE_GUEST_KALLSYMS_H
#define FAULTLINE_GUEST_KALLSYMS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define KALLSYMS_NAME_MAX 64

struct symbol_range {
	char name[KALLSYMS_NAME_MAX]; /* what is looked for */
	char found[KALLSYMS_NAME_MAX]; /* what was found: `name`, or a variant such as name.isra.0 */
	uint64_t start; /* 0: not found */
	uint64_t end;
	unsigned int rank; /* of `found`; for kallsyms_feed() */
};

/*
 * Takes one line "ffffffff81234560 t name[\t[module]]" into account for all ranges. The exact name
 * wins over .isra/.constprop/.part variants, and among equals the first one. `.cold` parts, data
 * and hidden addresses (all zero) never match.
 */
void kallsyms_feed(const char *line, struct symbol_range *ranges, size_t count);

/* Resolves all ranges in one pass over the file. Not found is not an error: `start` stays 0. */
void kallsyms_scan(FILE *file, struct symbol_range *ranges, size_t count);

/*
 * The same for one symbol of the running kernel, with a small cache in front: the names that
 * almost every request uses are resolved together, by kallsyms_prefetch().
 * Returns 0, -ENOENT when there is no such function, or another -errno.
 */
int kallsyms_lookup(const char *name, struct symbol_range *ret_range);
void kallsyms_prefetch(void);

#endif
