/* SPDX-License-Identifier: MIT */
/*
 * Memory contents that tell where they belong: every 8-byte word differs from every other of the
 * same fixture, and no page is all zeroes (a zero-filled page would be mapped to the shared zero
 * page when its THP is split: try_to_map_unused_to_zeropage(), mm/migrate.c).
 */
#ifndef FAULTLINE_GUEST_PATTERN_H
#define FAULTLINE_GUEST_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATTERN_PAGE 4096 /* the unit of the pattern, whatever the machine's page size is */

/* Fills `pages` pages at `memory` with the contents of pages first, first+1, … of the fixture. */
void pattern_fill(void *memory, size_t first, size_t pages, uint64_t seed);

/*
 * Compares every byte with what pattern_fill() of the same arguments wrote.
 * Returns -1 if all are right, else the offset in bytes of the first wrong one.
 */
long pattern_check(const void *memory, size_t first, size_t pages, uint64_t seed);

/* The byte of the pattern at `offset` of page `page`. */
unsigned char pattern_byte(size_t page, size_t offset, uint64_t seed);

/* Returns -1 if all `size` bytes are zero, else the offset of the first that is not. */
long pattern_check_zero(const void *memory, size_t size);

#endif
