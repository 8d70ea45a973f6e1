/* SPDX-License-Identifier: MIT */
/* Title and excerpt of one report. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/splat.h"
#include "lib/buf.h"
#include "lib/clean.h"

#define TITLE_MAX 120

static size_t rest_of(const struct klog_line *l, const char *p)
{
	return (size_t)(l->text + l->len - p);
}

static size_t name_len(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && n < KLOG_SYMBOL_MAX - 1 &&
	       (isalnum((unsigned char)s[n]) || strchr("_.$", s[n])) && s[n])
		n++;
	return n;
}

/* " in func", with or without an offset; for a race between two " in func / func". */
static bool func_after_in(const struct klog_line *l, char out[2 * KLOG_SYMBOL_MAX + 4])
{
	const char *p = klog_find(l, " in ");
	char first[KLOG_SYMBOL_MAX], second[KLOG_SYMBOL_MAX];
	size_t n;

	if (!p)
		return false;
	p += 4;
	n = name_len(p, rest_of(l, p));
	if (!n || isdigit((unsigned char)*p))
		return false;
	snprintf(first, sizeof(first), "%.*s", (int)n, p);
	klog_symbol_strip(first);
	snprintf(out, 2 * KLOG_SYMBOL_MAX + 4, "%s", first);
	p += n;
	p = memmem(p, rest_of(l, p), " / ", 3);
	if (!p)
		return true;
	n = name_len(p + 3, rest_of(l, p + 3));
	snprintf(second, sizeof(second), "%.*s", (int)n, p + 3);
	klog_symbol_strip(second);
	if (n)
		snprintf(out, 2 * KLOG_SYMBOL_MAX + 4, "%s / %s", first, second);
	return true;
}

static const struct klog_frame *first_frame(const struct report *r)
{
	for (int i = 0; i < r->n_frames; i++)
		if (!splat_is_helper(r->frames[i].name))
			return &r->frames[i];
	return NULL;
}

#define FUNC_MAX (2 * KLOG_SYMBOL_MAX + 4)

/* The function of the title. */
static void guilty(const struct klog *k, const struct report *r, char out[FUNC_MAX])
{
	const struct klog_line *l = &k->lines[r->said];
	const struct klog_frame *frame = first_frame(r);
	struct klog_frame f;

	out[0] = '\0';
	switch (r->row->func) {
	case FUNC_NONE:
		return;
	case FUNC_AFTER:
		if (func_after_in(l, out) && !splat_is_helper(out))
			return;
		out[0] = '\0';
		break;
	case FUNC_LINE:
		if (klog_symbol_find(l->text, l->len, &f) && !splat_is_helper(f.name)) {
			snprintf(out, FUNC_MAX, "%s", f.name);
			return;
		}
		break;
	default:
		break;
	}
	if (r->row->func != FUNC_FRAME && *r->rip.name && !splat_is_helper(r->rip.name))
		frame = &r->rip;
	if (!frame && *r->rip.name)
		frame = &r->rip;
	snprintf(out, FUNC_MAX, "%s", frame ? frame->name : "");
}

static bool word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Length of a number or an address at `s`: digits, 0x…, or eight and more hex digits. */
static size_t number_len(const char *s, const char *end)
{
	size_t n = 0, decimal = 0;

	if (end - s > 2 && s[0] == '0' && s[1] == 'x')
		n = 2;
	while (s + n < end && isxdigit((unsigned char)s[n]))
		n++;
	while (s + decimal < end && isdigit((unsigned char)s[decimal]))
		decimal++;
	if (s + n < end && word_char(s[n]))
		return decimal;
	return decimal == n || n >= 8 ? n : 0;
}

char *report_plain_text(const char *s, const char *end)
{
	struct buf b = BUF_INIT;

	for (const char *from = s; s < end && b.len < TITLE_MAX;) {
		size_t n = s == from || !word_char(s[-1]) ? number_len(s, end) : 0;

		if (n) {
			buf_char(&b, 'N');
			s += n;
		} else {
			buf_char(&b, *s++);
		}
	}
	while (b.len && strchr(" .", b.data[b.len - 1]))
		b.data[--b.len] = '\0';
	return buf_steal(&b);
}

/* "BUG kmalloc-64 (Not tainted): Poison overwritten", "[Poison overwritten] 0xffff…". Owned. */
static char *slab_stem(const struct klog_line *l)
{
	const char *what = klog_find(l, "): "), *end = l->text + l->len;
	CLEANUP(free_p) char *text = NULL;

	if (what) {
		what += 3;
	} else {
		what = l->text + (l->len && l->text[0] == '[');
		end = memchr(what, ']', rest_of(l, what));
	}
	text = report_plain_text(what, end ? end : l->text + l->len);
	return xasprintf("slab: %s", text);
}

