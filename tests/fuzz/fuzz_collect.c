/* SPDX-License-Identifier: MIT */
/*
 * The reader of the guest's records on anything. The first byte is the size of the pieces that the
 * rest arrives in; pieces must not matter. A reader that is idle is asked for the same three cases
 * again: a sweep (id 1), a case without a fault (id 2), and the second allocation (id 3).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/collect.h"
#include "lib/clean.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct collect_case cases[] = {
	{ .id = 1, .sweep = true, .first = 1 },
	{ .id = 2 },
	{ .id = 3, .first = 2 },
};

struct seen {
	struct collect *c;
	struct buf events; /* one line an event */
	bool open; /* begin without result */
	bool point_taken;
};

static void on_event(void *arg, const struct collect_event *e)
{
	struct seen *s = arg;

	buf_printf(&s->events, "%d %lld %d\n", e->type, (long long)e->id, e->nth);
	switch (e->type) {
	case COLLECT_BEGIN:
		if (s->open || e->id < 1 || e->id > 3)
			abort();
		s->open = true;
		break;
	case COLLECT_RESULT:
		if (!s->open || !e->point || e->point->id != e->id || e->point->nth != e->nth)
			abort();
		s->open = false;
		/* Every other one is taken, as the engine does, the others are left to the reader. */
		s->point_taken = !s->point_taken;
		if (s->point_taken) {
			point_free(e->point);
			memset(e->point, 0, sizeof(*e->point));
		}
		break;
	case COLLECT_CASE:
		if (s->open)
			abort();
		break;
	case COLLECT_READY:
		if (!e->release)
			abort();
		collect_expect(s->c, cases, ARRAY_SIZE(cases));
		break;
	case COLLECT_END:
		collect_expect(s->c, cases, ARRAY_SIZE(cases));
		break;
	case COLLECT_CALIBRATION:
	case COLLECT_BAIL:
		break;
	}
}

/* What happened, as text; owned. */
static char *run(const char *data, size_t size, size_t piece)
{
	struct error err = ERROR_INIT;
	struct seen s = { .point_taken = false };
	struct collect c;

	s.c = &c;
	collect_init(&c, on_event, &s);
	for (size_t at = 0; at < size; at += piece) {
		size_t n = size - at < piece ? size - at : piece;

		if (collect_feed(&c, data + at, n, &err) < 0) {
			if (!err.code || !err.msg[0])
				abort();
			buf_str(&s.events, "refused\n");
			break;
		}
	}
	collect_free(&c);
	return buf_steal(&s.events);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(free_p) char *whole = NULL;
	CLEANUP(free_p) char *pieces = NULL;

	if (size < 2)
		return 0;
	whole = run((const char *)data + 1, size - 1, size);
	pieces = run((const char *)data + 1, size - 1, data[0] ? data[0] : 1);
	if (strcmp(whole, pieces) != 0)
		abort();
	return 0;
}
