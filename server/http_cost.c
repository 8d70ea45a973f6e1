/* SPDX-License-Identifier: MIT */
#include "server/http_cost.h"

#include <stdlib.h>

#include "lib/buf.h"

#define PLACES 4096 /* a power of two; most addresses are never asked for twice */
#define MEMORY 4 /* a new time weighs one in so many */

struct http_costs {
	int64_t us[PLACES];
};

struct http_costs *http_costs_new(void)
{
	return xcalloc(1, sizeof(struct http_costs));
}

void http_costs_free(struct http_costs *k)
{
	free(k);
}

/* FNV-1a. */
static uint32_t add_text(uint32_t h, const char *s)
{
	for (; s && *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

unsigned http_cost_place(const char *path, const char *query)
{
	uint32_t h = add_text(add_text(add_text(2166136261u, path), "?"), query);

	return (h ^ h >> 16) % PLACES;
}

int64_t http_cost_of(const struct http_costs *k, unsigned place)
{
	return k->us[place];
}

void http_cost_took(struct http_costs *k, unsigned place, int64_t us)
{
	int64_t *at = &k->us[place];

	*at = *at ? *at + (us - *at) / MEMORY : us;
}
