/* SPDX-License-Identifier: MIT */
/*
 * buf: a growing byte buffer, and the allocators that abort when memory is gone.
 *
 * Sizes that come from outside are capped (lib/limits.h) before they reach these functions.
 * Thread: one owner at a time. May be included by everything.
 */
#ifndef FAULTLINE_LIB_BUF_H
#define FAULTLINE_LIB_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct error;

/* Zeroed memory; abort() when there is none. */
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s); /* NULL in, NULL out */
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* `data` is always NUL-terminated at data[len] once something was added; NULL before. */
struct buf {
	char *data;
	size_t len;
	size_t cap;
};

/* clang-format off */
#define BUF_INIT { NULL, 0, 0 }
/* clang-format on */

void buf_free(struct buf *b); /* frees the contents; `b` is empty and usable again */
void buf_reset(struct buf *b); /* length 0, memory kept */
void buf_add(struct buf *b, const void *data, size_t len);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* Removes the first `n` bytes (n <= len). */
void buf_consume(struct buf *b, size_t n);
/* The contents as an owned string (never NULL); `b` is empty afterwards. */
char *buf_steal(struct buf *b);
/* "" instead of NULL while nothing was added. */
const char *buf_cstr(const struct buf *b);

/* Array helper: makes room for one more element in `arr` (count n, capacity cap). */
#define ARRAY_RESERVE(arr, n, cap)                                      \
	do {                                                            \
		if ((n) == (cap)) {                                     \
			(cap) = (cap) ? 2 * (cap) : 8;                  \
			(arr) = xrealloc((arr), (cap), sizeof(*(arr))); \
		}                                                       \
	} while (0)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Text that came from outside, made safe for one terminal or log line: control characters and
 * invalid UTF-8 become '?'. Owned result. */
char *str_printable(const char *s, size_t len);
/* Length of the valid UTF-8 sequence at s (RFC 3629), 0 when there is none. */
size_t utf8_len(const char *s, size_t len);
bool str_starts(const char *s, const char *prefix);
/* Strict decimal: digits only ('-' before them when min < 0), whole string, within [min, max]. 0 or -EINVAL/-ERANGE. */
int str_to_i64(const char *s, long long min, long long max, long long *ret_value);

#endif
