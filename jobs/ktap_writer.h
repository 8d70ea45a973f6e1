/* SPDX-License-Identifier: MIT */
/*
 * ktap_writer: results as KTAP, version 1 (Documentation/dev-tools/ktap.rst in Linux): a plan, then a line
 * a result, before it a diagnostic line with what explains a failure. SKIP, ERROR and TIMEOUT are
 * directives; infrastructure (MISS) is an ERROR, since KTAP has no word for it.
 * Thread: any.
 */
#ifndef FAULTLINE_JOBS_KTAP_WRITER_H
#define FAULTLINE_JOBS_KTAP_WRITER_H

#include "jobs/export.h"

void ktap_write(const struct export *e, struct buf *out);

#endif
