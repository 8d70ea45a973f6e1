/* SPDX-License-Identifier: MIT */
/*
 * git: runs the git command on one store and its one tree, without prompts, hooks, filters, the
 * host's or a user's configuration, and with an allow-list of protocols.
 * Thread: the thread that calls must live as long as the command (as with proc).
 */
#ifndef FAULTLINE_AGENT_GIT_H
#define FAULTLINE_AGENT_GIT_H

#include "agent/engine.h"

struct git {
	const char *dir, *tree, *index; /* borrowed absolute paths */
	bool allow_local; /* protocol "file" */
	const char *token; /* sent as a bearer token over HTTP; may be NULL */
	const struct engine_watch *watch;
};

/* `args` is NULL-terminated, its first word names the command in messages. Counters on its output
 * become progress of `phase`, the rest goes to the log. -ENOENT for a commit that the other side
 * does not have, -ENOSPC, -ETIMEDOUT, -ECANCELED, else -EIO with git's own last words. */
must_check int git_run(const struct git *g, enum engine_phase phase, int64_t timeout_ms,
		       const char *const *args, struct error *err);

#endif
