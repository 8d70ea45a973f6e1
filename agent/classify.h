/* SPDX-License-Identifier: MIT */
/*
 * classify: a kernel log of any length, as it comes → every splat in it, and what fault injection
 * printed. The log is read through a window of some thousand lines: time is linear in its length,
 * memory does not depend on it.
 *
 *   classify_init(&c); classify_feed(&c, …); …; classify_end(&c, NULL); read c; classify_free(&c);
 *
 * Thread: one owner at a time. Included by agent/ and cli/.
 */
#ifndef FAULTLINE_AGENT_CLASSIFY_H
#define FAULTLINE_AGENT_CLASSIFY_H

#include <stdint.h>

#include "agent/splat.h"
#include "lib/buf.h"

/* Nobody reads more; the rest is counted. */
#define CLASSIFY_SPLATS_MAX 200

struct classified {
	struct splat splat;
	size_t line; /* of its beginning, from 1 on; 0 for silence */
};

struct classify {
	struct classified *found; /* in the log's order */
	size_t n_found, cap_found;
	size_t more; /* splats beyond CLASSIFY_SPLATS_MAX */
	int traces; /* of injections */
	struct stack *stacks; /* of them, the distinct ones */
	size_t n_stacks;
	size_t lines; /* of the log */

	/* the window */
	struct buf text; /* whole lines, and the one that is not complete */
	size_t line_len; /* of the one that is not complete, as far as it is kept */
	size_t text_lines;
	uint8_t *carried; /* what is known of the window's first lines from the window before */
	size_t n_carried;
	size_t splat_from, inject_from; /* lines of the window that are done */
	const char *expect; /* borrowed */
	bool expect_seen, not_blank;
};

/* `expect`: text that a whole log holds, or NULL; borrowed until classify_end(). */
void classify_init(struct classify *c, const char *expect);
void classify_feed(struct classify *c, const char *data, size_t len);
/* The log is over. A log without a splat that lacks the expected text is a splat: silence. */
void classify_end(struct classify *c);
void classify_free(struct classify *c);

/* {"version":1,"splats":[…],"more":0,"injections":{…},"lines":0}, docs/classify.md. */
struct json_object *classify_to_json(const struct classify *c);

struct decode_opts;
/* Gives every trace its files and lines (agent/decode.h); on an error none. */
must_check int classify_decode(struct classify *c, const struct decode_opts *opts,
			       struct error *err);

#endif
