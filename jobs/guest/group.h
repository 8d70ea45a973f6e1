/* SPDX-License-Identifier: MIT */
/* A control group (version 2) of the scenario's own: what it is charged with can be reclaimed. */
#ifndef FAULTLINE_GUEST_GROUP_H
#define FAULTLINE_GUEST_GROUP_H

#include "scenario.h"

#include <stdbool.h>

/*
 * Makes the group and moves the process into it: pages that it touches from here on are charged to
 * the group. On failure it records `harness.cgroup` and returns false.
 */
bool group_enter(struct scenario *s);

/* Reclaims this much ("2M") from the group, by memory.reclaim. Returns 0 or -errno. */
int group_reclaim(const char *size) __attribute__((warn_unused_result));

/* Moves the process back and removes the group; a failure is recorded. */
void group_leave(struct scenario *s);

#endif
