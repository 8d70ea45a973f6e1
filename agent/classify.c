/* SPDX-License-Identifier: MIT */
#include "agent/classify.h"

#include <stdlib.h>
#include <string.h>

#include "agent/decode.h"
#include "agent/inject.h"
#include "lib/hash.h"
#include "lib/json.h"

/* A report or trace that begins in a line is complete within so many; what begins later waits. */
#define GUARD_LINES (SPLAT_SPAN_MAX + INJECT_SPAN_MAX)
/* The head of a report whose middle is found first is looked for in the lines before. */
#define BACK_LINES 64
#define WINDOW_LINES (8 * GUARD_LINES)

#define CARRY_REMOVED 1
#define CARRY_USED 2

void classify_init(struct classify *c, const char *expect)
{
	*c = (struct classify){ .expect = expect };
}

void classify_free(struct classify *c)
{
	for (size_t i = 0; i < c->n_found; i++)
		splat_free(&c->found[i].splat);
	free(c->found);
	free(c->carried);
	stacks_free(c->stacks, c->n_stacks);
	buf_free(&c->text);
	*c = (struct classify){ 0 };
}

static void carry_in(const struct classify *c, struct klog *k)
{
	for (size_t i = 0; i < c->n_carried && i < k->n; i++) {
		k->lines[i].removed = c->carried[i] & CARRY_REMOVED;
		k->lines[i].used = c->carried[i] & CARRY_USED;
	}
}

static void carry_out(struct classify *c, const struct klog *k, size_t from)
{
	c->n_carried = k->n - from;
	c->carried = xrealloc(c->carried, c->n_carried + 1, 1);
	for (size_t i = from; i < k->n; i++)
		c->carried[i - from] = (uint8_t)((k->lines[i].removed ? CARRY_REMOVED : 0) |
						 (k->lines[i].used ? CARRY_USED : 0));
}

static void find_splats(struct classify *c, struct klog *k, size_t to)
{
	while (c->splat_from < to) {
		struct classified found = { 0 };

		if (c->n_found >= CLASSIFY_SPLATS_MAX) {
			c->more += splat_skip(k, &c->splat_from, to);
			continue;
		}
		if (!splat_next(k, &c->splat_from, to, &found.splat))
			break;
		found.line = c->lines + c->splat_from;
		ARRAY_RESERVE(c->found, c->n_found, c->cap_found);
		c->found[c->n_found++] = found;
	}
}

static void look_for_expected(struct classify *c, const struct klog *k, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		c->not_blank |= k->lines[i].len > 0;
		if (c->expect && !c->expect_seen)
			c->expect_seen = klog_find(&k->lines[i], c->expect) != NULL;
	}
}

/* Reads the first `len` bytes of the window, whole lines; `last`: nothing follows. */
static void read_window(struct classify *c, size_t len, bool last)
{
	size_t inject_to, splat_to, drop;
	struct klog k;

	klog_parse(buf_cstr(&c->text), len, &k);
	carry_in(c, &k);
	inject_to = last ? k.n : k.n - INJECT_SPAN_MAX;
	splat_to = last ? k.n : k.n - GUARD_LINES;
	drop = last ? k.n : splat_to - BACK_LINES;
	c->traces += inject_take_from(&k, c->inject_from, inject_to, &c->stacks, &c->n_stacks);
	find_splats(c, &k, splat_to);
	look_for_expected(c, &k, drop);
	carry_out(c, &k, drop);
	c->inject_from = inject_to - drop;
	c->splat_from = splat_to - drop;
	buf_consume(&c->text, drop < k.n ? klog_offset(&k, &k.lines[drop]) : len);
	c->text_lines -= drop < c->text_lines ? drop : c->text_lines;
	c->lines += drop;
	klog_free(&k);
}

/* Of a longer line nothing is read anyway. */
static void add_piece(struct classify *c, const char *data, size_t len)
{
	size_t room = KLOG_TEXT_MAX - c->line_len;

	if (len > room)
		len = room;
	if (len)
		buf_add(&c->text, data, len);
	c->line_len += len;
}

