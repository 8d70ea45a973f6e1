/* SPDX-License-Identifier: MIT */
/*
 * Where a report ends, whose lines are in it, and the frames of its trace.
 *
 * printk gives lines, not reports: two CPUs may print at once, and a log may begin and end anywhere.
 * With callers in the log (CONFIG_PRINTK_CALLER) a report is the lines of one caller; without them
 * a report that another one interrupts is said to be corrupted.
 */
#include <stdio.h>
#include <string.h>

#include "agent/splat.h"
#include "lib/buf.h"

/* Own lines that are no part of any report we know, behind a complete trace. */
#define TAIL_LINES_MAX 6
/* A larger function calls others. */
#define LEAF_BYTES 0x80

enum end_class {
	END_LINE, /* the one line is all */
	END_MARK, /* "---[ end trace" */
	END_RULE, /* a line of '=', or END_MARK's */
	END_TRACE, /* behind the call trace */
	END_STALL, /* behind the last of several traces, printed by several CPUs */
	END_OOM, /* "Killed process", behind tables of memory and tasks */
};

static enum end_class end_class(const struct splat_row *row)
{
	if (row->flags & ROW_TRACE)
		return END_TRACE;
	switch (row->kind) {
	case SPLAT_BAD_RSS:
	case SPLAT_BAD_PGTABLES:
	case SPLAT_NETDEV:
		return END_LINE;
	case SPLAT_KASAN:
	case SPLAT_KFENCE:
	case SPLAT_KMSAN:
	case SPLAT_KCSAN:
	case SPLAT_UBSAN:
		return END_RULE;
	case SPLAT_BAD_PAGE:
	case SPLAT_HUNG_TASK:
	case SPLAT_LOCKDEP:
	case SPLAT_ATOMIC:
	case SPLAT_MEMLEAK:
		return row->flags & ROW_LEADS ? END_MARK : END_TRACE;
	case SPLAT_RCU_STALL:
	case SPLAT_SOFT_LOCKUP:
	case SPLAT_HARD_LOCKUP:
		return END_STALL;
	case SPLAT_OOM:
		return END_OOM;
	default:
		return END_MARK;
	}
}

struct reader {
	struct klog *k;
	struct report *r;
	enum end_class class;
	int own; /* lines of this report so far */
	bool headed; /* the head of a trace was seen */
	int frames, tail;
	bool over; /* behind </TASK> */
};

bool report_owns(const struct report *r, const struct klog_line *l)
{
	return !l->removed && !l->foreign &&
	       (r->caller == KLOG_NO_CALLER || l->caller == r->caller);
}

/* The trace that counts was seen: objects and locks have traces of their own before it. */
static bool traced(const struct reader *rd)
{
	enum splat_kind kind = rd->r->row->kind;

	return rd->frames && (rd->headed || (kind != SPLAT_SLAB && kind != SPLAT_LOCKDEP));
}

/* A row inside the report: true when it is a part of it and not another report's beginning. */
static bool absorbs(const struct reader *rd, const struct splat_row *row)
{
	const struct splat_row *mine = rd->r->row;

	if (row->kind == SPLAT_NONE || (row->flags & ROW_HEADLESS))
		return true;
	if (row->flags & ROW_FOLLOWS)
		return !traced(rd) || rd->class == END_OOM || (rd->class == END_STALL && !rd->over);
	/* One says what is wrong, the other where; some architectures print the latter first. */
	if (traced(rd))
		return false;
	return ((mine->flags & ROW_LEADS) &&
		(row->kind == SPLAT_WARN || row->kind == SPLAT_BUG || row->kind == mine->kind)) ||
	       ((row->flags & ROW_LEADS) && (mine->kind == SPLAT_WARN || mine->kind == SPLAT_BUG));
}

/* A part of the report that tells more than the line that it began with. */
static void absorb(struct reader *rd, const struct splat_row *row, size_t at)
{
	struct report *r = rd->r;

	if ((row->flags & ROW_LEADS) && !(r->row->flags & ROW_LEADS)) {
		r->row = row;
		r->said = at;
	}
}

enum line_place { PLACE_MINE, PLACE_LAST, PLACE_NOT_MINE, PLACE_END };

/* A line that begins a report of its own. */
static enum line_place place_of_other(struct reader *rd, const struct splat_row *row)
{
	bool whole = traced(rd) || rd->class == END_LINE;

	if (row->kind == SPLAT_PANIC || row->kind == SPLAT_BOOT)
		return PLACE_END;
	if (whole && (rd->over || rd->class == END_TRACE || rd->class == END_STALL))
		return PLACE_END;
	rd->r->corrupted = "another report begins inside it";
	/* Our trace may still come: the lines are mixed. */
	return whole || rd->r->caller != KLOG_NO_CALLER ? PLACE_END : PLACE_NOT_MINE;
}

