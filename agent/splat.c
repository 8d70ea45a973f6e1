/* SPDX-License-Identifier: MIT */
#include "agent/splat.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/inject.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/hash.h"
#include "lib/limits.h"

/* A report is never longer; a log without its usual end is cut here. */
#define REPORT_LINES_MAX 200
/* How many frames tell two defects apart: more would tell two callers of one defect apart. */
#define FINGERPRINT_FRAMES 3

struct report {
	const struct splat_pattern *pattern;
	size_t first, end; /* lines [first, end) */
	char rip[KLOG_SYMBOL_MAX]; /* kernel-mode RIP (pc, NIP), "" without one */
	char frames[FINGERPRINT_FRAMES + 1][KLOG_SYMBOL_MAX];
	int n_frames;
};

static bool is_mark(const struct klog_line *l)
{
	return klog_starts(l, "faultline: ");
}

/* The report's last line; everything that follows may belong to something else. */
static bool is_report_end(const struct klog_line *l)
{
	return klog_find(l, "---[ end trace") || klog_find(l, "---[ end Kernel panic") ||
	       klog_starts(l, "Kernel panic - not syncing");
}

static bool is_blank(const struct klog_line *l)
{
	return l->len == 0;
}

/* Reports without an end mark are over at the end of their call trace. */
static bool ends_with_trace(enum splat_kind kind)
{
	return kind == SPLAT_BAD_PAGE || kind == SPLAT_HUNG_TASK || kind == SPLAT_SOFT_LOCKUP ||
	       kind == SPLAT_RCU_STALL || kind == SPLAT_LOCKDEP;
}

/* One line is all there is. */
static bool is_one_line(enum splat_kind kind)
{
	return kind == SPLAT_BAD_RSS || kind == SPLAT_BAD_PGTABLES;
}

static size_t report_end(const struct klog *k, size_t first, const struct splat_pattern *p)
{
	bool head = true;
	size_t i;

	if (is_one_line(p->kind))
		return first + 1;
	for (i = first + 1; i < k->n && i - first < REPORT_LINES_MAX; i++) {
		const struct klog_line *l = &k->lines[i];

		if (l->removed)
			continue;
		if (is_mark(l) || klog_find(l, "------------[ cut here"))
			return i;
		if (is_report_end(l))
			return i + 1;
		if (klog_find(l, "</TASK>") && ends_with_trace(p->kind))
			return i + 1;
		if (!head && is_blank(l) && p->kind == SPLAT_OTHER)
			return i;
		head = false;
	}
	return i;
}

/* "RIP: 0010:func+0x1/0x2", "pc : func+…" (arm64), "NIP [c…] func+…" (powerpc). */
static void read_rip(const struct klog_line *l, char rip[KLOG_SYMBOL_MAX])
{
	static const char *const heads[] = { "RIP: 0010:", "pc : ", "epc : " };

	for (size_t i = 0; i < ARRAY_SIZE(heads) && !*rip; i++) {
		const char *p = klog_find(l, heads[i]);
		char name[KLOG_SYMBOL_MAX];

		if (!p)
			continue;
		p += strlen(heads[i]);
		if (klog_symbol(p, (size_t)(l->text + l->len - p), name))
			snprintf(rip, KLOG_SYMBOL_MAX, "%s", name);
	}
	if (!*rip && klog_starts(l, "NIP [")) {
		const char *p = memchr(l->text, ']', l->len);
		char name[KLOG_SYMBOL_MAX];

		if (p && p + 2 < l->text + l->len &&
		    klog_symbol(p + 2, (size_t)(l->text + l->len - p - 2), name))
			snprintf(rip, KLOG_SYMBOL_MAX, "%s", name);
	}
}

/* Reads function names of the first call trace: after its end another task's may follow. */
static void report_read(const struct klog *k, struct report *r)
{
	bool done = false;

	for (size_t i = r->first; i < r->end; i++) {
		const struct klog_line *l = &k->lines[i];
		char name[KLOG_SYMBOL_MAX];
		bool reliable;

		if (l->removed)
			continue;
		read_rip(l, r->rip);
		if (klog_find(l, "</TASK>"))
			done = true;
		if (done || r->n_frames > FINGERPRINT_FRAMES || !klog_frame(l, name, &reliable) ||
		    !reliable || splat_is_helper(name))
			continue;
		snprintf(r->frames[r->n_frames++], KLOG_SYMBOL_MAX, "%s", name);
	}
}

/* Symbol behind the last blank: "… at mm/x.c:12 func+0x1/0x2". */
static bool last_word_func(const struct klog_line *l, char out[KLOG_SYMBOL_MAX])
{
	size_t i = l->len;

	while (i && l->text[i - 1] != ' ')
		i--;
	return klog_symbol(l->text + i, l->len - i, out);
}

static bool after_in_func(const struct klog_line *l, char out[KLOG_SYMBOL_MAX])
{
	const char *p = klog_find(l, " in ");

	return p && klog_symbol(p + 4, (size_t)(l->text + l->len - p - 4), out);
}

static void report_func(const struct klog *k, const struct report *r, char out[KLOG_SYMBOL_MAX])
{
	const struct klog_line *l = &k->lines[r->first];

	out[0] = '\0';
	if (r->pattern->func == FUNC_NONE)
		return;
	if (r->pattern->func == FUNC_LAST_WORD && last_word_func(l, out) && !splat_is_helper(out))
		return;
	if (r->pattern->func == FUNC_AFTER && after_in_func(l, out) && !splat_is_helper(out))
		return;
	if (r->pattern->func != FUNC_FRAME && *r->rip && !splat_is_helper(r->rip)) {
		snprintf(out, KLOG_SYMBOL_MAX, "%s", r->rip);
		return;
	}
	snprintf(out, KLOG_SYMBOL_MAX, "%s", r->n_frames ? r->frames[0] : r->rip);
}

