/* SPDX-License-Identifier: MIT */
/*
 * tracker_range: what libgit2 does: references, merge bases, walks. Hashes are 40 hex digits.
 * Thread: any; every call opens the repository anew.
 */
#ifndef FAULTLINE_SERVER_TRACKER_RANGE_H
#define FAULTLINE_SERVER_TRACKER_RANGE_H

#include <stdbool.h>

#include "db/store.h"
#include "lib/error.h"

#define SHA_MAX 41

/* Once, before the first thread starts. */
must_check int range_init(struct error *err);

/* Absolute path of the objects folder of a repository (bare, with work tree, or a linked work
 * tree). *ret_dir owned. -ENOENT when there is no repository. */
must_check int range_objects_dir(const char *path, char **ret_dir, struct error *err);

/* Hash of the commit that a hash or reference names: a full name, a branch, a tag (peeled).
 * -ENOENT when there is none. */
must_check int range_resolve(const char *dir, const char *rev, char ret_sha[SHA_MAX],
			     struct error *err);
/* -ENOENT when the two have no common ancestor or one is unknown. */
must_check int range_merge_base(const char *dir, const char *a, const char *b,
				char ret_sha[SHA_MAX], struct error *err);
/* -ENOENT for a root commit. */
must_check int range_first_parent(const char *dir, const char *sha, char ret_sha[SHA_MAX],
				  struct error *err);
must_check int range_is_ancestor(const char *dir, const char *ancestor, const char *sha, bool *ret,
				 struct error *err);

struct commit_list {
	struct commit_info *items; /* oldest first; [0] is the base when there is one */
	size_t n, cap;
};

void commit_list_free(struct commit_list *l);
/* base and every commit of base..head, ancestors first. base NULL: head alone. -E2BIG when base..head has more than
 * `max` commits (none is returned), -ENOENT for unknown commits. */
must_check int range_walk(const char *dir, const char *base, const char *head, size_t max,
			  struct commit_list *ret, struct error *err);
/* Base and head alone. -ENOENT for unknown commits. */
must_check int range_ends(const char *dir, const char *base, const char *head,
			  struct commit_list *ret, struct error *err);

#endif
