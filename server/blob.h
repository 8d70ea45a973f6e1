/* SPDX-License-Identifier: MIT */
/*
 * blob: content-addressed storage for artifacts. The interface is what an S3-compatible store can
 * do too: put a finished file under its hash, open it for reading, ask for its size.
 * Thread: any.
 */
#ifndef FAULTLINE_SERVER_BLOB_H
#define FAULTLINE_SERVER_BLOB_H

#include <stdint.h>

#include "lib/error.h"

struct blob_store;

/* A folder: <dir>/ab/cdef…; made when it is missing. */
must_check int blob_open_dir(const char *dir, struct blob_store **ret, struct error *err);
void blob_close(struct blob_store *b);
/* Takes over the file at `path` (same file system; gone afterwards) whose content has that hash:
 * on return it is durable under it. A blob that is there already stays as it is. */
must_check int blob_put(struct blob_store *b, const char *path, const char *sha256,
			struct error *err);
/* -ENOENT when there is no such blob. The descriptor is owned. */
must_check int blob_get(struct blob_store *b, const char *sha256, int *ret_fd, int64_t *ret_size,
			struct error *err);

#endif
