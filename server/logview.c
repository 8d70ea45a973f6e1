// SPDX-License-Identifier: MIT
#include "server/logview.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "agent/inject.h"
#include "agent/splat.h"
#include "lib/buf.h"

#define LINE_BYTES (4 << 10) /* so far back the beginning of a line is looked for */
#define LEAD_BYTES (24 << 10) /* SPLAT_LINES_MAX lines: what a report that goes on began with */
#define MARK_BYTES (LOGVIEW_FIND_BYTES / 4)

static const char *const mark_names[] = { NULL, "inject", "splat" };

/* Reads [from, to) as far as it is there; owned. */
static int read_at(int fd, int64_t from, int64_t to, struct buf *ret, struct error *err)
{
	CLEANUP(free_p) char *block = NULL;
	ssize_t n;

	if (fd < 0 || to <= from)
		return 0;
	block = xcalloc((size_t)(to - from), 1);
	n = pread(fd, block, (size_t)(to - from), from);
	if (n < 0)
		return error_errno(err, -errno, "reading a log");
	buf_add(ret, block, (size_t)n);
	return 0;
}

static bool goes_on(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Where the line with byte `at` begins; else the character that it is in. The same for all who ask,
 * so that windows fit together. */
static int boundary(int fd, int64_t size, int64_t at, int64_t *ret, struct error *err)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	int64_t begin = at > LINE_BYTES ? at - LINE_BYTES : 0;
	const char *last;
	size_t i;
	int r;

	if (at <= 0 || at >= size) {
		*ret = at <= 0 ? 0 : size;
		return 0;
	}
	r = read_at(fd, begin, at + 1, &b, err);
	if (r)
		return r;
	if ((int64_t)b.len < at - begin + 1)
		return error_set(err, -EIO, "a log is shorter than it was");
	i = b.len - 1;
	last = memrchr(b.data, '\n', i);
	if (last || !begin) {
		*ret = last ? begin + (last - b.data) + 1 : 0;
		return 0;
	}
	/* UTF-8: bytes 10xxxxxx go on a character, at most three of them. */
	while (i > b.len - 4 && goes_on(b.data[i]))
		i--;
	*ret = goes_on(b.data[i]) ? at : begin + (int64_t)i;
	return 0;
}

int logview_window(int fd, int64_t size, int64_t at, struct log_window *ret, struct error *err)
{
	struct log_window w = { .size = size };
	int r = boundary(fd, size, at, &w.from, err);

	if (!r)
		r = boundary(fd, size, at + LOGVIEW_BYTES, &w.to, err);
	if (!r)
		*ret = w;
	return r;
}

int logview_tail(int fd, int64_t size, int64_t at, bool ended, struct log_window *ret,
		 struct error *err)
{
	struct log_window w = { .from = at, .to = at, .size = size };
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	const char *last;
	int r;

	r = read_at(fd, at, size - at > LOGVIEW_BYTES ? at + LOGVIEW_BYTES : size, &b, err);
	if (r)
		return r;
	w.to = at + (int64_t)b.len;
	last = b.len ? memrchr(b.data, '\n', b.len) : NULL;
	if (last && !(ended && w.to == size))
		w.to = at + (last - b.data) + 1;
	else if (!last && !ended && b.len < LINE_BYTES)
		w.to = at; /* its end is still to come */
	*ret = w;
	return 0;
}

/* --- marks ------------------------------------------------------------------------------------ */

/* The agent's own line before what a machine said (agent/testrun_point.c): no kernel says it. */
#define PART_HEAD "--- machine "

static enum log_mark mark_of(const struct klog_line *l)
{
	if (l->raw_len >= strlen(PART_HEAD) && !memcmp(l->raw, PART_HEAD, strlen(PART_HEAD)))
		return LOG_MARK_NONE;
	if (l->removed)
		return LOG_MARK_INJECT;
	return l->used ? LOG_MARK_SPLAT : LOG_MARK_NONE;
}

static void find_marks(struct klog *k)
{
	struct stack *stacks = NULL;
	struct splat splat = { 0 };
	size_t n_stacks = 0, at = 0;

	inject_take(k, &stacks, &n_stacks);
	stacks_free(stacks, n_stacks);
	while (splat_next(k, &at, k->n, &splat))
		splat_free(&splat);
}

bool log_mark_parse(const char *name, enum log_mark *ret)
{
	for (size_t i = 1; i < ARRAY_SIZE(mark_names); i++)
		if (!strcmp(name, mark_names[i])) {
			*ret = (enum log_mark)i;
			return true;
		}
	return false;
}

/* --- pieces ----------------------------------------------------------------------------------- */

struct chunks {
	struct json_object *arr;
	struct json_object *open; /* of `arr`; NULL before the first line */
	struct json_object *lines; /* its lengths */
	struct buf text;
	enum log_mark mark;
};

static void chunk_end(struct chunks *c)
{
	if (c->open)
		json_object_object_add(c->open, "text", json_strn(buf_cstr(&c->text), c->text.len));
	buf_reset(&c->text);
	c->open = NULL;
}

static void chunk_begin(struct chunks *c, int64_t at, enum log_mark mark,
			struct json_object *result)
{
	chunk_end(c);
	c->open = json_object_new_object();
	c->lines = json_object_new_array();
	c->mark = mark;
	json_object_object_add(c->open, "mark", json_str(mark_names[mark]));
	json_object_object_add(c->open, "at", json_object_new_int64(at));
	json_object_object_add(c->open, "lines", c->lines);
	json_object_object_add(c->open, "result", json_object_get(result));
	json_object_array_add(c->arr, c->open);
}

