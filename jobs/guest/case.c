/* SPDX-License-Identifier: MIT */
#include "case.h"

#include "calibrate.h"
#include "ktap.h"
#include "leak.h"
#include "point.h"
#include "scenario.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SWEEP_POINTS_MAX 64
#define SETTLE_NS 100000000L
/* distinct sites times facilities; sites[] of a request and one case more always fit */
#define CALIBRATIONS_MAX (2 * REQUEST_SITES_MAX + 2)

/*
 * What is known about this kernel's sites. It holds for the machine's life, and so for every
 * machine that is restored from a snapshot of this one.
 */
static struct known {
	struct calibration calibration;
	bool sent; /* in the answer to this request */
} calibrations[CALIBRATIONS_MAX];
static unsigned int calibrations_count;

/*
 * The filters of the latest case with a fault. They do no harm while no task is armed, and the next
 * case mostly wants the same: some forty files that need not be read and written again. Only
 * fail_function arms no task but the whole machine, and slows every allocation: it is not kept.
 */
static struct kept {
	bool open;
	struct fault_session session;
} kept;

struct answer {
	int port;
	unsigned int number; /* of the case, from 1 */
	const struct request_case *item;
	const struct scenario_row *row;
	unsigned int points;
	bool passed;
};

static struct known *find_known(const char *site, enum fault_facility facility)
{
	unsigned int i;

	for (i = 0; i < calibrations_count; i++) {
		struct known *known = &calibrations[i];

		if (known->calibration.facility == facility &&
		    !strcmp(known->calibration.site, site))
			return known;
	}
	return NULL;
}

static void drop_session(void)
{
	if (kept.open)
		fault_session_close(&kept.session);
	kept.open = false;
}

static bool may_keep(const struct fault_spec *fault)
{
	return fault->mode != FAULT_MODE_NONE && fault->facility != FAULT_FAIL_FUNCTION;
}

static int keep_session(const struct fault_spec *fault, struct problem *problem)
{
	int r;

	if (kept.open && fault_session_fits(&kept.session, fault))
		return 0;
	drop_session();
	r = fault_session_open(&kept.session, fault, problem);
	kept.open = !r;
	return r;
}

static struct known *learn(const char *site, enum fault_facility facility, bool swap)
{
	struct known *known, *pages;

	if (calibrations_count == CALIBRATIONS_MAX)
		return NULL;
	known = &calibrations[calibrations_count];
	known->sent = false;
	drop_session();
	calibrate_site(site, facility, swap, &known->calibration);
	/* whether the kernel allocates is a question of pages, whatever facility is to fail */
	pages = find_known(site, FAULT_FAIL_PAGE_ALLOC);
	if (pages && pages->calibration.possible && pages->calibration.allocates)
		known->calibration.allocates = true;
	calibrations_count++;
	return known;
}

static int calibrate_once(int port, const char *site, enum fault_facility facility, bool swap,
			  struct problem *problem)
{
	struct known *known = find_known(site, facility);
	int r;

	if (!known)
		known = learn(site, facility, swap);
	if (!known)
		return problem_set(problem, -E2BIG, "more than %d sites", CALIBRATIONS_MAX);
	if (known->sent)
		return 0;
	known->sent = true;
	r = calibrate_send(&known->calibration, port);
	return r ? problem_set(problem, r, "cannot write a record: %s", strerror(-r)) : 0;
}

/* Pages first: what they tell is needed for every other facility. */
static int calibrate_both(int port, const char *site, enum fault_facility facility, bool swap,
			  struct problem *problem)
{
	int r = calibrate_once(port, site, FAULT_FAIL_PAGE_ALLOC, swap, problem);

	return r ? r : calibrate_once(port, site, facility, swap, problem);
}

static int calibrate_all(int port, const struct request *request, bool swap,
			 struct problem *problem)
{
	unsigned int i;
	int r = 0;

	/* a machine that is shared by many requests must not run out of room */
	if (calibrations_count > CALIBRATIONS_MAX / 2 && request->count > 1)
		calibrations_count = 0;
	for (i = 0; i < calibrations_count; i++)
		calibrations[i].sent = false;
	for (i = 0; i < request->sites_count && !r; i++)
		r = calibrate_both(port, request->sites[i].site, request->sites[i].facility, swap,
				   problem);
	for (i = 0; i < request->count && !r; i++) {
		const struct fault_spec *fault = &request->cases[i].fault;

		if (fault->mode != FAULT_MODE_NONE)
			r = calibrate_both(port, fault->site, fault->facility, swap, problem);
	}
	return r;
}

/*
 * Why the case does not apply to this kernel: the reason, with a sentence in `detail`, or NULL.
 */
static const char *skip_reason(const struct answer *answer, const struct machine *machine,
			       struct problem *detail)
{
	const struct fault_spec *fault = &answer->item->fault;
	const struct calibration *calibration;
	const char *missing = machine_missing(machine, answer->row->needs);

	if (missing) {
		(void)problem_set(detail, 0, "the kernel lacks %s", missing);
		return "kconfig";
	}
	if (fault->mode == FAULT_MODE_NONE)
		return NULL;
	calibration = &find_known(fault->site, fault->facility)->calibration;
	if (!calibration->possible) {
		*detail = calibration->error;
		return "kconfig";
	}
	if (fault->within != FAULT_WITHIN_SPLIT || answer->row->kind == SCENARIO_CONTROL)
		return NULL;
	if (!calibration->allocates) {
		(void)problem_set(detail, 0, "a PMD split allocates nothing at %s", fault->site);
		return "predeposit";
	}
	if (fault->facility != FAULT_FAIL_PAGE_ALLOC && !calibration->hits &&
	    calibration->splits > 0) {
		(void)problem_set(detail, 0, "nothing at %s passes %s in this configuration",
				  fault->site, fault_facility_name(fault->facility));
		return "kconfig";
	}
	return NULL;
}

