/* SPDX-License-Identifier: MIT */
/*
 * initramfs: the guest's file system: /init, /dev/console and the folders it mounts on.
 *
 * Format: "newc" cpio, Documentation/driver-api/early-userspace/buffer-format.rst.
 * Thread: any; two that write the same cache file write the same bytes.
 */
#ifndef FAULTLINE_AGENT_INITRAMFS_H
#define FAULTLINE_AGENT_INITRAMFS_H

#include "lib/buf.h"
#include "lib/error.h"

/* The archive for this /init; byte for byte the same for the same input. Appends to `out`. */
void initramfs_write(const void *init, size_t init_len, struct buf *out);

/* One more archive, with one file (mode 0644) at the root: the kernel unpacks archives that stand
 * one behind the other. Appends to `out`, which ends with an archive or is empty. */
void initramfs_write_file(const char *name, const void *data, size_t len, struct buf *out);

/* The guest's program: $FAULTLINE_GUEST, else "guest/init" beside or below this program's data.
 * Owned; the file may not exist. */
char *initramfs_guest_program(void);

/* A file besides /init: below a folder that is made for it. */
struct initramfs_file {
	const char *folder; /* "selftests" */
	const char *name;
	const char *host; /* its path here; borrowed */
};

/* Makes <dir>/initramfs-<hash>.cpio from the program `init` and executable `files` (those of one
 * folder stand together) unless it is there. *ret_path owned. -ENOENT when there is no program, -ENOSPC
 * and other trouble of files. */
must_check int initramfs_make(const char *init, const struct initramfs_file *files, size_t n,
			      const char *dir, char **ret_path, struct error *err);

#endif
