/* SPDX-License-Identifier: MIT */
#include "server/render.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/clock.h"
#include "lib/utf8.h"

#define FRAMES_MAX 32 /* sections that are open at once, over all partials */

/* --- escapers -------------------------------------------------------------------------------- */

static void text_ascii(struct buf *out, unsigned char c)
{
	switch (c) {
	case '&':
		buf_str(out, "&amp;");
		return;
	case '<':
		buf_str(out, "&lt;");
		return;
	case '>':
		buf_str(out, "&gt;");
		return;
	case '"':
		buf_str(out, "&#34;");
		return;
	case '\'':
		buf_str(out, "&#39;");
		return;
	case '\n':
	case '\t':
		break;
	default:
		if (c >= 0x20 && c != 0x7f)
			break;
		/* As `cat -v` shows them. */
		buf_char(out, '^');
		buf_char(out, (char)(c ^ 0x40));
		return;
	}
	buf_char(out, (char)c);
}

/* How many bytes stand for themselves, in text and in attributes. */
static size_t plain_len(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && s[n] >= 0x20 && s[n] < 0x7f && s[n] != '&' && s[n] != '<' &&
	       s[n] != '>' && s[n] != '"' && s[n] != '\'')
		n++;
	return n;
}

void render_text(struct buf *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = plain_len(s + i, len - i);
		uint32_t c;

		if (n) {
			buf_add(out, s + i, n);
			i += n;
			continue;
		}
		n = utf8_len(s + i, len - i);
		if (n == 1) {
			text_ascii(out, (unsigned char)s[i++]);
			continue;
		}
		c = n ? utf8_code_point(s + i, n) : 0;
		if (!n || utf8_is_control(c))
			buf_str(out, UTF8_REPLACEMENT);
		else if (utf8_is_deceptive(c))
			buf_printf(out, "[U+%04X]", c);
		else
			buf_add(out, s + i, n);
		i += n ? n : 1;
	}
}

static void url_bytes(struct buf *out, const char *s, size_t len, const char *keep)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		    (c && strchr(keep, c)))
			buf_char(out, (char)c);
		else
			buf_printf(out, "%%%02X", c);
	}
}

void render_url_part(struct buf *out, const char *s, size_t len)
{
	/* A slash at the front could make "//host" of what stands before. */
	size_t slashes = 0;

	while (slashes < len && s[slashes] == '/')
		slashes++;
	url_bytes(out, s, slashes, "");
	url_bytes(out, s + slashes, len - slashes, "-._~/");
}

void render_url(struct buf *out, const char *s, size_t len)
{
	bool web = (len > 7 && !strncasecmp(s, "http://", 7)) ||
		   (len > 8 && !strncasecmp(s, "https://", 8));
	bool here = len && s[0] == '/' && (len == 1 || (s[1] != '/' && s[1] != '\\'));

	/* Browsers drop blanks and control bytes inside a URL; what has them is none. */
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] <= 0x20 || s[i] == 0x7f)
			web = here = false;
	if (!web && !here) {
		buf_char(out, '#');
		return;
	}
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '&')
			buf_str(out, "&amp;");
		else
			url_bytes(out, s + i, 1, "-._~:/?#[]@!$()*+,;=%");
	}
}

/* --- filters --------------------------------------------------------------------------------- */

/* "2026-01-31T23:59:59.123456Z" → "2026-01-31 23:59:59Z" (RFC 3339, 5.6 allows the blank). */
static void filter_date(struct buf *out, const char *s)
{
	size_t len = strlen(s);

	if (len < 20 || s[10] != 'T' || s[len - 1] != 'Z')
		buf_str(out, s);
	else
		buf_printf(out, "%.10s %.8sZ", s, s + 11);
}

static void filter_duration(struct buf *out, int64_t us)
{
	int64_t s = us / US_PER_S;

	if (us < 1000)
		buf_printf(out, "%lld µs", (long long)us);
	else if (us < US_PER_S)
		buf_printf(out, "%lld ms", (long long)(us / US_PER_MS));
	else if (s < 60)
		buf_printf(out, "%lld.%lld s", (long long)s,
			   (long long)(us % US_PER_S / (US_PER_S / 10)));
	else if (s < 3600)
		buf_printf(out, "%lld min %lld s", (long long)(s / 60), (long long)(s % 60));
	else
		buf_printf(out, "%lld h %lld min", (long long)(s / 3600),
			   (long long)(s % 3600 / 60));
}

