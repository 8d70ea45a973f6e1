/* SPDX-License-Identifier: MIT */
/*
 * klog: a kernel log as lines: what printk put before the text (level, time, caller) taken apart.
 *
 * inject.c takes the lines of injection traces out, splat.c reads what is left. Both work on the
 * same array, so that every line keeps its place in the console.
 * Outside fact: the prefix is print_prefix() in kernel/printk/printk.c: "<6>" (only over /dev/kmsg
 * and netconsole), "[    1.234567]" (CONFIG_PRINTK_TIME), "[   T12]" or "[   C0]"
 * (CONFIG_PRINTK_CALLER).
 * Thread: any. Included by agent/ and cli/.
 */
#ifndef FAULTLINE_AGENT_KLOG_H
#define FAULTLINE_AGENT_KLOG_H

#include <stdbool.h>
#include <stddef.h>

#include "jobs/result.h"

struct klog_line {
	const char *raw; /* into the log; not NUL-terminated, without the line end */
	size_t raw_len;
	const char *text; /* behind the prefix */
	size_t len;
	int caller; /* task number, or -1 - CPU; KLOG_NO_CALLER without the option */
	bool removed; /* part of an injection trace */
};

#define KLOG_NO_CALLER 0x7fffffff

struct klog {
	struct klog_line *lines;
	size_t n, cap;
	const char *start; /* the log itself, borrowed */
};

/* `log` is borrowed and must outlive *ret; klog_free(). A last line without LF counts. */
void klog_parse(const char *log, size_t len, struct klog *ret);
void klog_free(struct klog *k);

bool klog_starts(const struct klog_line *l, const char *prefix);
/* Where `needle` begins in the text, or NULL. */
const char *klog_find(const struct klog_line *l, const char *needle);
size_t klog_offset(const struct klog *k, const struct klog_line *l); /* of the raw line */

#define KLOG_SYMBOL_MAX 128
/* "func.isra.0+0x1a/0x20" at `s` → "func"; what the compiler added is dropped, because it differs
 * from build to build. Returns false when there is no symbol+0xoff/0xsize. */
bool klog_symbol(const char *s, size_t len, char ret_name[KLOG_SYMBOL_MAX]);
/* A frame of a call trace: " func+0x1/0x2 [module]". *ret_reliable is false for "? func". */
bool klog_frame(const struct klog_line *l, char ret_name[KLOG_SYMBOL_MAX], bool *ret_reliable);
/* Drops ".isra.0", ".constprop.1", ".part.2", ".cold", ".llvm.123" in place. */
void klog_symbol_strip(char *name);

#endif
