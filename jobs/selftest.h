/* SPDX-License-Identifier: MIT */
/*
 * selftest: what the exit code and the output of one of the kernel's own test programs mean, and how
 * they compare with the baseline: the same case's result on the same configuration. Pure functions.
 * docs/selftests.md explains the rules. Thread: any.
 */
#ifndef FAULTLINE_JOBS_SELFTEST_H
#define FAULTLINE_JOBS_SELFTEST_H

#include "jobs/judge.h"

#define SELFTEST_PREFIX "selftests."

struct selftest {
	const char *name; /* the case is selftests.<name> */
	const char *program;
};

/* The programs that are known (jobs/guest/selftests.def). */
const struct selftest *selftest_table(size_t *ret_n);
/* Of a case: its program's file name; NULL when it is no case of this kind. Borrowed. */
const char *selftest_program(const char *scenario);
/* Why a program is not run, NULL when it is. */
const char *selftest_left_out(const char *program);

/* Rules 4 to 10 for a program. `r` holds the facts that every point has; this adds the checks
 * program.exit, program.plan and subtest.*, and the verdict against in->baseline. A splat, a machine that ended and a task that SIGKILL
 * did not end were judged before. */
void selftest_judge(const struct judge_input *in, struct result *r);

#endif
