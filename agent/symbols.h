/* SPDX-License-Identifier: MIT */
/*
 * symbols: the kernel's symbol table, as its build left it (System.map).
 * Thread: any. Included by agent/.
 */
#ifndef FAULTLINE_AGENT_SYMBOLS_H
#define FAULTLINE_AGENT_SYMBOLS_H

#include <stddef.h>

#include "lib/error.h"

/* Those of the catalogue's functions that the text of a System.map does not have, in any of the
 * compiler's clones: they were inlined, or are of another configuration or version. *ret is owned,
 * its strings too; returns how many. */
size_t symbols_lacking(const char *map, char ***ret);

/* The same for a file. Errors: of reading it, -EINVAL when it is no symbol table. */
must_check int symbols_lacking_file(const char *path, char ***ret, size_t *ret_n,
				    struct error *err);

#endif