static void filter_bytes(struct buf *out, int64_t n)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	double v = (double)n / 1024;
	size_t i = 0;

	if (n < 1024) {
		buf_printf(out, "%lld B", (long long)n);
		return;
	}
	for (; v >= 1024 && i + 1 < ARRAY_SIZE(units); i++)
		v /= 1024;
	buf_printf(out, v < 10 ? "%.1f %s" : "%.0f %s", v, units[i]);
}

static void filter_errno(struct buf *out, int64_t n)
{
	const char *name = n > 0 && n < 4096 ? strerrorname_np((int)n) : NULL;

	if (name)
		buf_str(out, name);
	else
		buf_printf(out, "%lld", (long long)n);
}

/* A job that is leased, for people who have not read how jobs are given out. */
static const char running[] = "running";

/* How much of a string is shown. */
static size_t filter_len(enum tpl_filter f, const char *s, size_t len)
{
	if (f == TPL_LETTER)
		return len ? utf8_len(s, len) : 0;
	return f == TPL_SHORT && len > 12 ? 12 : len;
}

/* Most of what pages of many rows print. */
static void plain_number(struct buf *out, int64_t n)
{
	char digits[24], *p = digits + sizeof(digits);
	uint64_t left = n < 0 ? -(uint64_t)n : (uint64_t)n;

	do
		*--p = (char)('0' + left % 10);
	while (left /= 10);
	if (n < 0)
		*--p = '-';
	buf_add(out, p, (size_t)(digits + sizeof(digits) - p));
}

static void filter_number(struct buf *out, enum tpl_filter f, int64_t n)
{
	if (f == TPL_DURATION)
		filter_duration(out, n);
	else if (f == TPL_BYTES)
		filter_bytes(out, n);
	else if (f == TPL_ERRNO)
		filter_errno(out, n);
	else
		buf_printf(out, "%lld", (long long)n);
}

/* --- walking --------------------------------------------------------------------------------- */

struct walk {
	const struct tpl *tpl;
	struct buf *out;
	struct json_object *frames[FRAMES_MAX]; /* innermost last */
	int depth;
};

static struct json_object *member(struct json_object *o, const char *key, bool *ret_found)
{
	struct json_object *v = NULL;

	*ret_found = json_object_is_type(o, json_type_object) &&
		     json_object_object_get_ex(o, key, &v);
	return v;
}

/* The value at a path; *ret_found says whether it is there (it may be null). */
static struct json_object *look_up(const struct walk *w, const struct tpl_op *op, bool *ret_found)
{
	struct json_object *v = w->frames[w->depth - 1];

	*ret_found = true;
	if (!op->keys[0])
		return v;
	for (int i = w->depth - 1; i >= 0; i--) {
		v = member(w->frames[i], op->keys[0], ret_found);
		if (*ret_found)
			break;
	}
	for (int k = 1; *ret_found && op->keys[k]; k++)
		v = member(v, op->keys[k], ret_found);
	return v;
}

static bool is_there(struct json_object *v)
{
	switch (json_object_get_type(v)) {
	case json_type_null:
		return false;
	case json_type_boolean:
		return json_object_get_boolean(v);
	case json_type_int:
		return json_object_get_int64(v) != 0;
	case json_type_double:
		return true;
	case json_type_string:
		return json_object_get_string_len(v) > 0;
	case json_type_array:
		return json_object_array_length(v) > 0;
	case json_type_object:
		return true;
	}
	return false;
}

static int fail(const struct walk *w, const struct tpl_op *op, struct error *err, const char *what)
{
	return error_set(err, -EINVAL, "%s:%d: '%s' %s", w->tpl->file, op->line, op->text, what);
}

static void escape(struct walk *w, const struct tpl_op *op, const char *s, size_t len)
{
	if (op->context == TPL_IN_URL)
		render_url(w->out, s, len);
	else if (op->context == TPL_IN_URL_PART)
		render_url_part(w->out, s, len);
	else
		render_text(w->out, s, len);
}

