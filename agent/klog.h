/* SPDX-License-Identifier: MIT */
/*
 * klog: a kernel log as lines: what printk and everybody behind it put before the text (level,
 * time, caller, date, host, tag) taken apart, and what a line of a call trace says.
 *
 * inject.c takes the lines of injection traces out, splat.c reads what is left. Both work on the
 * same array, so that every line keeps its place in the console.
 * Outside facts: print_prefix() in kernel/printk/printk.c: "<6>" (only over /dev/kmsg and
 * netconsole), "[    1.234567]" (CONFIG_PRINTK_TIME), "[   T12]" or "[   C0]"
 * (CONFIG_PRINTK_CALLER); dmesg(1) -T, -x, -d, --time-format; journalctl(1) -o short*; the record of
 * /dev/kmsg (Documentation/ABI/testing/dev-kmsg).
 * Thread: any. Included by agent/ and cli/.
 */
#ifndef FAULTLINE_AGENT_KLOG_H
#define FAULTLINE_AGENT_KLOG_H

#include <stdbool.h>
#include <stddef.h>

#include "jobs/result.h"

/* What is further behind in a line is not looked at: printk's own limit is 2 KiB. */
#define KLOG_TEXT_MAX 4096

struct klog_line {
	const char *raw; /* into the log; not NUL-terminated, without the line end */
	size_t raw_len;
	const char *text; /* behind the prefix, without terminal sequences */
	size_t len; /* at most KLOG_TEXT_MAX */
	char *clean; /* owned copy that `text` points into, when the raw line had such sequences */
	int caller; /* task number, or -1 - CPU; KLOG_NO_CALLER without the option */
	bool removed; /* part of an injection trace */
	bool foreign; /* a log of the whole system: this line is not the kernel's */
	bool used; /* part of a report that splat.c has read */
	short row; /* of splat.c's table; KLOG_ROW_UNKNOWN until it asked */
};

#define KLOG_NO_CALLER 0x7fffffff
#define KLOG_ROW_UNKNOWN (-2)

struct klog {
	struct klog_line *lines;
	size_t n, cap;
	const char *start; /* the log itself, borrowed */
};

/* `log` is borrowed and must outlive *ret; klog_free(). A last line without LF counts. */
void klog_parse(const char *log, size_t len, struct klog *ret);
void klog_free(struct klog *k);

/* Takes the prefix of `l` apart: fills text, len, caller and foreign from raw (klog_prefix.c). */
void klog_prefix(struct klog_line *l, const char *s, size_t len);

bool klog_starts(const struct klog_line *l, const char *prefix);
/* Where `needle` begins in the text, or NULL. */
const char *klog_find(const struct klog_line *l, const char *needle);
size_t klog_offset(const struct klog *k, const struct klog_line *l); /* of the raw line */

/* --- frames and symbols (klog_frame.c) ------------------------------------------------------ */

#define KLOG_SYMBOL_MAX 128
#define KLOG_MODULE_MAX 64 /* MODULE_NAME_LEN, include/linux/moduleparam.h */

struct klog_frame {
	char name[KLOG_SYMBOL_MAX]; /* without what the compiler added */
	char symbol[KLOG_SYMBOL_MAX]; /* as it was printed */
	char module[KLOG_MODULE_MAX]; /* "" = of the kernel image */
	unsigned long offset; /* in the function, 0 when the line does not say */
	unsigned long size; /* of the function, 0 when the line does not say */
	bool reliable; /* false for "? func" and "func (unreliable)" */
	bool inlined; /* a symbolizer's "[inline]": no function of its own in this kernel */
};

/* A frame of a call trace in any architecture's form:
 *   x86, arm64    " func+0x1a/0x20 [module]", with "[<address>]" before it in 4.x
 *   powerpc       "[c000…] [c000…] func+0x1a/0x20 (unreliable)"
 *   s390, riscv   " [<address>] func+0x1a/0x20", s390 also "([<address>] func+…)"
 *   arm           " func from caller+0x1a/0x20", "[<address>] (func) from [<address>] (caller+…)"
 *   symbolized    " func (file.c:12)", " func file.c:12 [inline]" */
bool klog_frame_read(const struct klog_line *l, struct klog_frame *ret);
/* "func.isra.0+0x1a/0x20" at `s`; false when there is no symbol+0xoff/0xsize. */
bool klog_symbol_read(const char *s, size_t len, struct klog_frame *ret);
/* The first such symbol in `s` that stands at the beginning of a word. */
bool klog_symbol_find(const char *s, size_t len, struct klog_frame *ret);
/* Drops ".isra.0", ".constprop.1", ".part.2", ".cold", ".llvm.123" and "__pfx_" in place. */
void klog_symbol_strip(char *name);

/* As a frame of a decodable trace. `exact`: the offset is of the instruction itself, not of the one
 * behind a call. A full trace stays as it is. */
void klog_frame_add(const struct klog_frame *f, bool exact, struct trace *to);

#endif
