/* SPDX-License-Identifier: MIT */
#include "cli/mirror.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clean.h"
#include "lib/hash.h"

#define PART_MAX 120 /* bytes of a name's part; file systems take 255 of the whole */
#define PART_KEPT 80
#define PART_HASH 16
#define PAGE_END ".html"

/* What has a name of its own already. */
static const char *const extensions[] = { ".json", ".csv", ".txt", ".mbox",
					  ".svg",  ".css", ".js",  ".atom" };
static const char *const formats[] = { "json", "csv", "txt" };

static void add_part(struct buf *b, const char *s, size_t len)
{
	CLEANUP(buf_free) struct buf part = BUF_INIT;
	char hash[HASH_HEX_MAX];

	for (size_t i = 0; i < len; i++) {
		/* none is hidden, ".." or an option */
		bool first = i == 0 && (s[i] == '.' || s[i] == '-');

		if (!first && (isalnum((unsigned char)s[i]) || strchr("._-=,@", s[i])))
			buf_char(&part, s[i]);
		else
			buf_printf(&part, "~%02X", (unsigned char)s[i]);
	}
	if (part.len <= PART_MAX) {
		buf_str(b, buf_cstr(&part));
		return;
	}
	hash_bytes(s, len, hash);
	buf_printf(b, "%.*s~%.*s", PART_KEPT, part.data, PART_HASH, hash);
}

static const char *own_extension(const char *path, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(extensions); i++) {
		size_t n = strlen(extensions[i]);

		if (len > n && memcmp(path + len - n, extensions[i], n) == 0)
			return extensions[i];
	}
	return NULL;
}

/* Splits a query into the format that it asks for (*ret_format, or NULL) and the rest. Owned. */
static char *query_rest(const char *query, const char **ret_format)
{
	struct buf b = BUF_INIT;

	*ret_format = NULL;
	for (size_t n; *query; query += n + (query[n] == '&')) {
		bool taken = false;

		n = strcspn(query, "&");
		for (size_t i = 0; i < ARRAY_SIZE(formats) && !taken; i++) {
			taken = n == 7 + strlen(formats[i]) && str_starts(query, "format=") &&
				strncmp(query + 7, formats[i], n - 7) == 0;
			*ret_format = taken ? formats[i] : *ret_format;
		}
		if (!taken && n)
			buf_printf(&b, "%s%.*s", b.len ? "&" : "", (int)n, query);
	}
	return buf_steal(&b);
}

char *mirror_file(const char *target)
{
	size_t len = strcspn(target, "?");
	const char *end = own_extension(target, len), *format;
	CLEANUP(free_p) char *query = query_rest(target[len] ? target + len + 1 : "", &format);
	struct buf b = BUF_INIT;

	/* the name goes behind the query */
	len -= end ? strlen(end) : 0;
	for (size_t i = 0; i < len;) {
		size_t n = strcspn(target + i, "/");

		n = n < len - i ? n : len - i;
		if (n && b.len)
			buf_char(&b, '/');
		add_part(&b, target + i, n);
		i += n + 1;
	}
	if (!b.len)
		buf_str(&b, "index");
	if (*query) {
		buf_char(&b, '@');
		add_part(&b, query, strlen(query));
	}
	if (format)
		buf_printf(&b, ".%s", format);
	else
		buf_str(&b, end ? end : PAGE_END);
	return buf_steal(&b);
}

bool mirror_is_page(const char *target)
{
	CLEANUP(free_p) char *file = mirror_file(target);
	size_t len = strlen(file), n = strlen(PAGE_END);

	return len > n && strcmp(file + len - n, PAGE_END) == 0;
}

/* "&amp;" and the like, as pages write them. */
static char *unescape(const char *s, size_t len)
{
	static const struct {
		const char *name;
		char c;
	} known[] = { { "&amp;", '&' },
		      { "&lt;", '<' },
		      { "&gt;", '>' },
		      { "&quot;", '"' },
		      { "&#39;", '\'' } };
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < len;) {
		size_t k = 0, n = 1;
		char c = s[i];

		while (k < ARRAY_SIZE(known) &&
		       (len - i < strlen(known[k].name) ||
			memcmp(s + i, known[k].name, strlen(known[k].name)) != 0))
			k++;
		if (k < ARRAY_SIZE(known)) {
			n = strlen(known[k].name);
			c = known[k].c;
		}
		buf_char(&b, c);
		i += n;
	}
	return buf_steal(&b);
}

