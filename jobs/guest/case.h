/* SPDX-License-Identifier: MIT */
/* The cases of one request: calibrations, skips, points, sweeps, and the KTAP around them. */
#ifndef FAULTLINE_GUEST_CASE_H
#define FAULTLINE_GUEST_CASE_H

#include "machine.h"
#include "problem.h"
#include "request.h"

/*
 * Answers a whole request. Returns 0, or -errno with the sentence that is to follow "Bail out! ":
 * the machine is then of no more use.
 */
int case_run_all(int port, const struct request *request, const struct machine *machine,
		 struct problem *problem) __attribute__((warn_unused_result));

#endif
