/* SPDX-License-Identifier: MIT */
#include "tests/unit/test_store.h"

#include "lib/json.h"

/* What the test of a commit says. */
struct answer {
	int commit;
	const enum status *statuses;
};

static const enum status pass_pass[] = { STATUS_PASS, STATUS_PASS, STATUS_COUNT };
static const enum status pass_fail[] = { STATUS_PASS, STATUS_FAIL, STATUS_COUNT };
static const enum status done_skip[] = { STATUS_DONE, STATUS_SKIP, STATUS_COUNT };

static void answer_test(struct job *job, const enum status *statuses)
{
	struct result_doc doc;
	enum lease ret;

	make_doc(&doc, statuses);
	doc.machine.accel = xstrdup("tcg");
	for (size_t i = 0; i < doc.n_results; i++) {
		struct result *x = &doc.results[i];

		if (x->status == STATUS_FAIL) {
			x->splat.kind = SPLAT_BUG;
			x->splat.title = xstrdup("kernel BUG in __split_huge_pmd_locked");
			strcpy(x->splat.fingerprint, "00d1f2a3b4c5d6e7");
		} else if (x->status == STATUS_DONE) {
			x->metrics = xcalloc(1, sizeof(*x->metrics));
			x->n_metrics = 1;
			x->metrics[0] =
				(struct metric){ xstrdup("rss.freed"), 64, xstrdup("pages") };
		}
	}
	OK(store_test_done(store, job->id, "all", &doc, REASON_NONE, NULL, &ret, &err));
	assert_int_equal(ret, LEASE_OK);
	result_doc_free(&doc);
}

/* Every job: builds pass, tests say what the commit's row has, else that all passed. */
static void answer_all(const struct answer *answers, size_t n)
{
	struct job job;

	while (claim_as("agent1", "all", &job) == CLAIM_JOB) {
		const enum status *statuses = pass_pass;

		for (size_t i = 0; i < n; i++)
			if (!strcmp(job.commit, sha(answers[i].commit)))
				statuses = answers[i].statuses;
		if (job.kind == JOB_BUILD)
			build_answer(job.id, "all", STATUS_PASS, REASON_NONE);
		else
			answer_test(&job, statuses);
		job_free(&job);
	}
}

static struct json_object *compared(const char *a, const char *b)
{
	struct json_object *o = NULL;

	OK(view_compare(store, a, b, &o, &err));
	return o;
}

static void test_regressed(void **state)
{
	static const struct answer answers[] = { { 2, pass_fail } };
	CLEANUP(json_put_p) struct json_object *o = NULL, *result = NULL;

	(void)state;
	submit(1, 2, make_plan(1, "cases"));
	answer_all(answers, 1);
	o = compared(sha(1), sha(2));
	assert_string_equal(str_at(o, "a.what"), sha(1));
	assert_string_equal(str_at(o, "a.commit"), sha(1));
	assert_string_equal(str_at(o, "b.subject"), "mm: split later");
	assert_null(at(o, "b.submission"));
	assert_int_equal(int_at(o, "b.results"), 3); /* the build is one */
	assert_int_equal(len_at(o, "b.places"), 1);
	assert_string_equal(str_at(o, "b.places.0.accel"), "tcg");
	assert_int_equal(int_at(o, "summary.regressed"), 1);
	assert_int_equal(int_at(o, "summary.unchanged"), 2);
	assert_string_equal(str_at(o, "cases.0.case"), "split.munmap");
	assert_string_equal(str_at(o, "cases.0.fault.mode"), "nth");
	assert_int_equal(int_at(o, "cases.0.fault.nth"), 2);
	assert_string_equal(str_at(o, "cases.0.config"), "default");
	assert_string_equal(str_at(o, "cases.0.arch"), "x86_64");
	assert_string_equal(str_at(o, "cases.0.b.failures.0.signature"), "00d1f2a3b4c5d6e7");
	assert_string_equal(str_at(o, "cases.0.b.failures.0.title"),
			    "kernel BUG in __split_huge_pmd_locked");
	OK(view_result(store, int_at(o, "cases.0.b.result"), &result, &err));
	assert_string_equal(str_at(result, "status"), "FAIL");
	assert_string_equal(str_at(result, "commit"), sha(2));
	json_object_put(STEAL(o));
	o = compared(sha(2), sha(1));
	assert_int_equal(int_at(o, "summary.fixed"), 1);
	json_object_put(STEAL(o));
	o = compared(sha(2), sha(2));
	assert_int_equal(int_at(o, "summary.still_failing"), 1);
	assert_true(json_object_get_boolean(at(o, "cases.0.same_failure")));
}

