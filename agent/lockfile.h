/* SPDX-License-Identifier: MIT */
/*
 * lockfile: one user at a time of a work folder, across processes. The lock is flock(2)'s: it ends
 * with the process that holds it, however that ends.
 * Thread: any.
 */
#ifndef FAULTLINE_AGENT_LOCKFILE_H
#define FAULTLINE_AGENT_LOCKFILE_H

#include "agent/engine.h"

/* Creates `path` when needed and waits for its lock until the watch says cancelled (-ECANCELED).
 * The lock is given back by closing *ret_fd. */
must_check int lockfile_take(const char *path, const struct engine_watch *watch, int *ret_fd,
			     struct error *err);

#endif
