/* SPDX-License-Identifier: MIT */
/*
 * /runs/{id}/log: a window of a run's log. Splats and injection traces are marked, and where the
 * part of a result begins there is an anchor. The whole log is there as .txt.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "agent/inject.h"
#include "agent/splat.h"
#include "jobs/parts.h"
#include "server/api.h"
#include "server/pages.h"
#include "server/runlog.h"

#define WINDOW_BYTES (64 << 10)
#define LINE_BYTES (4 << 10) /* so far back the beginning of a line is looked for */
#define LEAD_BYTES 512 /* shown before a result's part, for what led to it */

struct window {
	int64_t from, to, size; /* bytes of the log */
	struct buf text;
};

/* Where the line that holds s[at] begins; `at` itself when that is not in the block. */
static size_t line_begin(const char *s, size_t at, bool whole)
{
	size_t i = at;

	while (i > 0 && s[i - 1] != '\n')
		i--;
	return i > 0 || whole ? i : at;
}

static int read_window(int fd, int64_t at, struct window *w, struct error *err)
{
	int64_t begin = at > LINE_BYTES ? at - LINE_BYTES : 0;
	CLEANUP(free_p) char *block = xcalloc(WINDOW_BYTES + LINE_BYTES, 1);
	int64_t want = w->size - begin;
	size_t from = (size_t)(at - begin), to;
	ssize_t n;

	if (want > WINDOW_BYTES + (at - begin))
		want = WINDOW_BYTES + (at - begin);
	n = fd < 0 || want <= 0 ? 0 : pread(fd, block, (size_t)want, begin);
	if (n < 0)
		return error_errno(err, -errno, "reading a log");
	to = (size_t)n;
	if (from > to)
		from = to;
	/* Whole lines, as far as lines are no longer than that. */
	from = line_begin(block, from, begin == 0);
	if (begin + n < w->size) {
		const char *last = memrchr(block + from, '\n', to - from);

		to = last ? (size_t)(last - block) + 1 : to;
	}
	buf_add(&w->text, block + from, to - from);
	w->from = begin + (int64_t)from;
	w->to = begin + (int64_t)to;
	return 0;
}

/* --- marks ------------------------------------------------------------------------------------ */

enum mark { MARK_NONE, MARK_INJECT, MARK_SPLAT };

static enum mark *find_marks(struct klog *k)
{
	enum mark *marks = xcalloc(k->n, sizeof(*marks));
	struct stack *stacks = NULL;
	struct splat splat = { 0 };
	size_t n_stacks = 0, at = 0;

	inject_take(k, &stacks, &n_stacks);
	stacks_free(stacks, n_stacks);
	while (splat_next(k, &at, k->n, &splat))
		splat_free(&splat);
	for (size_t i = 0; i < k->n; i++) {
		if (k->lines[i].removed)
			marks[i] = MARK_INJECT;
		else if (k->lines[i].used)
			marks[i] = MARK_SPLAT;
	}
	return marks;
}

/* The result whose part begins at this line, which ends before `next`. */
static struct json_object *result_at(struct json_object *results, int64_t line, int64_t next)
{
	for (size_t i = 0; i < json_object_array_length(results); i++) {
		struct json_object *r = json_object_array_get_idx(results, i);
		struct json_object *console = json_object_object_get(r, "console");
		int64_t offset = page_i64(console, "offset");

		if (console && offset >= line && offset < next)
			return r;
	}
	return NULL;
}

struct chunks {
	struct json_object *arr;
	struct buf text;
	enum mark mark;
	struct json_object *result; /* borrowed */
};

static void chunk_end(struct chunks *c)
{
	static const char *const names[] = { NULL, "inject", "splat" };
	struct json_object *o;

	if (!c->text.len && !c->result)
		return;
	o = json_object_new_object();
	json_object_object_add(o, "mark", json_str(names[c->mark]));
	json_object_object_add(o, "text", json_strn(buf_cstr(&c->text), c->text.len));
	json_object_object_add(o, "result", json_object_get(c->result));
	json_object_array_add(c->arr, o);
	buf_reset(&c->text);
	c->result = NULL;
}

