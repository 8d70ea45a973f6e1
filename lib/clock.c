/* SPDX-License-Identifier: MIT */
#include "lib/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static _Atomic int64_t fake_us;

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

int64_t clock_now_us(void)
{
	int64_t fake = atomic_load(&fake_us);

	return fake ? fake : read_clock(CLOCK_REALTIME);
}

int64_t clock_mono_us(void)
{
	int64_t fake = atomic_load(&fake_us);

	return fake ? fake : read_clock(CLOCK_MONOTONIC);
}

int64_t clock_real_mono_us(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

void clock_fake(int64_t now_us)
{
	atomic_store(&fake_us, now_us);
}

char *clock_text(int64_t t_us, char out[CLOCK_TEXT_MAX])
{
	int64_t us = t_us % US_PER_S;
	time_t s = (time_t)(t_us / US_PER_S);
	struct tm tm;
	char date[24] = "";

	if (us < 0) {
		us += US_PER_S;
		s--;
	}
	if (!gmtime_r(&s, &tm) || !strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm)) {
		snprintf(out, CLOCK_TEXT_MAX, "invalid");
		return out;
	}
	snprintf(out, CLOCK_TEXT_MAX, "%.20s.%06dZ", date, (int)us);
	return out;
}

bool clock_parse(const char *text, int64_t *ret_us)
{
	char again[CLOCK_TEXT_MAX];
	struct tm tm = { 0 };
	int64_t t_us;
	int us;

	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%6dZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &us) != 7)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	t_us = timegm(&tm) * US_PER_S + us;
	/* blanks, signs, short numbers, days and hours that are none: it is written in another way */
	if (strcmp(clock_text(t_us, again), text) != 0)
		return false;
	*ret_us = t_us;
	return true;
}
