/* SPDX-License-Identifier: MIT */
#include "agent/inject.h"

#include <stdlib.h>
#include <string.h>

#include "jobs/parts.h"
#include "lib/buf.h"
#include "lib/limits.h"

/* Lines that another CPU may have put between two lines of one trace. */
#define INJECT_FOREIGN_MAX 64

/* Innermost frames that say how the failure was made and not where: name prefixes. */
static const char *const injector_frames[] = {
	"dump_stack",	      "__dump_stack",	     "fail_dump",	 "should_fail",
	"__should_fail",      "prepare_alloc_pages", "__alloc_pages",	 "__alloc_frozen_pages",
	"alloc_frozen_pages", "alloc_pages",	     "__get_free_pages", "get_free_pages",
	"get_zeroed_page",    "__folio_alloc",	     "folio_alloc",	 "kmem_cache_alloc",
	"__kmalloc",	      "__kmem_cache_alloc",  "kmalloc",		 "slab_pre_alloc_hook",
	"slab_alloc",	      "pagetable_alloc",
};

/* The same of fail_function: a kprobe's handler, behind a breakpoint or the function tracer. */
static const char *const handler_frames[] = {
	"fei_kprobe_handler", "aggr_pre_handler", "kprobe_", "do_int3",
	"exc_int3",	      "asm_exc_int3",	  "ftrace_", "arch_ftrace_ops_list_func",
};

struct injection {
	bool open;
	bool in_frames;
	int caller;
	int foreign;
	struct stack stack;
};

static bool starts_any(const char *name, const char *const *prefixes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_starts(name, prefixes[i]))
			return true;
	return false;
}

static bool is_injector_frame(const char *name)
{
	return starts_any(name, injector_frames, ARRAY_SIZE(injector_frames)) ||
	       starts_any(name, handler_frames, ARRAY_SIZE(handler_frames));
}

static void stack_push(struct stack *s, const struct klog_frame *f)
{
	if (s->n == 0 && is_injector_frame(f->name))
		return;
	if (s->n >= LIMIT_STACK_FRAMES)
		return;
	if (!s->frames)
		s->frames = xcalloc(LIMIT_STACK_FRAMES, sizeof(*s->frames));
	s->frames[s->n++] = xstrdup(f->name);
	klog_frame_add(f, false, &s->trace);
}

static bool stack_equal(const struct stack *a, const struct stack *b)
{
	if (a->n != b->n)
		return false;
	for (int i = 0; i < a->n; i++)
		if (strcmp(a->frames[i], b->frames[i]) != 0)
			return false;
	return true;
}

/* Counts a finished trace; takes its frames over or frees them. */
static void stack_collect(struct stack **arr, size_t *n, struct stack *s)
{
	for (size_t i = 0; i < *n; i++) {
		if (stack_equal(&(*arr)[i], s)) {
			(*arr)[i].count++;
			stack_clear(s);
			return;
		}
	}
	if (s->n == 0 || *n >= LIMIT_STACKS) {
		stack_clear(s);
		return;
	}
	if (!*arr)
		*arr = xcalloc(LIMIT_STACKS, sizeof(**arr));
	s->count = 1;
	(*arr)[(*n)++] = *s;
	*s = (struct stack){ 0 };
}

/* What fail_dump() and dump_stack() print between the head and the frames. */
static bool is_head_line(const struct klog_line *l)
{
	static const char *const heads[] = {
		"name ", "CPU: ", "Tainted: ", "Hardware name: ", "Call Trace:", "Call trace:",
	};

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		if (klog_starts(l, heads[i]))
			return true;
	return false;
}

/* The registers of the system call that led here stand inside the trace, and before them those of
 * the kernel's own code when a page fault interrupted it (copy_to_user() and its like). */
