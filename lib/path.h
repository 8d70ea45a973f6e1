/* SPDX-License-Identifier: MIT */
/*
 * path: files and folders.
 *
 * Thread: any. May be included by everything.
 */
#ifndef FAULTLINE_LIB_PATH_H
#define FAULTLINE_LIB_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/error.h"

struct buf;

/* mkdir -p. */
must_check int path_mkdirs(const char *dir, mode_t mode, struct error *err);
/* Reads at most max_bytes; a longer file is -EFBIG. Appends to `out`. */
must_check int path_read(const char *path, size_t max_bytes, struct buf *out, struct error *err);
/* Writes tmp + fsync + rename + fsync of the folder: after a crash the old or the new file is
 * there, never a part of it. */
must_check int path_write_atomic(const char *path, const void *data, size_t len, mode_t mode,
				 struct error *err);
/* rm -rf without following links out of the tree; a missing path is success. */
must_check int path_remove_tree(const char *path, struct error *err);
bool path_exists(const char *path);
/* Free bytes for an unprivileged user on the file system of `path`, or of its nearest existing
 * parent; -errno on failure. */
int64_t path_free_bytes(const char *path);
/* True for names made of [A-Za-z0-9._+-], 1..200 bytes, that do not begin with '.' or '-'. */
bool path_name_is_safe(const char *name);
/* Full write of `len` bytes, restarted on EINTR. 0 or -errno. */
must_check int fd_write_all(int fd, const void *data, size_t len);
/* pipe2(O_CLOEXEC) whose ends are both above 2, whatever of 0..2 is closed. 0 or -errno. */
must_check int fd_pipe(int ret_fds[2]);
/* An anonymous file in memory, empty, to which seals can be added. *ret_fd owned. 0 or -errno. */
must_check int fd_memory(const char *name, int *ret_fd);
/* A program of this project: beside the running program, else from PATH. Owned, or NULL. */
char *path_find_program(const char *name);
/* Where jobs/plans, jobs/kconfig and the guest's init are: $FAULTLINE_SHARE, else relative to the
 * running program: the source tree when run from build/ ("jobs/plans" there, "guest/init" in the
 * build folder), else <bin>/../share/faultline. Owned, never NULL; the file may not exist. */
char *path_share(const char *rel);

#endif
