/* SPDX-License-Identifier: MIT */
/*
 * badge: what is known of a branch as a small picture (SVG) for its README or mail archive.
 * Pure. Thread: any.
 */
#ifndef FAULTLINE_JOBS_BADGE_H
#define FAULTLINE_JOBS_BADGE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"

/* What is known of a branch. */
struct badge_facts {
	bool known; /* it is followed */
	int64_t regressions; /* open ones that were confirmed */
	int64_t unconfirmed; /* open ones that were not yet */
	bool under_way; /* its newest commit is being tested, or looked at for regressions */
	bool judged; /* its newest commit has verdicts: infrastructure's failures are none */
};

#define BADGE_MESSAGE_MAX 48

/* What the picture says, in this order: "N regressions", "testing", "no regressions", "unknown". */
void badge_message(const struct badge_facts *f, char ret[BADGE_MESSAGE_MAX]);

/* Width of printable ASCII in pixels at the badge's size, rounded up. */
int badge_text_width(const char *s);

/* Appends the picture. `subject` is what it is of ("mm mm-unstable"), any text; it is in the title
 * alone, which readers for the blind speak. */
void badge_svg(const struct badge_facts *f, const char *subject, struct buf *out);

#endif
