/* SPDX-License-Identifier: MIT */
/*
 * A program of the kernel's own selftests as a scenario: selftests.<name> runs the program below
 * SELFTEST_DIR, from exec to exit, with the fault (if any) armed for all of it, and keeps what it
 * wrote. What that means, the host judges.
 */
#ifndef FAULTLINE_GUEST_SELFTEST_H
#define FAULTLINE_GUEST_SELFTEST_H

#include "ktap.h"
#include "scenario.h"

#define SELFTEST_DIR "/selftests/"
#define SELFTEST_PREFIX "selftests."
#define SELFTEST_OUTPUT_MAX (128u << 10) /* the longest in 6.12, cow, writes some 60 KiB */

/* In memory that init shares with the scenario's process; valid for the last point only. */
struct selftest_run {
	bool started; /* exec was reached */
	bool ended;
	int32_t exit_status; /* of the program; -1: killed by `signal` */
	int32_t signal;
	uint32_t length; /* of `output`, without a terminating zero */
	uint32_t dropped; /* bytes that found no room any more */
	char output[SELFTEST_OUTPUT_MAX];
};

/* The row for "selftests.<name>", NULL for any other name. Valid until the next call. */
const struct scenario_row *selftest_find(const char *name);

/* The record of the last run; init clears it before a point. NULL when there is no memory for it. */
struct selftest_run *selftest_last(void);

/* Init, after the point: what the program wrote, in records `output`. Returns 0 or -errno. */
int selftest_send_output(struct record *record, int port, uint32_t id, uint32_t nth)
	__attribute__((warn_unused_result));
/* And how it ended: the member `program` of the result. */
void selftest_put(struct record *record);

/* The scenario's function. */
void scenario_selftest(struct scenario *s);

/* "-a 10" → { program, "-a", "10", NULL }, in place. Returns the number of words. */
int selftest_words(char *program, char *arguments, char **words, int max);

#endif
