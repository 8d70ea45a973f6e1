/* SPDX-License-Identifier: MIT */
/* What stands before the text of a line, piece by piece; see klog.h for who writes which piece. */
#include <ctype.h>
#include <string.h>

#include "agent/klog.h"
#include "lib/buf.h"

/* A line as it is taken apart: [s, end). */
struct cursor {
	const char *s, *end;
	bool dated; /* a date was seen: a host and a tag may follow */
	bool timed; /* the kernel's own time was seen */
};

static size_t left(const struct cursor *c)
{
	return (size_t)(c->end - c->s);
}

static bool is_digit(const struct cursor *c, size_t i)
{
	return i < left(c) && isdigit((unsigned char)c->s[i]);
}

static size_t digits(const struct cursor *c, size_t i)
{
	size_t n = 0;

	while (is_digit(c, i + n))
		n++;
	return n;
}

static size_t blanks(const struct cursor *c, size_t i)
{
	size_t n = 0;

	while (i + n < left(c) && c->s[i + n] == ' ')
		n++;
	return n;
}

static bool char_at(const struct cursor *c, size_t i, char want)
{
	return i < left(c) && c->s[i] == want;
}

/* "12:34:56" with a fraction behind '.' or ','. */
static size_t clock_len(const struct cursor *c, size_t i)
{
	size_t from = i;

	for (int field = 0; field < 3; field++) {
		if (digits(c, i) != 2 || (field < 2 && !char_at(c, i + 2, ':')))
			return 0;
		i += field < 2 ? 3 : 2;
	}
	if ((char_at(c, i, '.') || char_at(c, i, ',')) && is_digit(c, i + 1))
		i += 1 + digits(c, i + 1);
	return i - from;
}

/* "<6>" or "<30>". */
static bool skip_level(struct cursor *c)
{
	size_t n = char_at(c, 0, '<') ? digits(c, 1) : 0;

	if (!n || n > 3 || !char_at(c, 1 + n, '>'))
		return false;
	c->s += n + 2;
	return true;
}

/* "6,339,5140900,-;" of /dev/kmsg and extended netconsole. */
static bool skip_record(struct cursor *c)
{
	size_t at = 0;

	for (int field = 0; field < 3; field++) {
		size_t n = digits(c, at);

		if (!n || !char_at(c, at + n, ','))
			return false;
		at += n + 1;
	}
	while (at < left(c) && (isalnum((unsigned char)c->s[at]) || strchr("-+,=/", c->s[at])) &&
	       c->s[at])
		at++;
	if (!char_at(c, at, ';'))
		return false;
	c->s += at + 1;
	c->timed = true;
	return true;
}

/* "[   T12]" or "[   C0]". */
static bool skip_caller(struct cursor *c, struct klog_line *l)
{
	size_t at = 1 + blanks(c, 1), n;
	int number = 0;

	if (!char_at(c, 0, '[') || (!char_at(c, at, 'T') && !char_at(c, at, 'C')))
		return false;
	n = digits(c, at + 1);
	if (!n || n > 9 || !char_at(c, at + 1 + n, ']'))
		return false;
	for (size_t i = 0; i < n; i++)
		number = 10 * number + (c->s[at + 1 + i] - '0');
	l->caller = c->s[at] == 'T' ? number : -1 - number;
	c->s += at + n + 2;
	return true;
}

/* "[    1.234567]", "[  +0.000003]", "[    1.234567 <    0.000003>]"; blanks before it are of
 * somebody who indented the log. */
static bool skip_time(struct cursor *c)
{
	size_t from = blanks(c, 0), at = from + 1, n;

	if (!char_at(c, from, '['))
		return false;
	at += blanks(c, at);
	if (char_at(c, at, '+'))
		at++;
	n = digits(c, at);
	if (!n || !char_at(c, at + n, '.') || !digits(c, at + n + 1))
		return false;
	at += n + 1 + digits(c, at + n + 1);
	if (char_at(c, at, ' ') && char_at(c, at + 1, '<'))
		while (at < left(c) && c->s[at] != ']')
			at++;
	if (!char_at(c, at, ']'))
		return false;
	c->s += at + 1;
	c->timed = true;
	return true;
}

/* "[Sat Nov 21 12:00:00 2026]", "[Nov21 12:00]", "[12:00:00]": brackets with a time of day. */
static bool skip_bracket_date(struct cursor *c)
{
	bool clock = false;
	size_t i = 1;

	if (!char_at(c, 0, '['))
		return false;
	for (; i < left(c) && i < 40 && c->s[i] != ']'; i++) {
		if (!isalnum((unsigned char)c->s[i]) && !strchr(" :.,+-", c->s[i]))
			return false;
		clock |= c->s[i] == ':' && is_digit(c, i - 1) && is_digit(c, i + 1) &&
			 is_digit(c, i + 2);
	}
	if (!clock || !char_at(c, i, ']'))
		return false;
	c->s += i + 1;
	c->timed = true;
	return true;
}

