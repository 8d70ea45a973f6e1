/* SPDX-License-Identifier: MIT */
/*
 * json_scan: decides whether bytes are one JSON text (RFC 8259) that this project accepts; json.c
 * asks before json-c, whose own parser takes more than JSON and loses duplicates and big numbers.
 *
 * Thread: any. Included by json.c only.
 */
#ifndef FAULTLINE_LIB_JSON_SCAN_H
#define FAULTLINE_LIB_JSON_SCAN_H

#include <stddef.h>

#include "lib/error.h"

#define JSON_DEPTH_MAX 32 /* no document of ours nests deeper than 10 */
#define JSON_NUMBER_MAX 64 /* bytes of one number; a double needs 25 */

/* Refuses: other grammar than RFC 8259, invalid UTF-8, lone surrogates, \u0000 in a key, duplicate
 * keys, integers beyond int64, numbers beyond double, more depth than JSON_DEPTH_MAX. -EINVAL
 * naming the byte. */
must_check int json_scan(const char *text, size_t len, struct error *err);

#endif
