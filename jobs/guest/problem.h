/* SPDX-License-Identifier: MIT */
/*
 * The guest's error object: one sentence on the caller's stack. A guest function that can fail
 * returns 0 or -errno and takes it last; it is untouched on success, and may be NULL.
 */
#ifndef FAULTLINE_GUEST_PROBLEM_H
#define FAULTLINE_GUEST_PROBLEM_H

#define PROBLEM_TEXT_MAX 192 /* fits, escaped, into every record next to everything else */

struct problem {
	char text[PROBLEM_TEXT_MAX];
};

/* Stores the sentence, cut to fit, and returns `code` so that callers can return it in turn. */
int problem_set(struct problem *problem, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
