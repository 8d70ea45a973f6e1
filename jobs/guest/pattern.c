/* SPDX-License-Identifier: MIT */
#include "pattern.h"

#include "prng.h"

#include <string.h>

#define WORDS_PER_PAGE (PATTERN_PAGE / sizeof(uint64_t))

/* odd, so that the words of a page are all different */
#define WORD_STEP UINT64_C(0x9e3779b97f4a7c15)

static uint64_t page_base(size_t page, uint64_t seed)
{
	uint64_t state = seed ^ ((uint64_t)page << 32);

	return prng_next(&state);
}

void pattern_fill(void *memory, size_t first, size_t pages, uint64_t seed)
{
	uint64_t *word = memory;
	size_t page, i;

	for (page = first; page < first + pages; page++) {
		uint64_t value = page_base(page, seed);

		for (i = 0; i < WORDS_PER_PAGE; i++, value += WORD_STEP)
			*word++ = value;
	}
}

static long first_wrong_byte(const void *memory, uint64_t expected)
{
	const unsigned char *is = memory;
	unsigned char want[sizeof(expected)];
	size_t i;

	memcpy(want, &expected, sizeof(want));
	for (i = 0; i < sizeof(want) - 1 && is[i] == want[i]; i++)
		;
	return (long)i;
}

long pattern_check(const void *memory, size_t first, size_t pages, uint64_t seed)
{
	const volatile uint64_t *word = memory;
	const char *start = memory;
	size_t page, i;

	for (page = first; page < first + pages; page++) {
		uint64_t value = page_base(page, seed);

		for (i = 0; i < WORDS_PER_PAGE; i++, value += WORD_STEP, word++) {
			const char *at = (const char *)(uintptr_t)word;

			if (*word != value)
				return at - start + first_wrong_byte(at, value);
		}
	}
	return -1;
}

unsigned char pattern_byte(size_t page, size_t offset, uint64_t seed)
{
	uint64_t value = page_base(page, seed) + offset / sizeof(uint64_t) * WORD_STEP;
	unsigned char bytes[sizeof(value)];

	memcpy(bytes, &value, sizeof(bytes));
	return bytes[offset % sizeof(value)];
}

long pattern_check_zero(const void *memory, size_t size)
{
	const unsigned char *byte = memory;
	size_t i;

	for (i = 0; i < size; i++)
		if (byte[i])
			return (long)i;
	return -1;
}