static int print_value(struct walk *w, const struct tpl_op *op, struct error *err)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct json_object *v;
	const char *s;
	size_t len;
	bool found;

	v = look_up(w, op, &found);
	if (!found)
		return fail(w, op, err, "is not in the view");
	switch (json_object_get_type(v)) {
	case json_type_null:
		return 0;
	case json_type_array:
	case json_type_object:
		return fail(w, op, err, "is no single value");
	case json_type_string:
		s = json_object_get_string(v);
		if (op->filter == TPL_DATE) {
			filter_date(&text, s);
			break;
		}
		len = (size_t)json_object_get_string_len(v);
		if (op->filter == TPL_DOING && !strcmp(s, "leased")) {
			s = running;
			len = strlen(running);
		}
		escape(w, op, s, filter_len(op->filter, s, len));
		return 0;
	case json_type_int:
		if (op->filter == TPL_NONE && op->context != TPL_IN_URL) {
			plain_number(w->out, json_object_get_int64(v));
			return 0;
		}
		filter_number(&text, op->filter, json_object_get_int64(v));
		break;
	case json_type_double:
		buf_printf(&text, "%.6g", json_object_get_double(v));
		break;
	case json_type_boolean:
		buf_str(&text, json_object_get_boolean(v) ? "yes" : "no");
		break;
	}
	escape(w, op, buf_cstr(&text), text.len);
	return 0;
}

static int walk(struct walk *w, const struct tpl_op *ops, size_t from, struct error *err);

static int enter(struct walk *w, const struct tpl_op *ops, size_t at, struct json_object *v,
		 struct error *err)
{
	int r;

	if (w->depth == FRAMES_MAX)
		return fail(w, &ops[at], err, "nests too deep");
	w->frames[w->depth++] = v;
	r = walk(w, ops, at + 1, err);
	w->depth--;
	return r;
}

static int section(struct walk *w, const struct tpl_op *ops, size_t at, struct error *err)
{
	bool found, there;
	struct json_object *v = look_up(w, &ops[at], &found);
	int r = 0;

	there = found && is_there(v);
	if (ops[at].kind == TPL_OP_INVERTED)
		return there ? 0 : walk(w, ops, at + 1, err);
	if (!there)
		return 0;
	if (!json_object_is_type(v, json_type_array))
		return enter(w, ops, at, v, err);
	for (size_t i = 0; !r && i < json_object_array_length(v); i++)
		r = enter(w, ops, at, json_object_array_get_idx(v, i), err);
	return r;
}

/* The same again and again is rendered once and copied. */
static int repeat(struct walk *w, const struct tpl_op *ops, size_t at, struct error *err)
{
	CLEANUP(free_p) char *copy = NULL;
	size_t before = w->out->len, len;
	bool found;
	struct json_object *v = look_up(w, &ops[at], &found);
	int64_t n;
	int r;

	if (!found || !json_object_is_type(v, json_type_int))
		return fail(w, &ops[at], err, "is no number in the view");
	n = json_object_get_int64(v);
	if (n <= 0)
		return 0;
	r = walk(w, ops, at + 1, err);
	len = w->out->len - before;
	if (r || n == 1)
		return r;
	copy = xcalloc(len + 1, 1);
	memcpy(copy, w->out->data + before, len);
	for (int64_t i = 1; i < n; i++)
		buf_add(w->out, copy, len);
	return 0;
}

/* Up to the end of the section or of the template. */
static int walk(struct walk *w, const struct tpl_op *ops, size_t from, struct error *err)
{
	int r = 0;

	for (size_t i = from; !r; i++) {
		const struct tpl_op *op = &ops[i];
		const struct tpl *outer = w->tpl;

		switch (op->kind) {
		case TPL_OP_TEXT:
			buf_add(w->out, op->text, op->len);
			break;
		case TPL_OP_VALUE:
			r = print_value(w, op, err);
			break;
		case TPL_OP_SECTION:
		case TPL_OP_INVERTED:
			r = section(w, ops, i, err);
			i = op->jump;
			break;
		case TPL_OP_REPEAT:
			r = repeat(w, ops, i, err);
			i = op->jump;
			break;
		case TPL_OP_CALL:
			w->tpl = &tpl_table[op->jump];
			r = walk(w, w->tpl->ops, 0, err);
			w->tpl = outer;
			break;
		case TPL_OP_CLOSE:
		case TPL_OP_END:
			return 0;
		}
	}
	return r;
}

int render_template(enum template_id id, struct json_object *view, struct buf *out,
		    struct error *err)
{
	struct walk w = { .tpl = &tpl_table[id], .out = out, .frames = { view }, .depth = 1 };
	size_t before = out->len;
	int r = walk(&w, w.tpl->ops, 0, err);

	if (r < 0 && out->data) {
		out->len = before;
		out->data[before] = '\0';
	}
	return r;
}
