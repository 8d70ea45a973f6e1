/* SPDX-License-Identifier: MIT */
/* One case over time. */
#include "tests/unit/test_store.h"

#include "db/store_regress.h"

#define CASE "split.mprotect"

static struct result *add(struct result_doc *doc, const char *scenario, enum fault_mode mode,
			  int nth, enum status status)
{
	struct result *x = result_doc_add(doc);

	result_init(x);
	x->scenario = xstrdup(scenario);
	x->repeat = 1;
	x->fault.mode = mode;
	x->fault.nth = nth;
	x->status = status;
	x->reason = status == STATUS_FAIL ? REASON_BUG : REASON_NONE;
	x->injected_on = mode == FAULT_NONE ? 0 : 2;
	x->injected_off = mode == FAULT_NONE ? 0 : 1;
	x->duration_us = 1000;
	return x;
}

/* Without a fault; two points of a sweep and what it ended with; something else. */
static void answer(const struct job *job, enum status first, enum status second)
{
	struct result_doc doc = { .kernel = { .release = xstrdup("6.12.117") } };
	bool fails = first == STATUS_FAIL || second == STATUS_FAIL;
	struct result *x;
	enum lease lease;

	doc.machine.accel = xstrdup("kvm");
	(void)add(&doc, CASE, FAULT_NONE, 0, STATUS_PASS);
	(void)add(&doc, CASE, FAULT_SWEEP, 1, first);
	x = add(&doc, CASE, FAULT_SWEEP, 2, second);
	x->detail = xstrdup("the second point");
	x = add(&doc, CASE, FAULT_SWEEP, 0, fails ? STATUS_FAIL : STATUS_PASS);
	x->closing = true;
	x->points = 2;
	(void)add(&doc, "split.munmap", FAULT_NTH, 1, STATUS_FAIL);
	x = add(&doc, CASE, FAULT_NONE, 0, STATUS_DONE);
	x->repeat = 2;
	x->n_metrics = 1;
	x->metrics = xcalloc(1, sizeof(*x->metrics));
	x->metrics[0] = (struct metric){ xstrdup("split_ns"), 1500.5, xstrdup("ns") };
	OK(store_test_done(store, job->id, "l", &doc, REASON_NONE, NULL, &lease, &err));
	assert_int_equal(lease, LEASE_OK);
	result_doc_free(&doc);
}

/* Of odd commits the second point fails. */
static void work(void)
{
	struct job job;

	while (claim_as("agent1", "l", &job) == CLAIM_JOB) {
		bool odd = strtol(job.commit + 36, NULL, 16) % 2;

		if (job.kind == JOB_BUILD)
			assert_int_equal(build_answer(job.id, "l", STATUS_PASS, REASON_NONE),
					 LEASE_OK);
		else
			answer(&job, STATUS_PASS, odd ? STATUS_FAIL : STATUS_PASS);
		job_free(&job);
	}
}

static struct json_object *view(const struct case_filter *f)
{
	struct case_filter with = *f;
	struct json_object *o = NULL;

	with.scenario = with.scenario ? with.scenario : CASE;
	with.limit = with.limit ? with.limit : 50;
	OK(view_case(store, &with, &o, &err));
	return o;
}

static size_t count(const struct case_filter *f)
{
	CLEANUP(json_put_p) struct json_object *o = view(f);

	return len_at(o, "items");
}

static void test_rows(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct json_object *row;

	(void)state;
	submit(0, 3, make_plan(1, "cases"));
	work();
	o = view(&(struct case_filter){ .limit = 0 });
	assert_string_equal(str_at(o, "case"), CASE);
	assert_true(*str_at(o, "summary") && *str_at(o, "path"));
	assert_int_equal(len_at(o, "items"), 3);
	for (size_t i = 0; i < 3; i++) {
		bool odd;

		row = json_object_array_get_idx(at(o, "items"), i);
		odd = strtol(str_at(row, "commit") + 36, NULL, 16) % 2;
		assert_string_equal(str_at(row, "status"), odd ? "FAIL" : "PASS");
		assert_string_equal(str_at(row, "reason"), odd ? "bug" : "");
		assert_int_equal(int_at(row, "fails"), odd);
		/* the closing result repeats what its points did */
		assert_int_equal(int_at(row, "results"), 4);
		assert_int_equal(int_at(row, "injected.on_target"), 4);
		assert_int_equal(int_at(row, "injected.off_target"), 2);
		assert_int_equal(int_at(row, "duration_us"), 4000);
		assert_string_equal(str_at(row, "config"), "default");
		assert_string_equal(str_at(row, "accel"), "kvm");
		assert_string_equal(str_at(row, "repo"), "demo");
		if (odd) {
			CLEANUP(json_put_p) struct json_object *one = NULL;

			/* the point that failed, not what the sweep ended with */
			assert_string_equal(str_at(row, "detail"), "the second point");
			assert_int_equal(int_at(row, "fault.nth"), 2);
			OK(view_result(store, int_at(row, "result"), &one, &err));
			assert_string_equal(str_at(one, "detail"), "the second point");
		}
		if (i)
			assert_true(
				int_at(row, "run") <
				int_at(json_object_array_get_idx(at(o, "items"), i - 1), "run"));
	}
}

