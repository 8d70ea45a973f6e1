/* SPDX-License-Identifier: MIT */
/*
 * bisect_trail: a search as people look at it: its commits in order, what is known of each, when it was
 * tested, and which may still be the first that fails. Pure.
 * Thread: one owner of the search at a time.
 */
#ifndef FAULTLINE_JOBS_BISECT_TRAIL_H
#define FAULTLINE_JOBS_BISECT_TRAIL_H

#include "jobs/bisect.h"

struct bisect_place {
	const char *id; /* lives as long as the search */
	struct bisect_known known;
	bool left; /* it may be the first that fails */
	int turn; /* 1 for the first commit of which anything was told, and so on; 0: nothing was */
	int left_after; /* with a turn: how many were left when the last thing of it was told */
};

/* The good end, then the commits that may be the first and those that could have been, parents before
 * children. *ret is the caller's, free() it. An error is this program's own: the search cannot be told
 * again what it was told. */
must_check int bisect_trail(const struct bisect *b, struct bisect_place **ret, size_t *ret_n,
			    struct error *err);

#endif
