/* SPDX-License-Identifier: MIT */
#include "prng.h"

#include <stdbool.h>

uint64_t prng_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static bool fails(uint64_t *state, unsigned int percent)
{
	return prng_next(state) % 100 < percent;
}

/* How many pass before the next one fails; that one is drawn. */
static uint32_t passes(uint64_t *state, unsigned int percent)
{
	uint32_t n = 0;

	while (n < PRNG_INDEX_MAX - 1 && !fails(state, percent))
		n++;
	return n;
}

uint32_t prng_first_failure(uint64_t seed, unsigned int percent)
{
	return passes(&seed, percent) + 1;
}

void prng_failures(uint64_t seed, unsigned int percent, uint32_t times,
		   struct prng_failures *ret_failures)
{
	struct prng_failures f = { .first = passes(&seed, percent) + 1 };

	if (times > 1) {
		f.gap = passes(&seed, percent);
		f.run = 1;
		while (f.run < times - 1 && fails(&seed, percent))
			f.run++;
	}
	*ret_failures = f;
}
