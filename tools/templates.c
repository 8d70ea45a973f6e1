/* SPDX-License-Identifier: MIT */
/*
 * templates: build-time compiler of web/templates/ (language: tools/README.md).
 *
 *   templates OUT.h OUT.c FILE.html...
 *
 * Each file becomes a table of operations that server/render.c walks; nothing is parsed at run
 * time. The compiler follows the HTML as it reads, so that it knows for each value where it stands,
 * and how it has to be escaped there: in text, in a quoted attribute, as a whole URL or as a part
 * of one. Where a value has no safe form (script, style, event handlers, tag names, unquoted
 * attributes) the build fails, with file and line; likewise for inline scripts and styles, which
 * the Content-Security-Policy would drop anyway.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/error.h"
#include "lib/path.h"
#include "tools/templates_html.h"

#define FILE_MAX (1 << 20)
#define NEST_MAX 16

struct op {
	char *kind, *text; /* text: literal, path, or partial's name */
	const char *context, *filter;
	size_t len, jump;
	int line;
};

struct source {
	const char *path;
	char *name, *text;
	struct op *ops;
	size_t n, cap;
	/* While it is read: */
	int line;
	struct html html;
	struct buf literal;
	int literal_line;
	struct {
		size_t op;
		struct html html;
	} open[NEST_MAX];
	int depth;
};

static const char *const filters[] = { "none",	"date",	  "duration", "bytes",
				       "errno", "letter", "short",    "doing" };

static const struct source *now; /* what is being read, for messages */

static _Noreturn void html_die(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%d: ", now->path, now->line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

/* --- operations ------------------------------------------------------------------------------ */

static struct op *op_add(struct source *t, const char *kind)
{
	struct op *o;

	ARRAY_RESERVE(t->ops, t->n, t->cap);
	o = &t->ops[t->n++];
	memset(o, 0, sizeof(*o));
	o->kind = xstrdup(kind);
	o->context = "TEXT";
	o->filter = filters[0];
	o->line = t->line;
	return o;
}

static void flush_literal(struct source *t)
{
	struct op *o;

	if (!t->literal.len)
		return;
	o = op_add(t, "TEXT");
	o->line = t->literal_line;
	o->len = t->literal.len;
	o->text = buf_steal(&t->literal);
}

static void check_path(const char *path)
{
	if (!strcmp(path, "."))
		return;
	for (const char *p = path;;) {
		size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789_-");

		if (!n || (p[n] && p[n] != '.'))
			html_die("'{{%s}}' is not understood", path);
		if (!p[n])
			return;
		p += n + 1;
	}
}

static void add_value(struct source *t, char *path)
{
	char *bar = strchr(path, '|');
	struct op *o;

	if (bar)
		*bar++ = '\0';
	check_path(path);
	o = op_add(t, "VALUE");
	o->context = html_context(&t->html);
	o->text = xstrdup(path);
	for (size_t i = 1; bar && i < ARRAY_SIZE(filters); i++)
		if (!strcmp(filters[i], bar))
			o->filter = filters[i];
	if (bar && o->filter == filters[0])
		html_die("there is no filter '%s'", bar);
	if (t->html.state == ST_VALUE && !t->html.n_value)
		t->html.n_value = 1;
}

static void open_section(struct source *t, const char *kind, const char *path)
{
	const struct html *h = html_place(&t->html);

	check_path(path);
	if (t->depth == NEST_MAX)
		html_die("sections nest deeper than %d", NEST_MAX);
	t->open[t->depth].op = t->n;
	t->open[t->depth++].html = *h;
	op_add(t, kind)->text = xstrdup(path);
}

static void close_section(struct source *t, const char *path)
{
	const struct html *h = html_place(&t->html);
	size_t at;

	if (!t->depth)
		html_die("{{/%s}} closes nothing", path);
	at = t->open[--t->depth].op;
	if (strcmp(t->ops[at].text, path))
		html_die("{{/%s}} stands where {{/%s}} of line %d should", path, t->ops[at].text,
			 t->ops[at].line);
	if (!html_same_place(&t->open[t->depth].html, h))
		html_die(
			"the section '%s' of line %d begins and ends at different places of the HTML",
			path, t->ops[at].line);
	t->ops[at].jump = t->n;
	op_add(t, "CLOSE")->jump = at;
}

static void add_partial(struct source *t, const char *name)
{
	check_path(name);
	if (t->html.state != ST_TEXT)
		html_die("{{>%s}} stands in text only", name);
	op_add(t, "CALL")->text = xstrdup(name);
}

/* --- reading --------------------------------------------------------------------------------- */

/* A tag that prints nothing takes its line with it when it stands there alone. */
static bool stands_alone(const struct source *t, const char *tag, const char *behind)
{
	if (t->html.state != ST_TEXT)
		return false;
	while (tag > t->text && (tag[-1] == ' ' || tag[-1] == '\t'))
		tag--;
	behind += strspn(behind, " \t");
	return (tag == t->text || tag[-1] == '\n') && (*behind == '\n' || !*behind);
}

static const char *skip_line(struct source *t, const char *p)
{
	while (t->literal.len && strchr(" \t", t->literal.data[t->literal.len - 1]))
		t->literal.data[--t->literal.len] = '\0';
	p += strspn(p, " \t");
	t->line += *p == '\n';
	return p + (*p == '\n');
}

/* From "{{" to behind "}}". */
static const char *read_tag(struct source *t, const char *p)
{
	const char *end = strstr(p, "}}");
	size_t len = strcspn(p + 2, "}\n");
	char *tag;
	bool alone;

	if (!end || p + 2 + len != end)
		html_die("'{{' without '}}' on the same line");
	tag = xstrndup(p + 2, len);
	alone = strchr("#^*/>", *tag) && stands_alone(t, p, end + 2);
	if (alone)
		skip_line(t, "");
	flush_literal(t);
	if (*tag == '#' || *tag == '^')
		open_section(t, *tag == '#' ? "SECTION" : "INVERTED", tag + 1);
	else if (*tag == '*')
		open_section(t, "REPEAT", tag + 1);
	else if (*tag == '/')
		close_section(t, tag + 1);
	else if (*tag == '>')
		add_partial(t, tag + 1);
	else
		add_value(t, tag);
	free(tag);
	return alone ? skip_line(t, end + 2) : end + 2;
}

/* Comments are for who reads the file. */
static const char *read_comment(struct source *t, const char *p)
{
	const char *end = strstr(p, "-->");
	bool alone;

	if (!end)
		html_die("the comment has no end");
	alone = stands_alone(t, p, end + 3);
	for (; p < end; p++)
		t->line += *p == '\n';
	return alone ? skip_line(t, end + 3) : end + 3;
}

static void read_template(struct source *t)
{
	for (const char *p = t->text; *p;) {
		if (str_starts(p, "{{")) {
			p = read_tag(t, p);
			continue;
		}
		if (str_starts(p, "}}"))
			html_die("'}}' without '{{'");
		if (t->html.state == ST_TEXT && str_starts(p, "<!--")) {
			p = read_comment(t, p);
			continue;
		}
		html_feed(&t->html, *p);
		if (!t->literal.len)
			t->literal_line = t->line;
		buf_char(&t->literal, *p);
		t->line += *p++ == '\n';
	}
	flush_literal(t);
	if (t->depth)
		html_die("{{#%s}} of line %d is not closed", t->ops[t->open[t->depth - 1].op].text,
			 t->ops[t->open[t->depth - 1].op].line);
	if (t->html.state != ST_TEXT)
		html_die("the file ends inside a tag");
	op_add(t, "END");
}

static struct source *find(struct source *all, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(all[i].name, name))
			return &all[i];
	return NULL;
}