static bool is_regs(const struct klog_line *l)
{
	static const char *const regs[] = {
		"RIP: 00", "Code: ", "RSP: 00", "RAX: ", "RDX: ", "RBP: ", "R10: ", "R13: ",
	};

	for (size_t i = 0; i < ARRAY_SIZE(regs); i++)
		if (klog_starts(l, regs[i]))
			return true;
	return false;
}

/* "<TASK>" +1, "</TASK>" -1, 0 for anything else; the same for IRQ, NMI, SOFTIRQ. */
static int context_mark(const struct klog_line *l)
{
	const char *s = l->text;
	size_t len = l->len;

	while (len && *s == ' ') {
		s++;
		len--;
	}
	if (len < 4 || s[0] != '<' || s[len - 1] != '>')
		return 0;
	return s[1] == '/' ? -1 : 1;
}

/* A report of the kernel's own begins, or the guest's next mark: frames from here on are not ours. */
static bool is_other_report(const struct klog_line *l)
{
	return klog_find(l, "------------[ cut here") || klog_find(l, "BUG: ") ||
	       klog_find(l, "Oops") || klog_find(l, "WARNING: ") || klog_starts(l, "faultline: ");
}

enum line_use { USE_MINE, USE_LAST, USE_FOREIGN, USE_STOP };

static enum line_use trace_line(struct injection *t, const struct klog_line *l)
{
	struct klog_frame f;
	int mark;

	if (t->caller != l->caller)
		return USE_FOREIGN;
	mark = context_mark(l);
	if (mark) {
		bool task_end = mark < 0 && klog_find(l, "TASK>");

		t->in_frames = true;
		return task_end ? USE_LAST : USE_MINE;
	}
	if (klog_frame_read(l, &f)) {
		t->in_frames = true;
		if (f.reliable)
			stack_push(&t->stack, &f);
		return USE_MINE;
	}
	if (!t->in_frames && is_head_line(l))
		return USE_MINE;
	if (t->in_frames && is_regs(l))
		return USE_MINE;
	/* With callers in the log this line is this caller's own next report. */
	return l->caller != KLOG_NO_CALLER ? USE_STOP : USE_FOREIGN;
}

static void trace_start(struct injection *t, const struct klog_line *l)
{
	*t = (struct injection){ .open = true, .caller = l->caller };
}

/* Feeds one trace that begins at line `i`; returns when it is complete or given up. */
static void trace_read(struct klog *k, size_t i, struct injection *t)
{
	trace_start(t, &k->lines[i]);
	k->lines[i].removed = true;
	for (size_t j = i + 1; j < k->n && j - i < INJECT_SPAN_MAX && t->open; j++) {
		struct klog_line *l = &k->lines[j];

		if (l->removed)
			continue;
		if (l->caller == t->caller && klog_find(l, "FAULT_INJECTION: forcing a failure"))
			return;
		switch (trace_line(t, l)) {
		case USE_LAST:
			l->removed = true;
			return;
		case USE_MINE:
			l->removed = true;
			t->foreign = 0;
			break;
		case USE_FOREIGN:
			if (++t->foreign > INJECT_FOREIGN_MAX)
				return;
			if (l->caller == t->caller && is_other_report(l))
				return;
			break;
		case USE_STOP:
			return;
		}
	}
}

int inject_take_from(struct klog *k, size_t from, size_t to, struct stack **io, size_t *io_n)
{
	int traces = 0;

	for (size_t i = from; i < to; i++) {
		struct injection t;

		if (k->lines[i].removed ||
		    !klog_find(&k->lines[i], "FAULT_INJECTION: forcing a failure"))
			continue;
		traces++;
		trace_read(k, i, &t);
		stack_collect(io, io_n, &t.stack);
	}
	return traces;
}

int inject_take(struct klog *k, struct stack **ret, size_t *ret_n)
{
	struct stack *stacks = NULL;
	size_t n = 0;
	int traces = inject_take_from(k, 0, k->n, &stacks, &n);

	*ret = stacks;
	*ret_n = n;
	return traces;
}
