/* SPDX-License-Identifier: MIT */
/*
 * cgroup: memory and task limits for everything that one sandbox starts.
 *
 * Finds the memory and pids controllers below this process's own group, in a version 1 hierarchy
 * or in the unified one (Documentation/admin-guide/cgroup-v1/, cgroup-v2.rst), and makes a leaf
 * there. What cannot be had is no error: the caller says so and uses resource limits.
 * Leaves are called faultline-<pid namespace>-<pid>-<start time>-<n>; those whose process is gone
 * are removed, with what still runs in them, when the next one is made.
 * Thread: any.
 */
#ifndef FAULTLINE_AGENT_CGROUP_H
#define FAULTLINE_AGENT_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

struct cgroup {
	char *dirs[2]; /* leaves; the unified hierarchy needs only one */
	int n;
	bool memory, tasks; /* which limit holds */
	const char *memory_dir, *tasks_dir; /* in dirs */
	bool unified;
};

/* A leaf with the limits; 0 = no limit asked for. */
void cgroup_make(int64_t memory_bytes, int tasks, struct cgroup *ret);
/* A process died because the memory limit was reached; a fork was refused. */
bool cgroup_memory_was_hit(const struct cgroup *c);
bool cgroup_tasks_was_hit(const struct cgroup *c);
/* Kills what is left in it and removes it. Nothing when nothing was made. */
void cgroup_remove(struct cgroup *c);

/* Removes what agents that are gone left in `parent`. */
void cgroup_clean(const char *parent);

#endif
