/* SPDX-License-Identifier: MIT */
/*
 * gitcmd: the git command, for what needs the network or writes objects. libgit2 (tracker_range.h) does
 * the rest.
 *
 * Every call: no shell, own process group, a deadline, no prompts, no hooks, no configuration of
 * the user or the system (one of ours: <git dir>/gitconfig), no protocol but those listed, no HTTP
 * redirects, objects checked as they come.
 * Thread: any; the calling thread must live as long as the call.
 */
#ifndef FAULTLINE_SERVER_GITCMD_H
#define FAULTLINE_SERVER_GITCMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/error.h"

struct gitcmd {
	const char *root; /* <data>/git */
	bool local; /* the repository is a path that the administrator configured */
	bool fsck; /* check objects that come in */
	int64_t timeout_ms;
	bool (*cancelled)(void *arg); /* may be NULL */
	void *arg;
};

/* Makes the folder and its gitconfig. */
must_check int gitcmd_setup(const char *root, struct error *err);
/* The environment for git processes; `extra` (NULL-terminated, may be NULL) is added. Owned:
 * gitcmd_env_free(). */
char **gitcmd_env(const char *root, bool local, const char *const *extra);
void gitcmd_env_free(char **env);

/* <root>/<name>.git, made when missing: bare, and for a local repository with its objects as
 * alternates, so that nothing is copied. *ret_dir owned. */
must_check int gitcmd_ensure(const struct gitcmd *g, const char *name, const char *url,
			     char **ret_dir, struct error *err);

struct remote_ref {
	char *name; /* "refs/heads/x" */
	char sha[41];
};

/* References of the remote side that match one of the full names. -EIO with git's last words. */
must_check int gitcmd_ls_remote(const struct gitcmd *g, const char *dir, const char *url,
				const char *const *names, size_t n, struct remote_ref **ret,
				size_t *ret_n, struct error *err);
void remote_refs_free(struct remote_ref *refs, size_t n);
/* Fetches "+from:to" pairs (full names or hashes), forced. */
must_check int gitcmd_fetch(const struct gitcmd *g, const char *dir, const char *url,
			    const char *const *refspecs, size_t n, struct error *err);
/* Points a reference of our repository at a commit that is there. */
must_check int gitcmd_update_ref(const struct gitcmd *g, const char *dir, const char *ref,
				 const char *sha, struct error *err);

#endif
