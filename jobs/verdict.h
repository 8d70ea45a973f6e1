/* SPDX-License-Identifier: MIT */
/*
 * verdict: the words for what came of a case. The only definition of these enums.
 * Thread: any. May be included by everything above lib.
 */
#ifndef FAULTLINE_JOBS_VERDICT_H
#define FAULTLINE_JOBS_VERDICT_H

#include <stdbool.h>

/* In the order of precedence: what a summary of several results shows is the first that occurs
 * (FAIL before ERROR before MISS before PASS before DONE before SKIP; KCIDB's order). */
enum status {
	STATUS_FAIL, /* the kernel under test is at fault */
	STATUS_ERROR, /* the test itself broke */
	STATUS_MISS, /* infrastructure; the case never ran */
	STATUS_PASS,
	STATUS_DONE, /* a measurement without a verdict */
	STATUS_SKIP, /* does not apply to this kernel */
	STATUS_COUNT
};

enum reason {
	REASON_NONE, /* PASS and DONE */
	/* FAIL */
	REASON_OOPS,
	REASON_BUG,
	REASON_WARN,
	REASON_KASAN,
	REASON_LOCKDEP,
	REASON_HANG,
	REASON_LIVELOCK,
	REASON_UNKILLABLE,
	REASON_DATA,
	REASON_COUNTER,
	REASON_LEAK,
	REASON_ERRNO,
	REASON_INVARIANT,
	REASON_PANIC,
	REASON_RCU_STALL,
	REASON_SOFT_LOCKUP,
	REASON_BUILD,
	/* ERROR */
	REASON_INEFFECTIVE,
	REASON_TRUNCATED,
	REASON_HARNESS,
	/* MISS */
	REASON_LEASE,
	REASON_BOOT_HOST,
	REASON_QEMU,
	REASON_DISK,
	REASON_AGENT,
	REASON_TIMEOUT_HOST,
	/* SKIP */
	REASON_PREDEPOSIT,
	REASON_KCONFIG,
	REASON_ARCH,
	REASON_COUNT
};

const char *status_name(enum status s); /* "FAIL" */
bool status_parse(const char *name, enum status *ret);
const char *reason_name(enum reason r); /* "rcu_stall"; "" for none */
bool reason_parse(const char *name, enum reason *ret); /* "" and NULL are REASON_NONE */
/* The status that a reason belongs to; REASON_NONE gives PASS. */
enum status reason_status(enum reason r);
/* Exit code of the command line for a set of results: counts[] by status. 0 all passed or
 * skipped, 1 FAIL, 2 ERROR or MISS (or nothing at all). */
int status_exit_code(const int counts[STATUS_COUNT]);

#endif
