/* SPDX-License-Identifier: MIT */
/*
 * gdb: what a debugger needs to meet a machine where it gets interesting.
 *
 * The kernel is at its link address (nokaslr), so that addresses from System.map will do; hardware
 * breakpoints, because at the first instruction there is no kernel yet to write others into.
 * Thread: any. Included by agent/ and cli/.
 */
#ifndef FAULTLINE_AGENT_GDB_H
#define FAULTLINE_AGENT_GDB_H

#include <stdbool.h>

#include "lib/error.h"

enum gdb_stop {
	GDB_STOP_INJECTION, /* in the kernel's fault injection, as soon as something is to fail */
	GDB_STOP_SPLAT /* where a WARN, an oops or a report begins */
};

bool gdb_stop_parse(const char *s, enum gdb_stop *ret);

struct gdb_session {
	int listen_fd; /* on a free loopback port; for testrun_opts.gdb_fd */
	char *script; /* path; removed by gdb_free() */
	char *command; /* what a person has to run */
};

/* Opens the port and writes <dir>/gdb-XXXXXX: connect, break, continue. A vmlinux beside the image
 * or its System.map is loaded. -ENOENT without a System.map, -ENOEXEC when it has no place to
 * stop at. Owned: gdb_free(). */
must_check int gdb_prepare(const char *kernel, const char *symbols, enum gdb_stop stop,
			   const char *dir, struct gdb_session *ret, struct error *err);
void gdb_free(struct gdb_session *s);

#endif
