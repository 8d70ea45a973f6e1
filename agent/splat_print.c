/* SPDX-License-Identifier: MIT */
/*
 * The fingerprint of one report: what does not change when the same defect is built again, by
 * another compiler or at another optimisation level. docs/classify.md tells the rule and its reason.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/splat.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/hash.h"

/* A function that takes less may as well be inlined, so that another build does not show it. */
#define SMALL_BYTES 0x200
#define LOCKS_MAX 3
#define DETAIL_MAX 96
#define SAID_WORDS 6

/* What of a report is the same in every build, beside its kind. */
struct print {
	char source[DETAIL_MAX]; /* "lib/refcount.c" */
	char said[DETAIL_MAX]; /* the first words of a WARN()'s message */
	char access[8]; /* "read", "write" */
	char object[DETAIL_MAX]; /* a slab cache, or the C type that UBSAN names */
	char locks[LOCKS_MAX][DETAIL_MAX]; /* names of lock classes, sorted */
	int n_locks;
	char entry[KLOG_SYMBOL_MAX];
	const char *anchor;
};

static size_t rest_of(const struct klog_line *l, const char *p)
{
	return (size_t)(l->text + l->len - p);
}

/* "mm/rmap.c" of "…at ../../linux/mm/rmap.c:2345": the file and its folder. A tree that was built
 * elsewhere prints a path, and the line changes with every patch. */
static void read_source(const struct klog_line *l, const char *from, char out[DETAIL_MAX])
{
	const char *dot = memmem(from, rest_of(l, from), ".c:", 3), *s;
	int slashes = 0;

	if (!dot)
		dot = memmem(from, rest_of(l, from), ".h:", 3);
	if (!dot)
		return;
	for (s = dot; s > l->text && s[-1] != ' '; s--)
		if (s[-1] == '/' && ++slashes == 2)
			break;
	snprintf(out, DETAIL_MAX, "%.*s", (int)(dot + 2 - s), s);
}

static void find_source(const struct klog_line *l, struct print *p)
{
	static const char *const heads[] = {
		"kernel BUG at ", "WARNING: ", "UBSAN: ", "invalid context at ", "suspicious rcu_",
	};

	for (size_t i = 0; i < ARRAY_SIZE(heads) && !*p->source; i++) {
		const char *at = klog_find(l, heads[i]);

		if (at)
			read_source(l, i == ARRAY_SIZE(heads) - 1 ? l->text : at, p->source);
	}
}

/* The message of WARN(…, "…"): its first words, up to the first that varies. */
static void find_said(const struct klog *k, const struct report *r, struct print *p)
{
	const struct klog_line *l, *before = NULL;
	size_t words = 0, n = 0;

	if (r->row->kind != SPLAT_WARN || r->row->flags & ROW_LEADS)
		return;
	for (size_t i = r->said; i > 0 && r->said - i < 8 && !before; i--)
		if (report_owns(r, &k->lines[i - 1]))
			before = &k->lines[i - 1];
	l = before;
	if (!l || klog_find(l, "[ cut here") || l->used)
		return;
	for (size_t i = 0; i <= l->len && i < DETAIL_MAX - 1 && words < SAID_WORDS; i++) {
		if (i == l->len || l->text[i] == ' ') {
			words++;
			n = i;
		} else if (isdigit((unsigned char)l->text[i]) || l->text[i] == '(') {
			break;
		}
	}
	snprintf(p->said, sizeof(p->said), "%.*s", (int)n, l->text);
}

static void find_access(const struct klog_line *l, struct print *p)
{
	if (*p->access)
		return;
	if (klog_find(l, "#PF: supervisor read") || klog_find(l, "dereference on read"))
		snprintf(p->access, sizeof(p->access), "read");
	else if (klog_find(l, "#PF: supervisor write") || klog_find(l, "dereference on write"))
		snprintf(p->access, sizeof(p->access), "write");
	else if (klog_find(l, "#PF: supervisor instruction fetch"))
		snprintf(p->access, sizeof(p->access), "exec");
}

/* "which belongs to the cache vm_area_struct of size 152"; which of the general caches it is
 * depends on the object's size in this configuration. */
static void find_object(const struct klog_line *l, struct print *p)
{
	static const char words[] = "belongs to the cache ";
	const char *s = klog_find(l, words);
	size_t n = 0;

	if (!s || *p->object)
		return;
	s += strlen(words);
	while (n < rest_of(l, s) && s[n] != ' ')
		n++;
	if (n > 8 && memcmp(s, "kmalloc-", 8) == 0)
		return;
	snprintf(p->object, sizeof(p->object), "%.*s", (int)n, s);
}

