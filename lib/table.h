/* SPDX-License-Identifier: MIT */
/*
 * table: a JSON array of objects as lines. Columns are the members in the order of their first
 * appearance, at most 64; members of nested objects have a dotted name ("injected.on_target");
 * arrays are left out.
 * Thread: any.
 */
#ifndef FAULTLINE_LIB_TABLE_H
#define FAULTLINE_LIB_TABLE_H

#include "lib/buf.h"
#include "lib/json.h"

/* Comma-separated (RFC 4180) with a header line; cells that a spreadsheet would run as a formula
 * are quoted with '. `items` is borrowed. */
void table_csv(struct json_object *items, struct buf *out);
/* Columns aligned with blanks; control characters are '?', cells are cut at 60 bytes. */
void table_txt(struct json_object *items, struct buf *out);

#endif
