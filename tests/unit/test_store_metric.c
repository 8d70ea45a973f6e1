/* SPDX-License-Identifier: MIT */
#include "tests/unit/test_store_older.h"

#include <math.h>

#include "db/store_regress.h"

#define NAME "pgtables.per_thp"

static const char *accel = "kvm"; /* of the machines that answer */

/* One result a repeat: "8" is the value, "F" a failure, "-" no metric of that name. */
static void add_result(struct result_doc *doc, const struct plan_case *c, char what)
{
	struct result *x = result_doc_add(doc);

	result_init(x);
	x->scenario = xstrdup(c->scenario);
	x->repeat = c->repeat;
	x->duration_us = 100;
	x->status = what == 'F' ? STATUS_FAIL : STATUS_DONE;
	x->reason = what == 'F' ? REASON_DATA : REASON_NONE;
	x->n_metrics = 3;
	x->metrics = xcalloc(3, sizeof(*x->metrics));
	x->metrics[0] = (struct metric){ xstrdup(what == '-' ? "other" : NAME),
					 what >= '0' && what <= '9' ? what - '0' : 99,
					 xstrdup("kB") };
	x->metrics[1] = (struct metric){ xstrdup("thps"), 32, xstrdup("") };
	x->metrics[2] = (struct metric){ xstrdup("nothing"), NAN, xstrdup("") };
}

static void answer(const struct job *job, const char *values)
{
	struct result_doc doc = { .kernel = { .release = xstrdup("6.12.117") } };
	enum lease lease;

	doc.machine.accel = xstrdup(accel);
	for (size_t i = 0; i < job->n_cases; i++)
		add_result(&doc, &job->cases[i], values[i % strlen(values)]);
	OK(store_test_done(store, job->id, "l", &doc, REASON_NONE, NULL, &lease, &err));
	assert_int_equal(lease, LEASE_OK);
	result_doc_free(&doc);
}

/* Answers everything that is queued, by the last digits of the commit. */
static void work(const char *const *by_commit)
{
	struct job job;

	while (claim_as("agent1", "l", &job) == CLAIM_JOB) {
		if (job.kind == JOB_BUILD)
			assert_int_equal(build_answer(job.id, "l", STATUS_PASS, REASON_NONE),
					 LEASE_OK);
		else
			answer(&job, by_commit[strtol(job.commit + 36, NULL, 16)]);
		job_free(&job);
	}
}

/* memory.pgtables, five times. */
static const struct plan *metrics_plan(void)
{
	static struct plan_case cases[5];
	static struct plan p;

	p = *make_plan(1, "metrics");
	for (int i = 0; i < 5; i++) {
		cases[i] = (struct plan_case){ .scenario = (char *)"memory.pgtables",
					       .repeat = i + 1 };
		fault_defaults(&cases[i].fault);
	}
	p.cases = cases;
	p.n_cases = 5;
	return &p;
}

/* "name accel unit: position=value …" of each series. */
static char *series_text(int64_t submission)
{
	struct metric_series *all;
	struct buf b = BUF_INIT;
	size_t n;

	OK(store_compare_metrics(store, submission, &all, &n, &err));
	for (size_t i = 0; i < n; i++) {
		buf_printf(&b, "%s%s %s %s %s %s:", i ? "; " : "", all[i].config, all[i].scenario,
			   all[i].name, all[i].accel, all[i].unit);
		for (size_t k = 0; k < all[i].n; k++)
			buf_printf(&b, " %d=%g", all[i].values[k].position, all[i].values[k].value);
	}
	metric_series_free(all, n);
	return buf_steal(&b);
}

static void test_series(void **state)
{
	static const char *const values[] = { "44F44", "5-5" };
	int64_t id = submit(0, 2, metrics_plan());
	CLEANUP(free_p) char *text = NULL;

	(void)state;
	work(values);
	assert_state(id, "done");
	text = series_text(id);
	/* what failed measured a broken kernel; what is no number was not measured */
	assert_string_equal(text, "default memory.pgtables other kvm kB: 1=99 1=99; "
				  "default memory.pgtables pgtables.per_thp kvm kB: "
				  "0=4 0=4 0=4 0=4 1=5 1=5 1=5; "
				  "default memory.pgtables thps kvm : "
				  "0=32 0=32 0=32 0=32 1=32 1=32 1=32 1=32 1=32");
}

/* What an older server stored: the values were in the documents alone. */
static void test_migration_finds_the_values(void **state)
{
	static const char *const values[] = { "44F44", "5-5" };
	CLEANUP(free_p) char *before = NULL, *after = NULL;
	int64_t id = submit(0, 2, metrics_plan());

	(void)state;
	work(values);
	before = series_text(id);
	assert_non_null(strstr(before, NAME));
	reopen_older(4);
	after = series_text(id);
	assert_string_equal(after, before);
}

static void test_nothing_measured(void **state)
{
	int64_t id = submit(0, 2, make_plan(1, "cases"));
	CLEANUP(free_p) char *text = NULL;

	(void)state;
	drain(all_pass);
	text = series_text(id);
	assert_string_equal(text, "");
}

