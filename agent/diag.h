/* SPDX-License-Identifier: MIT */
/*
 * diag: what a kernel build prints, read into warnings and errors.
 *
 * Knows the formats of gcc, clang, gas, GNU ld, lld, modpost, objtool, kconfig and GNU make, in
 * the C locale. Columns, carets, notes and "included from" lines are dropped; paths are relative
 * to the kernel tree: "mm/rmap.c:1894: 'x' undeclared". Every byte comes from programs that the
 * tree under test may replace: lines are capped, control characters become '?'.
 * Thread: one owner.
 */
#ifndef FAULTLINE_AGENT_DIAG_H
#define FAULTLINE_AGENT_DIAG_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"

#define DIAG_LINES_MAX 200 /* distinct warnings or errors that are reported */
#define DIAG_ITEMS_MAX 4000 /* (target, text) pairs kept: a header's warning occurs per file */
#define DIAG_LINE_BYTES 2000 /* the rest of a longer line is dropped */

struct diag_item {
	char *target; /* "mm/rmap.o": what was being built; "" when unknown */
	char *text; /* "mm/rmap.c:1894: …" */
};

struct diag_list {
	struct diag_item *items;
	size_t n, cap;
};

struct diag {
	const char *const *roots; /* folders to take off paths, each with its last '/'; NULL ends */
	/* A line like "  CC      mm/rmap.o" was seen. May be NULL. */
	void (*on_step)(void *arg, const char *verb, const char *target);
	void *arg;

	struct diag_list warnings, errors;
	int steps;
	bool no_space, no_memory; /* the host's trouble was named */

	/* inside */
	struct buf line;
	char target[256];
	char ld_object[256]; /* of the linker's "in function" line */
	char stop[512]; /* last "make: *** …" */
	char last[512]; /* last line that says anything */
};

void diag_feed(struct diag *d, const char *data, size_t len);
/* The end of the output: reads a last line without newline. With `failed`, and no error found,
 * make's last words (or the last line) become the error. */
void diag_finish(struct diag *d, bool failed);
void diag_free(struct diag *d);

void diag_list_add(struct diag_list *l, const char *target, const char *text);
void diag_list_free(struct diag_list *l);
/* Distinct texts in their order, at most DIAG_LINES_MAX. Owned array of owned strings. */
char **diag_list_texts(const struct diag_list *l, size_t *ret_n);

#endif