static void test_metrics(void **state)
{
	static const struct answer answers[] = { { 1, done_skip }, { 2, done_skip } };
	CLEANUP(json_put_p) struct json_object *o = NULL;

	(void)state;
	submit(1, 2, make_plan(1, "cases"));
	answer_all(answers, 2);
	o = compared(sha(1), sha(2));
	assert_int_equal(len_at(o, "metrics"), 1);
	assert_string_equal(str_at(o, "metrics.0.name"), "rss.freed");
	assert_int_equal(int_at(o, "metrics.0.b.n"), 1);
	assert_int_equal(int_at(o, "summary.not_comparable"), 1); /* both were skipped */
}

/* What never ran on one side, and what was not built. */
static void test_infrastructure(void **state)
{
	static const enum status lost[] = { STATUS_MISS, STATUS_MISS, STATUS_COUNT };
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct job job;

	(void)state;
	submit(1, 3, make_plan(1, "cases"));
	while (claim_as("agent1", "all", &job) == CLAIM_JOB) {
		bool broken = !strcmp(job.commit, sha(3));

		if (job.kind == JOB_TEST)
			answer_test(&job, strcmp(job.commit, sha(2)) ? pass_pass : lost);
		else
			build_answer(job.id, "all", broken ? STATUS_FAIL : STATUS_PASS,
				     broken ? REASON_BUILD : REASON_NONE);
		job_free(&job);
	}
	o = compared(sha(1), sha(2));
	assert_int_equal(int_at(o, "summary.not_comparable"), 2);
	assert_int_equal(int_at(o, "summary.regressed"), 0);
	json_object_put(STEAL(o));
	o = compared(sha(1), sha(3));
	assert_int_equal(int_at(o, "summary.regressed"), 1);
	assert_string_equal(str_at(o, "cases.0.case"), "build");
	assert_true(int_at(o, "cases.0.b.result") > 0);
	assert_int_equal(int_at(o, "summary.not_comparable"), 2);
	assert_string_equal(str_at(o, "cases.1.why"), "B was not built");
}

/* A test that was given up has no machine: its accelerator is the other side's. */
static void test_given_up(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct job job;
	enum lease lease;

	(void)state;
	submit(1, 2, make_plan(1, "cases"));
	while (claim_as("agent1", "all", &job) == CLAIM_JOB) {
		if (job.kind == JOB_BUILD)
			build_answer(job.id, "all", STATUS_PASS, REASON_NONE);
		else if (!strcmp(job.commit, sha(1)))
			answer_test(&job, pass_pass);
		else
			OK(store_test_done(store, job.id, "all", NULL, REASON_DISK, "full", &lease,
					   &err));
		job_free(&job);
	}
	o = compared(sha(1), sha(2));
	assert_int_equal(int_at(o, "summary.appeared"), 2); /* the plan's sweeps, all MISS */
	assert_string_equal(str_at(o, "cases.0.accel"), "tcg");
}

