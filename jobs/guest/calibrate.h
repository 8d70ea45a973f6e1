/* SPDX-License-Identifier: MIT */
/*
 * Does this kernel allocate at a site when it splits a PMD? Found out once per request, by a
 * split with the fault armed for an allocation that is never reached (docs/guest-protocol.md).
 */
#ifndef FAULTLINE_GUEST_CALIBRATE_H
#define FAULTLINE_GUEST_CALIBRATE_H

#include "fault.h"
#include "problem.h"

#include <stdbool.h>
#include <stdint.h>

struct calibration {
	char site[FAULT_SITE_MAX];
	enum fault_facility facility;
	int64_t splits;
	int64_t hits; /* allocations at the site that the facility saw */
	bool allocates; /* false only if a THP was split and no page table was allocated */
	bool possible; /* false: this kernel cannot inject there, see `error` */
	struct problem error;
};

/* Fills in the calibration. Never fails: what went wrong is part of the answer. */
void calibrate_site(const char *site, enum fault_facility facility, bool swap,
		    struct calibration *ret_calibration);

/* Writes the `calibration` record. Returns 0 or -errno. */
int calibrate_send(const struct calibration *calibration, int port)
	__attribute__((warn_unused_result));

#endif