/* Every partial is there, and none contains itself. */
static void check_partials(struct source *all, size_t n, struct source *t, int depth)
{
	for (size_t i = 0; i < t->n; i++) {
		struct source *part;

		if (strcmp(t->ops[i].kind, "CALL"))
			continue;
		now = t;
		t->line = t->ops[i].line;
		part = find(all, n, t->ops[i].text);
		if (!part)
			html_die("there is no template '%s'", t->ops[i].text);
		if (depth == NEST_MAX)
			html_die("'%s' contains itself", t->ops[i].text);
		t->ops[i].jump = (size_t)(part - all);
		check_partials(all, n, part, depth + 1);
	}
}

/* --- writing --------------------------------------------------------------------------------- */

static const char header[] =
	"/* SPDX-License-Identifier: MIT */\n/* Made by tools/templates.c. */\n"
	"#ifndef FAULTLINE_GEN_TEMPLATES_H\n#define FAULTLINE_GEN_TEMPLATES_H\n\n"
	"#include <stddef.h>\n\n"
	"enum tpl_kind { TPL_OP_TEXT, TPL_OP_VALUE, TPL_OP_SECTION, TPL_OP_INVERTED, TPL_OP_REPEAT,\n"
	"\tTPL_OP_CLOSE, TPL_OP_CALL, TPL_OP_END };\n"
	"enum tpl_context { TPL_IN_TEXT, TPL_IN_ATTR, TPL_IN_URL, TPL_IN_URL_PART };\n\n"
	"struct tpl_op {\n"
	"\tenum tpl_kind kind;\n"
	"\tenum tpl_context context;\n"
	"\tenum tpl_filter filter;\n"
	"\tint line;\n"
	"\tsize_t jump; /* section: its end; call: the template */\n"
	"\tsize_t len; /* of text */\n"
	"\tconst char *text; /* literal; else the path, for messages */\n"
	"\tconst char *const *keys; /* NULL-terminated; none for \".\" */\n"
	"};\n\n"
	"struct tpl {\n\tconst char *file;\n\tconst struct tpl_op *ops;\n};\n"
	"extern const struct tpl tpl_table[TPL_COUNT];\n\n#endif\n";

static void put_upper(struct buf *out, const char *s)
{
	for (; *s; s++)
		buf_char(out, (char)toupper((unsigned char)*s));
}

