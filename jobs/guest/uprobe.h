/* SPDX-License-Identifier: MIT */
/* User-space probes through perf_event_open(2), as `perf probe -x` sets them. */
#ifndef FAULTLINE_GUEST_UPROBE_H
#define FAULTLINE_GUEST_UPROBE_H

#include <stddef.h>

/*
 * Puts a breakpoint at `offset` of an open file, in all text of this process that is mapped from
 * it. Returns a file descriptor, from which the number of hits is read, and which takes the
 * breakpoint away when it is closed; or -errno (-ENOENT: the kernel has no uprobes).
 */
int uprobe_open(int file, size_t offset);

/*
 * Tries it, on a file that nobody has mapped. Returns a file descriptor or -errno. The first probe
 * in a kernel's life makes per-CPU buffers and the page tables for them, which stay.
 */
int uprobe_try(void);

#endif
