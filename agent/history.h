/* SPDX-License-Identifier: MIT */
/*
 * history: how long cases took in earlier runs, so that the longest can start first.
 *
 * A cache and no more: a file that is missing or damaged is an empty history, and of two runs that
 * write it at once one is remembered. Text, one line a case: "<µs> <title>".
 * Thread: one owner at a time. Included by agent/.
 */
#ifndef FAULTLINE_AGENT_HISTORY_H
#define FAULTLINE_AGENT_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

struct history_entry {
	char *title;
	int64_t us;
};

struct history {
	struct history_entry *v; /* sorted by title */
	size_t n, cap;
};

/* Never fails: see above. history_free(). */
void history_load(struct history *h, const char *path);
/* Moving average in µs, -1 for a title that is not known. */
int64_t history_get(const struct history *h, const char *title);
/* One more measurement; a quarter of the average is the newest. A title with a line break is
 * ignored. */
void history_note(struct history *h, const char *title, int64_t us);
/* Atomically. -ENOSPC and other trouble of files. */
must_check int history_save(const struct history *h, const char *path, struct error *err);
void history_free(struct history *h);

#endif