/* The regression of the metric from position 0 of a submission to its last one. */
static int64_t declare(int64_t submission)
{
	struct regression_metric metric = { .name = (char *)NAME,
					    .unit = (char *)"kB",
					    .accel = (char *)"kvm",
					    .worse = METRIC_WORSE_MORE };
	struct case_seen seen = { .config = (char *)"default",
				  .scenario = (char *)"memory.pgtables" };
	const struct case_seen *at = &seen;
	struct regression_new g = { .signature = "0123456789abcdef",
				    .title = "memory.pgtables: pgtables.per_thp 4 → 8 kB",
				    .reason = "metric",
				    .metric = &metric,
				    .cases = &at,
				    .n_cases = 1 };
	CLEANUP(free_p) int64_t *ids = NULL;
	struct metric_series *all;
	int found = 0;
	size_t n;

	OK(store_compare_metrics(store, submission, &all, &n, &err));
	seen.fault = all[0].fault;
	g.good_id = all[0].values[0].commit_id;
	g.bad_id = all[0].values[all[0].n - 1].commit_id;
	seen.failure = all[0].values[all[0].n - 1].result;
	OK(store_compare_done(store, submission, &g, 1, &found, &err));
	assert_int_equal(found, 1);
	metric_series_free(all, n);
	OK(store_regressions_due(store, &ids, &n, &err));
	assert_int_equal(n, 1);
	return ids[0];
}

static void ask(const struct regression_row *row, const char *next, const char *purpose, int commit,
		int times)
{
	struct probe_new p[4];
	struct regression_step s = { .state = next, .probes = p, .n_probes = (size_t)times };

	for (int i = 0; i < times; i++)
		p[i] = (struct probe_new){ purpose, make_commit(commit), 1 };
	OK(store_regression_step(store, row, &s, &err));
}

static void test_probes(void **state)
{
	static const char *const values[] = { "4", "6", "8" }, *const again[] = { "3", "6", "7" };
	int64_t id = submit(0, 3, metrics_plan()), regression;
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct regression_state g;

	(void)state;
	work(values);
	regression = declare(id);
	OK(store_regression_load(store, regression, &g, &err));
	assert_string_equal(g.row.metric.name, NAME);
	assert_string_equal(g.row.metric.unit, "kB");
	assert_string_equal(g.row.metric.accel, "kvm");
	assert_int_equal(g.row.metric.worse, METRIC_WORSE_MORE);
	assert_false(g.row.metric.measured);
	assert_string_equal(g.row.reason, "metric");
	/* what lies between the ends, and not the ends themselves */
	assert_int_equal(g.n_between, 1);
	assert_string_equal(g.between[0].sha, sha(1));
	assert_int_equal(g.between[0].n, 5);
	assert_float_equal(g.between[0].values[4], 6, 0);

	ask(&g.row, NULL, "bad", 2, 3);
	ask(&g.row, NULL, "good", 0, 2);
	work(again);
	accel = "tcg"; /* says nothing about a machine with kvm */
	ask(&g.row, NULL, "good", 0, 1);
	work(values);
	accel = "kvm";
	regression_state_free(&g);
	OK(store_regression_load(store, regression, &g, &err));
	assert_int_equal(g.n_probes, 6); /* none is answered from memory */
	assert_true(g.row.metric.measured);
	assert_float_equal(g.row.metric.threshold, 5, 1e-9);
	assert_int_equal(g.probes[0].n_values, 1);
	assert_float_equal(g.probes[0].values[0], 7, 0);
	assert_int_equal(g.probes[0].fails, 1);
	assert_int_equal(g.probes[0].runs, 1);
	assert_int_equal(g.probes[3].fails, 0);
	assert_int_equal(g.probes[3].runs, 1);
	assert_int_equal(g.probes[5].n_values, 0);
	assert_int_equal(g.probes[5].runs, 0);
	assert_true(g.probes[5].ended);

	OK(view_regression(store, regression, &o, &err));
	assert_string_equal(str_at(o, "metric.name"), NAME);
	assert_string_equal(str_at(o, "metric.worse"), "more");
	assert_string_equal(str_at(o, "metric.threshold"), "5.0");
	assert_string_equal(str_at(o, "probes.0.values.0"), "7.0");
	assert_int_equal(len_at(o, "probes.5.values"), 0);
	assert_string_equal(str_at(o, "metric.between.0.commit"), sha(1));
	assert_string_equal(str_at(o, "metric.between.0.values.4"), "6.0");
	regression_state_free(&g);
}

/* Which commit of a later submission has it back; NULL: none. */
static const char *fix_in(const struct regression_row *row, int64_t submission)
{
	static char ret[41];
	struct submission_fix fix = { 0 };
	int r;

	OK(r = store_regression_fix(store, row, submission, &fix, &err));
	snprintf(ret, sizeof(ret), "%s", r ? fix.commit.sha : "");
	submission_fix_free(&fix);
	return r ? ret : NULL;
}

static void test_fix(void **state)
{
	static const char *const values[] = { "4", "8", "8",	 "8", "44884", "4",
					      "8", "9", "44888", "F", "4" };
	int64_t first = submit(0, 2, metrics_plan()), mended, not_mended, lost, unmeasured;
	struct regression_state g;
	int64_t regression;

	(void)state;
	work(values);
	regression = declare(first);
	OK(store_regression_load(store, regression, &g, &err));
	ask(&g.row, NULL, "bad", 1, 1);
	ask(&g.row, "confirmed", "good", 0, 1);
	work(values);
	regression_state_free(&g);
	OK(store_regression_load(store, regression, &g, &err));
	mended = submit(2, 4, metrics_plan());
	not_mended = submit(6, 3, metrics_plan());
	lost = submit(9, 1, metrics_plan());
	unmeasured = submit(10, 1, make_plan(1, "cases"));
	work(values);
	assert_string_equal(fix_in(&g.row, mended), sha(4)); /* most of its values are back */
	assert_null(fix_in(&g.row, not_mended));
	assert_null(fix_in(&g.row, lost));
	assert_null(fix_in(&g.row, unmeasured));
	regression_state_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_series, setup, teardown),
		cmocka_unit_test_setup_teardown(test_migration_finds_the_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_measured, setup, teardown),
		cmocka_unit_test_setup_teardown(test_probes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fix, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
