// SPDX-License-Identifier: MIT
#include "agent/diag.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clean.h"

/* ---- lists --------------------------------------------------------------------------------- */

void diag_list_add(struct diag_list *l, const char *target, const char *text)
{
	if (l->n >= DIAG_ITEMS_MAX)
		return;
	for (size_t i = l->n; i-- > 0;)
		if (!strcmp(l->items[i].text, text) && !strcmp(l->items[i].target, target))
			return;
	ARRAY_RESERVE(l->items, l->n, l->cap);
	l->items[l->n++] = (struct diag_item){ xstrdup(target), xstrdup(text) };
}

void diag_list_free(struct diag_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->items[i].target);
		free(l->items[i].text);
	}
	free(l->items);
	*l = (struct diag_list){ 0 };
}

static bool has_text(char *const *texts, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(texts[i], text))
			return true;
	return false;
}

char **diag_list_texts(const struct diag_list *l, size_t *ret_n)
{
	char **texts = xcalloc(DIAG_LINES_MAX, sizeof(*texts));
	size_t n = 0;

	for (size_t i = 0; i < l->n && n < DIAG_LINES_MAX; i++)
		if (!has_text(texts, n, l->items[i].text))
			texts[n++] = xstrdup(l->items[i].text);
	*ret_n = n;
	return texts;
}

/* ---- one line ------------------------------------------------------------------------------ */

static void copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from);
}

/* The path without the tree's or the build's folder. */
static const char *relative(const struct diag *d, const char *path)
{
	for (const char *const *r = d->roots; r && *r; r++)
		if (str_starts(path, *r))
			path += strlen(*r);
	for (;;) {
		if (str_starts(path, "./"))
			path += 2;
		else if (str_starts(path, "../"))
			path += 3;
		else
			return path;
	}
}

/* Addresses change with every build: "f+0x12" says no more than "f". */
static void drop_offsets(char *s)
{
	char *p;

	while ((p = strstr(s, "+0x")) != NULL) {
		size_t n = 3 + strspn(p + 3, "0123456789abcdef");

		memmove(p, p + n, strlen(p + n) + 1);
	}
}

static void add(struct diag *d, bool error, const char *where, const char *text)
{
	CLEANUP(free_p) char *s = xasprintf("%s%s%s", where, *where ? ": " : "", text);

	drop_offsets(s);
	diag_list_add(error ? &d->errors : &d->warnings, d->target, s);
}

/* "  CC      mm/rmap.o", "  LD [M]  x.ko": what kbuild says without V=1. */
static bool read_step(struct diag *d, const char *s)
{
	const char *verb = s + 2;
	size_t n = strspn(verb, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-");
	char name[16];

	if (!str_starts(s, "  ") || !isupper((unsigned char)*verb) || n >= sizeof(name) ||
	    verb[n] != ' ')
		return false;
	s = verb + n + strspn(verb + n, " ");
	if (str_starts(s, "[M]"))
		s += 3 + strspn(s + 3, " ");
	if (!*s || strchr(s, ' '))
		return false;
	memcpy(name, verb, n);
	name[n] = '\0';
	copy(d->target, sizeof(d->target), relative(d, s));
	d->steps++;
	if (d->on_step)
		d->on_step(d->arg, name, d->target);
	return true;
}

/* Splits "path:12:3: rest" into "path:12" and "rest". */
static bool split_place(const struct diag *d, const char *s, char *where, size_t size,
			const char **ret_rest)
{
	size_t n = strcspn(s, ": \t");
	size_t digits;
	char path[512];

	if (!n || s[n] != ':' || n >= sizeof(path))
		return false;
	digits = strspn(s + n + 1, "0123456789");
	if (!digits || digits > 9 || s[n + 1 + digits] != ':')
		return false;
	memcpy(path, s, n);
	path[n] = '\0';
	snprintf(where, size, "%s:%.*s", relative(d, path), (int)digits, s + n + 1);
	s += n + 1 + digits + 1;
	digits = strspn(s, "0123456789");
	if (digits && s[digits] == ':')
		s += digits + 1;
	*ret_rest = s + strspn(s, " ");
	return true;
}

static const char *after(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) ? NULL : s + n + strspn(s + n, " ");
}

