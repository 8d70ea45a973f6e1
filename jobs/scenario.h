/* SPDX-License-Identifier: MIT */
/*
 * scenario: the catalogue, made from jobs/guest/scenarios.def, which the guest includes too.
 * Thread: any.
 */
#ifndef FAULTLINE_JOBS_SCENARIO_H
#define FAULTLINE_JOBS_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>

enum scenario_kind {
	SCENARIO_KIND_SPLIT, /* must split; a requested fault must be injected on target */
	SCENARIO_KIND_CONTROL, /* must not be hit: an injection on target is a failure */
	SCENARIO_KIND_METRIC, /* measures: DONE */
	SCENARIO_KIND_SELFTEST /* a program of the kernel's own: jobs/selftest.h */
};

#define SCENARIO_NAME_LEN 63 /* the guest's REQUEST_SCENARIO_MAX, without the NUL */

struct scenario {
	const char *name; /* "split.mprotect" */
	enum scenario_kind kind;
	const char *allowed_errnos; /* "ENOMEM EAGAIN", besides 0 */
	int deadline_ms;
	const char *needs; /* kernel features, blank-separated */
	const char *summary;
	const char *path; /* kernel function chain */
};

const struct scenario *scenario_table(size_t *ret_n);
/* NULL when unknown. Any valid name selftests.<program> is known: the programs are the tree's. */
const struct scenario *scenario_find(const char *name);
/* The alphabet of names, known or not: words of [A-Za-z0-9_-] joined by '.', not beginning
 * with '-', at most SCENARIO_NAME_LEN bytes. Whatever comes from outside must pass it before it is
 * stored or sent to a guest. */
bool scenario_name_is_valid(const char *name);
/* fnmatch(3) pattern against the name. */
bool scenario_matches(const struct scenario *s, const char *glob);

#endif
