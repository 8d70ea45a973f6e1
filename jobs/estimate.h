/* SPDX-License-Identifier: MIT */
/*
 * estimate: how long a submission may still take, from how long such jobs took. A range, and nothing
 * at all when nothing is known: a number that somebody waits by is not invented.
 *
 * A job takes between the quartiles of those that ended. Jobs are given to S slots as these become
 * free, which takes at least max(W / S, C) and at most W / S + C: W is all work that is left, C the
 * longest chain of jobs that wait for one another (R. L. Graham, Bounds on multiprocessing timing
 * anomalies, SIAM J. Appl. Math. 17, 1969). The lower end takes the lower quartiles, and that nobody
 * else's jobs come first; the upper end the upper ones, and that they all do.
 * Pure; durations are µs. Thread: any.
 */
#ifndef FAULTLINE_JOBS_ESTIMATE_H
#define FAULTLINE_JOBS_ESTIMATE_H

#include <stddef.h>
#include <stdint.h>

/* Jobs of one kind. */
struct estimate_jobs {
	int waiting; /* not begun */
	int others; /* somebody else's that are not ended */
	const int64_t *running_us; /* since when each of those that run does */
	size_t n_running;
	const int64_t *known_us; /* how long such jobs took; any order */
	size_t n_known;
	int slots; /* that take this kind now */
};

enum estimate {
	ESTIMATE_RANGE,
	ESTIMATE_NO_SLOTS, /* nobody is there to do it */
	ESTIMATE_UNKNOWN, /* no such job has ended yet */
	ESTIMATE_NOTHING_LEFT
};

/* A test waits for a build when there are builds that have not ended. *ret_low_us and *ret_high_us,
 * rounded as far as anybody can mean it, are set with ESTIMATE_RANGE alone. */
enum estimate estimate_left(const struct estimate_jobs *builds, const struct estimate_jobs *tests,
			    int64_t *ret_low_us, int64_t *ret_high_us);

/* "about 40 s", "6 min to 1 h 20 min"; of a range of estimate_left(). Owned. */
char *estimate_text(int64_t low_us, int64_t high_us);

#endif
