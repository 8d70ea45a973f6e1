/* SPDX-License-Identifier: MIT */
/*
 * limits: every cap on something that comes from outside, each with its reason.
 */
#ifndef FAULTLINE_LIB_LIMITS_H
#define FAULTLINE_LIB_LIMITS_H

/* HTTP */
#define LIMIT_HTTP_BODY_BYTES (1 << 20) /* JSON requests: a submission is some hundred bytes */
#define LIMIT_HTTP_HEADER_BYTES (16 << 10) /* libmicrohttpd's pool for one connection */
#define LIMIT_HTTP_RESULT_BYTES (32 << 20) /* a result document with 1000 stacks is about 8 MiB */
#define LIMIT_HTTP_LOG_CHUNK_BYTES (1 << 20) /* one log append */
#define LIMIT_ARTIFACT_BYTES (256LL << 20) /* a bzImage with debug info stays below */
#define LIMIT_LOG_BYTES (128LL << 20) /* one job's log: of a thousand cases with their consoles */
#define LIMIT_BUILD_OUTPUT_BYTES (64LL << 20) /* in memory; a build with V=1 stays below */
#define LIMIT_URL_LEN 2048
#define LIMIT_REF_LEN 250 /* git's own limit for a path component is 255 */
#define LIMIT_NAME_LEN 100
#define LIMIT_TEXT_LEN 4096 /* messages, details, titles */

/* Machines */
#define LIMIT_CONSOLE_CASE_BYTES (1 << 20) /* 20,000 lines; a flooding case is cut here */
#define LIMIT_CONSOLE_MACHINE_BYTES (32LL << 20)
#define LIMIT_RECORD_BYTES (32 << 10) /* one guest record, docs/guest-protocol.md */
#define LIMIT_OUTPUT_BYTES (1 << 20) /* of one program; the guest keeps 128 KiB, escapes grow */
#define LIMIT_RECORDS_MACHINE 20000
#define LIMIT_SWEEP_POINTS 64 /* no split has been seen to allocate more than 3 times */
#define LIMIT_TIMES 1000 /* finite, so that no kernel is made to retry for ever */
#define LIMIT_CASES 10000 /* in one job: the largest plan, 20 times over, and room */
#define LIMIT_STACKS 32 /* distinct stacks kept for one result */
#define LIMIT_STACK_FRAMES 40 /* the filter itself looks at 32 */

/* Submissions */
#define LIMIT_COMMITS 256 /* of one submission's range */
#define LIMIT_BISECT_COMMITS 32768 /* to search; Linux 6.7 had over 17,000 without its merges */
#define LIMIT_BISECT_STEPS 4000 /* answers kept: 40 commits that are tested in 100 batches each */

#endif
