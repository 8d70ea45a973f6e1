/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "jobs/metric.h"
#include "lib/buf.h"
#include "lib/json.h"

static void assert_about(double got, double wanted)
{
	if (!(fabs(got - wanted) <= 1e-9 * fmax(1, fabs(wanted))))
		fail_msg("%.12g, not %.12g", got, wanted);
}

static void test_values(void **state)
{
	double odd[] = { 3, 1, 2 }, even[] = { 4, 1, 3, 2 }, negative[] = { -8, -4 };
	struct metric_summary m;

	(void)state;
	metric_summarise_values(odd, 3, &m);
	assert_int_equal(m.n, 3);
	assert_about(m.median, 2);
	assert_about(m.min, 1);
	assert_about(m.max, 3);
	assert_about(m.spread, 50); /* deviation 1 of 2 */
	metric_summarise_values(even, 4, &m);
	assert_about(m.median, 2.5);
	assert_about(m.spread, 100 * sqrt(5.0 / 3) / 2.5);
	metric_summarise_values(negative, 2, &m);
	assert_about(m.median, -6);
	assert_about(m.min, -8);
	assert_about(m.spread, 100 * sqrt(8) / 6);
}

static void test_spread_without_meaning(void **state)
{
	double one[] = { 5 }, zeroes[] = { 0, 0, 0 }, balanced[] = { -1, 1 }, same[] = { 7, 7 };
	struct metric_summary m;

	(void)state;
	metric_summarise_values(one, 1, &m);
	assert_true(isnan(m.spread));
	assert_about(m.median, 5);
	metric_summarise_values(zeroes, 3, &m);
	assert_about(m.spread, 0);
	metric_summarise_values(balanced, 2, &m);
	assert_true(isnan(m.spread));
	metric_summarise_values(same, 2, &m);
	assert_about(m.spread, 0);
}

/* A result with up to two metrics; names that are NULL are left out. */
static struct result *add(struct result_doc *d, const char *scenario, enum status status,
			  const char *first, double value, const char *second, double other)
{
	struct result *r = result_doc_add(d);

	r->scenario = xstrdup(scenario);
	r->status = status;
	r->reason = status == STATUS_FAIL ? REASON_DATA : REASON_NONE;
	r->metrics = xcalloc(2, sizeof(*r->metrics));
	if (first)
		r->metrics[r->n_metrics++] =
			(struct metric){ xstrdup(first), value, xstrdup("kB") };
	if (second)
		r->metrics[r->n_metrics++] =
			(struct metric){ xstrdup(second), other, xstrdup("ms") };
	return r;
}

static void assert_summary(const struct metric_summary *m, const char *scenario, const char *name,
			   size_t n, double median)
{
	assert_string_equal(m->first->scenario, scenario);
	assert_string_equal(m->name, name);
	assert_int_equal(m->n, n);
	assert_about(m->median, median);
}

static void test_groups(void **state)
{
	struct result_doc d = { 0 };
	struct metric_summary *m;
	size_t n;

	(void)state;
	add(&d, "z.last", STATUS_DONE, "size", 1, "a.time", 10);
	add(&d, "a.first", STATUS_DONE, "size", 100, NULL, 0);
	add(&d, "z.last", STATUS_DONE, "size", 3, "a.time", 30);
	add(&d, "z.last", STATUS_DONE, "size", 2, NULL, 0);
	metric_summarise(&d, &m, &n);
	assert_int_equal(n, 3);
	/* as in the document, not by the alphabet */
	assert_summary(&m[0], "z.last", "size", 3, 2);
	assert_string_equal(m[0].unit, "kB");
	assert_summary(&m[1], "z.last", "a.time", 2, 20);
	assert_string_equal(m[1].unit, "ms");
	assert_summary(&m[2], "a.first", "size", 1, 100);
	free(m);
	result_doc_free(&d);
}

static void test_what_is_apart(void **state)
{
	struct result_doc d = { 0 };
	struct metric_summary *m;
	size_t n;

	(void)state;
	add(&d, "m", STATUS_DONE, "size", 1, NULL, 0);
	add(&d, "m", STATUS_DONE, "size", 2, NULL, 0)->fault.mode = FAULT_BURST;
	add(&d, "m", STATUS_DONE, "size", 3, NULL, 0)->config = xstrdup("other");
	metric_summarise(&d, &m, &n);
	assert_int_equal(n, 3);
	free(m);
	result_doc_free(&d);
}

