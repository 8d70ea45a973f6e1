/* SPDX-License-Identifier: MIT */
#include "agent/klog.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"

/* "<6>" or "<30>". */
static size_t level_len(const char *s, size_t len)
{
	size_t i = 1;

	if (len < 3 || s[0] != '<')
		return 0;
	while (i < len && isdigit((unsigned char)s[i]))
		i++;
	return i > 1 && i < len && s[i] == '>' ? i + 1 : 0;
}

/* "[    1.234567]" with the blank that may follow. */
static size_t time_len(const char *s, size_t len)
{
	size_t i = 1, digits = 0;

	if (len < 4 || s[0] != '[')
		return 0;
	while (i < len && s[i] == ' ')
		i++;
	while (i < len && (isdigit((unsigned char)s[i]) || s[i] == '.')) {
		digits++;
		i++;
	}
	if (!digits || i >= len || s[i] != ']' || !memchr(s, '.', i))
		return 0;
	return i + 1;
}

/* "[   T12]" or "[   C0]". */
static size_t caller_len(const char *s, size_t len, int *ret_caller)
{
	size_t i = 1;
	bool task;
	int n = 0;

	if (len < 4 || s[0] != '[')
		return 0;
	while (i < len && s[i] == ' ')
		i++;
	if (i >= len || (s[i] != 'T' && s[i] != 'C'))
		return 0;
	task = s[i++] == 'T';
	if (i >= len || !isdigit((unsigned char)s[i]))
		return 0;
	while (i < len && isdigit((unsigned char)s[i]) && n < 100000000)
		n = n * 10 + (s[i++] - '0');
	if (i >= len || s[i] != ']')
		return 0;
	*ret_caller = task ? n : -1 - n;
	return i + 1;
}

static void parse_line(const char *s, size_t len, struct klog_line *l)
{
	size_t n, at = 0;

	*l = (struct klog_line){ .raw = s, .raw_len = len, .caller = KLOG_NO_CALLER };
	at += level_len(s, len);
	n = time_len(s + at, len - at);
	if (n) {
		at += n;
		at += caller_len(s + at, len - at, &l->caller);
		if (at < len && s[at] == ' ')
			at++;
	}
	l->text = s + at;
	l->len = len - at;
}

void klog_parse(const char *log, size_t len, struct klog *ret)
{
	struct klog k = { .start = log };

	for (size_t at = 0; at < len;) {
		const char *nl = memchr(log + at, '\n', len - at);
		size_t n = nl ? (size_t)(nl - (log + at)) : len - at;
		size_t text = n;

		if (text && log[at + text - 1] == '\r')
			text--;
		ARRAY_RESERVE(k.lines, k.n, k.cap);
		parse_line(log + at, text, &k.lines[k.n++]);
		at += n + 1;
	}
	*ret = k;
}

void klog_free(struct klog *k)
{
	free(k->lines);
	*k = (struct klog){ 0 };
}

bool klog_starts(const struct klog_line *l, const char *prefix)
{
	size_t n = strlen(prefix);

	return l->len >= n && memcmp(l->text, prefix, n) == 0;
}

const char *klog_find(const struct klog_line *l, const char *needle)
{
	return memmem(l->text, l->len, needle, strlen(needle));
}

size_t klog_offset(const struct klog *k, const struct klog_line *l)
{
	return (size_t)(l->raw - k->start);
}

static const char *const compiler_suffixes[] = {
	".isra.", ".constprop.", ".part.", ".cold", ".llvm.", ".lto_priv.",
};

void klog_symbol_strip(char *name)
{
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
	return i > 2 ? i : 0;
}

bool klog_symbol(const char *s, size_t len, char ret_name[KLOG_SYMBOL_MAX])
{
	size_t n = 0, off;

	while (n < len && symbol_char(s[n]))
		n++;
	if (!n || n >= KLOG_SYMBOL_MAX || n >= len || s[n] != '+' || isdigit((unsigned char)s[0]))
		return false;
	off = hex_len(s + n + 1, len - n - 1);
	if (!off || n + 1 + off >= len || s[n + 1 + off] != '/' ||
	    !hex_len(s + n + 2 + off, len - n - 2 - off))
		return false;
	memcpy(ret_name, s, n);
	ret_name[n] = '\0';
	klog_symbol_strip(ret_name);
	return true;
}

bool klog_frame(const struct klog_line *l, char ret_name[KLOG_SYMBOL_MAX], bool *ret_reliable)
{
	const char *s = l->text;
	size_t len = l->len;
	bool reliable = true;

	if (!len || s[0] != ' ')
		return false;
	while (len && *s == ' ') {
		s++;
		len--;
	}
	if (len > 2 && s[0] == '?' && s[1] == ' ') {
		reliable = false;
		s += 2;
		len -= 2;
	}
	if (!klog_symbol(s, len, ret_name))
		return false;
	*ret_reliable = reliable;
	return true;
}