static void test_names(void **state)
{
	static const struct answer answers[] = { { 2, pass_fail } };
	CLEANUP(json_put_p) struct json_object *o = NULL;
	int64_t first, second;
	CLEANUP(free_p) char *name = NULL;

	(void)state;
	first = submit(1, 2, make_plan(1, "cases"));
	answer_all(answers, 1);
	second = submit(2, 3, make_plan(1, "cases")); /* 2..4, nothing of it is done */
	o = compared("demo/topic", sha(2));
	assert_string_equal(str_at(o, "a.commit"), sha(2));
	assert_int_equal(int_at(o, "a.submission"), first);
	json_object_put(STEAL(o));
	answer_all(NULL, 0);
	o = compared("demo/topic", sha(2));
	assert_string_equal(str_at(o, "a.commit"), sha(4));
	assert_int_equal(int_at(o, "a.submission"), second);
	json_object_put(STEAL(o));
	name = xasprintf("submission:%lld", (long long)first);
	o = compared("demo/topic", name);
	assert_string_equal(str_at(o, "b.what"), name);
	assert_string_equal(str_at(o, "b.commit"), sha(2));
	assert_int_equal(int_at(o, "summary.regressed"), 1);
}

/* The tests of another submission are another plan's: a commit has them all, a submission its own. */
static void test_two_plans(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	int64_t first, second;
	CLEANUP(free_p) char *a = NULL, *b = NULL;

	(void)state;
	first = submit(1, 2, make_plan(1, "cases"));
	second = submit(1, 2, make_plan(1, "others"));
	answer_all(NULL, 0);
	a = xasprintf("submission:%lld", (long long)first);
	b = xasprintf("submission:%lld", (long long)second);
	o = compared(a, b);
	assert_int_equal(int_at(o, "cases.0.a.runs"), 1);
	json_object_put(STEAL(o));
	o = compared(sha(2), b);
	assert_string_equal(str_at(o, "cases.2.case"), "split.munmap");
	assert_int_equal(int_at(o, "cases.2.a.runs"), 2);
	assert_int_equal(int_at(o, "cases.2.b.runs"), 1);
	assert_int_equal(int_at(o, "a.duplicates"), 0);
}

static void test_short_names(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	char prefix[40];

	(void)state;
	submit(0x10, 2, make_plan(1, "cases"));
	snprintf(prefix, sizeof(prefix), "%.39s", sha(0x10));
	assert_int_equal(view_compare(store, prefix, sha(0x10), &o, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "more digits"));
	submit(0x20, 1, make_plan(1, "cases"));
	snprintf(prefix, sizeof(prefix), "%.39s", sha(0x20));
	o = compared(sha(0x10), prefix);
	assert_string_equal(str_at(o, "b.commit"), sha(0x20));
	assert_int_equal(int_at(o, "b.results"), 0);
}

static void test_wrong_names(void **state)
{
	static const struct {
		const char *name;
		int r;
	} cases[] = {
		{ "", -EINVAL },
		{ "00000", -EINVAL },
		{ "ABCDEF0", -EINVAL },
		{ "topic", -EINVAL },
		{ "submission:", -EINVAL },
		{ "submission:0", -EINVAL },
		{ "submission:1x", -EINVAL },
		{ "submission:99", -ENOENT },
		{ "fffffff", -ENOENT },
		{ "/", -ENOENT },
		{ "demo/", -ENOENT },
		{ "demo/other", -ENOENT },
		{ "other/topic", -ENOENT },
		{ "demo/topic' OR 1 --", -ENOENT },
		{ "00000000000000000000000000000000000000001", -EINVAL },
	};
	struct json_object *o = NULL;

	(void)state;
	submit(1, 2, make_plan(1, "cases"));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int r = view_compare(store, sha(1), cases[i].name, &o, &err);

		if (r != cases[i].r || o)
			fail_msg("'%s': %d", cases[i].name, r);
		assert_int_equal(view_compare(store, cases[i].name, sha(1), &o, &err), r);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(regressed), TEST(metrics),	  TEST(infrastructure), TEST(given_up),
		TEST(names),	 TEST(two_plans), TEST(short_names),	TEST(wrong_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
