/* SPDX-License-Identifier: MIT */
/* dash_fill: what its parts share. Thread: one. */
#ifndef FAULTLINE_BENCH_DASH_FILL_H
#define FAULTLINE_BENCH_DASH_FILL_H

#include "tests/bench/dash_world.h"

#define DASH_FORM 4 /* of what is filled in: another number and it is done again */

struct fill {
	const char *dir;
	struct store *store;
	struct error err;
	int64_t now_us;
	int64_t repos[2], branches[DASH_FOLLOWED];
	int at[DASH_LINES]; /* tested commits of each line so far */
	char *texts[2048];
	int64_t results, last_run, log_run, broken_run, fattest, open;
	int fattest_commits, commits, regressions;
};

void fill_must(int r, const char *what);
#define MUST(call) fill_must((call), #call)

/* Writes DIR/addresses: every kind of page, of the newest, the oldest and the fattest thing. */
void fill_addresses(struct fill *f);

#endif