/* "cut here": the WARNING that is due comes behind it, or another report begins. */
static enum line_place place_of_cut(struct reader *rd)
{
	if (traced(rd))
		return PLACE_END;
	if (rd->r->row->flags & ROW_LEADS)
		return PLACE_MINE;
	if (rd->r->caller != KLOG_NO_CALLER)
		return PLACE_END;
	rd->r->corrupted = "another report begins inside it";
	return PLACE_NOT_MINE;
}

static enum line_place place_of_frame(struct reader *rd)
{
	rd->frames++;
	rd->tail = 0;
	return PLACE_MINE;
}

/* Behind the trace: what is neither of it nor known to follow ends the report sooner or later. */
static enum line_place place_behind(struct reader *rd, const struct klog_line *l)
{
	if (rd->class == END_TRACE || rd->class == END_STALL) {
		if (rd->class == END_STALL &&
		    (klog_find(l, "rcu") || klog_find(l, "NMI") || klog_starts(l, "task:") ||
		     klog_starts(l, "CPU: ") || klog_starts(l, "Hardware name")))
			return PLACE_MINE;
		return klog_starts(l, "FIX ") ? PLACE_LAST : PLACE_END;
	}
	if (rd->class == END_MARK && !line_is_tail(l) && ++rd->tail > TAIL_LINES_MAX)
		return PLACE_END;
	return PLACE_MINE;
}

static enum line_place place_of(struct reader *rd, size_t at)
{
	struct klog_line *l = &rd->k->lines[at];
	const struct splat_row *row;
	struct klog_frame f;

	if (line_is_mark(l))
		return PLACE_END;
	if (klog_find(l, "-----[ cut here"))
		return place_of_cut(rd);
	if (line_is_report_end(l))
		return PLACE_LAST;
	if (rd->class == END_RULE && line_is_rule(l) && (rd->frames || rd->own > 3))
		return PLACE_LAST;
	if (rd->class == END_OOM && klog_find(l, "Killed process"))
		return PLACE_LAST;
	row = splat_row_of(l);
	/* A symbolizer repeats the line for every function that was inlined there. */
	if (row && row == rd->r->row && rd->own < 3 && row->func == FUNC_AFTER)
		return PLACE_MINE;
	if (row && !absorbs(rd, row))
		return place_of_other(rd, row);
	if (row)
		absorb(rd, row, at);
	if (line_is_trace_head(l)) {
		if (rd->class == END_TRACE && rd->headed && rd->frames)
			return PLACE_END;
		rd->headed = true;
		rd->frames = 0;
		rd->over = false;
		return PLACE_MINE;
	}
	if (klog_find(l, "</TASK>")) {
		rd->over = true;
		return PLACE_MINE;
	}
	if (klog_frame_read(l, &f))
		return place_of_frame(rd);
	/* Locks and objects have traces of their own before the one that counts. */
	if (!rd->frames || !rd->headed || line_is_trace(l))
		return PLACE_MINE;
	return place_behind(rd, l);
}

/* The registers are printed again behind "end trace". */
static size_t swallow_registers(const struct report *r, struct klog *k, size_t i)
{
	for (size_t n = 0; i < k->n && n < 40; i++, n++) {
		struct klog_line *l = &k->lines[i];

		if (!report_owns(r, l))
			continue;
		if (!klog_starts(l, "RIP: ") && !klog_starts(l, "Code: ") && !line_is_registers(l))
			break;
		l->used = true;
	}
	return i;
}

static bool wants_trace(const struct reader *rd)
{
	return rd->r->row->func != FUNC_NONE || rd->class == END_STALL;
}

static void find_end(struct reader *rd)
{
	struct report *r = rd->r;
	struct klog *k = rd->k;
	bool ended = rd->class == END_LINE;
	size_t i = r->first + 1;

	k->lines[r->first].used = true;
	r->end = i;
	for (; !ended && i < k->n && i - r->first < SPLAT_SPAN_MAX && rd->own < SPLAT_LINES_MAX;
	     i++) {
		struct klog_line *l = &k->lines[i];
		enum line_place place;

		if (!report_owns(r, l))
			continue;
		if (l->used) {
			/* An earlier report took it, or thought so. */
			r->corrupted = "lines of another report are between its own";
			continue;
		}
		place = place_of(rd, i);
		ended = place == PLACE_END || place == PLACE_LAST;
		if (place != PLACE_MINE && place != PLACE_LAST)
			continue;
		l->used = true;
		rd->own++;
		r->end = i + 1;
		if (place == PLACE_LAST && rd->class == END_MARK)
			(void)swallow_registers(r, k, i + 1);
	}
	if (!ended && i == k->n && !r->corrupted && !rd->over &&
	    (rd->class == END_RULE || !rd->frames) && wants_trace(rd))
		r->corrupted = "the log ends inside it";
}

