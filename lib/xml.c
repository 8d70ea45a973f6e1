/* SPDX-License-Identifier: MIT */
#include "lib/xml.h"

#include <assert.h>
#include <string.h>

#include "lib/utf8.h"

/* A byte below 0x80. Line ends and tabs are references where a parser would make blanks of them
 * (XML 1.0, 2.11 and 3.3.3). */
static void put_ascii(struct buf *out, char c, bool attribute)
{
	switch (c) {
	case '&':
		buf_str(out, "&amp;");
		return;
	case '<':
		buf_str(out, "&lt;");
		return;
	case '>': /* always, so that "]]>" needs no thought */
		buf_str(out, "&gt;");
		return;
	case '"':
		buf_str(out, attribute ? "&quot;" : "\"");
		return;
	case '\n':
	case '\t':
		if (attribute)
			buf_printf(out, "&#%d;", c);
		else
			buf_char(out, c);
		return;
	case '\r':
		buf_str(out, "&#13;");
		return;
	}
	if ((unsigned char)c < 0x20 || c == 0x7f)
		buf_str(out, UTF8_REPLACEMENT);
	else
		buf_char(out, c);
}

static void put(struct buf *out, const char *s, bool attribute)
{
	size_t len = strlen(s);

	for (size_t i = 0; i < len;) {
		size_t n = utf8_len(s + i, len - i);
		uint32_t c;

		if (n == 1) {
			put_ascii(out, s[i++], attribute);
			continue;
		}
		c = n ? utf8_code_point(s + i, n) : 0;
		if (!n || utf8_is_control(c))
			buf_str(out, UTF8_REPLACEMENT);
		else if (utf8_is_deceptive(c))
			buf_printf(out, "&#x%X;", (unsigned int)c);
		else
			buf_add(out, s + i, n);
		i += n ? n : 1;
	}
}

static void end_tag(struct xml *x)
{
	if (x->in_tag)
		buf_char(x->out, '>');
	x->in_tag = false;
}

static void new_line(struct xml *x)
{
	buf_char(x->out, '\n');
	for (int i = 0; i < x->depth; i++)
		buf_char(x->out, ' ');
}

void xml_begin(struct xml *x, struct buf *out)
{
	*x = (struct xml){ .out = out };
	buf_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
}

void xml_open(struct xml *x, const char *name)
{
	assert(x->depth < XML_DEPTH && !x->has_text);
	end_tag(x);
	new_line(x);
	buf_printf(x->out, "<%s", name);
	x->open[x->depth++] = name;
	x->in_tag = true;
}

void xml_attr(struct xml *x, const char *name, const char *value)
{
	assert(x->in_tag);
	if (!value)
		return;
	buf_printf(x->out, " %s=\"", name);
	put(x->out, value, true);
	buf_char(x->out, '"');
}

void xml_attr_i64(struct xml *x, const char *name, int64_t value)
{
	assert(x->in_tag);
	buf_printf(x->out, " %s=\"%lld\"", name, (long long)value);
}

void xml_text(struct xml *x, const char *s)
{
	assert(x->depth);
	if (!s || !*s)
		return;
	end_tag(x);
	x->has_text = true;
	put(x->out, s, false);
}

void xml_close(struct xml *x)
{
	bool empty = x->in_tag;

	assert(x->depth);
	x->depth--;
	if (empty) {
		buf_str(x->out, "/>");
	} else {
		if (!x->has_text)
			new_line(x);
		buf_printf(x->out, "</%s>", x->open[x->depth]);
	}
	x->in_tag = x->has_text = false;
	if (!x->depth)
		buf_char(x->out, '\n');
}
