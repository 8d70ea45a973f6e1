/* SPDX-License-Identifier: MIT */
#include "agent/console.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/klog.h"
#include "lib/limits.h"

/* printk's own lines end at about 1 KiB; more is no line. */
#define CONSOLE_LINE_MAX 8192

static struct console_point *point_start(struct console *c, int64_t id, int nth)
{
	ARRAY_RESERVE(c->points, c->n, c->cap);
	c->points[c->n] = (struct console_point){ .id = id, .nth = nth };
	return &c->points[c->n++];
}

void console_init(struct console *c)
{
	*c = (struct console){
		.case_max = LIMIT_CONSOLE_CASE_BYTES,
		.machine_max = LIMIT_CONSOLE_MACHINE_BYTES,
	};
	point_start(c, 0, 0);
}

void console_free(struct console *c)
{
	for (size_t i = 0; i < c->n; i++)
		buf_free(&c->points[i].text);
	free(c->points);
	buf_free(&c->line);
	*c = (struct console){ 0 };
}

/* "begin id=7 nth=1"; exactly, because a mark decides where a verdict's evidence begins. */
static bool mark_parse(const struct klog_line *l, char what[16], int64_t *ret_id, int *ret_nth)
{
	char text[96];
	long long id;
	int nth, used = 0;

	if (!klog_starts(l, "faultline: ") || l->len >= sizeof(text))
		return false;
	memcpy(text, l->text, l->len);
	text[l->len] = '\0';
	if (sscanf(text, "faultline: %15[a-z] id=%18lld nth=%9d%n", what, &id, &nth, &used) != 3 ||
	    (size_t)used != l->len || id < 0 || nth < 0)
		return false;
	*ret_id = id;
	*ret_nth = nth;
	return true;
}

static void take_mark(struct console *c, const struct klog_line *l)
{
	struct console_point *p = &c->points[c->n - 1];
	char what[16];
	int64_t id;
	int nth;

	if (!mark_parse(l, what, &id, &nth))
		return;
	if (strcmp(what, "begin") == 0) {
		point_start(c, id, nth);
		return;
	}
	/* A mark of another point than the open one would lie about where evidence belongs. */
	if (c->n < 2 || p->id != id || p->nth != nth)
		return;
	if (strcmp(what, "armed") == 0)
		p->armed = true;
	else if (strcmp(what, "disarmed") == 0)
		p->disarmed = p->armed;
	else if (strcmp(what, "end") == 0)
		p->ended = true;
}

static void take_line(struct console *c)
{
	struct klog k;
	struct console_point *p;

	klog_parse(buf_cstr(&c->line), c->line.len, &k);
	if (k.n == 1) {
		if (klog_starts(&k.lines[0], "faultline: "))
			take_mark(c, &k.lines[0]);
		else if (klog_find(&k.lines[0], "Kernel panic - not syncing"))
			c->panicked = true;
	}
	klog_free(&k);
	p = &c->points[c->n - 1];
	if (p->text.len + c->line.len > c->case_max || c->total > c->machine_max)
		p->dropped += c->line.len;
	else if (!p->released)
		buf_add(&p->text, c->line.data, c->line.len);
	buf_reset(&c->line);
	c->line_cut = false;
}

void console_feed(struct console *c, const char *data, size_t len)
{
	c->total += len;
	while (len) {
		const char *nl = memchr(data, '\n', len);
		size_t n = nl ? (size_t)(nl - data) + 1 : len;
		size_t room = CONSOLE_LINE_MAX - c->line.len;

		if (n > room && !c->line_cut) {
			buf_add(&c->line, data, room);
			buf_char(&c->line, '\n');
			c->line_cut = true;
		} else if (!c->line_cut) {
			buf_add(&c->line, data, n);
		}
		if (nl)
			take_line(c);
		data += n;
		len -= n;
	}
}

void console_end(struct console *c)
{
	if (!c->line.len)
		return;
	if (!c->line_cut)
		buf_char(&c->line, '\n');
	take_line(c);
}

struct console_point *console_find(const struct console *c, int64_t id, int nth)
{
	for (size_t i = c->n; i > 1; i--)
		if (c->points[i - 1].id == id && c->points[i - 1].nth == nth)
			return &c->points[i - 1];
	return NULL;
}

bool console_is_past(const struct console *c, const struct console_point *p)
{
	return p < &c->points[c->n - 1];
}

bool console_flooded(const struct console *c)
{
	return c->points[c->n - 1].dropped > 0 || c->total > c->machine_max;
}

void console_release(struct console_point *p)
{
	buf_free(&p->text);
	p->released = true;
}
