/* SPDX-License-Identifier: MIT */
/* Small files of proc, sysfs and debugfs, read and written whole. */
#ifndef FAULTLINE_GUEST_FILEIO_H
#define FAULTLINE_GUEST_FILEIO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Writes all `length` bytes, going on after short writes and EINTR. Returns 0 or -errno. */
int write_full(int fd, const void *data, size_t length) __attribute__((warn_unused_result));

/*
 * Reads at most size-1 bytes of the file into `buffer` and terminates it.
 * Returns the number of bytes, or -errno; `buffer` is then the empty string.
 */
ssize_t file_read(const char *path, char *buffer, size_t size);

/* As file_read(), without a line break at the end. */
ssize_t file_read_line(const char *path, char *buffer, size_t size);

/* Opens, writes `text` in a single write, closes. Returns 0 or -errno. */
int file_write(const char *path, const char *text);

bool file_exists(const char *path);

/* "Key:   123 kB" of /proc/self/status or /proc/meminfo; -1 when the key is not there. */
long file_read_key_kb(const char *path, const char *key);

#endif