/* "2026-11-21T12:00:00.123456+00:00", also with a blank in place of the T. */
static bool skip_iso_date(struct cursor *c)
{
	size_t at = 10, n;

	if (digits(c, 0) != 4 || !char_at(c, 4, '-') || digits(c, 5) != 2 || !char_at(c, 7, '-') ||
	    digits(c, 8) != 2 || (!char_at(c, at, 'T') && !char_at(c, at, ' ')))
		return false;
	n = clock_len(c, at + 1);
	if (!n)
		return false;
	at += 1 + n;
	if (char_at(c, at, 'Z')) {
		at++;
	} else if (char_at(c, at, '+') || char_at(c, at, '-')) {
		at++;
		while (is_digit(c, at) || char_at(c, at, ':'))
			at++;
	}
	c->s += at;
	c->dated = true;
	return true;
}

/* "Nov 21 12:00:00", the date of syslog; "Sat 2026-…" before it is of journalctl's short-full. */
static bool skip_syslog_date(struct cursor *c)
{
	size_t at = 4, n;

	if (left(c) < 15 || !isupper((unsigned char)c->s[0]) || !islower((unsigned char)c->s[1]) ||
	    !islower((unsigned char)c->s[2]) || c->s[3] != ' ')
		return false;
	if (digits(c, 4) == 4) {
		c->s += 4;
		if (skip_iso_date(c))
			return true;
		c->s -= 4;
		return false;
	}
	at += blanks(c, at);
	n = digits(c, at);
	if (!n || n > 2 || !char_at(c, at + n, ' '))
		return false;
	at += n + 1;
	n = clock_len(c, at);
	if (!n)
		return false;
	c->s += at + n;
	c->dated = true;
	return true;
}

static size_t word_len(const struct cursor *c, size_t at)
{
	size_t n = 0;

	while (at + n < left(c) && c->s[at + n] != ' ')
		n++;
	return n;
}

/* "host kernel: " behind a date or a time. Another tag than the kernel's, and the line is not the
 * kernel's: an application may write about BUGs as well. */
static bool skip_host(struct cursor *c, struct klog_line *l)
{
	size_t at = blanks(c, 0), host, tag;

	host = word_len(c, at);
	if (!host || memchr(c->s + at, ':', host) || memchr(c->s + at, '[', host))
		return false;
	at += host;
	at += blanks(c, at);
	tag = word_len(c, at);
	if (tag < 2 || c->s[at + tag - 1] != ':')
		return false;
	if (tag >= 7 && memcmp(c->s + at, "kernel", 6) == 0 &&
	    (c->s[at + 6] == ':' || c->s[at + 6] == '[')) {
		c->s += at + tag;
		return true;
	}
	if (c->dated && tag >= 4 && c->s[at + tag - 2] == ']')
		l->foreign = true;
	return false;
}

/* "kern  :warn  : " of dmesg -x. */
static bool skip_facility(struct cursor *c)
{
	static const char *const levels[] = {
		"emerg", "alert", "crit", "err", "warn", "notice", "info", "debug",
	};
	size_t at = 4;

	if (left(c) < 12 || memcmp(c->s, "kern", 4) != 0)
		return false;
	at += blanks(c, at);
	if (!char_at(c, at, ':'))
		return false;
	at++;
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		size_t n = strlen(levels[i]), after;

		if (left(c) - at < n || memcmp(c->s + at, levels[i], n) != 0)
			continue;
		after = at + n + blanks(c, at + n);
		if (!char_at(c, after, ':'))
			continue;
		c->s += after + 1;
		if (char_at(c, 0, ' '))
			c->s++;
		return true;
	}
	return false;
}

/* "> " of a mail, as often as it was answered. */
static void skip_quotes(struct cursor *c)
{
	size_t at = 0;

	while (char_at(c, at, '>')) {
		at++;
		if (char_at(c, at, ' ') && char_at(c, at + 1, '>'))
			at++;
	}
	if (at && char_at(c, at, ' '))
		at++;
	c->s += at;
}

/* One piece; the blank that belongs to it too. */
static bool skip_piece(struct cursor *c, struct klog_line *l)
{
	if (skip_level(c) || skip_facility(c))
		return true;
	if (!c->timed && skip_record(c))
		return true;
	if (skip_time(c) || skip_caller(c, l) || (!c->timed && skip_bracket_date(c)) ||
	    (!c->dated && (skip_iso_date(c) || skip_syslog_date(c)))) {
		(void)((c->dated || c->timed) && l->caller == KLOG_NO_CALLER && skip_host(c, l));
		/* Only one: what is indented further is a frame. */
		if (char_at(c, 0, ' '))
			c->s++;
		return true;
	}
	return false;
}

void klog_prefix(struct klog_line *l, const char *s, size_t len)
{
	struct cursor c = { .s = s, .end = s + len };

	skip_quotes(&c);
	/* No tool chain puts more before a line than this. */
	for (int pieces = 0; pieces < 6 && skip_piece(&c, l); pieces++)
		;
	/* Every line of a leak carries the name of who found it. */
	if (left(&c) > 10 && memcmp(c.s, "kmemleak: ", 10) == 0)
		c.s += 10;
	l->text = c.s;
	l->len = left(&c);
}
