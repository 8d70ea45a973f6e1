/* SPDX-License-Identifier: MIT */
/* decode_internal: what the files of decode share, for them and their tests. */
#ifndef FAULTLINE_AGENT_DECODE_INTERNAL_H
#define FAULTLINE_AGENT_DECODE_INTERNAL_H

#include "agent/decode.h"
#include "agent/symtab.h"

/* Functions that addr2line names for one address; the last one is the function itself. */
#define PLACES_MAX 16

struct place {
	char *function; /* owned */
	char *file; /* owned, as addr2line says it; NULL: unknown */
	int line;
};

struct places {
	struct place v[PLACES_MAX]; /* innermost first */
	int n;
};

void places_free(struct places *p, size_t n); /* the array too */

/* --- decode_tool.c -------------------------------------------------------------------------- */

/* The symbol table of a file. */
must_check int decode_symbols(const struct decode_opts *o, struct symtab *ret, struct error *err);
/* What is at each address, from as few processes as their arguments allow. *ret: n of them,
 * places_free(). */
must_check int decode_addresses(const struct decode_opts *o, const uint64_t *addresses, size_t n,
				struct places **ret, struct error *err);
/* Takes the output of `addr2line -a -f -i` apart, as far as it answers the addresses in their
 * order. */
void decode_parse(const char *text, const uint64_t *addresses, size_t n, struct places *io);

/* --- decode_path.c -------------------------------------------------------------------------- */

/* `file` without "." and "..", and without `base`, the folder of the source tree with its slash. NULL
 * when nothing is left, or it is too long. Owned. */
char *decode_path(const char *file, const char *base);
/* The folder of the source tree, from what is known of start_kernel(); "" when it is not there.
 * Owned. */
char *decode_base(const struct places *start_kernel);

#endif
