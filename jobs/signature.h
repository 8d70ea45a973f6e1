/* SPDX-License-Identifier: MIT */
/*
 * signature: what makes two failures the same one, whichever case, configuration and commit they
 * come from. A regression is one signature; two failures with different ones are never counted
 * together.
 *
 *   a report in the kernel's log   its fingerprint (agent/classify.c), its title
 *   a check that did not hold      reason and name of the first one: "leak: leak.machine_tables"
 *   a kernel that does not build   the first words of the error, without the place
 *   a metric that got worse        case, name, and which way it went
 *   anything else                  reason and scenario: "hang in split.mprotect"
 * Thread: any.
 */
#ifndef FAULTLINE_JOBS_SIGNATURE_H
#define FAULTLINE_JOBS_SIGNATURE_H

#include "jobs/metric.h"

#define SIGNATURE_MAX 17 /* 16 hex digits */

/* Of a result that is FAIL; of any other it is an empty string and NULL. *ret_title is the caller's. */
void signature_of(const struct result *r, char ret[SIGNATURE_MAX], char **ret_title);
/* Of a metric that got worse, whatever its values are. */
void signature_of_metric(const char *scenario, const char *name, enum metric_worse worse,
			 char ret[SIGNATURE_MAX]);

#endif
