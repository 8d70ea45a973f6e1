/* SPDX-License-Identifier: MIT */
/*
 * clock: the one source of time. Instants are int64_t microseconds UTC (`*_us`), durations come
 * from the monotonic clock. Tests replace both with clock_fake().
 *
 * Thread: any. May be included by everything.
 */
#ifndef FAULTLINE_LIB_CLOCK_H
#define FAULTLINE_LIB_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define US_PER_MS INT64_C(1000)
#define US_PER_S INT64_C(1000000)

int64_t clock_now_us(void); /* UTC since the epoch */
int64_t clock_mono_us(void); /* monotonic, since some point */

/* Monotonic and never faked: for waiting on real processes and sockets. */
int64_t clock_real_mono_us(void);

/* From now on both clocks stand at `now_us` until clock_fake() is called again; 0 ends it. */
void clock_fake(int64_t now_us);

#define CLOCK_TEXT_MAX 32
/* "2026-01-31T23:59:59.123456Z" (RFC 3339). Returns `out`. */
char *clock_text(int64_t t_us, char out[CLOCK_TEXT_MAX]);
/* The way back, of exactly that form. False, and *ret_us as it was, for any other. */
bool clock_parse(const char *text, int64_t *ret_us);

#endif
