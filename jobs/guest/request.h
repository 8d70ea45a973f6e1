/* SPDX-License-Identifier: MIT */
/* What the host asks for (docs/guest-protocol.md, "Request"), parsed strictly. */
#ifndef FAULTLINE_GUEST_REQUEST_H
#define FAULTLINE_GUEST_REQUEST_H

#include "fault.h"
#include "problem.h"

#include <stdbool.h>
#include <stdint.h>

#define REQUEST_LINE_MAX 1024 /* the protocol's cap, without the line break */
#define REQUEST_CASES_MAX 512
#define REQUEST_SITES_MAX 32
#define REQUEST_SCENARIO_MAX 64
#define REQUEST_DEADLINE_MAX_MS 3600000u

struct request_case {
	uint32_t id;
	char scenario[REQUEST_SCENARIO_MAX];
	struct fault_spec fault;
	uint32_t from; /* first n of a sweep, >= 1 */
	uint32_t points; /* of a sweep, at most, in this request; 0: as many as there are */
	uint32_t deadline_ms; /* 0: the scenario's own */
};

/* Where to calibrate, whether a case of this request asks for it or not. */
struct request_site {
	char site[FAULT_SITE_MAX];
	enum fault_facility facility;
};

enum request_state {
	REQUEST_HEADER, /* waits for "faultline-request 1" */
	REQUEST_CASES, /* waits for case and calibrate lines, "run" or "skips" */
	REQUEST_RUN, /* complete */
	REQUEST_POWEROFF,
};

struct request {
	enum request_state state;
	unsigned int line; /* number of the last line fed, from 1 */
	bool skips_only; /* answer the cases that do not apply to this kernel and run none */
	unsigned int count;
	struct request_case cases[REQUEST_CASES_MAX];
	unsigned int sites_count;
	struct request_site sites[REQUEST_SITES_MAX];
};

void request_reset(struct request *request);

/*
 * Takes one line, without its line break. Returns 0 with request->state advanced, or -EINVAL and
 * a sentence without the line number (request->line has it). The line is taken apart in place.
 */
int request_feed(struct request *request, char *line, struct problem *problem)
	__attribute__((warn_unused_result));

#endif
