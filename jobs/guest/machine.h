/* SPDX-License-Identifier: MIT */
/* The virtual machine as init sets it up, and what its kernel can do. Owner: init. */
#ifndef FAULTLINE_GUEST_MACHINE_H
#define FAULTLINE_GUEST_MACHINE_H

#include <stdbool.h>

/* The features that scenarios.def may need; also the ready record's "features". */
enum machine_feature {
	FEATURE_THP,
	FEATURE_SWAP,
	FEATURE_NUMA,
	FEATURE_MEMCG,
	FEATURE_KSM,
	FEATURE_USERFAULTFD,
	FEATURE_KPAGEFLAGS,
	FEATURE_SPLIT_COUNTER,
	FEATURE_FAILED_SPLIT_COUNTER,
	FEATURE_FAIL_PAGE_ALLOC,
	FEATURE_FAILSLAB,
	FEATURE_FAIL_FUNCTION,
	FEATURE_FAIL_NTH,
	FEATURE_STACKTRACE_FILTER,
	FEATURE_KALLSYMS,
	FEATURE_HUGE_ZERO_PAGE,
	FEATURE_IO_URING,
	FEATURE_GUP_TEST,
	FEATURE_DEBUGFS_SPLIT,
	FEATURE_MEMORY_FAILURE,
	FEATURE_SHRINK_UNDERUSED,
	FEATURE_UFFD_WP,
	FEATURE_UFFD_WP_ASYNC,
	FEATURE_UFFD_MOVE,
	FEATURE_PAGEMAP_SCAN,
	FEATURE_SOFT_DIRTY,
	FEATURE_UPROBES,
	FEATURES,
};

struct machine {
	bool features[FEATURES];
};

/* Mounts proc, sysfs, devtmpfs, debugfs, tmpfs and cgroup2, as far as the kernel has them. */
void machine_mount(void);

/*
 * Sets the knobs that hold for all cases, swap included. They are set for the machine's life, so
 * nothing restores them; a kernel that lacks one goes without.
 */
void machine_tune(void);

/* Looks at what there is. */
void machine_probe(struct machine *ret_machine);

const char *machine_feature_name(enum machine_feature feature);
bool machine_has(const struct machine *machine, const char *feature);

/*
 * The first of the features in `needs` (separated by spaces) that the machine lacks, or NULL.
 * The string belongs to the module and lasts until the next call.
 */
const char *machine_missing(const struct machine *machine, const char *needs);

#endif
