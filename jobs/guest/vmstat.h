/* SPDX-License-Identifier: MIT */
/*
 * The counters of /proc/vmstat that a result carries: all thp_*, pgmigrate_*, pswp* and
 * nr_page_table_pages. The failed-split counter has had two names (FACTS: thp_split_pmd_failed,
 * thp_split_pmd_pte_alloc_failed); both begin with thp_ and are reported under their own.
 */
#ifndef FAULTLINE_GUEST_VMSTAT_H
#define FAULTLINE_GUEST_VMSTAT_H

#include <stdint.h>

#define VMSTAT_MAX 80 /* 6.12 has 45 that match; more are dropped */
#define VMSTAT_NAME_MAX 40

struct vmstat {
	struct vmstat_counter {
		char name[VMSTAT_NAME_MAX];
		int64_t value;
	} counters[VMSTAT_MAX];
	unsigned int count; /* 0: never read */
};

/* Picks the counters out of the file's text; kept apart for tests. */
void vmstat_parse(const char *text, struct vmstat *ret_vmstat);

/* Folds the per-CPU parts (nr_page_table_pages would lag) and reads. Returns 0 or -errno. */
int vmstat_read(struct vmstat *ret_vmstat) __attribute__((warn_unused_result));

/* -1 when the kernel has no such counter. */
int64_t vmstat_get(const struct vmstat *vmstat, const char *name);

#endif