/* Octal for all that C could take for something else ('?': trigraphs). */
static void put_literal(struct buf *out, const char *s, size_t len)
{
	buf_char(out, '"');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c < 0x20 || c > 0x7e || c == '"' || c == '\\' || c == '?')
			buf_printf(out, "\\%03o", c);
		else
			buf_char(out, (char)c);
		if (c == '\n' && i + 1 < len)
			buf_str(out, "\"\n\t\t\"");
	}
	buf_char(out, '"');
}

static void put_keys(struct buf *out, const char *path)
{
	if (strcmp(path, "."))
		for (const char *p = path; *p; p += strcspn(p, ".") + (p[strcspn(p, ".")] == '.'))
			buf_printf(out, "\"%.*s\", ", (int)strcspn(p, "."), p);
}

static void put_op(struct buf *out, const struct op *o)
{
	bool path = !strcmp(o->kind, "VALUE") || !strcmp(o->kind, "SECTION") ||
		    !strcmp(o->kind, "INVERTED") || !strcmp(o->kind, "REPEAT");

	buf_printf(out, "\t{ TPL_OP_%s, TPL_IN_%s, TPL_", o->kind, o->context);
	put_upper(out, o->filter);
	buf_printf(out, ", %d, %zu, %zu,\n\t\t", o->line, o->jump, o->len);
	put_literal(out, o->text ? o->text : "", o->len ? o->len : o->text ? strlen(o->text) : 0);
	buf_str(out, ",\n\t\t");
	if (path) {
		buf_str(out, "(const char *const[]){ ");
		put_keys(out, o->text);
		buf_str(out, "0 } },\n");
	} else {
		buf_str(out, "0 },\n");
	}
}

static void save(const char *path, struct buf *out)
{
	struct error err = ERROR_INIT;

	if (path_write_atomic(path, out->data, out->len, 0644, &err) < 0) {
		fprintf(stderr, "templates: %s\n", err.msg);
		exit(1);
	}
	buf_free(out);
}

static void write_header(const char *path, const struct source *all, size_t n)
{
	const char *body = strstr(header, "struct tpl_op {");
	struct buf out = BUF_INIT;

	buf_add(&out, header, (size_t)(body - header));
	buf_str(&out, "enum tpl_filter {");
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		buf_str(&out, i ? ", TPL_" : " TPL_");
		put_upper(&out, filters[i]);
	}
	buf_str(&out, " };\n\nenum template_id {\n");
	for (size_t i = 0; i < n; i++) {
		buf_str(&out, "\tPAGE_");
		put_upper(&out, all[i].name);
		buf_str(&out, ",\n");
	}
	buf_str(&out, "\tTPL_COUNT\n};\n\n");
	buf_str(&out, body);
	save(path, &out);
}

static void write_source(const char *path, const struct source *all, size_t n)
{
	struct buf out = BUF_INIT;

	buf_str(&out, "/* SPDX-License-Identifier: MIT */\n/* Made by tools/templates.c. */\n"
		      "#include \"templates.h\"\n\n");
	for (size_t i = 0; i < n; i++) {
		buf_printf(&out, "static const struct tpl_op ops_%s[] = {\n", all[i].name);
		for (size_t k = 0; k < all[i].n; k++)
			put_op(&out, &all[i].ops[k]);
		buf_str(&out, "};\n\n");
	}
	buf_str(&out, "const struct tpl tpl_table[TPL_COUNT] = {\n");
	for (size_t i = 0; i < n; i++)
		buf_printf(&out, "\t{ \"%s.html\", ops_%s },\n", all[i].name, all[i].name);
	buf_str(&out, "};\n");
	save(path, &out);
}

static void load(struct source *t, const char *path)
{
	const char *base = strrchr(path, '/');
	struct error err = ERROR_INIT;
	struct buf text = BUF_INIT;
	size_t len;

	t->path = path;
	t->line = 1;
	now = t;
	base = base ? base + 1 : path;
	len = strlen(base);
	if (len < 6 || strcmp(base + len - 5, ".html") ||
	    strspn(base, "abcdefghijklmnopqrstuvwxyz0123456789_") != len - 5)
		html_die("a template's name is made of a-z, 0-9 and _ and ends in .html");
	t->name = xstrndup(base, len - 5);
	if (path_read(path, FILE_MAX, &text, &err) < 0)
		html_die("%s", err.msg);
	if (text.len && memchr(text.data, '\0', text.len))
		html_die("the file holds a NUL byte");
	t->text = buf_steal(&text);
	read_template(t);
}

int main(int argc, char **argv)
{
	size_t n = argc > 3 ? (size_t)argc - 3 : 0;
	struct source *all = xcalloc(n, sizeof(*all));

	if (!n) {
		fprintf(stderr, "usage: templates OUT.h OUT.c FILE.html...\n");
		return 64;
	}
	for (size_t i = 0; i < n; i++)
		load(&all[i], argv[3 + i]);
	for (size_t i = 0; i < n; i++)
		check_partials(all, n, &all[i], 0);
	write_header(argv[1], all, n);
	write_source(argv[2], all, n);
	return 0;
}