static void add_escaped(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '&')
			buf_str(b, "&amp;");
		else if (*s == '"')
			buf_str(b, "&quot;");
		else
			buf_char(b, *s);
	}
}

/* An address of the site as "/path?query", or NULL for one of elsewhere; the fragment is cut off. */
static char *absolute(const struct mirror_page *page, char *url, char **ret_fragment)
{
	char *hash = strchr(url, '#');

	*ret_fragment = hash ? xstrdup(hash) : NULL;
	if (hash)
		*hash = '\0';
	if (*url == '?')
		return xasprintf("%.*s%s", (int)strcspn(page->target, "?"), page->target, url);
	/* "//host/" is of elsewhere */
	return *url == '/' && url[1] != '/' ? xstrdup(url) : NULL;
}

static void add_relative(const struct mirror_page *page, const char *target, struct buf *out)
{
	CLEANUP(free_p) char *own = mirror_file(page->target), *file = mirror_file(target);

	for (const char *p = own; (p = strchr(p, '/')); p++)
		buf_str(out, "../");
	buf_str(out, file);
}

/* One value of an attribute. */
static void add_address(const struct mirror_page *page, const char *value, size_t len, bool form,
			struct buf *out)
{
	CLEANUP(free_p) char *url = unescape(value, len), *fragment = NULL, *target = NULL;
	CLEANUP(buf_free) struct buf to = BUF_INIT;
	bool has;

	target = absolute(page, url, &fragment);
	has = target && !form && page->has(page->arg, target);
	if (!out)
		return;
	if (!target) {
		buf_add(out, value, len);
		return;
	}
	if (has)
		add_relative(page, target, &to);
	else
		buf_printf(&to, "%s%s", page->live, target);
	buf_str(&to, fragment ? fragment : "");
	add_escaped(out, buf_cstr(&to));
}

/* The length of a name as in ` href="` when one is here. */
static size_t attribute(const char *s, size_t len, bool *ret_form)
{
	static const char *const names[] = { " href=\"", " src=\"", " action=\"" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t n = strlen(names[i]);

		if (len >= n && memcmp(s, names[i], n) == 0) {
			*ret_form = i == 2;
			return n;
		}
	}
	return 0;
}

/* The length of a name as in ` data-live="` when one is here: scripts ask a server for more because
 * of it, and a mirror has none. */
static size_t asks_server(const char *s, size_t len)
{
	static const char *const names[] = { " data-live=\"", " data-console=\"" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t n = strlen(names[i]);

		if (len >= n && memcmp(s, names[i], n) == 0)
			return n;
	}
	return 0;
}

static size_t add_attribute(const struct mirror_page *page, const char *html, size_t len,
			    struct buf *out)
{
	const char *end;
	bool form = false;
	size_t n = attribute(html, len, &form);
	bool drop = !n && (n = asks_server(html, len)) > 0;

	end = n ? memchr(html + n, '"', len - n) : NULL;
	if (!end)
		return 0;
	if (drop)
		return (size_t)(end - html) + 1;
	if (out)
		buf_add(out, html, n);
	add_address(page, html + n, (size_t)(end - html) - n, form, out);
	return (size_t)(end - html);
}

void mirror_rewrite(const struct mirror_page *page, const char *html, size_t len, struct buf *out)
{
	bool tag = false;

	/* text has no "<": pages escape it */
	for (size_t i = 0; i < len;) {
		size_t n = tag && html[i] == ' ' ? add_attribute(page, html + i, len - i, out) : 0;

		if (!n) {
			tag = html[i] == '<' || (tag && html[i] != '>');
			if (out)
				buf_char(out, html[i]);
			n = 1;
		}
		i += n;
	}
}
