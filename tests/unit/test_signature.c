/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "jobs/signature.h"
#include "lib/buf.h"
#include "lib/clean.h"

/* What a failure is made of; NULL is nothing of the kind. */
struct failure {
	const char *scenario;
	enum reason reason;
	const char *detail, *passed, *broken, *fingerprint;
};

static char *sign(const struct failure *f, char ret[SIGNATURE_MAX])
{
	struct result r;
	char *title = NULL;

	result_init(&r);
	r.scenario = xstrdup(f->scenario);
	r.status = STATUS_FAIL;
	r.reason = f->reason;
	r.detail = f->detail ? xstrdup(f->detail) : NULL;
	r.checks = xcalloc(2, sizeof(*r.checks));
	if (f->passed)
		r.checks[r.n_checks++] = (struct check){ .name = xstrdup(f->passed), .ok = true };
	if (f->broken)
		r.checks[r.n_checks++] = (struct check){ .name = xstrdup(f->broken) };
	if (f->fingerprint) {
		r.splat.kind = SPLAT_BUG;
		r.splat.title = xstrdup("kernel BUG in f");
		strcpy(r.splat.fingerprint, f->fingerprint);
	}
	signature_of(&r, ret, &title);
	result_free(&r);
	return title;
}

#define PRINT "0123456789abcdef"

static const struct {
	struct failure a, b;
	bool same;
	const char *title; /* of a */
} pairs[] = {
	/* a report is the same wherever it appears */
	{ { "split.mbind", REASON_BUG, "x", NULL, NULL, PRINT },
	  { "split.munmap", REASON_BUG, "y", NULL, "data.pattern", PRINT },
	  true,
	  "kernel BUG in f" },
	{ { "split.mbind", REASON_BUG, NULL, NULL, NULL, PRINT },
	  { "split.mbind", REASON_BUG, NULL, NULL, NULL, "fedcba9876543210" },
	  false,
	  "kernel BUG in f" },
	/* a check by its name, in any scenario; what holds does not count */
	{ { "split.mbind", REASON_LEAK, "1 page", NULL, "leak.machine_tables", NULL },
	  { "split.munmap", REASON_LEAK, "2 pages", "errno.allowed", "leak.machine_tables", NULL },
	  true,
	  "leak: leak.machine_tables" },
	{ { "split.mbind", REASON_LEAK, NULL, NULL, "leak.machine_tables", NULL },
	  { "split.mbind", REASON_LEAK, NULL, NULL, "leak.machine_pages", NULL },
	  false,
	  "leak: leak.machine_tables" },
	/* without either: the scenario */
	{ { "split.mbind", REASON_HANG, "1 s", NULL, NULL, NULL },
	  { "split.mbind", REASON_HANG, "2 s", NULL, NULL, NULL },
	  true,
	  "hang in split.mbind" },
	{ { "split.mbind", REASON_HANG, NULL, NULL, NULL, NULL },
	  { "split.munmap", REASON_HANG, NULL, NULL, NULL, NULL },
	  false,
	  "hang in split.mbind" },
	{ { "split.mbind", REASON_HANG, NULL, NULL, NULL, NULL },
	  { "split.mbind", REASON_LIVELOCK, NULL, NULL, NULL, NULL },
	  false,
	  "hang in split.mbind" },
	/* a build error, wherever in its file */
	{ { "build", REASON_BUILD, "mm/rmap.c:1:2: error: 'x1' undeclared", NULL, NULL, NULL },
	  { "build", REASON_BUILD, "mm/rmap.c:310:22: error: 'x1' undeclared", NULL, NULL, NULL },
	  true,
	  "build: mm/rmap.c:1:2: error: 'x1' undeclared" },
	{ { "build", REASON_BUILD, "mm/rmap.c:1: error: 'x' undeclared", NULL, NULL, NULL },
	  { "build", REASON_BUILD, "mm/ksm.c:1: error: 'x' undeclared", NULL, NULL, NULL },
	  false,
	  "build: mm/rmap.c:1: error: 'x' undeclared" },
	{ { "build", REASON_BUILD, NULL, NULL, NULL, NULL },
	  { "build", REASON_BUILD, "", NULL, NULL, NULL },
	  true,
	  "build: " },
};

static void test_pairs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		char a[SIGNATURE_MAX], b[SIGNATURE_MAX];
		CLEANUP(free_p) char *title = sign(&pairs[i].a, a);
		CLEANUP(free_p) char *other = sign(&pairs[i].b, b);

		assert_string_equal(title, pairs[i].title);
		assert_non_null(other);
		assert_int_equal(strlen(a), SIGNATURE_MAX - 1);
		if ((strcmp(a, b) == 0) != pairs[i].same)
			fail_msg("pair %zu: '%s' %s, '%s' %s", i, title, a, other, b);
	}
}

static void test_only_failures(void **state)
{
	(void)state;
	for (int s = 0; s < STATUS_COUNT; s++) {
		struct result r;
		char sig[SIGNATURE_MAX] = "x", *title = sig;

		if (s == STATUS_FAIL)
			continue;
		result_init(&r);
		r.status = (enum status)s;
		r.reason = REASON_BUG;
		signature_of(&r, sig, &title);
		assert_string_equal(sig, "");
		assert_null(title);
		result_free(&r);
	}
}

static void test_metrics(void **state)
{
	char a[SIGNATURE_MAX], b[SIGNATURE_MAX];

	(void)state;
	signature_of_metric("memory.pgtables", "pgtables.per_thp", METRIC_WORSE_MORE, a);
	assert_int_equal(strspn(a, "0123456789abcdef"), SIGNATURE_MAX - 1);
	signature_of_metric("memory.pgtables", "pgtables.per_thp", METRIC_WORSE_MORE, b);
	assert_string_equal(a, b);
	signature_of_metric("memory.pgtables", "pgtables.per_thp", METRIC_WORSE_LESS, b);
	assert_string_not_equal(a, b);
	signature_of_metric("memory.pgtables", "pgtables.per_split_thp", METRIC_WORSE_MORE, b);
	assert_string_not_equal(a, b);
	signature_of_metric("memory.other", "pgtables.per_thp", METRIC_WORSE_MORE, b);
	assert_string_not_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_metrics),
		cmocka_unit_test(test_only_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