static void test_filters(void **state)
{
	CLEANUP(json_put_p) struct json_object *none = NULL;

	(void)state;
	submit(0, 4, make_plan(1, "cases"));
	work();
	assert_int_equal(count(&(struct case_filter){ .status = "FAIL" }), 2);
	assert_int_equal(count(&(struct case_filter){ .status = "SKIP" }), 0);
	assert_int_equal(count(&(struct case_filter){ .repo = "demo", .ref = "topic" }), 4);
	assert_int_equal(count(&(struct case_filter){ .ref = "other" }), 0);
	assert_int_equal(count(&(struct case_filter){ .repo = "other" }), 0);
	assert_int_equal(count(&(struct case_filter){ .config = "default" }), 4);
	assert_int_equal(count(&(struct case_filter){ .config = "nothp" }), 0);
	/* without a fault nothing fails, and nothing was injected */
	assert_int_equal(count(&(struct case_filter){ .fault = "none", .status = "FAIL" }), 0);
	assert_int_equal(count(&(struct case_filter){ .fault = "nth" }), 0);
	none = view(&(struct case_filter){ .fault = "none" });
	assert_int_equal(len_at(none, "items"), 4);
	assert_int_equal(int_at(none, "items.0.results"), 2);
	assert_int_equal(int_at(none, "items.0.injected.on_target"), 0);
}

static void test_pages(void **state)
{
	CLEANUP(json_put_p) struct json_object *first = NULL, *second = NULL;
	struct json_object *next = NULL;

	(void)state;
	submit(0, 5, make_plan(1, "cases"));
	work();
	first = view(&(struct case_filter){ .limit = 3 });
	assert_int_equal(len_at(first, "items"), 3);
	second = view(&(struct case_filter){ .limit = 3, .cursor = str_at(first, "next") });
	assert_int_equal(len_at(second, "items"), 2);
	assert_true(int_at(second, "items.0.run") < int_at(first, "items.2.run"));
	assert_false(json_object_object_get_ex(second, "next", &next));
}

static void test_series(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	size_t n;

	(void)state;
	submit(0, 3, make_plan(1, "cases"));
	work();
	o = view(&(struct case_filter){ .limit = 2 });
	assert_int_equal(len_at(o, "points"), 2);
	assert_string_equal(str_at(o, "points.1.sha"), str_at(o, "items.0.commit"));
	assert_string_equal(str_at(o, "points.0.sha"), str_at(o, "items.1.commit"));
	n = len_at(o, "series");
	assert_int_equal(n, 3); /* of this case only */
	for (size_t i = 0; i < n; i++) {
		struct json_object *s = json_object_array_get_idx(at(o, "series"), i);
		const char *name = str_at(s, "name");
		double want = !strcmp(name, "split_ns")	  ? 1500.5
			      : !strcmp(name, "duration") ? 0.004
							  : 4;

		assert_string_equal(str_at(s, "scenario"), CASE);
		assert_int_equal(len_at(s, "values"), 2);
		assert_true(json_object_get_double(at(s, "values.0")) == want);
	}
}

/* Two runs of a commit: a place in a chart is a commit, and the newer run has it. */
static void test_commit_again(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;

	(void)state;
	submit(0, 2, make_plan(1, "cases"));
	work();
	submit(0, 2, make_plan(1, "other cases"));
	work();
	o = view(&(struct case_filter){ .fault = NULL });
	assert_int_equal(len_at(o, "items"), 4);
	assert_int_equal(len_at(o, "points"), 2);
	assert_string_equal(str_at(o, "points.0.sha"), str_at(o, "items.3.commit"));
	assert_int_equal(len_at(o, "series.0.values"), 2);
	assert_non_null(at(o, "series.0.values.0"));
	assert_non_null(at(o, "series.0.values.1"));
}

static void test_unknown(void **state)
{
	struct case_filter f = { .scenario = "split.nobody", .limit = 5 };
	struct json_object *o = NULL;

	(void)state;
	assert_int_equal(view_case(store, &f, &o, &err), -ENOENT);
	f.scenario = CASE; /* known, and never ran */
	OK(view_case(store, &f, &o, &err));
	assert_int_equal(len_at(o, "items"), 0);
	assert_int_equal(len_at(o, "regressions"), 0);
	json_object_put(o);
	f.limit = 0;
	assert_int_equal(view_case(store, &f, &o, &err), -EINVAL);
	f.limit = 5;
	f.cursor = "r5";
	assert_int_equal(view_case(store, &f, &o, &err), -EINVAL);
}

static void test_regressions(void **state)
{
	struct case_seen seen = { .config = (char *)"default",
				  .scenario = (char *)"split.munmap",
				  .fault = (char *)"{}" };
	struct case_seen also = { .config = (char *)"default",
				  .scenario = (char *)CASE,
				  .fault = (char *)"{}" };
	const struct case_seen *const cases[] = { &seen, &also };
	const struct regression_new found = { .signature = "0123456789abcdef",
					      .title = "BUG in x",
					      .reason = "bug",
					      .good_id = 1,
					      .bad_id = 2,
					      .cases = cases,
					      .n_cases = 2 };
	CLEANUP(json_put_p) struct json_object *o = NULL, *other = NULL;
	int n;

	(void)state;
	submit(0, 2, make_plan(1, "cases"));
	work();
	o = view(&(struct case_filter){ .status = "FAIL" });
	seen.failure = also.failure = int_at(o, "items.0.result");
	json_object_put(o);
	OK(store_compare_done(store, 1, &found, 1, &n, &err));
	o = view(&(struct case_filter){ .limit = 5 });
	assert_int_equal(len_at(o, "regressions"), 1);
	assert_string_equal(str_at(o, "regressions.0.title"), "BUG in x");
	other = view(&(struct case_filter){ .scenario = "split.mremap" });
	assert_int_equal(len_at(other, "regressions"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_filters, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_series, setup, teardown),
		cmocka_unit_test_setup_teardown(test_commit_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown, setup, teardown),
		cmocka_unit_test_setup_teardown(test_regressions, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