/* [{"mark":"splat"|null,"text","result":{…}|null}] */
static struct json_object *make_chunks(const struct window *w, struct json_object *results)
{
	struct chunks c = { .arr = json_object_new_array() };
	struct klog k = { 0 };
	CLEANUP(free_p) enum mark *marks = NULL;

	klog_parse(buf_cstr(&w->text), w->text.len, &k);
	marks = find_marks(&k);
	for (size_t i = 0; i < k.n; i++) {
		const struct klog_line *l = &k.lines[i];
		int64_t at = w->from + (int64_t)klog_offset(&k, l);
		int64_t next = i + 1 < k.n ? w->from + (int64_t)klog_offset(&k, &k.lines[i + 1])
					   : w->to;
		struct json_object *result = result_at(results, at, next);
		size_t len = l->raw_len;

		if (result || marks[i] != c.mark)
			chunk_end(&c);
		c.mark = marks[i];
		if (result)
			c.result = result;
		/* Serial lines end in CR LF. */
		while (len && l->raw[len - 1] == '\r')
			len--;
		buf_add(&c.text, l->raw, len);
		buf_char(&c.text, '\n');
	}
	chunk_end(&c);
	buf_free(&c.text);
	klog_free(&k);
	return c.arr;
}

/* --- the page ---------------------------------------------------------------------------------- */

static int64_t offset_of_result(struct json_object *results, int64_t id)
{
	for (size_t i = 0; i < json_object_array_length(results); i++) {
		struct json_object *r = json_object_array_get_idx(results, i);
		int64_t offset = page_i64(json_object_object_get(r, "console"), "offset");

		if (page_i64(r, "id") == id)
			return offset > LEAD_BYTES ? offset - LEAD_BYTES : 0;
	}
	return 0;
}

static void add_i64(struct json_object *o, const char *key, int64_t n)
{
	json_object_object_add(o, key, json_object_new_int64(n));
}

static struct json_object *window_json(const struct window *w, bool truncated)
{
	struct json_object *o = json_object_new_object();

	add_i64(o, "from", w->from);
	add_i64(o, "to", w->to);
	add_i64(o, "size", w->size);
	json_object_object_add(o, "truncated", json_object_new_boolean(truncated));
	json_object_object_add(o, "has_previous", json_object_new_boolean(w->from > 0));
	json_object_object_add(o, "has_next", json_object_new_boolean(w->to < w->size));
	add_i64(o, "previous", w->from > WINDOW_BYTES ? w->from - WINDOW_BYTES : 0);
	add_i64(o, "next", w->to);
	add_i64(o, "last", w->size > WINDOW_BYTES ? w->size - WINDOW_BYTES : 0);
	return o;
}

static int view_window(struct server *srv, int64_t run, int64_t offset, int64_t result,
		       struct json_object **ret, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *view = NULL;
	CLEANUP(close_p) int fd = -1;
	struct json_object *results;
	struct window w = { 0 };
	bool truncated = false;
	int r = view_run(srv->store, run, &view, err);

	if (!r)
		r = runlog_read(srv->runlog, run, &fd, &w.size, &truncated, err);
	if (r < 0)
		return r;
	results = json_object_object_get(view, "results");
	if (offset < 0)
		offset = offset_of_result(results, result);
	if (offset > w.size)
		offset = w.size;
	r = read_window(fd, offset, &w, err);
	if (!r) {
		json_object_object_add(view, "chunks", make_chunks(&w, results));
		json_object_object_add(view, "window", window_json(&w, truncated));
		*ret = STEAL(view);
	}
	buf_free(&w.text);
	return r;
}

void page_run_log(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	int64_t id, offset = -1, result = 0;
	int r;

	if (!page_is_html(req)) {
		api_run_log(srv, req, res);
		return;
	}
	if (!page_id(req, res, &id))
		return;
	if (!api_query_i64(req, res, "offset", 0, INT64_MAX, &offset) ||
	    !api_query_i64(req, res, "result", 1, INT64_MAX, &result)) {
		page_problem(req, res);
		return;
	}
	r = view_window(srv, id, offset, result, &view, &err);
	page_answer(req, res, r, PAGE_LOG, "none", xasprintf("Log of run %lld", (long long)id),
		    view, &err);
}
