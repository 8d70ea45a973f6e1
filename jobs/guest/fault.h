/* SPDX-License-Identifier: MIT */
/*
 * Making one allocation of one task fail, through the kernel's fault-injection framework
 * (Documentation/fault-injection/fault-injection.rst, lib/fault-inject.c).
 *
 * Two halves. Init opens a session (fault.c): the filters that say which allocations are meant are
 * pushed into debugfs, where they do no harm by themselves. The task under test then arms itself
 * around the operation under test (fault_arm.c), by writing to files that were opened before, so
 * that nothing of the harness runs while it is armed. A kernel thread that does the work is armed
 * in the same way, by whoever gives it the work. With fail_function it is the facility that is armed
 * for this time, and its stack filter alone says what is hit: off target is what other tasks split.
 */
#ifndef FAULTLINE_GUEST_FAULT_H
#define FAULTLINE_GUEST_FAULT_H

#include "kallsyms.h"
#include "problem.h"
#include "settings.h"

#include <stdbool.h>
#include <stdint.h>

#define FAULT_SITE_MAX KALLSYMS_NAME_MAX
#define FAULT_DEBUGFS "/sys/kernel/debug/"
#define FAULT_NEVER 1000000000u /* a fail-nth that is not reached, to count with */
#define FAULT_TIMES_MAX 1000000u /* `times` is always finite: some kernels retry for ever */

enum fault_mode {
	FAULT_MODE_NONE,
	FAULT_MODE_NTH,
	FAULT_MODE_BURST,
	FAULT_MODE_PROBABILITY,
	FAULT_MODE_SWEEP,
};

enum fault_within {
	FAULT_WITHIN_SPLIT,
	FAULT_WITHIN_ANY,
};

enum fault_facility {
	FAULT_FAIL_PAGE_ALLOC,
	FAULT_FAILSLAB,
	FAULT_FAIL_FUNCTION,
	FAULT_FACILITIES,
};

struct fault_spec {
	char site[FAULT_SITE_MAX];
	enum fault_within within;
	enum fault_facility facility;
	enum fault_mode mode;
	uint32_t nth;
	uint32_t times;
	unsigned int probability; /* percent, 1..100 */
	uint64_t seed;
};

/* Init's half. */
struct fault_session {
	struct settings settings;
	struct fault_spec spec; /* what it was opened for */
	enum fault_facility facility;
	struct symbol_range site;
	bool function_injected; /* it has to be taken out of fail_function/inject again */
};

/* What is needed to arm a task, and what was found afterwards. */
struct fault_arm {
	enum fault_mode mode;
	enum fault_facility facility;
	uint32_t nth; /* what goes to fail-nth, or to `space` in its place; 0 for none and burst */
	uint32_t times; /* no more than this many failures; 0 for none */
	uint32_t gap; /* allocations that pass behind the one that fail-nth makes fail */
	int32_t thread; /* the kernel thread that is armed; 0: the calling task */
	int nth_fd, fail_fd; /* its fail-nth and make-it-fail; -1: not used */
	int facility_fd; /* the facility's probability, where no task can be armed; else -1 */
	uint32_t injected; /* failures really injected, exact */
	int64_t hits; /* allocations that passed the filter, -1 if that cannot be told */
};

/* The name in requests and records; also the facility's directory in debugfs. */
const char *fault_facility_name(enum fault_facility facility);
bool fault_facility_parse(const char *word, enum fault_facility *ret_facility);
const char *fault_mode_name(enum fault_mode mode);
bool fault_mode_parse(const char *word, enum fault_mode *ret_mode);

/* What this kernel offers. */
bool fault_has_facility(enum fault_facility facility);
bool fault_has_stacktrace_filter(enum fault_facility facility);
bool fault_has_fail_nth(void);

/*
 * Points the facility at the spec's site and blinds all others, so that fail-nth counts only what
 * was asked for. Returns 0, or -errno when the kernel cannot do this (-ENOENT: it has no such
 * facility, knob or function); all knobs are then as before. `session` need not be initialised.
 */
int fault_session_open(struct fault_session *session, const struct fault_spec *spec,
		       struct problem *problem) __attribute__((warn_unused_result));

/* Whether an open session is as one that is opened for `spec` now. */
bool fault_session_fits(const struct fault_session *session, const struct fault_spec *spec);

/* Puts every knob back. */
void fault_session_close(struct fault_session *session);

/* Init: fills in `arm` for point `nth` of a sweep, or for the spec's only point. */
void fault_arm_init(struct fault_arm *arm, const struct fault_spec *spec, uint32_t nth);

/* Init, before each point: refills `times`, by which failures are counted, and `space`. */
int fault_arm_refill(const struct fault_arm *arm, struct problem *problem)
	__attribute__((warn_unused_result));

/*
 * Whoever arms: opens what fault_arm_now() writes to, of the kernel thread `thread`, or of the
 * calling task if that is 0. Returns 0 or -errno.
 */
int fault_arm_open(struct fault_arm *arm, int thread) __attribute__((warn_unused_result));

/* The writes around the operation. fault_disarm() fills `injected` and `hits`. */
int fault_arm_now(struct fault_arm *arm) __attribute__((warn_unused_result));
void fault_disarm(struct fault_arm *arm);
void fault_arm_close(struct fault_arm *arm);

/*
 * Init: the same counts, when `pid`, which was armed, never came to disarm (0: it is gone
 * altogether). A kernel thread is disarmed: it outlives the point.
 */
void fault_arm_collect(struct fault_arm *arm, int pid);

#endif
