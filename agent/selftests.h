/* SPDX-License-Identifier: MIT */
/*
 * selftests: the programs of a kernel tree's tools/testing/selftests/mm: built in the sandbox, found,
 * and put into the guest's file system. docs/selftests.md.
 * Thread: any; two builds in one work folder wait for one another.
 */
#ifndef FAULTLINE_AGENT_SELFTESTS_H
#define FAULTLINE_AGENT_SELFTESTS_H

#include "agent/engine.h"

/* One program that the tree's Makefile names, or that is in the folder. */
struct selftests_program {
	char *name;
	char *why; /* NULL: it is there. Else why it is not: the compiler's line */
};

struct selftests {
	char *dir; /* where the programs are */
	struct selftests_program *programs; /* sorted by name */
	size_t n, cap;
};

void selftests_free(struct selftests *s);
/* NULL when it is not known. */
const struct selftests_program *selftests_find(const struct selftests *s, const char *program);

/* The executable files in `dir`; links are left out. -ENOENT when there is none. */
must_check int selftests_open(const char *dir, struct selftests *ret, struct error *err);

/* Builds them from the tree `source`, statically, into <work>/selftests/<arch>: headers first, then
 * every program that compiles. What does not is in the list with its reason, and no error. Errors
 * are the host's, those of sandbox_run(), and -EINVAL for a tree without such tests. */
must_check int selftests_build(const char *work, const char *source, int jobs,
			       const struct engine_watch *watch, struct selftests *ret,
			       struct error *err);

/* Why each program that a build log tells of did not compile: entries with `why` are added. */
void selftests_read_log(const char *log, struct selftests *s);

#endif
