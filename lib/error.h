/* SPDX-License-Identifier: MIT */
/*
 * error: one error object, on the caller's stack, as the last argument.
 *
 * A fallible function returns 0 or -errno and fills `err`. On success `err` is untouched; on
 * failure the function's ret_* outputs are untouched. Nothing here allocates.
 * Thread: any. May be included by everything.
 */
#ifndef FAULTLINE_LIB_ERROR_H
#define FAULTLINE_LIB_ERROR_H

#define must_check __attribute__((warn_unused_result))

struct error {
	int code; /* errno value, positive; 0 = no error */
	char msg[256];
};

/* clang-format off */
#define ERROR_INIT { .code = 0, .msg = "" }
/* clang-format on */

/* Fills `err` (may be NULL) and returns `r`, which must be a negative errno. */
int error_set(struct error *err, int r, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Like error_set() with ": <strerror(-r)>" appended. */
int error_errno(struct error *err, int r, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Puts "<fmt>: " before the message that is there ("outer: inner") and returns `r`. */
int error_wrap(struct error *err, int r, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
