/* SPDX-License-Identifier: MIT */
/*
 * fault: the fault specification: which allocation is to fail, and when.
 *
 * JSON: {"site":"pte_alloc_one","within":"split","facility":"fail_page_alloc","mode":"nth",
 *        "nth":3,"times":4,"probability":10,"seed":1}
 * On the command line the same as "mode=nth,nth=3" (what is missing has the default), or a bare
 * mode: "sweep".
 * Thread: any.
 */
#ifndef FAULTLINE_JOBS_FAULT_H
#define FAULTLINE_JOBS_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/json.h"

/* By which way of the kernel's the allocation at the site fails. fail_function is for pages too: what
 * it fails is the page allocator's own question whether to fail (docs/plans.md). */
enum fault_facility { FAULT_FAIL_PAGE_ALLOC, FAULT_FAILSLAB, FAULT_FAIL_FUNCTION };
enum fault_mode { FAULT_NONE, FAULT_NTH, FAULT_BURST, FAULT_PROBABILITY, FAULT_SWEEP };
enum fault_within { FAULT_WITHIN_SPLIT, FAULT_WITHIN_ANY };

#define FAULT_SITE_MAX 64
#define FAULT_NTH_MAX 1000000 /* no operation under test allocates nearly as often */

struct fault {
	char site[FAULT_SITE_MAX]; /* kernel symbol: [A-Za-z_][A-Za-z0-9_.]* */
	enum fault_within within;
	enum fault_facility facility;
	enum fault_mode mode;
	int nth; /* 1..: mode nth; in a sweep's result the n of that point */
	int times; /* how many fail, 1..LIMIT_TIMES: burst, the first; probability, at most */
	int probability; /* percent, 1..100 */
	uint64_t seed; /* probability: which allocation fails is drawn from it */
};

/* site pte_alloc_one, within split, fail_page_alloc, mode none, times 3 (1 with probability),
 * seed 1. */
void fault_defaults(struct fault *f);
/* Strict: unknown keys, unknown words and values out of range are errors that name the path; so
 * is a mode without the number it needs. What the mode does not use has its default afterwards. */
must_check int fault_from_json(const struct jval *v, struct fault *ret, struct error *err);
struct json_object *fault_to_json(const struct fault *f); /* only the keys that the mode uses */
must_check int fault_from_text(const char *text, struct fault *ret, struct error *err);
#define FAULT_TEXT_MAX 256
/* What fault_from_text() reads back; canonical: equal specs give equal text. */
void fault_to_text(const struct fault *f, char out[FAULT_TEXT_MAX]);
const char *fault_mode_name(enum fault_mode m);
const char *fault_facility_name(enum fault_facility f);
const char *fault_within_name(enum fault_within w);
bool fault_mode_parse(const char *s, enum fault_mode *ret);

/* True if a stack (innermost frame first, names without offsets) is on target for `f`: it holds
 * the site, and for within=split one of the functions that split a PMD, with no __pte_alloc()
 * below that. */
bool fault_stack_on_target(const struct fault *f, const char *const *frames, int n);

/* The function that a frame is of: without the suffixes of the compiler's clones and of allocation
 * profiling, which are the same function to us. Owned. */
char *fault_frame_fold(const char *frame);

#endif
