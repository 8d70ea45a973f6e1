/* SPDX-License-Identifier: MIT */
/*
 * tracker: follows the configured branches. One thread asks each repository for its tips, fetches
 * what moved and records the movement, which makes a submission. A repository that fails is asked
 * less and less often; the branch shows why.
 */
#ifndef FAULTLINE_SERVER_TRACKER_H
#define FAULTLINE_SERVER_TRACKER_H

#include "server/tracker_range.h"

struct server;
struct tracker;

/* Writes the configured repositories and branches to the store and starts the thread. */
must_check int tracker_start(struct server *srv, struct tracker **ret, struct error *err);
/* Everything is due now. Any thread. */
void tracker_poke(struct tracker *t);
void tracker_stop(struct tracker *t); /* ends a running fetch; NULL is fine */

/* Seconds until the next try after `failures` failures in a row: interval, doubling, at most an
 * hour (or the interval, if that is longer). */
int64_t tracker_delay_s(int failures, int interval_s);
/* Where the range that ends at `tip` starts: the old tip when the branch only grew; else the merge
 * base with the base branch (`base` may be NULL); else the tip's first parent; "" for a root.
 * A tip that the base branch holds already starts at its first parent. */
must_check int tracker_range_start(const char *dir, const char *old_tip, const char *base,
				   const char *tip, char ret_sha[SHA_MAX], struct error *err);

#endif
