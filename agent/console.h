/* SPDX-License-Identifier: MIT */
/*
 * console: one machine's kernel log, cut into points by the marks of docs/guest-protocol.md.
 *
 * A point's text goes from its mark `begin` to the next one (or to the end of the log), so that
 * what the kernel finds out about a point only afterwards still belongs to it. What comes before
 * the first mark is the boot. Each of these pieces is capped: a flooding kernel costs bounded
 * memory and says so.
 * Thread: the machine's. Included by agent/.
 */
#ifndef FAULTLINE_AGENT_CONSOLE_H
#define FAULTLINE_AGENT_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"

struct console_point {
	int64_t id; /* 0 for the boot, the first element */
	int nth;
	struct buf text;
	size_t dropped; /* bytes beyond the cap */
	bool armed, disarmed, ended; /* the marks that were seen */
	bool released; /* text freed by console_release() */
};

struct console {
	struct console_point *points; /* [0] is the boot */
	size_t n, cap;
	struct buf line; /* the line that is not complete yet */
	bool line_cut; /* its end is dropped */
	size_t total; /* bytes fed */
	size_t case_max, machine_max; /* caps, set by console_init() */
	bool panicked; /* "Kernel panic - not syncing" was seen */
};

void console_init(struct console *c);
void console_free(struct console *c);
void console_feed(struct console *c, const char *data, size_t len);
/* End of the log: a last line without LF is taken. */
void console_end(struct console *c);

/* The newest point with this id and nth, or NULL while its mark has not been seen. */
struct console_point *console_find(const struct console *c, int64_t id, int nth);
/* True once another point began after `p`. */
bool console_is_past(const struct console *c, const struct console_point *p);
/* True when the piece that is being written, or all of it together, is beyond its cap. */
bool console_flooded(const struct console *c);
/* Frees the text: what is judged and logged is not kept. */
void console_release(struct console_point *p);

#endif
