/* SPDX-License-Identifier: MIT */
#include "agent/tsc.h"

#include <pthread.h>
#include <stdint.h>
#include <time.h>

#define MEASURE_NS 20000000
/* Of so many readings the one is taken that was interrupted least. */
#define TRIES 8

static unsigned int khz;

#ifdef __x86_64__
#include <x86intrin.h>

struct reading {
	uint64_t tsc;
	int64_t ns;
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct reading read_both(void)
{
	struct reading best = { 0 };
	uint64_t width = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		uint64_t before = __rdtsc();
		int64_t ns = now_ns();
		uint64_t after = __rdtsc();

		if (after - before < width) {
			width = after - before;
			best = (struct reading){ before + width / 2, ns };
		}
	}
	return best;
}

static void measure(void)
{
	const struct timespec pause = { .tv_nsec = MEASURE_NS };
	struct reading a = read_both(), b;

	nanosleep(&pause, NULL);
	b = read_both();
	if (b.ns > a.ns && b.tsc > a.tsc)
		khz = (unsigned int)((double)(b.tsc - a.tsc) * 1e6 / (double)(b.ns - a.ns) + 0.5);
}
#else
static void measure(void)
{
}
#endif

unsigned int tsc_khz(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, measure);
	return khz;
}