/* The next result, in the log's order, whose part begins before `end`; *io moves behind it. */
static struct json_object *result_before(struct json_object *results, size_t *io, int64_t end)
{
	struct json_object *o = results ? json_object_array_get_idx(results, *io) : NULL;

	if (!o || json_object_get_int64(json_object_object_get(o, "offset")) >= end)
		return NULL;
	(*io)++;
	return o;
}

static void add_line(struct chunks *c, const struct klog_line *l, int64_t at, int64_t next,
		     struct json_object *result)
{
	enum log_mark mark = mark_of(l);
	size_t len = l->raw_len;

	if (!c->open || result || mark != c->mark)
		chunk_begin(c, at, mark, result);
	/* Serial lines end in CR LF. */
	while (len && l->raw[len - 1] == '\r')
		len--;
	buf_add(&c->text, l->raw, len);
	buf_char(&c->text, '\n');
	json_object_array_add(c->lines, json_object_new_int64(next - at));
}

static struct json_object *make_chunks(struct klog *k, int64_t start, const struct log_window *w,
				       struct json_object *results)
{
	struct chunks c = { .arr = json_object_new_array() };
	size_t seen = 0;

	find_marks(k);
	for (size_t i = 0; i < k->n; i++) {
		int64_t at = start + (int64_t)klog_offset(k, &k->lines[i]);
		int64_t next = w->to;
		struct json_object *result;

		if (i + 1 < k->n)
			next = start + (int64_t)klog_offset(k, &k->lines[i + 1]);
		if (at < w->from)
			continue;
		result = result_before(results, &seen, next);
		/* of several that share a line the last one is named: it is what follows */
		for (struct json_object *o = result; o; o = result_before(results, &seen, next))
			result = o;
		add_line(&c, &k->lines[i], at, next, result);
	}
	chunk_end(&c);
	buf_free(&c.text);
	return c.arr;
}

int logview_chunks(int fd, const struct log_window *w, struct json_object *results,
		   struct json_object **ret, struct error *err)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	struct klog k = { 0 };
	int64_t start = 0;
	size_t skip;
	int r = boundary(fd, w->size, w->from - LEAD_BYTES, &start, err);

	if (!r)
		r = read_at(fd, start, w->to, &b, err);
	if (r)
		return r;
	skip = (size_t)(w->from - start);
	if (skip > b.len)
		return error_set(err, -EIO, "a log is shorter than it was");
	/* The window begins within a line, which is too long for its beginning to be found. */
	if (!skip || b.data[skip - 1] == '\n')
		skip = 0;
	start += (int64_t)skip;
	klog_parse(buf_cstr(&b) + skip, b.len - skip, &k);
	*ret = make_chunks(&k, start, w, results);
	klog_free(&k);
	return 0;
}

/* --- search ----------------------------------------------------------------------------------- */

static bool is_capital(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool has_capital(const char *text)
{
	while (*text && !is_capital(*text))
		text++;
	return *text;
}

static void fold(struct buf *b)
{
	for (size_t i = 0; i < b->len; i++)
		if (is_capital(b->data[i]))
			b->data[i] = (char)(b->data[i] + ('a' - 'A'));
}

static const char *find_last(const struct buf *b, const char *text, size_t len)
{
	const char *found = NULL, *p = b->data;

	while (p && (p = memmem(p, b->len - (size_t)(p - b->data), text, len)))
		found = p++;
	return found;
}

int logview_find(int fd, int64_t size, int64_t at, bool back, const char *text, int64_t *ret_at,
		 int64_t *ret_next, struct error *err)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	int64_t len = (int64_t)strlen(text), from, to;
	const char *found = NULL;
	int r;

	/* Those that begin within [from, to) and may reach beyond it. */
	from = at < size ? at : size;
	to = size - from > LOGVIEW_FIND_BYTES ? from + LOGVIEW_FIND_BYTES : size;
	if (back) {
		to = from;
		from = to > LOGVIEW_FIND_BYTES ? to - LOGVIEW_FIND_BYTES : 0;
	}
	r = read_at(fd, from, size - to < len - 1 ? size : to + len - 1, &b, err);
	if (r)
		return r;
	if (!has_capital(text))
		fold(&b);
	if (b.len)
		found = back ? find_last(&b, text, (size_t)len)
			     : memmem(b.data, b.len, text, (size_t)len);
	*ret_at = found ? from + (found - b.data) : -1;
	*ret_next = -1;
	if (!found && (back ? from > 0 : to < size))
		*ret_next = back ? from : to;
	return 0;
}

int logview_find_mark(int fd, int64_t from, int64_t len, enum log_mark mark, int64_t *ret_at,
		      struct error *err)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	struct klog k = { 0 };
	int r = read_at(fd, from, from + (len < MARK_BYTES ? len : MARK_BYTES), &b, err);

	if (r)
		return r;
	klog_parse(buf_cstr(&b), b.len, &k);
	find_marks(&k);
	*ret_at = -1;
	for (size_t i = 0; i < k.n && *ret_at < 0; i++)
		if (mark_of(&k.lines[i]) == mark)
			*ret_at = from + (int64_t)klog_offset(&k, &k.lines[i]);
	klog_free(&k);
	return 0;
}