/* The line from the pattern on, up to the function, with numbers and addresses made equal. */
static char *title_from_line(const struct klog_line *l, const struct splat_pattern *p)
{
	const char *s = klog_find(l, p->match);
	const char *end = l->text + l->len;
	const char *in = p->func == FUNC_AFTER ? klog_find(l, " in ") : NULL;
	struct buf b = BUF_INIT;

	if (p->func == FUNC_AFTER && s)
		s += strlen("BUG: ");
	if (in && in > s)
		end = in;
	while (s && s < end && b.len < 120) {
		if (isdigit((unsigned char)*s) && (b.len == 0 || !isalnum((unsigned char)s[-1]))) {
			while (s < end && isxdigit((unsigned char)*s))
				s++;
			if (s < end && *s == 'x')
				for (s++; s < end && isxdigit((unsigned char)*s);)
					s++;
			buf_char(&b, 'N');
			continue;
		}
		buf_char(&b, *s++);
	}
	return buf_steal(&b);
}

/* "Read of size 8 at addr …" on one of the next lines. */
static const char *kasan_access(const struct klog *k, size_t first, size_t end)
{
	for (size_t i = first + 1; i < end && i < first + 4; i++) {
		if (klog_starts(&k->lines[i], "Read of size") ||
		    klog_starts(&k->lines[i], "Read at addr"))
			return " Read";
		if (klog_starts(&k->lines[i], "Write of size") ||
		    klog_starts(&k->lines[i], "Write at addr"))
			return " Write";
	}
	return "";
}

static char *report_title(const struct klog *k, const struct report *r, const char *func)
{
	const struct klog_line *l = &k->lines[r->first];
	CLEANUP(free_p) char *own = NULL;
	CLEANUP(free_p) char *all = NULL;
	const char *access = "";

	if (!r->pattern->title)
		own = title_from_line(l, r->pattern);
	if (r->pattern->kind == SPLAT_KASAN)
		access = kasan_access(k, r->first, r->end);
	if (r->pattern->kind == SPLAT_BAD_RSS) {
		const char *type = klog_find(l, "type:");
		int n = type ? (int)strcspn(type, " \n") : 0;

		all = xasprintf("%s%s%.*s", r->pattern->title, n > 5 ? " " : "", n > 5 ? n - 5 : 0,
				n > 5 ? type + 5 : "");
	} else if (*func) {
		all = xasprintf("%s%s %s %s", own ? own : r->pattern->title, access,
				r->pattern->word, func);
	} else {
		all = xasprintf("%s%s", own ? own : r->pattern->title, access);
	}
	return str_printable(all, strlen(all));
}

/* 16 hex digits over the kind, the guilty function and the frames around it. */
static void report_fingerprint(const struct report *r, const char *func, const char *title,
			       char out[17])
{
	const char *parts[FINGERPRINT_FRAMES + 4];
	char hex[HASH_HEX_MAX];
	int n = 0;

	parts[n++] = splat_kind_name(r->pattern->kind);
	if (*func)
		parts[n++] = func;
	else
		parts[n++] = title;
	for (int i = 0, taken = 0; i < r->n_frames && taken < FINGERPRINT_FRAMES - 1; i++) {
		if (strcmp(r->frames[i], func) == 0)
			continue;
		parts[n++] = r->frames[i];
		taken++;
	}
	parts[n] = NULL;
	hash_strings(parts, hex);
	snprintf(out, 17, "%.16s", hex);
}

static char *report_excerpt(const struct klog *k, const struct report *r)
{
	struct buf b = BUF_INIT;

	for (size_t i = r->first; i < r->end; i++) {
		const struct klog_line *l = &k->lines[i];
		CLEANUP(free_p) char *text = NULL;

		if (l->removed)
			continue;
		text = str_printable(l->raw, l->raw_len);
		if (b.len + strlen(text) + 1 > PARTS_EXCERPT_BYTES)
			break;
		buf_str(&b, text);
		buf_char(&b, '\n');
	}
	return buf_steal(&b);
}

bool splat_next(const struct klog *k, size_t *at, struct splat *ret)
{
	struct report r = { 0 };
	char func[KLOG_SYMBOL_MAX];

	for (size_t i = *at; i < k->n && !r.pattern; i++) {
		if (k->lines[i].removed || is_mark(&k->lines[i]))
			continue;
		r.pattern = splat_pattern_of(&k->lines[i]);
		r.first = i;
	}
	if (!r.pattern)
		return false;
	r.end = report_end(k, r.first, r.pattern);
	report_read(k, &r);
	report_func(k, &r, func);
	ret->kind = r.pattern->kind;
	ret->title = report_title(k, &r, func);
	report_fingerprint(&r, func, ret->title, ret->fingerprint);
	ret->excerpt = report_excerpt(k, &r);
	ret->console_offset = (int64_t)klog_offset(k, &k->lines[r.first]);
	*at = r.end;
	return true;
}

void splat_read_log(const char *log, size_t len, struct splat *ret, struct stack **ret_stacks,
		    size_t *ret_n_stacks)
{
	struct klog k;
	size_t at = 0;

	klog_parse(log, len, &k);
	(void)inject_take(&k, ret_stacks, ret_n_stacks);
	*ret = (struct splat){ .kind = SPLAT_NONE };
	(void)splat_next(&k, &at, ret);
	klog_free(&k);
}
