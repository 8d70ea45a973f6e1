/* SPDX-License-Identifier: MIT */
/*
 * hash: content addresses (SHA-256, by libsodium), as lower-case hex.
 * Thread: any.
 */
#ifndef FAULTLINE_LIB_HASH_H
#define FAULTLINE_LIB_HASH_H

#include <stddef.h>

#include "lib/error.h"

#define HASH_HEX_LEN 64
#define HASH_HEX_MAX (HASH_HEX_LEN + 1)

void hash_bytes(const void *data, size_t len, char ret_hex[HASH_HEX_MAX]);
must_check int hash_file(const char *path, char ret_hex[HASH_HEX_MAX], struct error *err);
/* Each part is hashed with its length, so that ("ab","c") and ("a","bc") differ. NULL-terminated
 * list of strings. */
void hash_strings(const char *const *parts, char ret_hex[HASH_HEX_MAX]);
/* `n` random bytes as 2n hex digits. Owned. */
char *hash_random_hex(size_t n);

#endif
