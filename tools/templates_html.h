/* SPDX-License-Identifier: MIT */
/*
 * templates_html: where in the HTML a template is, character after character, and so how a value
 * that stands there has to be escaped. A mistake ends the program (html_die()).
 * Included by tools/templates.c only.
 */
#ifndef FAULTLINE_TOOLS_TEMPLATES_HTML_H
#define FAULTLINE_TOOLS_TEMPLATES_HTML_H

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "lib/buf.h"

enum state { ST_TEXT, ST_OPEN, ST_NAME, ST_TAG, ST_ATTR, ST_EQUALS, ST_VALUE };

/* Where in the HTML the compiler is. */
struct html {
	enum state state;
	char quote;
	bool script; /* behind <script>: nothing but its end may follow */
	char tag[16], attr[32], value[16]; /* value: how the attribute begins, cut */
	size_t n_tag, n_attr, n_value;
};

static const char *const url_attrs[] = {
	"href",	  "src",  "action",	"formaction", "cite",
	"poster", "data", "background", "ping",	      "xlink:href"
};
static const char *const unsafe_attrs[] = { "style", "srcdoc", "srcset", "http-equiv", "content" };

/* By templates.c, which knows file and line. */
static _Noreturn void html_die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static bool in_list(const char *const *list, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i], word))
			return true;
	return false;
}

static void put(char *name, size_t size, size_t *n, char c)
{
	if (*n + 1 >= size)
		html_die("'%s…' is too long for a name", name);
	name[(*n)++] = (char)tolower((unsigned char)c);
	name[*n] = '\0';
}

static void tag_begin(struct html *h)
{
	h->state = ST_NAME;
	h->n_tag = 0;
	h->tag[0] = '\0';
}

static void tag_end(struct html *h)
{
	if (!strcmp(h->tag, "style"))
		html_die("no inline style: it belongs into web/static/style.css");
	h->script = !strcmp(h->tag, "script");
	h->state = ST_TEXT;
}

static void attr_begin(struct html *h, char c)
{
	h->state = ST_ATTR;
	h->n_attr = 0;
	put(h->attr, sizeof(h->attr), &h->n_attr, c);
}

static void attr_check(const struct html *h)
{
	if (!strncmp(h->attr, "on", 2) || !strcmp(h->attr, "style"))
		html_die("no inline script or style: attribute '%s'", h->attr);
}

static void feed_tag(struct html *h, char c)
{
	if (c == '>')
		tag_end(h);
	else if (c == '=')
		html_die("'=' without an attribute");
	else if (!isspace((unsigned char)c) && c != '/')
		attr_begin(h, c);
}

static void feed_attr(struct html *h, char c)
{
	if (c != '=' && c != '>' && !isspace((unsigned char)c)) {
		put(h->attr, sizeof(h->attr), &h->n_attr, c);
		return;
	}
	attr_check(h);
	h->state = c == '=' ? ST_EQUALS : ST_TAG;
	if (c == '>')
		tag_end(h);
}

/* One character of the file. */
static void html_feed(struct html *h, char c)
{
	switch (h->state) {
	case ST_TEXT:
		if (c == '<')
			h->state = ST_OPEN;
		else if (h->script && !isspace((unsigned char)c))
			html_die("no inline script: it belongs into web/static/");
		break;
	case ST_OPEN:
		if (!isalpha((unsigned char)c) && c != '/' && c != '!')
			html_die("'<' in text must be written as &lt;");
		tag_begin(h);
		put(h->tag, sizeof(h->tag), &h->n_tag, c);
		break;
	case ST_NAME:
		if (c == '>')
			tag_end(h);
		else if (isspace((unsigned char)c))
			h->state = ST_TAG;
		else
			put(h->tag, sizeof(h->tag), &h->n_tag, c);
		break;
	case ST_TAG:
		feed_tag(h, c);
		break;
	case ST_ATTR:
		feed_attr(h, c);
		break;
	case ST_EQUALS:
		if (c != '"' && c != '\'')
			html_die("the value of '%s' must be quoted", h->attr);
		h->quote = c;
		h->state = ST_VALUE;
		h->n_value = 0;
		h->value[0] = '\0';
		break;
	case ST_VALUE:
		if (c == h->quote)
			h->state = ST_TAG;
		else if (h->n_value + 1 < sizeof(h->value))
			put(h->value, sizeof(h->value), &h->n_value, c);
		break;
	}
}

/* Before a value in a URL there must be so much that the value cannot become the host: "/x", "?",
 * "#", or scheme and host. */
static bool url_start_is_safe(const char *s)
{
	if (*s == '#' || *s == '?')
		return true;
	if (*s == '/')
		return s[1] && s[1] != '/' && s[1] != '\\';
	s = str_starts(s, "http://") ? s + 7 : str_starts(s, "https://") ? s + 8 : "";
	return *s && *s != '/';
}

/* How a value has to be escaped here. */
static const char *html_context(struct html *h)
{
	if (h->state == ST_TEXT && !h->script)
		return "TEXT";
	if (h->state != ST_VALUE)
		html_die("a value stands in text or in a quoted attribute, not here");
	if (in_list(unsafe_attrs, ARRAY_SIZE(unsafe_attrs), h->attr))
		html_die("no value is safe in the attribute '%s'", h->attr);
	if (!in_list(url_attrs, ARRAY_SIZE(url_attrs), h->attr))
		return "ATTR";
	if (!h->n_value) {
		/* What follows is behind a whole URL, as behind a literal one. */
		memcpy(h->value, "/url", 5);
		h->n_value = 4;
		return "URL";
	}
	if (!url_start_is_safe(h->value))
		html_die("a URL that begins with '%s' must not go on with a value", h->value);
	return "URL_PART";
}

/* A section may add attributes, or open no more than it closes: the place before and behind it is
 * the same. */
static struct html *html_place(struct html *h)
{
	if (h->state == ST_ATTR)
		attr_check(h);
	if (h->state == ST_NAME || h->state == ST_ATTR)
		h->state = ST_TAG;
	if (h->state == ST_OPEN || h->state == ST_EQUALS)
		html_die("a section must not begin or end here");
	return h;
}

static bool html_same_place(const struct html *a, const struct html *b)
{
	if (a->state != b->state || a->script != b->script)
		return false;
	if (a->state == ST_TAG)
		return !strcmp(a->tag, b->tag);
	if (a->state == ST_VALUE)
		return a->quote == b->quote && !strcmp(a->attr, b->attr) &&
		       !a->n_value == !b->n_value &&
		       url_start_is_safe(a->value) == url_start_is_safe(b->value);
	return true;
}

#endif