static int run_points(struct answer *answer, const struct fault_session *session,
		      struct problem *problem)
{
	const struct fault_spec *fault = &answer->item->fault;
	struct point_request request = { answer->item, answer->row, session, 0, false };
	struct point_outcome outcome;
	int r;

	if (fault->mode == FAULT_MODE_SWEEP)
		request.nth = answer->item->from;
	else if (fault->mode == FAULT_MODE_NTH)
		request.nth = fault->nth;
	do {
		request.cap = ++answer->points == SWEEP_POINTS_MAX;
		r = point_run(answer->port, &request, &outcome, problem);
		if (r)
			return r;
		if (!outcome.passed && !outcome.skipped)
			answer->passed = false;
		if (outcome.unkillable)
			return problem_set(problem, -ETIMEDOUT, "id=%" PRIu32 " unkillable",
					   answer->item->id);
		request.nth++;
	} while (fault->mode == FAULT_MODE_SWEEP && outcome.injected && !request.cap &&
		 answer->points != answer->item->points);
	return 0;
}

static int end_case(const struct answer *answer, struct problem *problem)
{
	int r = ktap_line(answer->port, "%s %u %s # %u point%s", answer->passed ? "ok" : "not ok",
			  answer->number, answer->row->name, answer->points,
			  answer->points == 1 ? "" : "s");

	return r ? problem_set(problem, r, "cannot write: %s", strerror(-r)) : 0;
}

static int run_case(struct answer *answer, struct problem *problem)
{
	const struct fault_spec *fault = &answer->item->fault;
	bool faulty = fault->mode != FAULT_MODE_NONE;
	int r = 0;

	if (faulty)
		r = keep_session(fault, problem);
	else
		drop_session();
	if (!r)
		r = run_points(answer, faulty ? &kept.session : NULL, problem);
	if (!may_keep(fault))
		drop_session();
	return r ? r : end_case(answer, problem);
}

/*
 * The case is not run now but probably later, by a machine that is restored from a snapshot of this
 * one: that finds the first case's filters in place. What fails here fails again there, and is said
 * there.
 */
static int expect_case(const struct answer *answer, struct problem *problem)
{
	const struct fault_spec *fault = &answer->item->fault;
	struct problem later;

	if (may_keep(fault) && !kept.open)
		(void)keep_session(fault, &later);
	return end_case(answer, problem);
}

static int skip_case(const struct answer *answer, const char *reason, const struct problem *detail,
		     struct problem *problem)
{
	const struct fault_spec *fault = &answer->item->fault;
	uint32_t nth = 0;
	int r;

	if (fault->mode == FAULT_MODE_SWEEP)
		nth = answer->item->from;
	else if (fault->mode == FAULT_MODE_NTH)
		nth = fault->nth;
	r = point_skip(answer->port, answer->item, nth, reason, detail->text);
	if (!r)
		r = ktap_line(answer->port, "ok %u %s # SKIP %s", answer->number, answer->row->name,
			      reason);
	return r ? problem_set(problem, r, "cannot write: %s", strerror(-r)) : 0;
}

static int answer_case(int port, const struct request *request, unsigned int index,
		       const struct machine *machine, struct problem *problem)
{
	struct answer answer = {
		.port = port,
		.number = index + 1,
		.item = &request->cases[index],
		.row = scenario_find(request->cases[index].scenario),
		.passed = true,
	};
	struct problem detail = { "" };
	const char *reason = skip_reason(&answer, machine, &detail);

	if (reason)
		return skip_case(&answer, reason, &detail, problem);
	return request->skips_only ? expect_case(&answer, problem) : run_case(&answer, problem);
}

/*
 * What a boot leaves for later, and calibrations do (grace periods of RCU, workers that have to be
 * made, deferred frees), is done before a snapshot, and not again by every restored machine.
 */
static void settle(void)
{
	struct timespec time = { .tv_nsec = SETTLE_NS };
	struct leak_level level;

	leak_read(&level);
	nanosleep(&time, NULL);
}

int case_run_all(int port, const struct request *request, const struct machine *machine,
		 struct problem *problem)
{
	static struct record record;
	unsigned int i;
	int r;

	for (i = 0; i < request->count; i++)
		if (!scenario_find(request->cases[i].scenario))
			return problem_set(problem, -EINVAL, "id=%" PRIu32 ": no scenario %s",
					   request->cases[i].id, request->cases[i].scenario);
	r = ktap_line(port, "KTAP version 1");
	if (!r)
		r = ktap_line(port, "1..%u", request->count);
	if (r)
		return problem_set(problem, r, "cannot write: %s", strerror(-r));
	r = calibrate_all(port, request, machine_has(machine, "swap"), problem);
	for (i = 0; i < request->count && !r; i++)
		r = answer_case(port, request, i, machine, problem);
	if (r)
		return r;
	if (request->skips_only)
		settle();
	record_begin(&record, "end");
	r = record_send(&record, port);
	return r ? problem_set(problem, r, "cannot write: %s", strerror(-r)) : 0;
}
