/* SPDX-License-Identifier: MIT */
/*
 * range_internal: what the files that use libgit2 share. Only server/tracker_range.c and
 * server/revlist.c; the rest of the server knows commits by their hashes.
 */
#ifndef FAULTLINE_SERVER_RANGE_INTERNAL_H
#define FAULTLINE_SERVER_RANGE_INTERNAL_H

#include <git2.h>

#include "lib/error.h"

static inline void repository_p(git_repository **p)
{
	git_repository_free(*p);
}

static inline void commit_p(git_commit **p)
{
	git_commit_free(*p);
}

static inline void revwalk_p(git_revwalk **p)
{
	git_revwalk_free(*p);
}

/* libgit2's code as one of ours: -ENOENT, -EINVAL or -EIO; the message is the thread's last one. */
int range_git_failed(int code, struct error *err, const char *what);
/* Exactly this folder, not one above it. *ret owned. */
must_check int range_open(const char *dir, git_repository **ret, struct error *err);
/* Names as range_resolve() takes them. -ENOENT naming the one that is not there. */
must_check int range_find_two(git_repository *repo, const char *a, const char *b, git_oid *ret_a,
			      git_oid *ret_b, struct error *err);

#endif
