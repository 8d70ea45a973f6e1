/* SPDX-License-Identifier: MIT */
/*
 * utf8: what a character of text from outside may do to whoever reads it. utf8_len() of lib/buf.h
 * finds the characters.
 * Thread: any. May be included by everything.
 */
#ifndef FAULTLINE_LIB_UTF8_H
#define FAULTLINE_LIB_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Of a valid sequence of `n` = utf8_len() > 0 bytes. */
uint32_t utf8_code_point(const char *s, size_t n);
/* C0 and C1 controls, DEL, and U+…FFFE, U+…FFFF, which are no characters at all. */
bool utf8_is_control(uint32_t c);
/* Marks that change the order of what stands around them (UAX #9), hide, or end a line. */
bool utf8_is_deceptive(uint32_t c);

#endif