/* The title up to the function. Owned. */
static char *stem_of(const struct klog *k, const struct report *r)
{
	const struct klog_line *l = &k->lines[r->said];
	const char *s = klog_find(l, r->row->match), *end = l->text + l->len, *in;

	if (r->row->title)
		return xstrdup(r->row->title);
	if (r->row->kind == SPLAT_SLAB)
		return slab_stem(l);
	/* behind what was matched: a line that two CPUs wrote into may have one before it */
	if (r->row->func == FUNC_AFTER || r->row->kind == SPLAT_UBSAN) {
		in = memmem(s, (size_t)(end - s), " in ", 4);
		if (in)
			end = in;
	}
	if (r->row->func == FUNC_AFTER && end - s > 5)
		s += strlen("BUG: ");
	return report_plain_text(s, end);
}

/* "Read of size 8 at addr …" on one of the next lines. */
static const char *kasan_access(const struct klog *k, const struct report *r)
{
	int seen = 0;

	for (size_t i = r->first + 1; i < r->end && seen < 4; i++) {
		const struct klog_line *l = &k->lines[i];

		if (!report_owns(r, l))
			continue;
		seen++;
		if (klog_starts(l, "Read of size") || klog_starts(l, "Read at addr"))
			return " Read";
		if (klog_starts(l, "Write of size") || klog_starts(l, "Write at addr"))
			return " Write";
	}
	return "";
}

/* "type:MM_ANONPAGES": 4.x had a number there. */
static char *rss_stem(const struct klog_line *l, const char *stem)
{
	const char *type = klog_find(l, "type:");
	size_t n = type ? name_len(type + 5, rest_of(l, type + 5)) : 0;

	return n ? xasprintf("%s %.*s", stem, (int)n, type + 5) : xstrdup(stem);
}

static char *excerpt_of(const struct klog *k, const struct report *r)
{
	struct buf b = BUF_INIT;

	for (size_t i = r->first; i < r->end; i++) {
		const struct klog_line *l = &k->lines[i];
		CLEANUP(free_p) char *text = NULL;

		if (!report_owns(r, l) || !l->used)
			continue;
		text = str_printable(l->raw,
				     l->raw_len < KLOG_TEXT_MAX ? l->raw_len : KLOG_TEXT_MAX);
		if (b.len + strlen(text) + 1 > PARTS_EXCERPT_BYTES)
			break;
		buf_str(&b, text);
		buf_char(&b, '\n');
	}
	return buf_steal(&b);
}

/* Where the registers point, which the call trace of x86 leaves out and that of arm64 begins with,
 * then the trace. */
static void trace_of(const struct report *r, struct trace *ret)
{
	const struct klog_frame *rip = *r->rip.name ? &r->rip : NULL;

	*ret = (struct trace){ 0 };
	if (rip)
		klog_frame_add(rip, true, ret);
	for (int i = 0; i < r->n_frames; i++) {
		const struct klog_frame *f = &r->frames[i];

		if (!i && rip && !strcmp(rip->symbol, f->symbol) && rip->offset == f->offset)
			continue;
		klog_frame_add(f, false, ret);
	}
}

void report_describe(const struct klog *k, const struct report *r, struct splat *ret)
{
	CLEANUP(free_p) char *stem = stem_of(k, r);
	CLEANUP(free_p) char *all = NULL;
	char func[FUNC_MAX];

	guilty(k, r, func);
	if (r->row->kind == SPLAT_BAD_RSS || r->row->kind == SPLAT_KASAN) {
		char *more = r->row->kind == SPLAT_KASAN
				     ? xasprintf("%s%s", stem, kasan_access(k, r))
				     : rss_stem(&k->lines[r->said], stem);

		free(stem);
		stem = more;
	}
	if (*func)
		all = xasprintf("%s %s %s", stem, r->row->word ? r->row->word : "in", func);
	ret->kind = r->row->kind;
	ret->title = str_printable(all ? all : stem, strlen(all ? all : stem));
	report_fingerprint(k, r, stem, func, ret->fingerprint);
	ret->excerpt = excerpt_of(k, r);
	trace_of(r, &ret->trace);
	ret->corrupted = xstrdup(r->corrupted);
}
