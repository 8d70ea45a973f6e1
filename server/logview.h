/* SPDX-License-Identifier: MIT */
/*
 * logview: parts of a run's log as people look at them: whole lines, splats and injection traces
 * marked, and where the part of a result begins. A log has up to LIMIT_LOG_BYTES; nothing here reads
 * more than a bounded piece of it.
 * Thread: any. Included by page_log.c and api_log.c.
 */
#ifndef FAULTLINE_SERVER_LOGVIEW_H
#define FAULTLINE_SERVER_LOGVIEW_H

#include "lib/json.h"

#define LOGVIEW_BYTES (64 << 10) /* of a window */
#define LOGVIEW_FIND_BYTES (8 << 20) /* so far one search looks: some ms */

/* [from, to) of the log's `size` bytes. */
struct log_window {
	int64_t from, to, size;
};

/* The window that begins at `at`, moved to the beginning of the line there, if that is within 4 KiB.
 * Windows at multiples of LOGVIEW_BYTES follow one another without gap or overlap; so do a window
 * and the one that begins at its end. fd: the log, -1 for one of no bytes. */
must_check int logview_window(int fd, int64_t size, int64_t at, struct log_window *ret,
			      struct error *err);

/* What has come behind `at`, as whole lines as long as more may come. Empty (from == to) while there
 * is none. */
must_check int logview_tail(int fd, int64_t size, int64_t at, bool ended, struct log_window *ret,
			    struct error *err);

/* The window's text in pieces of one kind each:
 * [{"mark":"splat"|"inject"|null, "at":offset, "lines":[bytes of each line with its end, …],
 *   "text", "result":one of `results` or null}]
 * A piece begins where the part of a result does. What is before the window is looked at, so that a
 * report that began there is marked to its end. `results`: as from view_run_results_at(), or NULL. */
must_check int logview_chunks(int fd, const struct log_window *w, struct json_object *results,
			      struct json_object **ret, struct error *err);

/* Where `text` is found next, from `at` on, or before it when `back`: *ret_at, -1 for not found within
 * LOGVIEW_FIND_BYTES; then *ret_next is where to go on, -1 at the end. A text without capitals (A to Z)
 * is found in either case, any other byte for byte. */
must_check int logview_find(int fd, int64_t size, int64_t at, bool back, const char *text,
			    int64_t *ret_at, int64_t *ret_next, struct error *err);

enum log_mark { LOG_MARK_NONE, LOG_MARK_INJECT, LOG_MARK_SPLAT };

bool log_mark_parse(const char *name, enum log_mark *ret); /* "inject", "splat" */

/* The first line of that kind within [from, from + len), of which LOGVIEW_FIND_BYTES / 4 are looked
 * at; -1 when there is none. */
must_check int logview_find_mark(int fd, int64_t from, int64_t len, enum log_mark mark,
				 int64_t *ret_at, struct error *err);

#endif
