/* SPDX-License-Identifier: MIT */
/*
 * api_doc: a result document of the size and shape that one run of the plan thp-split yields.
 * Thread: any.
 */
#ifndef FAULTLINE_BENCH_API_DOC_H
#define FAULTLINE_BENCH_API_DOC_H

#include "jobs/result.h"

/* `n` results; `salt` makes documents differ in their numbers. Owned contents. */
void api_doc_make(struct result_doc *doc, int n, int salt);

#endif