static void test_what_does_not_count(void **state)
{
	struct result_doc d = { 0 };
	struct metric_summary *m = (struct metric_summary *)&d;
	size_t n = 7;

	(void)state;
	metric_summarise(&d, &m, &n);
	assert_null(m);
	assert_int_equal(n, 0);
	add(&d, "m", STATUS_FAIL, "size", 1, NULL, 0);
	add(&d, "m", STATUS_PASS, "size", 2, NULL, 0);
	add(&d, "m", STATUS_DONE, "size", 4, NULL, 0)->closing = true;
	add(&d, "m", STATUS_DONE, "size", INFINITY, NULL, 0);
	add(&d, "m", STATUS_DONE, NULL, 0, NULL, 0);
	metric_summarise(&d, &m, &n);
	assert_null(m);
	assert_int_equal(n, 0);
	result_doc_free(&d);
}

static void test_line(void **state)
{
	struct metric m[] = {
		{ (char *)"rss.freed", 64, (char *)"pages" },
		{ (char *)"rate", 1.0 / 3, (char *)"MB/s" },
		{ (char *)"bare", 1e9, NULL },
		{ (char *)"fourth", 4, (char *)"" },
		{ (char *)"fifth", 5, (char *)"" },
	};
	CLEANUP(free_p) char *one = metric_line(m, 1);
	CLEANUP(free_p) char *all = metric_line(m, 5);

	(void)state;
	assert_null(metric_line(m, 0));
	assert_string_equal(one, "rss.freed 64 pages");
	assert_string_equal(all, "rss.freed 64 pages, rate 0.333333 MB/s, bare 1e+09 and 2 more");
}

static void test_json(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	CLEANUP(free_p) char *one = NULL;
	struct result_doc d = { 0 };
	struct metric_summary *m;
	size_t n;

	(void)state;
	add(&d, "m", STATUS_DONE, "size", 2, "time", 1.5);
	add(&d, "m", STATUS_DONE, "size", 4, NULL, 0);
	metric_summarise(&d, &m, &n);
	o = metric_summaries_to_json(m, n);
	one = xstrdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	assert_non_null(strstr(one, "\"case\":\"m\",\"config\":\"\",\"fault\":{"));
	assert_non_null(strstr(one, "\"name\":\"size\",\"unit\":\"kB\",\"n\":2,\"median\":3.0,"
				    "\"min\":2.0,\"max\":4.0,\"spread\":47.14"));
	assert_non_null(strstr(one, "\"name\":\"time\",\"unit\":\"ms\",\"n\":1,\"median\":1.5,"
				    "\"min\":1.5,\"max\":1.5,\"spread\":null"));
	free(m);
	result_doc_free(&d);
}

static void test_worse(void **state)
{
	static const struct {
		const char *scenario, *name;
		enum metric_worse worse;
	} rows[] = {
		{ "memory.pgtables", "pgtables.per_thp", METRIC_WORSE_MORE },
		{ "memory.pgtables", "thps", METRIC_WORSE_NEITHER },
		{ "zeropage.remap", "rss.freed", METRIC_WORSE_LESS },
		{ "zeropage.remap", "rss.freed_mlock", METRIC_WORSE_NEITHER },
		{ "ksm.zero_merge", "rate.zero.use_zero_1", METRIC_WORSE_LESS },
		{ "ksm.zero_merge", "cpu.alike.use_zero_0", METRIC_WORSE_MORE },
		{ "ksm.zero_merge", "freed_per_scanned.zero.use_zero_1", METRIC_WORSE_NEITHER },
		{ "mthp.fork_reuse", "copied.64kB", METRIC_WORSE_MORE },
		{ "flags.partially_mapped", "rounds", METRIC_WORSE_NEITHER },
		{ "split.mprotect", "rss.freed", METRIC_WORSE_NEITHER },
	};
	enum metric_worse w = METRIC_WORSE_COUNT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(metric_worse_of(rows[i].scenario, rows[i].name), rows[i].worse);
	for (int i = 0; i < METRIC_WORSE_COUNT; i++) {
		assert_true(metric_worse_parse(metric_worse_name((enum metric_worse)i), &w));
		assert_int_equal(w, i);
	}
	assert_false(metric_worse_parse("both", &w));
	assert_false(metric_worse_parse(NULL, &w));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_spread_without_meaning),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_what_is_apart),
		cmocka_unit_test(test_what_does_not_count),
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_worse),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
