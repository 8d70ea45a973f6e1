/* SPDX-License-Identifier: MIT */
/*
 * ktap_reader: what a test program printed, read as KTAP (Documentation/dev-tools/ktap.rst) the way that
 * the kernel's selftests write it (tools/testing/selftests/kselftest.h): version 13 or 1; a
 * directive before or after the name; results nested by "# " or by two spaces, below a version line
 * of their own. Any other line means nothing, and any bytes are read.
 * Thread: any.
 */
#ifndef FAULTLINE_JOBS_KTAP_READER_H
#define FAULTLINE_JOBS_KTAP_READER_H

#include <stdbool.h>
#include <stddef.h>

enum ktap_directive { KTAP_PLAIN, KTAP_SKIP, KTAP_XFAIL, KTAP_TIMEOUT, KTAP_ERROR };

struct ktap_test {
	char *name; /* printable, at most KTAP_NAME_LEN bytes; "test 3" when it has none */
	bool ok; /* as it is written, before the directive */
	enum ktap_directive directive;
	int depth; /* 0 = not nested */
};

struct ktap {
	struct ktap_test *tests; /* in the order of the output */
	size_t n, cap;
	bool found; /* a version line, a plan or a result was there */
	bool bailed; /* "Bail out!" */
	bool skipped; /* the plan is 1..0: nothing was to be run */
	bool broken; /* a plan that does not fit its results, or a number out of order */
	char *comment; /* the words after "1..0 # SKIP" or "Bail out!"; NULL = none */
};

#define KTAP_NAME_LEN 80 /* leaves room for a prefix in LIMIT_NAME_LEN */
#define KTAP_TESTS_MAX 1000 /* the longest in 6.12 has some 800 */

/* Reads `text`, which ends with a zero. `complete` = nothing of it was cut off: only then a plan
 * that is not fulfilled makes it broken. ktap_free() afterwards. */
void ktap_read(const char *text, bool complete, struct ktap *ret);
void ktap_free(struct ktap *k);
/* Fails: not ok without a directive that excuses it. */
bool ktap_test_fails(const struct ktap_test *t);

#endif