/* What stands behind a severity word, or NULL; *ret_error says which kind it was. */
static const char *after_severity(const char *s, bool *ret_error)
{
	static const struct {
		const char *word;
		bool error;
	} words[] = {
		{ "error:", true },    { "fatal error:", true },
		{ "Error:", true },    { "internal compiler error:", true },
		{ "ERROR:", true },    { "Fatal error:", true },
		{ "warning:", false }, { "Warning:", false },
		{ "WARNING:", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *rest = after(s, words[i].word);

		if (rest) {
			*ret_error = words[i].error;
			return rest;
		}
	}
	return NULL;
}

/* "mm/rmap.c:12:3: error: …" of compilers, assemblers and kconfig; "Makefile:3: *** …". */
static bool read_placed(struct diag *d, const char *s)
{
	char where[600];
	const char *rest, *text;
	bool error;

	if (!split_place(d, s, where, sizeof(where), &rest))
		return false;
	text = after_severity(rest, &error);
	if (text) {
		/* A later fragment is meant to win over an earlier one. */
		if (!str_starts(text, "override: reassigning"))
			add(d, error, where, text);
		return true;
	}
	if (str_starts(rest, "*** "))
		add(d, true, where, rest + 4);
	else if (str_starts(rest, "syntax error") || str_starts(rest, "undefined reference to ") ||
		 str_starts(rest, "multiple definition of "))
		add(d, true, where, rest);
	else
		return false;
	return true;
}

/* The source file of what the linker complains about: "rmap.c" in "mm/rmap.o". */
static void ld_place(const struct diag *d, const char *name, size_t len, char *where, size_t size)
{
	const char *slash = strrchr(d->ld_object, '/');

	if (!len)
		snprintf(where, size, "%s", d->ld_object);
	else if (slash && !memchr(name, '/', len))
		snprintf(where, size, "%.*s/%.*s", (int)(slash - d->ld_object), d->ld_object,
			 (int)len, name);
	else
		snprintf(where, size, "%.*s", (int)len, name);
}

/* Behind "ld: ". Every line of the linker that is neither context nor a warning is an error. */
static bool read_ld(struct diag *d, const char *s)
{
	const char *in = strstr(s, ": in function ");
	const char *sec = str_starts(s, "(.") ? s : strstr(s, ":(.");
	const char *close = sec ? strstr(sec, "): ") : NULL;
	char where[600];

	if (in) {
		snprintf(d->ld_object, sizeof(d->ld_object), "%.*s", (int)(in - s), s);
		return true;
	}
	if (strstr(s, "more undefined references to"))
		return true;
	if (close && (str_starts(close + 3, "undefined reference") ||
		      str_starts(close + 3, "multiple definition") ||
		      str_starts(close + 3, "relocation truncated"))) {
		ld_place(d, s, (size_t)(sec - s), where, sizeof(where));
		add(d, true, relative(d, where), close + 3);
		return true;
	}
	return read_placed(d, s);
}

static bool read_linker(struct diag *d, const char *s)
{
	const char *colon = strstr(s, ": ");
	const char *name = s, *text;
	bool error;

	/* "ld", "/usr/bin/ld", "x86_64-linux-gnu-ld", "ld.lld", "ld.bfd" */
	for (const char *p = s; colon && p < colon; p++)
		if (*p == '/' || *p == '-')
			name = p + 1;
	if (!colon || !str_starts(name, "ld") || (name[2] != ':' && name[2] != '.') ||
	    memchr(s, ' ', (size_t)(colon - s)))
		return read_ld(d, s);
	s = colon + 2;
	text = after_severity(s, &error);
	if (text)
		add(d, error, "", text);
	else if (!read_ld(d, s))
		add(d, true, "", s);
	return true;
}

/* lld names the place on a line of its own: ">>> referenced by rmap.c:12 (/src/mm/rmap.c:12)". */
static bool read_referenced(struct diag *d, const char *s)
{
	const char *rest = after(s, ">>> referenced by");
	struct diag_item *e = d->errors.n ? &d->errors.items[d->errors.n - 1] : NULL;
	const char *paren, *place;
	char *text;

	if (!rest)
		return str_starts(s, ">>> ");
	if (!e || !str_starts(e->text, "undefined symbol: "))
		return true;
	paren = strchr(rest, '(');
	place = relative(d, paren ? paren + 1 : rest);
	text = xasprintf("%.*s: %s", (int)strcspn(place, ") "), place, e->text);
	free(e->text);
	e->text = text;
	return true;
}

/* "make[2]: *** …": a missing rule is an error of its own, "Error 1" only the echo of one. */
static bool read_make(struct diag *d, const char *s)
{
	const char *rest;

	if (!str_starts(s, "make: ") && !str_starts(s, "make["))
		return false;
	rest = strstr(s, ": ");
	if (!rest || !str_starts(rest, ": *** "))
		return true;
	rest += strlen(": *** ");
	if (str_starts(rest, "No rule to make target"))
		add(d, true, "", rest);
	else if (!str_starts(rest, "Waiting for unfinished"))
		copy(d->stop, sizeof(d->stop), rest);
	return true;
}

/* Words of programs without a place: "gcc: error: …", "vmlinux.o: warning: objtool: …",
 * "ERROR: modpost: …", "*** …", "/bin/sh: 1: flex: not found". */
static bool read_unplaced(struct diag *d, const char *s)
{
	const char *colon = strstr(s, ": ");
	const char *text;
	bool error;
	char who[256];

	if (strstr(s, "warnings being treated as errors") || strstr(s, "ld returned 1 exit"))
		return true;
	text = after_severity(s, &error);
	if (text) {
		add(d, error, "", text);
		return true;
	}
	if (str_starts(s, "***")) {
		s += strspn(s, "* ");
		if (*s)
			add(d, true, "", s);
		return true;
	}
	if (!colon || colon == s || memchr(s, ' ', (size_t)(colon - s)))
		return false;
	snprintf(who, sizeof(who), "%.*s", (int)(colon - s), s);
	text = after_severity(colon + 2, &error);
	if (!text && (strstr(who, "sh") && strstr(colon, "not found"))) {
		error = true;
		text = colon + 2;
	}
	if (!text)
		return false;
	add(d, error, relative(d, who), text);
	return true;
}

static void read_line(struct diag *d, const char *raw, size_t len)
{
	CLEANUP(free_p) char *clean = NULL;
	char *s;

	while (len && isspace((unsigned char)raw[len - 1]))
		len--;
	if (!len)
		return;
	clean = str_printable(raw, len);
	s = clean;
	if (strstr(s, "No space left on device"))
		d->no_space = true;
	if (strstr(s, "Killed signal terminated program") || strstr(s, "out of memory") ||
	    strstr(s, "irtual memory exhausted") || strstr(s, "annot allocate memory"))
		d->no_memory = true;
	if (read_step(d, s) || read_make(d, s))
		return;
	copy(d->last, sizeof(d->last), s + strspn(s, " "));
	/* Source lines, carets and notes are indented or follow a placed line. */
	if (*s == ' ')
		return;
	if (!read_referenced(d, s) && !read_placed(d, s) && !read_linker(d, s))
		(void)read_unplaced(d, s);
}

/* ---- the stream ---------------------------------------------------------------------------- */

void diag_feed(struct diag *d, const char *data, size_t len)
{
	while (len) {
		const char *nl = memchr(data, '\n', len);
		size_t n = nl ? (size_t)(nl - data) : len;
		size_t room = DIAG_LINE_BYTES - d->line.len;

		buf_add(&d->line, data, n < room ? n : room);
		if (!nl)
			return;
		read_line(d, d->line.data, d->line.len);
		buf_reset(&d->line);
		data += n + 1;
		len -= n + 1;
	}
}

void diag_finish(struct diag *d, bool failed)
{
	if (d->line.len)
		read_line(d, d->line.data, d->line.len);
	buf_reset(&d->line);
	if (!failed || d->errors.n)
		return;
	d->target[0] = '\0';
	if (*d->last)
		add(d, true, "", d->last);
	else if (*d->stop)
		add(d, true, "", d->stop);
}

void diag_free(struct diag *d)
{
	diag_list_free(&d->warnings);
	diag_list_free(&d->errors);
	buf_free(&d->line);
}
