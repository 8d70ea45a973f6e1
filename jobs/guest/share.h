/* SPDX-License-Identifier: MIT */
/*
 * A child that shares the fixture with the scenario's process since fork(), so that its folio is
 * nobody's own. It waits, touching nothing, until it is let go; then it checks its own view and
 * exits.
 */
#ifndef FAULTLINE_GUEST_SHARE_H
#define FAULTLINE_GUEST_SHARE_H

#include "scenario.h"

#include <sys/types.h>

struct share {
	pid_t pid;
	int release; /* the byte written here ends the wait */
};

/* What the child checks; `word` is the byte that share_end() sent. */
typedef void (*share_check)(struct scenario *s, const struct thp *thp, char word);

/* Forks. On failure it records `harness.fork` and returns false: the scenario returns at once. */
bool share_begin(struct scenario *s, const struct thp *thp, share_check check,
		 struct share *ret_share);

/* Lets the child go, waits for it, and checks that it came to its end. */
void share_end(struct scenario *s, struct share *share, char word);

#endif
