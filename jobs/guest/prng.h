/* SPDX-License-Identifier: MIT */
/*
 * The generator behind mode=probability, so that a seed replays the same failure everywhere:
 * splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014).
 */
#ifndef FAULTLINE_GUEST_PRNG_H
#define FAULTLINE_GUEST_PRNG_H

#include <stdint.h>

#define PRNG_INDEX_MAX 1000000u /* no operation under test allocates this often */

/* Advances `state` and returns the next 64 bits. */
uint64_t prng_next(uint64_t *state);

/*
 * Which allocation, counted from 1, is the first to fail when each fails with `percent` in 100:
 * the k-th fails if the k-th number drawn from `seed`, modulo 100, is below `percent`.
 * `percent` is 1..100. Never more than PRNG_INDEX_MAX.
 */
uint32_t prng_first_failure(uint64_t seed, unsigned int percent);

/*
 * The same draw, carried on: the first failure, `gap` allocations that pass, `run` that fail.
 * At most `times` (>= 1) fail, the first one included; what would fail behind the run passes.
 */
struct prng_failures {
	uint32_t first, gap, run;
};
void prng_failures(uint64_t seed, unsigned int percent, uint32_t times,
		   struct prng_failures *ret_failures);

#endif
