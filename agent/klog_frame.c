/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/klog.h"
#include "lib/buf.h"

#define FUNCTION_BYTES_MAX (1UL << 24)

static const char *const compiler_suffixes[] = {
	".isra.", ".constprop.", ".part.", ".cold", ".llvm.", ".lto_priv.", ".cfi", ".localalias",
};

void klog_symbol_strip(char *name)
{
	/* The padding before a function (CONFIG_CALL_PADDING): a return address may fall there. */
	if (str_starts(name, "__pfx_"))
		memmove(name, name + 6, strlen(name + 6) + 1);
	for (size_t i = 0; i < ARRAY_SIZE(compiler_suffixes); i++) {
		char *p = strstr(name, compiler_suffixes[i]);

		if (p && p != name)
			*p = '\0';
	}
}

static bool symbol_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$';
}

static size_t hex_len(const char *s, size_t len)
{
	size_t i = 2;

	if (len < 3 || s[0] != '0' || s[1] != 'x')
		return 0;
	while (i < len && isxdigit((unsigned char)s[i]))
		i++;
	return i > 2 && i <= 18 ? i : 0;
}

static unsigned long hex_value(const char *s, size_t len)
{
	char text[19];

	snprintf(text, sizeof(text), "%.*s", (int)len, s);
	return strtoul(text, NULL, 16);
}

/* Length of the name at `s`; 0 when it is none or too long to be kept. */
static size_t name_len(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && symbol_char(s[n]))
		n++;
	return n && n < KLOG_SYMBOL_MAX && !isdigit((unsigned char)s[0]) ? n : 0;
}

static void take_name(const char *s, size_t n, struct klog_frame *f)
{
	memcpy(f->name, s, n);
	f->name[n] = '\0';
	memcpy(f->symbol, f->name, n + 1);
	klog_symbol_strip(f->name);
}

/* As klog_symbol_read(); returns how many characters it is long. */
static size_t symbol_read(const char *s, size_t len, struct klog_frame *ret)
{
	size_t n = name_len(s, len), off, size;

	if (!n || n >= len || s[n] != '+')
		return 0;
	off = hex_len(s + n + 1, len - n - 1);
	if (!off || n + 1 + off >= len || s[n + 1 + off] != '/')
		return 0;
	size = hex_len(s + n + 2 + off, len - n - 2 - off);
	if (!size)
		return 0;
	take_name(s, n, ret);
	ret->offset = hex_value(s + n + 1, off);
	ret->size = hex_value(s + n + 2 + off, size);
	return n + 2 + off + size;
}

bool klog_symbol_read(const char *s, size_t len, struct klog_frame *ret)
{
	struct klog_frame f = { .reliable = true };

	if (!symbol_read(s, len, &f))
		return false;
	*ret = f;
	return true;
}

bool klog_symbol_find(const char *s, size_t len, struct klog_frame *ret)
{
	const char *plus = s;

	/* From one "+0x" to the next, and back to where its word begins. */
	while ((plus = memmem(plus, len - (size_t)(plus - s), "+0x", 3))) {
		const char *from = plus;

		while (from > s && symbol_char(from[-1]) && plus - from < KLOG_SYMBOL_MAX)
			from--;
		if (klog_symbol_read(from, len - (size_t)(from - s), ret))
			return true;
		plus += 3;
	}
	return false;
}

/* What stands before the name: blanks, "(", "[<ffffffff81234567>]", "[c000000012345678]".
 * *ret_marked: blanks or an address, so that it can be a frame at all. */
static size_t junk_len(const char *s, size_t len, bool *ret_marked)
{
	size_t i = 0;

	*ret_marked = false;
	while (i < len) {
		size_t j = i + 1;

		if (s[i] == ' ' || s[i] == '\t') {
			*ret_marked = true;
			i++;
			continue;
		}
		if (s[i] == '(' && i + 1 < len && s[i + 1] == '[') {
			i++;
			continue;
		}
		if (s[i] != '[')
			break;
		while (j < len && (isxdigit((unsigned char)s[j]) || s[j] == '<' || s[j] == '>'))
			j++;
		/* An address of 32 bits has 8 digits. */
		if (j - i < 9 || j >= len || s[j] != ']')
			break;
		*ret_marked = true;
		i = j + 1;
	}
	return i;
}

