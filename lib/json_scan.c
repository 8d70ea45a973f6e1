/* SPDX-License-Identifier: MIT */
#include "lib/json_scan.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/clean.h"

#define PAIRWISE_MAX 12

struct scan {
	const char *text;
	size_t len;
	size_t at;
	int depth;
	struct error *err;
	/* The decoded keys of the objects that are open, as offsets because the text moves while
	 * it grows; an object takes its own off again. */
	struct keys {
		struct buf text; /* each key with its NUL */
		size_t *at;
		size_t n, cap;
	} keys;
};

static int scan_value(struct scan *s);

static int fail(struct scan *s, const char *what)
{
	return error_set(s->err, -EINVAL, "JSON: %s at byte %zu", what, s->at);
}

/* The byte at the cursor, -1 behind the end. */
static int peek(const struct scan *s)
{
	return s->at < s->len ? (unsigned char)s->text[s->at] : -1;
}

static bool take(struct scan *s, char c)
{
	if (peek(s) != (unsigned char)c)
		return false;
	s->at++;
	return true;
}

static void skip_blanks(struct scan *s)
{
	while (s->at < s->len && memchr(" \t\r\n", s->text[s->at], 4))
		s->at++;
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static int scan_word(struct scan *s, const char *word)
{
	size_t n = strlen(word);

	if (s->len - s->at < n || memcmp(s->text + s->at, word, n))
		return fail(s, "unknown word");
	s->at += n;
	return 0;
}

/* ---- strings -------------------------------------------------------------------------------- */

static int scan_hex4(struct scan *s, unsigned int *ret)
{
	unsigned int v = 0;

	for (int i = 0; i < 4; i++, s->at++) {
		int c = peek(s);

		if (is_digit(c))
			v = v << 4 | (unsigned int)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (unsigned int)(c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			v = v << 4 | (unsigned int)(c - 'A' + 10);
		else
			return fail(s, "four hexadecimal digits expected");
	}
	*ret = v;
	return 0;
}

static void add_utf8(struct buf *b, unsigned int c)
{
	if (c < 0x80) {
		buf_char(b, (char)c);
	} else if (c < 0x800) {
		buf_char(b, (char)(0xc0 | c >> 6));
		buf_char(b, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_char(b, (char)(0xe0 | c >> 12));
		buf_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_char(b, (char)(0x80 | (c & 0x3f)));
	} else {
		buf_char(b, (char)(0xf0 | c >> 18));
		buf_char(b, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_char(b, (char)(0x80 | (c & 0x3f)));
	}
}

/* Behind "\u". `key` is NULL for a value's string. */
static int scan_unicode(struct scan *s, struct buf *key)
{
	unsigned int c, low;
	int r = scan_hex4(s, &c);

	if (r < 0)
		return r;
	if (c >= 0xdc00 && c <= 0xdfff)
		return fail(s, "lone surrogate");
	if (c >= 0xd800 && c <= 0xdbff) {
		if (!take(s, '\\') || !take(s, 'u'))
			return fail(s, "lone surrogate");
		r = scan_hex4(s, &low);
		if (r < 0)
			return r;
		if (low < 0xdc00 || low > 0xdfff)
			return fail(s, "lone surrogate");
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	/* json-c's keys are C strings: two keys could become the same one. */
	if (!c && key)
		return fail(s, "NUL in a key");
	if (key)
		add_utf8(key, c);
	return 0;
}

static int scan_escape(struct scan *s, struct buf *key)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	int c = peek(s);
	const char *p;

	s->at++;
	if (c == 'u')
		return scan_unicode(s, key);
	p = c > 0 ? strchr(from, c) : NULL;
	if (!p) {
		s->at--;
		return fail(s, "unknown escape");
	}
	if (key)
		buf_char(key, to[p - from]);
	return 0;
}

/* A string from its opening quote; decoded into `key` when that is given. */
static int scan_string(struct scan *s, struct buf *key)
{
	if (!take(s, '"'))
		return fail(s, "string expected");
	for (;;) {
		size_t n;
		int c = peek(s);
		int r;

		if (c < 0)
			return fail(s, "string without end");
		if (c < 0x20)
			return fail(s, "control character in a string");
		if (take(s, '"'))
			return 0;
		if (take(s, '\\')) {
			r = scan_escape(s, key);
			if (r < 0)
				return r;
			continue;
		}
		for (n = 0; s->at + n < s->len; n++) {
			unsigned char b = (unsigned char)s->text[s->at + n];

			if (b < 0x20 || b >= 0x80 || b == '"' || b == '\\')
				break;
		}
		if (!n)
			n = utf8_len(s->text + s->at, s->len - s->at);
		if (!n)
			return fail(s, "invalid UTF-8");
		if (key)
			buf_add(key, s->text + s->at, n);
		s->at += n;
	}
}

/* ---- numbers -------------------------------------------------------------------------------- */

static int scan_digits(struct scan *s)
{
	if (!is_digit(peek(s)))
		return fail(s, "digit expected");
	while (is_digit(peek(s)))
		s->at++;
	return 0;
}

static int check_range(struct scan *s, size_t start, bool integer)
{
	char copy[JSON_NUMBER_MAX + 1];
	size_t n = s->at - start;
	bool bad;

	if (n > JSON_NUMBER_MAX)
		return fail(s, "number with too many digits");
	memcpy(copy, s->text + start, n);
	copy[n] = '\0';
	errno = 0;
	if (integer) {
		(void)strtoll(copy, NULL, 10);
		bad = errno == ERANGE;
	} else {
		/* ERANGE is said of tiny numbers too; those are just nearly 0. */
		bad = !isfinite(strtod(copy, NULL));
	}
	return bad ? fail(s, "number out of range") : 0;
}

static int scan_number(struct scan *s)
{
	size_t start = s->at;
	bool integer = true;
	int r;

	(void)take(s, '-');
	if (take(s, '0')) {
		if (is_digit(peek(s)))
			return fail(s, "leading zero");
	} else {
		r = scan_digits(s);
		if (r < 0)
			return r;
	}
	if (take(s, '.')) {
		integer = false;
		r = scan_digits(s);
		if (r < 0)
			return r;
	}
	if (take(s, 'e') || take(s, 'E')) {
		integer = false;
		if (!take(s, '+'))
			(void)take(s, '-');
		r = scan_digits(s);
		if (r < 0)
			return r;
	}
	return check_range(s, start, integer);
}

/* ---- containers ----------------------------------------------------------------------------- */

static int compare_keys(const void *a, const void *b, void *text)
{
	return strcmp((const char *)text + *(const size_t *)a,
		      (const char *)text + *(const size_t *)b);
}

static int duplicate(struct scan *s, const char *key)
{
	CLEANUP(free_p) char *clean = str_printable(key, strnlen(key, 60));

	return error_set(s->err, -EINVAL,
			 "JSON: duplicate key '%s' in the object that ends at byte %zu", clean,
			 s->at);
}

/* Of the keys from `base` on. Many are sorted, because an object of a million keys must not cost a
 * million squared; for few that costs more than comparing each with each. */
static int check_duplicates(struct scan *s, size_t base)
{
	size_t n = s->keys.n - base, *at = s->keys.at + base;

	if (n < 2)
		return 0;
	if (n <= PAIRWISE_MAX) {
		for (size_t i = 1; i < n; i++)
			for (size_t j = 0; j < i; j++)
				if (!strcmp(s->keys.text.data + at[i], s->keys.text.data + at[j]))
					return duplicate(s, s->keys.text.data + at[i]);
		return 0;
	}
	qsort_r(at, n, sizeof(*at), compare_keys, s->keys.text.data);
	for (size_t i = 1; i < n; i++)
		if (!strcmp(s->keys.text.data + at[i - 1], s->keys.text.data + at[i]))
			return duplicate(s, s->keys.text.data + at[i]);
	return 0;
}

static int scan_member(struct scan *s)
{
	int r;

	skip_blanks(s);
	ARRAY_RESERVE(s->keys.at, s->keys.n, s->keys.cap);
	s->keys.at[s->keys.n++] = s->keys.text.len;
	r = scan_string(s, &s->keys.text);
	if (r < 0)
		return r;
	buf_char(&s->keys.text, '\0');
	skip_blanks(s);
	if (!take(s, ':'))
		return fail(s, "':' expected");
	return scan_value(s);
}

static int scan_object(struct scan *s)
{
	size_t base = s->keys.n, text = s->keys.text.len;
	int r;

	s->at++;
	skip_blanks(s);
	if (take(s, '}'))
		return 0;
	do {
		r = scan_member(s);
		if (r < 0)
			return r;
	} while (take(s, ','));
	if (!take(s, '}'))
		return fail(s, "',' or '}' expected");
	r = check_duplicates(s, base);
	s->keys.n = base;
	s->keys.text.len = text;
	return r;
}

static int scan_array(struct scan *s)
{
	int r;

	s->at++;
	skip_blanks(s);
	if (take(s, ']'))
		return 0;
	do {
		r = scan_value(s);
		if (r < 0)
			return r;
	} while (take(s, ','));
	return take(s, ']') ? 0 : fail(s, "',' or ']' expected");
}

static int scan_container(struct scan *s, int (*scan)(struct scan *))
{
	int r;

	if (++s->depth > JSON_DEPTH_MAX)
		return fail(s, "nested too deep");
	r = scan(s);
	s->depth--;
	return r;
}

/* One value and the blanks around it. */
static int scan_value(struct scan *s)
{
	int r;
	int c;

	skip_blanks(s);
	c = peek(s);
	if (c == '{')
		r = scan_container(s, scan_object);
	else if (c == '[')
		r = scan_container(s, scan_array);
	else if (c == '"')
		r = scan_string(s, NULL);
	else if (c == 't')
		r = scan_word(s, "true");
	else if (c == 'f')
		r = scan_word(s, "false");
	else if (c == 'n')
		r = scan_word(s, "null");
	else if (c == '-' || is_digit(c))
		r = scan_number(s);
	else
		r = fail(s, c < 0 ? "unexpected end" : "value expected");
	if (r == 0)
		skip_blanks(s);
	return r;
}

int json_scan(const char *text, size_t len, struct error *err)
{
	struct scan s = { .text = text, .len = len, .err = err };
	int r;

	if (len > INT_MAX)
		return error_set(err, -EINVAL, "JSON: text too long");
	r = scan_value(&s);
	if (!r && s.at != len)
		r = fail(&s, "something behind the value");
	buf_free(&s.keys.text);
	free(s.keys.at);
	return r;
}
