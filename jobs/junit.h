/* SPDX-License-Identifier: MIT */
/*
 * junit: results as JUnit XML, in the dialect that Jenkins reads (junit-10.xsd of its xunit plugin,
 * jenkinsci/xunit-plugin) and that most others read too.
 *
 * One <testsuite> a run, one <testcase> a result; its class is "faultline.<scenario>", its name the
 * fault. FAIL is <failure>, ERROR and MISS are <error>, SKIP is <skipped>, each with the reason as
 * its type; PASS and DONE have none of them. <system-out> has what was measured and the excerpt of
 * the kernel's report. Measurements are properties of the suite besides, since the schema has none
 * of a case.
 * Thread: any.
 */
#ifndef FAULTLINE_JOBS_JUNIT_H
#define FAULTLINE_JOBS_JUNIT_H

#include "jobs/export.h"

void junit_write(const struct export *e, struct buf *out);

#endif
