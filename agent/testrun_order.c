/* SPDX-License-Identifier: MIT */
/*
 * In which order cases start. Longest first, by what they took in earlier runs, so that no long one
 * is left for the end when the other machines have nothing more to do; one that was never run may
 * be the longest. With a seed the order is drawn instead: whoever passes only in the plan's order
 * depends on another case.
 */
#include <stdlib.h>

#include "agent/testrun.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/limits.h"

static char *history_path(const struct testrun *run)
{
	return xasprintf("%s/cache/durations", run->opts->work);
}

/* What the case is called in the history: its title as a whole, whatever the repeat. */
static void case_title(const struct tcase *c, char *out, size_t size)
{
	const struct result r = { .scenario = c->pcase->scenario,
				  .fault = c->pcase->fault,
				  .closing = true };

	result_title(&r, out, size);
}

/*
 * splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014): the state
 * grows by a constant and is mixed. Part of what --shuffle promises: the same seed, the same order,
 * in every version.
 */
static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Fisher-Yates from the end; the remainder's bias is below 2^-50. */
static void shuffle(size_t *order, size_t n, uint64_t seed)
{
	for (size_t i = n; i > 1; i--) {
		size_t k = (size_t)(draw(&seed) % i), t = order[i - 1];

		order[i - 1] = order[k];
		order[k] = t;
	}
}

static int compare_longest(const void *a, const void *b, void *arg)
{
	const struct tcase *cases = arg;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int64_t dx = cases[x].expected_us, dy = cases[y].expected_us;

	if (dx != dy && (dx < 0 || dy < 0))
		return dx < 0 ? -1 : 1;
	if (dx != dy)
		return dx > dy ? -1 : 1;
	return x < y ? -1 : x > y;
}

void order_setup(struct testrun *run)
{
	CLEANUP(free_p) char *path = history_path(run);
	char title[LIMIT_NAME_LEN];

	history_load(&run->history, path);
	run->order = xcalloc(run->n_cases, sizeof(*run->order));
	for (size_t i = 0; i < run->n_cases; i++) {
		run->order[i] = i;
		case_title(&run->cases[i], title, sizeof(title));
		run->cases[i].expected_us = history_get(&run->history, title);
	}
	if (run->opts->shuffle_seed)
		shuffle(run->order, run->n_cases, run->opts->shuffle_seed);
	else
		qsort_r(run->order, run->n_cases, sizeof(*run->order), compare_longest, run->cases);
}

void order_learn(struct testrun *run)
{
	CLEANUP(free_p) char *path = history_path(run);
	char title[LIMIT_NAME_LEN];

	/* These take as long as they take. */
	if (run->opts->replay || run->opts->gdb_fd)
		return;
	for (size_t i = 0; i < run->n_cases; i++) {
		const struct tcase *c = &run->cases[i];

		if (!c->done || !c->spent_us)
			continue;
		case_title(c, title, sizeof(title));
		history_note(&run->history, title, c->spent_us);
	}
	if (history_save(&run->history, path, NULL) < 0)
		return; /* the next run is slower at worst */
}
