/* SPDX-License-Identifier: MIT */
/*
 * userfaultfd(2) as the scenarios use it: one process, no handler. With
 * UAPI_UFFD_FEATURE_SIGBUS, which uffd_open() always asks for, a fault that a handler would have
 * to resolve raises SIGBUS instead of blocking for ever.
 */
#ifndef FAULTLINE_GUEST_UFFD_H
#define FAULTLINE_GUEST_UFFD_H

#include "scenario.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Opens a userfaultfd with these UAPI_UFFD_FEATURE_* and SIGBUS. Returns the descriptor or -errno:
 * -ENOSYS if the kernel has none, -EINVAL if it lacks one of the features.
 */
int uffd_open(uint64_t features) __attribute__((warn_unused_result));

/* UFFDIO_REGISTER, UFFDIO_UNREGISTER and UFFDIO_WRITEPROTECT. Each returns 0 or -errno. */
int uffd_register(int fd, const void *start, size_t size, uint64_t mode)
	__attribute__((warn_unused_result));
int uffd_unregister(int fd, const void *start, size_t size) __attribute__((warn_unused_result));
int uffd_write_protect(int fd, const void *start, size_t size, bool protect)
	__attribute__((warn_unused_result));

/*
 * scenario_fixture(), all of it registered for write protection with a userfaultfd that has these
 * features, and protected if asked for. None of it splits. Returns the descriptor; on failure it
 * records `harness.fixture` and returns -1: the scenario returns at once.
 */
int uffd_fixture(struct scenario *s, uint64_t features, bool protect, struct thp *ret_thp)
	__attribute__((warn_unused_result));

/*
 * UFFDIO_MOVE without a mode. Returns 0 when all of it was moved, -errno (-EAGAIN: less than all).
 */
int uffd_move(int fd, void *target, const void *source, size_t size)
	__attribute__((warn_unused_result));

#endif
