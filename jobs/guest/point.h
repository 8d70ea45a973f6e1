/* SPDX-License-Identifier: MIT */
/* One point: one run of one scenario with (at most) one fault, and its `result` record. */
#ifndef FAULTLINE_GUEST_POINT_H
#define FAULTLINE_GUEST_POINT_H

#include "fault.h"
#include "problem.h"
#include "request.h"
#include "scenario.h"

#include <stdbool.h>
#include <stdint.h>

struct point_request {
	const struct request_case *item;
	const struct scenario_row *row;
	const struct fault_session *session; /* NULL: no fault was asked for */
	uint32_t nth; /* 0 unless the mode is nth or sweep */
	bool cap; /* the last point that a sweep may have */
};

struct point_outcome {
	uint32_t injected;
	bool skipped;
	bool passed; /* ran to its end, and all checks are ok */
	bool unkillable; /* the machine is of no more use */
};

/*
 * Makes the memory that points share with init, for each of them. Without it the first point does:
 * a machine that a snapshot is taken of shall have it, so that a restored one need not.
 */
void point_prepare(void);

/*
 * Runs it and writes `begin`, the marks, and `result` to the port. Returns 0 or -errno when the
 * records could not be written or no process be made.
 */
int point_run(int port, const struct point_request *request, struct point_outcome *ret_outcome,
	      struct problem *problem) __attribute__((warn_unused_result));

/* `begin` and a `result` with outcome skip, for a point that is not run at all. */
int point_skip(int port, const struct request_case *item, uint32_t nth, const char *reason,
	       const char *detail) __attribute__((warn_unused_result));

/*
 * The facts as they can be reported: the processes of the point may have died at any byte, in a
 * kernel that is being broken. Nothing may write to it any more. In point_run() for every point.
 */
void point_sanitise(struct point *point);

#endif
