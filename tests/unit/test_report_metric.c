/* SPDX-License-Identifier: MIT */
#include "tests/unit/test_report.h"

/* "[44,45]" as the values of a test of a commit. */
static void add_values(struct json_object *view, const char *commit, const char *values)
{
	struct json_object *p = json_object_new_object(), *list = NULL;
	struct error err = ERROR_INIT;

	assert_int_equal(json_parse(values, strlen(values), &list, &err), 0);
	put(p, "commit", commit);
	json_object_object_add(p, "runs",
			       json_object_new_int64((int64_t)json_object_array_length(list)));
	json_object_object_add(p, "values", list);
	json_object_array_add(json_object_object_get(view, "probes"), p);
}

static struct json_object *metric_view(const char *unit)
{
	struct json_object *view = load("crash"), *m = json_object_new_object();

	put(view, "title", "memory.pgtables: pgtables.per_thp 40 → 45 kB (+12.5 %)");
	put(view, "scenario", "memory.pgtables");
	put(m, "name", "pgtables.per_thp");
	put(m, "unit", unit);
	json_object_object_add(view, "metric", m);
	json_object_object_add(view, "probes", json_object_new_array());
	return view;
}

/* The parent of the first bad commit was not tested for it, and a commit that was has other values. */
static struct json_object *series_view(void)
{
	static const char between[] = "[{\"commit\":\"" PARENT "\",\"values\":[4,4,4,4,4]},"
				      "{\"commit\":\"" CULPRIT "\",\"values\":[9,9,9,9,9]}]";
	struct json_object *view = metric_view("kB"), *list = NULL;
	struct error err = ERROR_INIT;

	assert_int_equal(json_parse(between, strlen(between), &list, &err), 0);
	json_object_object_add(json_object_object_get(view, "metric"), "between", list);
	add_values(view, CULPRIT, "[8,8,8,8,8]");
	add_values(view, GOOD, "[4,4,4,4,4,4]");
	return view;
}

static void test_metric(void **state)
{
	CLEANUP(json_put_p) struct json_object *view = metric_view("kB"), *few = metric_view("");
	CLEANUP(json_put_p) struct json_object *series = series_view();
	CLEANUP(free_p) char *text = NULL, *of_ends = NULL, *nobody = NULL, *of_series = NULL;
	struct json_object *e, *list;

	(void)state;
	for (int i = 0; i < 2; i++) {
		add_values(view, PARENT, "[40,39,41,40,40]");
		add_values(view, CULPRIT, "[45,45,45,45,null,45]");
	}
	text = text_of(view, &opts);
	assert_has(text, "\n  memory.pgtables: pgtables.per_thp 40 → 45 kB (+12.5 %)\n");
	assert_has(text, "\n              40 ±1.7%       +12.5%                45 ±0.0%  "
			 "pgtables.per_thp, kB\n");
	/* ten and ten that do not overlap: two of C(20, 10) */
	assert_has(text, "\nRank test: p = 1.1e-05, shift +5\n\n"
			 "Of 10 and 10 values.\n");
	assert_has(text, "#regzbot introduced: " PARENT ".." CULPRIT "\n");
	assert_lacks(text, "fail:runs");
	assert_lacks(text, "Fisher");
	assert_has(text, " --repeat=10\n");
	/* what could be tested, and says too little */
	json_object_object_add(view, "culprit", NULL);
	e = add_change(view, "bisected");
	put(e, "why", "both sides are too much alike");
	list = json_object_new_array();
	json_object_array_add(list, json_str(PARENT));
	json_object_array_add(list, json_str(CULPRIT));
	json_object_object_add(e, "suspects", list);
	nobody = text_of(view, &opts);
	assert_has(nobody, "It began with one of these 2 commits, and nobody is named: both sides\n"
			   "are too much alike.\n");
	/* what the series measured itself is the parent's, as long as nothing else is */
	of_series = text_of(series, &opts);
	assert_has(of_series, "\nlast good commit: " PARENT);
	assert_has(of_series, "\nRank test: p = 0.0079, shift +4\n\nOf 5 and 5 values.\n");
	/* the first bad commit was run too little: the ends; of nothing there is no share */
	add_values(few, PARENT, "[0]");
	add_values(few, CULPRIT, "[4]");
	add_values(few, GOOD, "[0,0,0,0,0]");
	add_values(few, BAD, "[4,4,4,4,4]");
	of_ends = text_of(few, &opts);
	assert_has(of_ends, "          111111111111                         444444444444\n");
	assert_has(of_ends, "               0 ±0.0%                              4 ±0.0%  "
			    "pgtables.per_thp\n");
}

static void test_metric_fixed(void **state)
{
	CLEANUP(json_put_p) struct json_object *view = metric_view("kB");
	struct report_opts o = opts;
	CLEANUP(free_p) char *text = NULL;
	struct json_object *e, *good = json_object_new_object(), *bad = json_object_new_object();

	(void)state;
	put(view, "fixed", BAD);
	put(view, "state", "fixed");
	e = add_change(view, "fixed");
	json_object_object_add(good, "n", json_object_new_int(10));
	json_object_object_add(good, "median", json_object_new_double(40.5));
	json_object_object_add(bad, "n", json_object_new_int(20));
	json_object_object_add(bad, "median", json_object_new_double(45));
	json_object_object_add(e, "good", good);
	json_object_object_add(e, "bad", bad);
	o.kind = REPORT_FIXED;
	text = text_of(view, &o);
	assert_has(text, "This is back to where it was:\n");
	assert_has(text, "The median of 10 values is 40.5 there, and was 45 of 20.\n");
	assert_has(text, "#regzbot fix: " BAD "\n");
	assert_lacks(text, "fail:runs");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_metric),
		cmocka_unit_test(test_metric_fixed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
