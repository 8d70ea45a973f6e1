/* SPDX-License-Identifier: MIT */
/*
 * splat: a kernel log → what went wrong: kind, title, fingerprint, excerpt, in the log's order.
 *
 * What is a splat and how its title is made stands in one table (splat_table.c), what the lines of
 * a report mean in splat_report.c, title and fingerprint in splat_title.c; docs/classify.md tells
 * the rules. Injection traces have to be taken out before (agent/inject.h).
 * Thread: any. Included by agent/ and cli/.
 */
#ifndef FAULTLINE_AGENT_SPLAT_H
#define FAULTLINE_AGENT_SPLAT_H

#include "agent/klog.h"
#include "jobs/parts.h"

/* A report that is longer is cut here; so far a reader looks ahead, foreign lines included. */
#define SPLAT_LINES_MAX 300
#define SPLAT_SPAN_MAX 600

/* The first splat that begins in lines [*at, to); *at moves behind its first line. The lines of its
 * report are marked as used, so that nothing is told twice; of two reports that are mixed each keeps
 * its own as far as they can be told apart. False when there is none: then *ret is untouched and
 * *at is `to`. console_offset is relative to the log. Owned: splat_free(). */
bool splat_next(struct klog *k, size_t *at, size_t to, struct splat *ret);
/* As splat_next(), only to get past it: for logs with more splats than anybody reads. */
bool splat_skip(struct klog *k, size_t *at, size_t to);

/* The usual path: parses, takes injections out, finds the first splat. *ret is SPLAT_NONE when
 * there is none; *ret_stacks as from inject_take(). */
void splat_read_log(const char *log, size_t len, struct splat *ret, struct stack **ret_stacks,
		    size_t *ret_n_stacks);

/* --- the table (splat_table.c) -------------------------------------------------------------- */

/* Where the name of the guilty function comes from; what is no help goes to the next one. */
enum splat_func {
	FUNC_NONE, /* the title stands alone */
	FUNC_FRAME, /* first frame that is no helper, else RIP */
	FUNC_RIP, /* RIP (pc, NIP) of the report, else as FUNC_FRAME */
	FUNC_LINE, /* first symbol+0xoff on the line itself, else as FUNC_RIP */
	FUNC_AFTER, /* " in func" on the line itself, else as FUNC_RIP */
};

#define ROW_START 1 /* at the line's beginning or behind "subsystem: " only */
#define ROW_LEADS 2 /* the line of a WARNING or BUG that follows belongs to it */
#define ROW_FOLLOWS 4 /* inside a report it is a part of that; alone it is one */
#define ROW_HEADLESS 8 /* the middle of a report whose head is missing */
#define ROW_TRACE 16 /* over at the end of its call trace: no end mark is printed */

struct splat_row {
	const char *match; /* in the line's text, at the beginning of a word */
	const char *also; /* must be in it too; NULL = nothing */
	const char *unless; /* must not be in it; NULL = nothing */
	enum splat_kind kind; /* SPLAT_NONE: a report that is none; its lines are passed over */
	const char *title; /* NULL = the line itself, from `match` on, without what varies */
	enum splat_func func;
	int flags;
	const char *word; /* between title and function; NULL = "in" */
};

/* First row of the table that fits the line, or NULL; remembered in the line. */
const struct splat_row *splat_row_of(struct klog_line *l);
/* A function that only carries the report (panic, dump_stack, list debugging, locks, memcpy …) or
 * does what its caller asked for (kfree, mutex_lock …): splat_helpers.c. */
bool splat_is_helper(const char *func);
/* A function that calls others through a pointer, so that the one it called stands in every build's
 * trace: splat_helpers.c. */
bool splat_is_dispatcher(const char *func);

/* --- what a line is, whatever report it belongs to (splat_line.c) ------------------------------ */

bool line_is_mark(const struct klog_line *l); /* the guest's own */
bool line_is_report_end(const struct klog_line *l); /* what follows may belong to something else */
bool line_is_rule(const struct klog_line *l);
bool line_is_registers(const struct klog_line *l);
bool line_is_trace_head(const struct klog_line *l);
/* A frame, or what stands between the frames of one trace or right behind it. */
bool line_is_trace(const struct klog_line *l);
/* The end of an oops, between its trace and its end mark. */
bool line_is_tail(const struct klog_line *l);

/* --- one report (splat_report.c) ------------------------------------------------------------ */

#define REPORT_FRAMES 24
#define REPORT_FILE_MAX 80

struct report {
	const struct splat_row *row;
	size_t first, end; /* lines [first, end), those of others in between not included */
	size_t said; /* the line that `row` fits: mostly the first */
	int caller; /* whose lines; KLOG_NO_CALLER = all */
	const char *corrupted; /* why it is not whole, or NULL */
	struct klog_frame rip; /* kernel-mode RIP (pc, NIP), name "" without one */
	struct klog_frame frames[REPORT_FRAMES]; /* of the guilty trace, helpers included */
	int n_frames;
};

/* Finds the end of the report that `row` begins in line `first`, marks its lines used and reads
 * them. */
void report_read(struct klog *k, size_t first, const struct splat_row *row, struct report *ret);
/* True for a line of this report. */
bool report_owns(const struct report *r, const struct klog_line *l);

/* --- what it says (splat_title.c, splat_print.c) --------------------------------------------- */

/* Title, fingerprint, excerpt, kind; console_offset is left alone. */
void report_describe(const struct klog *k, const struct report *r, struct splat *ret);
/* 16 hex digits that are the same for every build of the same defect. `stem`: the title without the
 * function, `func`: the function. */
void report_fingerprint(const struct klog *k, const struct report *r, const char *stem,
			const char *func, char ret[17]);
/* [s, end) with numbers and addresses made equal. Owned. */
char *report_plain_text(const char *s, const char *end);

#endif
