/* SPDX-License-Identifier: MIT */
/*
 * symtab: where a kernel's functions are, from what nm(1) prints, to find the address of the
 * "function+0xoffset/0xsize" that a call trace has.
 *
 * The name alone is not enough: a kernel has several static functions of one name, and a symbol
 * table may be another kernel's. The size decides. As for the kernel itself it is the distance to the
 * next symbol (get_symbol_pos() in kernel/kallsyms.c).
 * Thread: any, once it is read. Included by agent/.
 */
#ifndef FAULTLINE_AGENT_SYMTAB_H
#define FAULTLINE_AGENT_SYMTAB_H

#include <stddef.h>
#include <stdint.h>

struct symtab_entry {
	uint64_t address, size; /* size 0: nothing is behind it */
	char *name; /* into the table's text */
};

struct symtab {
	char *text; /* owned */
	struct symtab_entry *v; /* owned, by name, then by address */
	size_t n;
};

enum symtab_answer {
	SYMTAB_FOUND,
	SYMTAB_UNKNOWN, /* no symbol of this name */
	SYMTAB_OTHER, /* none of this name and size */
	SYMTAB_AMBIGUOUS, /* several of this name and size */
};

/* Lines "ffffffff81000000 T name" in any order; others are passed over, and so is what the kernel
 * leaves out of its own table (scripts/mksysmap). `text` is handed over and changed. */
void symtab_read(char *text, struct symtab *ret);
void symtab_free(struct symtab *t);

/* `name` as the kernel printed it. *ret_address only with SYMTAB_FOUND. `size` 0 fits any. */
enum symtab_answer symtab_find(const struct symtab *t, const char *name, uint64_t size,
			       uint64_t *ret_address);

#endif
