/* SPDX-License-Identifier: MIT */
/*
 * trace: a call trace of the kernel, function by function, innermost first, as far as it is known
 * with the file and line of each, and with the functions that the compiler inlined.
 *
 * Thread: any. May be included by jobs/ and agent/.
 */
#ifndef FAULTLINE_JOBS_TRACE_H
#define FAULTLINE_JOBS_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/json.h"

/* Frames of one trace, inlined ones included: a report has at most 25 of its own, a stack 40, and a
 * function of mm/ is rarely the fourth that was inlined into another. */
#define TRACE_FRAMES_MAX 256
#define TRACE_NAME_LEN 200 /* as PARTS_FRAME_LEN */
#define TRACE_FILE_LEN 300 /* bytes of a path; longer ones are no kernel source */

struct frame {
	char *function; /* without what the compiler added ("f" for "f.isra.0") */
	char *symbol; /* as the kernel printed it; NULL: the same. Not in JSON */
	char *module; /* NULL: of the kernel image */
	uint64_t offset, size; /* in the function, of the function, in bytes; 0 when inlined */
	char *file; /* relative to the source tree; NULL: not known */
	int line; /* 1..; 0 without a file */
	bool inlined; /* into the function of the next frame that is not */
	bool exact; /* offset is of the instruction itself, not of the one behind a call. Not in
		     * JSON */
};

/* All owned: trace_free(). */
struct trace {
	struct frame *frames;
	size_t n, cap;
};

void frame_free(struct frame *f); /* the contents */
void trace_free(struct trace *t); /* the contents; leaves an empty trace */
void trace_copy(const struct trace *from, struct trace *ret); /* deep */
/* A zeroed frame at the end, valid until the next call; NULL when the trace is full. */
struct frame *trace_add(struct trace *t);
bool trace_has_lines(const struct trace *t); /* a file of at least one frame is known */

/* "split_huge_pmd+0x12/0x40 [module] (mm/huge_memory.c:2543)", of an inlined function
 * "pmd_lock (include/linux/mm.h:3088) [inline]", of what is not known without the parentheses. */
void frame_text(const struct frame *f, struct buf *out);

/* The same of each, in a line of its own behind two blanks. */
void trace_text(const struct trace *t, struct buf *out);

/* [{"function", "offset", "size", "module"?, "file", "line", "inlined"}] */
struct json_object *trace_to_json(const struct trace *t);
/* Member `key` of `v`; an absent one is an empty trace. -EINVAL naming what is wrong. */
must_check int trace_from_json(const struct jval *v, const char *key, struct trace *ret,
			       struct error *err);

#endif
