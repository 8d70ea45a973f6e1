/* SPDX-License-Identifier: MIT */
#include "prng.h"

uint64_t prng_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint32_t prng_first_failure(uint64_t seed, unsigned int percent)
{
	uint32_t index;

	for (index = 1; index < PRNG_INDEX_MAX; index++)
		if (prng_next(&seed) % 100 < percent)
			break;
	return index;
}
