/* SPDX-License-Identifier: MIT */
/*
 * splat: a kernel log → what went wrong first: kind, title, fingerprint, excerpt.
 *
 * What is a splat, where it ends and how its title is made stands in one table (splat_table.c).
 * Injection traces have to be taken out before (agent/inject.h).
 * Thread: any. Included by agent/ and cli/.
 */
#ifndef FAULTLINE_AGENT_SPLAT_H
#define FAULTLINE_AGENT_SPLAT_H

#include "agent/klog.h"
#include "jobs/parts.h"

/* The first splat at or after line *at; *at moves behind its report. False when there is none, and
 * then *ret is untouched. console_offset is relative to the log. Owned: splat_free(). */
bool splat_next(const struct klog *k, size_t *at, struct splat *ret);

/* The usual path: parses, takes injections out, finds the first splat. *ret is SPLAT_NONE when
 * there is none; *ret_stacks as from inject_take(). */
void splat_read_log(const char *log, size_t len, struct splat *ret, struct stack **ret_stacks,
		    size_t *ret_n_stacks);

/* --- the table (splat_table.c) ------------------------------------------------------------- */

/* Where the name of the guilty function comes from. */
enum splat_func {
	FUNC_NONE, /* the title stands alone */
	FUNC_RIP, /* "RIP: 0010:func+…" of the report, else its first frame */
	FUNC_AFTER, /* " in func+…" on the line itself, else as FUNC_RIP */
	FUNC_LAST_WORD, /* last word of the line: "WARNING: CPU: 0 … at file:line func+…" */
	FUNC_FRAME, /* first frame that is no helper */
};

struct splat_pattern {
	const char *match; /* somewhere in the line's text */
	const char *also; /* must be in it too; NULL = nothing */
	const char *unless; /* must not be in it; NULL = nothing */
	enum splat_kind kind;
	const char *title; /* NULL = the line itself, from `match` on, without what varies */
	enum splat_func func;
	const char *word; /* between title and function: "in", "at" */
};

/* First row that fits the line, or NULL. */
const struct splat_pattern *splat_pattern_of(const struct klog_line *l);
/* A function that only carries the report (panic, dump_stack, list debugging, locks, memcpy …). */
bool splat_is_helper(const char *func);

#endif