/* "index 9 is out of range for type 'int [8]'" */
static void find_type(const struct klog_line *l, struct print *p)
{
	static const char words[] = " for type '";
	const char *s = klog_find(l, words), *end;

	if (!s || *p->object)
		return;
	s += strlen(words);
	end = memchr(s, '\'', rest_of(l, s));
	if (end)
		snprintf(p->object, sizeof(p->object), "%.*s", (int)(end - s), s);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* "ffff888003a51040 (&mm->mmap_lock#2/1){++++}-{3:3}, at: f+0x1/0x2": what is in parentheses. */
static void find_lock(const struct klog_line *l, struct print *p)
{
	const char *brace = klog_find(l, "){"), *s;
	char name[DETAIL_MAX];

	if (!brace)
		brace = klog_find(l, ") at:");
	if (!brace || p->n_locks == LOCKS_MAX)
		return;
	for (s = brace; s > l->text && s[-1] != '('; s--)
		;
	if (s == l->text)
		return;
	snprintf(name, sizeof(name), "%.*s", (int)(brace - s), s);
	name[strcspn(name, "#/")] = '\0';
	for (int i = 0; i < p->n_locks; i++)
		if (strcmp(p->locks[i], name) == 0)
			return;
	memcpy(p->locks[p->n_locks++], name, sizeof(name));
}

/* __x64_sys_mprotect, __arm64_sys_mprotect, SyS_mprotect … are one. */
static void plain_entry(const char *name, char out[KLOG_SYMBOL_MAX])
{
	const char *sys = strstr(name, "sys_");

	if (strncmp(name, "SyS_", 4) == 0 || strncmp(name, "SYSC_", 5) == 0)
		snprintf(out, KLOG_SYMBOL_MAX, "sys_%s", strchr(name, '_') + 1);
	else if (sys && (sys == name || strncmp(name, "__", 2) == 0))
		snprintf(out, KLOG_SYMBOL_MAX, "%s", sys);
	else
		snprintf(out, KLOG_SYMBOL_MAX, "%s", name);
}

/* Frames from `from` on are of dispatchers and what called them. */
static int entry_of(const struct report *r, char out[KLOG_SYMBOL_MAX])
{
	out[0] = '\0';
	for (int i = 0; i < r->n_frames; i++) {
		/* The trace begins with the caller of where the registers point. */
		const char *callee = i ? r->frames[i - 1].name : r->rip.name;

		if (!splat_is_dispatcher(r->frames[i].name) || !*callee ||
		    splat_is_dispatcher(callee) || splat_is_helper(callee))
			continue;
		plain_entry(callee, out);
		return i;
	}
	return r->n_frames;
}

/* The first function inside the entry that is too large to be inlined anywhere. */
static const char *anchor_of(const struct report *r, int n)
{
	if (*r->rip.name && !splat_is_helper(r->rip.name) && r->rip.size >= SMALL_BYTES)
		return r->rip.name;
	for (int i = 0; i < n; i++)
		if (r->frames[i].size >= SMALL_BYTES && !splat_is_helper(r->frames[i].name))
			return r->frames[i].name;
	return "";
}

static void read_print(const struct klog *k, const struct report *r, struct print *p)
{
	int n = entry_of(r, p->entry);

	p->anchor = anchor_of(r, n);
	for (size_t i = r->first; i < r->end; i++) {
		const struct klog_line *l = &k->lines[i];

		if (!report_owns(r, l) || !l->used)
			continue;
		find_source(l, p);
		find_access(l, p);
		find_object(l, p);
		if (r->row->kind == SPLAT_UBSAN)
			find_type(l, p);
		if (r->row->kind == SPLAT_LOCKDEP)
			find_lock(l, p);
	}
	find_said(k, r, p);
	qsort(p->locks, (size_t)p->n_locks, sizeof(p->locks[0]), by_name);
}

void report_fingerprint(const struct klog *k, const struct report *r, const char *stem,
			const char *func, char ret[17])
{
	struct print p = { .anchor = "" };
	char hex[HASH_HEX_MAX];
	const char *parts[12 + LOCKS_MAX];
	int n = 0;

	parts[n++] = splat_kind_name(r->row->kind);
	parts[n++] = stem;
	if (r->row->func != FUNC_NONE) {
		read_print(k, r, &p);
		parts[n++] = p.source;
		parts[n++] = p.said;
		parts[n++] = p.access;
		parts[n++] = p.object;
		for (int i = 0; i < p.n_locks; i++)
			parts[n++] = p.locks[i];
		parts[n++] = p.entry;
		parts[n++] = p.anchor;
		/* Nothing else says where. */
		if (!*p.entry && !*p.anchor)
			parts[n++] = func;
	}
	parts[n] = NULL;
	hash_strings(parts, hex);
	snprintf(ret, 17, "%.16s", hex);
}
