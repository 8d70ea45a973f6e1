/* SPDX-License-Identifier: MIT */
/*
 * clean: cleanup attributes, so that functions read from top to bottom.
 *
 *   CLEANUP(free_p) char *name = NULL;      freed when it leaves scope
 *   return STEAL(name);                     handed over: the local becomes NULL
 *
 * Always initialise what carries CLEANUP. Every destructor used here accepts NULL (-1 for fds).
 * Thread: any. May be included by everything.
 */
#ifndef FAULTLINE_LIB_CLEAN_H
#define FAULTLINE_LIB_CLEAN_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))

#define STEAL(p)                                    \
	(__extension__({                            \
		__typeof__(p) *steal_p_ = &(p);     \
		__typeof__(p) steal_v_ = *steal_p_; \
		*steal_p_ = NULL;                   \
		steal_v_;                           \
	}))

/* The same for a file descriptor: the local becomes -1. */
static inline int steal_fd(int *fd)
{
	int v = *fd;

	*fd = -1;
	return v;
}

static inline void free_p(void *pp)
{
	free(*(void **)pp);
}

static inline void close_p(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void fclose_p(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void closedir_p(DIR **d)
{
	if (*d)
		closedir(*d);
}

#endif
