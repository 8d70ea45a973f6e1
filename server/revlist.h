/* SPDX-License-Identifier: MIT */
/*
 * revlist: the history between two commits, as the search for the first bad one takes it
 * (jobs/bisect.h). Thread: any; every call opens the repository anew.
 */
#ifndef FAULTLINE_SERVER_REVLIST_H
#define FAULTLINE_SERVER_REVLIST_H

#include "server/tracker_range.h"

struct revlist {
	char good[SHA_MAX], bad[SHA_MAX]; /* what the names meant */
	char *text; /* for bisect_new(): a line for each commit, its hash and its parents' */
	size_t n; /* lines */
};

/* What `bad` has and `good` has not, each a hash, a branch or a tag: the lines of
 * `git rev-list --topo-order --parents good..bad`. At most `max` commits, which callers set to
 * LIMIT_BISECT_COMMITS (lib/limits.h). *ret owned: revlist_free().
 * -ENOENT: there is no such repository or commit. -EINVAL: `good` is no ancestor of `bad`, or the
 * same. -E2BIG: more than `max`. Messages name the revisions. A shallow clone is -ENOENT or -EIO
 * once the walk comes to its edge. */
must_check int revlist_read(const char *dir, const char *good, const char *bad, size_t max,
			    struct revlist *ret, struct error *err);
void revlist_free(struct revlist *l);

#endif
