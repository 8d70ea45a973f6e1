/* SPDX-License-Identifier: MIT */
#include "agent/klog.h"

#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"

#define ESC '\x1b'

/* Length of the terminal sequence at `s` (ECMA-48): CSI up to its final byte, OSC up to BEL, else
 * ESC and one character. */
static size_t escape_len(const char *s, size_t len)
{
	size_t i = 2;

	if (len < 2)
		return len;
	if (s[1] == '[') {
		while (i < len && (unsigned char)s[i] < 0x40 && (unsigned char)s[i] >= 0x20)
			i++;
		return i < len ? i + 1 : len;
	}
	if (s[1] == ']') {
		while (i < len && s[i] != '\a' && s[i] != ESC)
			i++;
		return i < len && s[i] == '\a' ? i + 1 : i;
	}
	return i;
}

/* A copy without terminal sequences. Owned. */
static char *clean_copy(const char *s, size_t len, size_t *ret_len)
{
	char *out = xcalloc(len + 1, 1);
	size_t n = 0;

	for (size_t i = 0; i < len;) {
		if (s[i] == ESC)
			i += escape_len(s + i, len - i);
		else
			out[n++] = s[i++];
	}
	*ret_len = n;
	return out;
}

static void parse_line(const char *s, size_t len, struct klog_line *l)
{
	*l = (struct klog_line){
		.raw = s, .raw_len = len, .caller = KLOG_NO_CALLER, .row = KLOG_ROW_UNKNOWN
	};
	if (len > KLOG_TEXT_MAX)
		len = KLOG_TEXT_MAX;
	if (memchr(s, ESC, len)) {
		l->clean = clean_copy(s, len, &len);
		s = l->clean;
	}
	klog_prefix(l, s, len);
}

void klog_parse(const char *log, size_t len, struct klog *ret)
{
	struct klog k = { .start = log };

	for (size_t at = 0; at < len;) {
		const char *nl = memchr(log + at, '\n', len - at);
		size_t n = nl ? (size_t)(nl - (log + at)) : len - at;
		size_t text = n;

		while (text && log[at + text - 1] == '\r')
			text--;
		ARRAY_RESERVE(k.lines, k.n, k.cap);
		parse_line(log + at, text, &k.lines[k.n++]);
		at += n + 1;
	}
	*ret = k;
}

void klog_free(struct klog *k)
{
	for (size_t i = 0; i < k->n; i++)
		free(k->lines[i].clean);
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