void classify_feed(struct classify *c, const char *data, size_t len)
{
	while (len) {
		const char *nl = memchr(data, '\n', len);
		size_t n = nl ? (size_t)(nl - data) : len;

		add_piece(c, data, n);
		if (!nl)
			return;
		buf_char(&c->text, '\n');
		c->line_len = 0;
		c->text_lines++;
		data += n + 1;
		len -= n + 1;
		if (c->text_lines >= WINDOW_LINES)
			read_window(c, c->text.len, false);
	}
}

static void add_silence(struct classify *c)
{
	const char *title = c->not_blank ? "silence: the log ends before the expected text"
					 : "silence: nothing was printed";
	const char *parts[] = { splat_kind_name(SPLAT_SILENCE), title, NULL };
	struct classified found = { .splat = { .kind = SPLAT_SILENCE, .console_offset = -1 } };
	char hex[HASH_HEX_MAX];

	hash_strings(parts, hex);
	memcpy(found.splat.fingerprint, hex, sizeof(found.splat.fingerprint) - 1);
	found.splat.title = xstrdup(title);
	found.splat.excerpt = xstrdup("");
	ARRAY_RESERVE(c->found, c->n_found, c->cap_found);
	c->found[c->n_found++] = found;
}

void classify_end(struct classify *c)
{
	read_window(c, c->text.len, true);
	if (c->expect && !c->expect_seen && !c->n_found)
		add_silence(c);
}

static struct json_object *found_to_json(const struct classified *f)
{
	const struct splat *s = &f->splat;
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "kind", json_str(splat_kind_name(s->kind)));
	json_object_object_add(o, "title", json_str(s->title));
	json_object_object_add(o, "fingerprint", json_str(s->fingerprint));
	json_object_object_add(o, "reason", json_str(reason_name(splat_kind_reason(s->kind))));
	json_object_object_add(o, "corrupted", json_object_new_boolean(s->corrupted != NULL));
	if (s->corrupted)
		json_object_object_add(o, "why", json_str(s->corrupted));
	json_object_object_add(o, "line", json_object_new_int64((int64_t)f->line));
	json_object_object_add(o, "excerpt", json_str(s->excerpt));
	if (s->trace.n)
		json_object_object_add(o, "stack", trace_to_json(&s->trace));
	return o;
}

static struct json_object *stack_to_json(const struct stack *s)
{
	struct json_object *o = json_object_new_object(), *frames = json_object_new_array();

	for (int i = 0; i < s->n; i++)
		json_object_array_add(frames, json_str(s->frames[i]));
	json_object_object_add(o, "count", json_object_new_int(s->count));
	json_object_object_add(o, "frames", frames);
	json_object_object_add(o, "stack", trace_to_json(&s->trace));
	return o;
}

int classify_decode(struct classify *c, const struct decode_opts *opts, struct error *err)
{
	struct trace **traces = xcalloc(c->n_found + c->n_stacks + 1, sizeof(*traces));
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < c->n_found; i++)
		if (c->found[i].splat.trace.n)
			traces[n++] = &c->found[i].splat.trace;
	for (size_t i = 0; i < c->n_stacks; i++)
		traces[n++] = &c->stacks[i].trace;
	if (n)
		r = decode_traces(opts, traces, n, err);
	free(traces);
	return r;
}

struct json_object *classify_to_json(const struct classify *c)
{
	struct json_object *o = json_object_new_object(), *splats = json_object_new_array();
	struct json_object *injections = json_object_new_object();
	struct json_object *stacks = json_object_new_array();

	for (size_t i = 0; i < c->n_found; i++)
		json_object_array_add(splats, found_to_json(&c->found[i]));
	for (size_t i = 0; i < c->n_stacks; i++)
		json_object_array_add(stacks, stack_to_json(&c->stacks[i]));
	json_object_object_add(injections, "traces", json_object_new_int(c->traces));
	json_object_object_add(injections, "stacks", stacks);
	json_object_object_add(o, "version", json_object_new_int(1));
	json_object_object_add(o, "splats", splats);
	json_object_object_add(o, "more", json_object_new_int64((int64_t)c->more));
	json_object_object_add(o, "injections", injections);
	json_object_object_add(o, "lines", json_object_new_int64((int64_t)c->lines));
	return o;
}
