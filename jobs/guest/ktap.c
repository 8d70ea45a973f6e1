/* SPDX-License-Identifier: MIT */
#include "ktap.h"

#include "fileio.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void put(struct record *record, const char *text, size_t length)
{
	/* two bytes are kept for the closing brace and the line break */
	if (record->overflow || record->length + length > sizeof(record->text) - 2) {
		record->overflow = true;
		return;
	}
	memcpy(record->text + record->length, text, length);
	record->length += length;
}

static void put_text(struct record *record, const char *text)
{
	put(record, text, strlen(text));
}

/* The length of the UTF-8 sequence at `s`, 0 if it is none (RFC 3629, section 4). */
static size_t utf8_length(const unsigned char *s)
{
	size_t length, i;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		length = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		length = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		length = 4;
	else
		return 0;
	for (i = 1; i < length; i++)
		if ((s[i] & 0xc0) != 0x80) /* also stops at the terminating zero */
			return 0;
	if (s[0] == 0xe0 && s[1] < 0xa0) /* overlong */
		return 0;
	if (s[0] == 0xed && s[1] > 0x9f) /* a surrogate */
		return 0;
	if (s[0] == 0xf0 && s[1] < 0x90) /* overlong */
		return 0;
	if (s[0] == 0xf4 && s[1] > 0x8f) /* past U+10FFFF */
		return 0;
	return length;
}

static void put_escaped(struct record *record, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;
	char escape[8];

	put(record, "\"", 1);
	while (*s) {
		size_t length = utf8_length(s);

		if (length == 0) {
			put_text(record, "\\ufffd");
			length = 1;
		} else if (*s == '"' || *s == '\\') {
			escape[0] = '\\';
			escape[1] = (char)*s;
			put(record, escape, 2);
		} else if (*s < 0x20 || *s == 0x7f) {
			snprintf(escape, sizeof(escape), "\\u%04x", (unsigned int)*s);
			put_text(record, escape);
		} else {
			put(record, (const char *)s, length);
		}
		s += length;
	}
	put(record, "\"", 1);
}

static void put_key(struct record *record, const char *key)
{
	if (record->comma)
		put(record, ",", 1);
	record->comma = true;
	if (!key)
		return;
	put_escaped(record, key);
	put(record, ":", 1);
}

void record_begin(struct record *record, const char *type)
{
	record->length = 0;
	record->comma = false;
	record->overflow = false;
	put_text(record, "# faultline {");
	record_string(record, "type", type);
}

void record_string(struct record *record, const char *key, const char *value)
{
	put_key(record, key);
	put_escaped(record, value);
}

void record_int(struct record *record, const char *key, int64_t value)
{
	char digits[24];

	put_key(record, key);
	snprintf(digits, sizeof(digits), "%lld", (long long)value);
	put_text(record, digits);
}

void record_bool(struct record *record, const char *key, bool value)
{
	put_key(record, key);
	put_text(record, value ? "true" : "false");
}

void record_double(struct record *record, const char *key, double value)
{
	char digits[40];

	put_key(record, key);
	if (!isfinite(value)) /* JSON has no word for it */
		value = 0;
	snprintf(digits, sizeof(digits), "%.15g", value);
	put_text(record, digits);
}

void record_open(struct record *record, const char *key, char bracket)
{
	put_key(record, key);
	put(record, &bracket, 1);
	record->comma = false;
}

void record_close(struct record *record, char bracket)
{
	put(record, &bracket, 1);
	record->comma = true;
}

int record_send(struct record *record, int fd)
{
	if (record->overflow)
		return -EMSGSIZE;
	record->text[record->length++] = '}';
	record->text[record->length++] = '\n';
	return write_full(fd, record->text, record->length);
}

int ktap_line(int fd, const char *format, ...)
{
	char line[1024];
	va_list args;
	size_t length;

	va_start(args, format);
	vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	length = strlen(line);
	line[length++] = '\n';
	return write_full(fd, line, length);
}