/* "file.c:12" or "(file.c:12" at `s`: what a symbolizer writes behind the name. */
static bool is_source(const char *s, size_t len)
{
	static const char *const kinds[] = { ".c:", ".h:", ".S:", ".rs:" };
	size_t word = 0;

	while (word < len && word < 200 && s[word] != ' ')
		word++;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const char *p = memmem(s, word, kinds[i], strlen(kinds[i]));

		if (p && p + strlen(kinds[i]) < s + word &&
		    isdigit((unsigned char)p[strlen(kinds[i])]))
			return true;
	}
	return false;
}

/* Names without an offset: "func from caller+…", "(func) from […", and symbolized ones. */
static size_t bare_read(const char *s, size_t len, struct klog_frame *ret)
{
	bool braced = len && s[0] == '(';
	size_t n = name_len(s + braced, len - braced), at = n + 2 * (size_t)braced;
	const char *rest = s + at;

	if (!n || at >= len || (braced && s[n + 1] != ')'))
		return 0;
	if (len - at > 6 && memcmp(rest, " from ", 6) == 0 &&
	    (rest[6] == '[' || memmem(rest, len - at, "+0x", 3))) {
		take_name(s + braced, n, ret);
		return at;
	}
	if (!braced && rest[0] == ' ' && is_source(rest + 1, len - at - 1)) {
		take_name(s, n, ret);
		return at;
	}
	return 0;
}

/* " [xfs]" at `s`, with a build ID or taint flags behind the name: "[xfs 1234abcd]", "[nvidia(PO)]".
 * Symbolizers write "[inline]" there. */
static void take_module(const char *s, const char *end, struct klog_frame *f)
{
	size_t n = 0;

	if (end - s < 3 || s[0] != ' ' || s[1] != '[')
		return;
	s += 2;
	while (s + n < end && (symbol_char(s[n]) || s[n] == '-'))
		n++;
	if (n == 0 || n >= KLOG_MODULE_MAX || s + n == end || !strchr("] (", s[n]) ||
	    (n == 6 && memcmp(s, "inline", 6) == 0))
		return;
	memcpy(f->module, s, n);
	f->module[n] = '\0';
}

bool klog_frame_read(const struct klog_line *l, struct klog_frame *ret)
{
	struct klog_frame f = { .reliable = true };
	bool marked;
	size_t at = junk_len(l->text, l->len, &marked), n;
	const char *s = l->text + at, *end = l->text + l->len;

	if (end - s > 2 && s[0] == '?' && s[1] == ' ') {
		f.reliable = false;
		s += 2;
	}
	n = symbol_read(s, (size_t)(end - s), &f);
	/* A tool may have trimmed the line: then it holds nothing else. */
	if (n && !marked && s + n < end && !(end - s - n > 2 && s[n] == ' ' && s[n + 1] == '['))
		return false;
	if (!n && marked)
		n = bare_read(s, (size_t)(end - s), &f);
	if (!n)
		return false;
	if (memmem(s + n, (size_t)(end - s) - n, "(unreliable)", 12))
		f.reliable = false;
	if (f.size)
		take_module(s + n, end, &f);
	f.inlined = memmem(s + n, (size_t)(end - s) - n, "[inline]", 8) != NULL;
	*ret = f;
	return true;
}

void klog_frame_add(const struct klog_frame *f, bool exact, struct trace *to)
{
	struct frame *at = trace_add(to);

	if (!at)
		return;
	at->function = xstrdup(f->name);
	at->symbol = strcmp(f->name, f->symbol) ? xstrdup(f->symbol) : NULL;
	at->module = *f->module ? xstrdup(f->module) : NULL;
	at->exact = exact;
	/* A log may say anything: no function is that large, and none ends before its frame. */
	if (f->size > FUNCTION_BYTES_MAX || f->offset > f->size)
		return;
	at->offset = f->offset;
	at->size = f->size;
}
