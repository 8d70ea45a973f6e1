// SPDX-License-Identifier: MIT
#include "jobs/estimate.h"

#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"

/* What is left of jobs of one kind when each takes `each` µs. */
struct left {
	int64_t work; /* together */
	int64_t longest; /* of one of them */
};

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Nearest rank: a quarter of those that are known took no longer, and no less. */
static void quartiles(const struct estimate_jobs *j, int64_t *ret_low, int64_t *ret_high)
{
	CLEANUP(free_p) int64_t *sorted = xcalloc(j->n_known, sizeof(*sorted));

	memcpy(sorted, j->known_us, j->n_known * sizeof(*sorted));
	qsort(sorted, j->n_known, sizeof(*sorted), by_size);
	*ret_low = sorted[(j->n_known - 1) / 4];
	*ret_high = sorted[j->n_known - 1 - (j->n_known - 1) / 4];
}

/* One that already took longer than `each` is taken to need `late` more. */
static struct left left_of(const struct estimate_jobs *j, int64_t each, int64_t late)
{
	struct left l = { .work = j->waiting * each, .longest = j->waiting ? each : 0 };

	for (size_t i = 0; i < j->n_running; i++) {
		int64_t rest = larger(each - j->running_us[i], late);

		l.work += rest;
		l.longest = larger(l.longest, rest);
	}
	return l;
}

static bool is_open(const struct estimate_jobs *j)
{
	return j->waiting || j->n_running;
}

static int64_t chain(const struct left *builds, const struct left *tests, int tests_waiting,
		     int64_t each_test)
{
	int64_t both = builds->longest + (tests_waiting ? each_test : 0);

	return larger(both, tests->longest);
}

/* To 10 s, from 5 min on to a minute, from 2 h on to 10 min; up. */
static int64_t rounded(int64_t us)
{
	int64_t minute = 60 * US_PER_S, step = 10 * US_PER_S;

	if (us >= 120 * minute)
		step = 10 * minute;
	else if (us >= 5 * minute)
		step = minute;
	return larger((us + step - 1) / step * step, step);
}

static enum estimate judge(const struct estimate_jobs *j)
{
	if (!is_open(j))
		return ESTIMATE_NOTHING_LEFT;
	if (j->slots <= 0)
		return ESTIMATE_NO_SLOTS;
	return j->n_known ? ESTIMATE_RANGE : ESTIMATE_UNKNOWN;
}

enum estimate estimate_left(const struct estimate_jobs *builds, const struct estimate_jobs *tests,
			    int64_t *ret_low_us, int64_t *ret_high_us)
{
	const struct estimate_jobs *kinds[] = { builds, tests };
	struct left low[2] = { { 0 } }, high[2] = { { 0 } };
	int64_t each_low[2] = { 0 }, each_high[2] = { 0 }, least = 0, most = 0;
	enum estimate is[] = { judge(builds), judge(tests) };

	for (int i = 0; i < 2; i++)
		if (is[i] == ESTIMATE_NO_SLOTS || is[i] == ESTIMATE_UNKNOWN)
			return is[i];
	if (is[0] == ESTIMATE_NOTHING_LEFT && is[1] == ESTIMATE_NOTHING_LEFT)
		return ESTIMATE_NOTHING_LEFT;
	for (int i = 0; i < 2; i++) {
		if (is[i] == ESTIMATE_NOTHING_LEFT)
			continue;
		quartiles(kinds[i], &each_low[i], &each_high[i]);
		low[i] = left_of(kinds[i], each_low[i], 0);
		high[i] = left_of(kinds[i], each_high[i], each_high[i] / 4);
		least = larger(least, low[i].work / kinds[i]->slots);
		most += (high[i].work + kinds[i]->others * each_high[i]) / kinds[i]->slots;
	}
	least = larger(least, chain(&low[0], &low[1], tests->waiting, each_low[1]));
	most += chain(&high[0], &high[1], tests->waiting, each_high[1]);
	*ret_low_us = rounded(least);
	*ret_high_us = rounded(most);
	return ESTIMATE_RANGE;
}

static void say(struct buf *b, int64_t us)
{
	int64_t minutes = us / (60 * US_PER_S), s = us / US_PER_S % 60;

	if (minutes >= 60)
		buf_printf(b, "%lld h ", (long long)(minutes / 60));
	if (minutes % 60)
		buf_printf(b, "%lld min ", (long long)(minutes % 60));
	if (s)
		buf_printf(b, "%lld s ", (long long)s);
	b->len--;
	b->data[b->len] = '\0';
}

char *estimate_text(int64_t low_us, int64_t high_us)
{
	struct buf b = BUF_INIT;

	if (low_us == high_us)
		buf_str(&b, "about ");
	say(&b, low_us);
	if (low_us != high_us) {
		buf_str(&b, " to ");
		say(&b, high_us);
	}
	return buf_steal(&b);
}