/* The lines before a report's middle that belong to it. */
static void find_head(struct reader *rd)
{
	struct report *r = rd->r;

	while (r->first > 0 && rd->own < 60) {
		struct klog_line *l = &rd->k->lines[r->first - 1];

		if (l->used || !report_owns(r, l) || !(line_is_trace(l) || line_is_tail(l)))
			break;
		l->used = true;
		r->first--;
		rd->own++;
	}
}

/* "RIP: 0010:func+0x1/0x2", the same with addresses (4.x), "pc : func+…" (arm64), "PC is at func+…"
 * (arm), "NIP [c…] func+…" (powerpc), "epc : func+…" (riscv), "Krnl PSW : … (func+…)" (s390),
 * "EIP: func+…". User addresses have no symbol. */
static bool read_rip(const struct klog_line *l, struct klog_frame *rip)
{
	static const char *const heads[] = {
		"RIP: 0010:", "RIP: e030:", "RIP: 0008:", "EIP: ", "EIP is at ",  "pc : ",
		"PC is at ",  "pc is at ",  "epc : ",	  "NIP [", "Krnl PSW : ",
	};

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		const char *p = klog_find(l, heads[i]);

		if (!p)
			continue;
		p += strlen(heads[i]);
		return klog_symbol_find(p, (size_t)(l->text + l->len - p), rip);
	}
	return false;
}

/* These print their frames without "Call Trace:" before them. */
static bool trace_is_bare(enum splat_kind kind)
{
	return kind == SPLAT_KFENCE || kind == SPLAT_KMSAN || kind == SPLAT_KCSAN ||
	       kind == SPLAT_OTHER;
}

/* A function that calls nothing has no frame of its own, and then the unwinder by frame pointers
 * passes over its caller: it stands first in the trace, but as "? caller". Such functions are small. */
static void take_frame(struct report *r, const struct klog_frame *f, bool first)
{
	bool lost = first && !f->reliable && *r->rip.name && r->rip.size < LEAF_BYTES;

	if ((f->reliable || lost) && !f->inlined)
		r->frames[r->n_frames++] = *f;
}

/* One trace's frames, from line `i` on. */
static void read_trace(const struct klog *k, struct report *r, size_t i, bool bare)
{
	bool first = true;

	for (; i < r->end && r->n_frames < REPORT_FRAMES; i++) {
		const struct klog_line *l = &k->lines[i];
		struct klog_frame f;

		if (!report_owns(r, l) || !l->used)
			continue;
		if (klog_frame_read(l, &f)) {
			take_frame(r, &f, first);
			first = false;
			continue;
		}
		if (klog_find(l, "</TASK>") || (r->n_frames && line_is_trace_head(l)))
			return;
		if (bare && r->n_frames && !line_is_trace(l))
			return;
	}
}

static void read_lines(const struct klog *k, struct report *r)
{
	bool bare = trace_is_bare(r->row->kind);
	size_t trace = r->end, head = r->first + 1;

	for (size_t i = r->first; i < r->end; i++) {
		const struct klog_line *l = &k->lines[i];

		if (!report_owns(r, l) || !l->used)
			continue;
		if (!*r->rip.name)
			(void)read_rip(l, &r->rip);
		if (trace == r->end && line_is_trace_head(l))
			trace = i + 1;
	}
	if (!bare && trace < r->end)
		read_trace(k, r, trace, false);
	/* The line with "Call Trace:" may be what is missing. */
	if (!r->n_frames)
		read_trace(k, r, r->row->flags & ROW_HEADLESS ? r->first : head, true);
	if (!r->corrupted && wants_trace(&(struct reader){ .r = r }) && !r->n_frames &&
	    !*r->rip.name)
		r->corrupted = "it has no call trace";
}

void report_read(struct klog *k, size_t first, const struct splat_row *row, struct report *ret)
{
	struct reader rd = { .k = k, .r = ret, .class = end_class(row) };

	*ret = (struct report){
		.row = row, .first = first, .said = first, .caller = k->lines[first].caller
	};
	/* Nothing of it comes behind its end. */
	if (line_is_report_end(&k->lines[first]))
		rd.class = END_LINE;
	/* The CPU that stalls is made to show itself by an interrupt. */
	if (rd.class == END_STALL)
		ret->caller = KLOG_NO_CALLER;
	if (trace_is_bare(row->kind))
		rd.headed = true;
	if (row->flags & ROW_HEADLESS) {
		ret->corrupted = "its beginning is missing";
		find_end(&rd);
		find_head(&rd);
	} else {
		find_end(&rd);
	}
	read_lines(k, ret);
}
