/* SPDX-License-Identifier: MIT */
/*
 * log: one line an event on stderr: time, level, event word, key=value ...
 * Called by main loops and handler tops only; library code returns errors instead.
 *
 * Thread: any (one write(2) a line).
 */
#ifndef FAULTLINE_LIB_LOG_H
#define FAULTLINE_LIB_LOG_H

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Lines below `level` are dropped; LOG_INFO by default. */
void log_set_level(enum log_level level);
/* fmt gives "key=value key=value"; values with blanks or control characters are the caller's to
 * quote with log_quote(). */
void log_event(enum log_level level, const char *event, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Quoted and escaped copy for one value, owned. */
char *log_quote(const char *s);

#endif
