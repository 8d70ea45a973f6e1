/* SPDX-License-Identifier: MIT */
/*
 * kcidb: results as a KCIDB report, schema 5.3 (kcidb_io/schema/v05_03.py in kernelci/kcidb-io).
 *
 * Every id begins with the origin. A result is a test; its path is "faultline.", the scenario, what
 * of the fault is not the default, and the mode: "faultline.split.mprotect.nth-3". Of a sweep the
 * closing result is "….sweep" and its points are below it: "….sweep.nth-1". Each metric of a
 * measurement (DONE) is a test below its case, with a number. A kernel's report is an issue by its
 * fingerprint, and an incident ties it to the test. What the schema has no member for is in "misc".
 * What is not known is left out: the format has no null.
 * Thread: any.
 */
#ifndef FAULTLINE_JOBS_KCIDB_H
#define FAULTLINE_JOBS_KCIDB_H

#include "jobs/export.h"

#define KCIDB_MAJOR 5
#define KCIDB_MINOR 3
#define KCIDB_EXCERPT_CHARS 16384 /* maxLength of every log_excerpt */

/* export.origin NULL counts as EXPORT_ORIGIN. */
void kcidb_write(const struct export *e, struct buf *out);
/* The test path of a result, cut to [a-zA-Z0-9_-] and dots. Owned. */
char *kcidb_path(const struct result *r);

#endif
