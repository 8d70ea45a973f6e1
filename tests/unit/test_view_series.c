/* SPDX-License-Identifier: MIT */
/* Counters, injections and metrics of runs as series over the commits of a branch. */
#include "tests/unit/test_store_older.h"

#include <math.h>

#include "db/store_regress.h"

/* What the test of a commit says: its last digit is looked up. */
struct said {
	int64_t failed[2]; /* thp_split_pmd_failed by the results of two repeats; -1: not counted */
	const char *metrics; /* a value a repeat, "-": none */
	const char *accel;
};

static void add_counter(struct result *x, const char *name, int64_t delta)
{
	x->counters = realloc(x->counters, (x->n_counters + 1) * sizeof(*x->counters));
	x->counters[x->n_counters++] = (struct counter){ xstrdup(name), 100, 100 + delta };
}

static struct result *add(struct result_doc *doc, const char *scenario, int repeat)
{
	struct result *x = result_doc_add(doc);

	result_init(x);
	x->scenario = xstrdup(scenario);
	x->repeat = repeat;
	return x;
}

static void fill(struct result_doc *doc, const struct said *s)
{
	for (int i = 0; i < 2; i++) {
		struct result *x = add(doc, "split.mprotect", i + 1);

		x->status = STATUS_PASS;
		x->injected_on = 3;
		x->injected_off = i;
		add_counter(x, "nr_page_table_pages", -1);
		add_counter(x, "pgmigrate_success", 0);
		add_counter(x, "thp_split_pmd", 2);
		if (s->failed[i] >= 0)
			add_counter(x, "thp_split_pmd_failed", s->failed[i]);
	}
	/* repeats what its points said, which counts once */
	struct result *closing = add(doc, "split.mprotect", 3);

	closing->status = STATUS_PASS;
	closing->closing = true;
	closing->injected_on = 6;
	add_counter(closing, "thp_split_pmd", 4);
	for (int i = 0; s->metrics[i]; i++) {
		struct result *x = add(doc, "memory.pgtables", i + 1);

		x->status = STATUS_DONE;
		x->n_metrics = 2;
		x->metrics = xcalloc(2, sizeof(*x->metrics));
		x->metrics[0] =
			(struct metric){ xstrdup("pgtables.per_thp"),
					 s->metrics[i] == '-' ? (double)NAN : s->metrics[i] - '0',
					 xstrdup("kB") };
		x->metrics[1] = (struct metric){ xstrdup("thps"), 32, xstrdup("") };
	}
}

static void answer(const struct job *job, const struct said *s)
{
	struct result_doc doc = { .kernel = { .release = xstrdup("6.12.117") } };
	enum lease lease;

	doc.machine.accel = xstrdup(s->accel);
	fill(&doc, s);
	OK(store_test_done(store, job->id, "l", &doc, REASON_NONE, NULL, &lease, &err));
	assert_int_equal(lease, LEASE_OK);
	result_doc_free(&doc);
}

/* Answers what is queued; a commit with nothing to say does not build. */
static void work(const struct said *by_commit)
{
	struct job job;

	while (claim_as("agent1", "l", &job) == CLAIM_JOB) {
		const struct said *s = &by_commit[strtol(job.commit + 36, NULL, 16)];
		bool builds = s->metrics != NULL;

		if (job.kind == JOB_BUILD)
			assert_int_equal(build_answer(job.id, "l",
						      builds ? STATUS_PASS : STATUS_FAIL,
						      builds ? REASON_NONE : REASON_BUILD),
					 LEASE_OK);
		else
			answer(&job, s);
		job_free(&job);
	}
}

static int64_t branch;

static void follow(void)
{
	OK(store_branch_put(store, repo, "main", NULL, "thp-split", &branch, &err));
}

static struct json_object *series(int limit, const char *metric)
{
	const struct series_filter f = {
		.repo = "demo", .ref = "main", .limit = limit, .metric = metric
	};
	struct json_object *o = NULL;

	OK(view_series(store, &f, &o, &err));
	return o;
}

/* "name config accel: value value …" of each. */
static char *text_of(struct json_object *o)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < len_at(o, "series"); i++) {
		struct json_object *s = json_object_array_get_idx(at(o, "series"), i);

		buf_printf(&b, "%s%s %s%s%s:", i ? "; " : "", str_at(s, "name"),
			   str_at(s, "config"), *str_at(s, "accel") ? " " : "", str_at(s, "accel"));
		assert_int_equal(len_at(s, "values"), len_at(o, "points"));
		for (size_t k = 0; k < len_at(s, "values"); k++) {
			struct json_object *v = json_object_array_get_idx(at(s, "values"), k);

			buf_printf(&b, " %s", v ? json_object_get_string(v) : "-");
		}
	}
	return buf_steal(&b);
}

static const struct said said[] = {
	{ { 1, 2 }, "445", "kvm" }, { { 0, 0 }, "55", "kvm" }, { .metrics = NULL },
	{ { -1, -1 }, "", "kvm" },  { { 5, 0 }, "6-", "kvm" }, { { 1, 1 }, "9", "tcg" },
};

static void test_series(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL, *few = NULL, *one = NULL;
	CLEANUP(free_p) char *text = NULL, *few_text = NULL, *one_text = NULL;

	(void)state;
	follow();
	move_branch(branch, 0, 2);
	move_branch(branch, 2, 4);
	work(said);
	o = series(30, NULL);
	text = text_of(o);
	/* Sums without what a closing result repeats, medians, a gap where nothing was built or
	 * measured; what can get worse first, what never moves last. The commit that both submissions have is one. */
	assert_string_equal(text, "pgtables.per_thp default kvm: 4 5 - - 6; "
				  "thp_split_pmd default kvm: 4 4 - 4 4; "
				  "thp_split_pmd_failed default kvm: 3 0 - - 5; "
				  "off_target default kvm: 1 1 - 1 1; "
				  "on_target default kvm: 6 6 - 6 6; "
				  "nr_page_table_pages default kvm: -2 -2 - -2 -2; "
				  "thps default kvm: 32 32 - - 32; "
				  "pgmigrate_success default kvm: 0 0 - 0 0");
	assert_int_equal(len_at(o, "points"), 5);
	assert_string_equal(str_at(o, "points.0.sha"), sha(0));
	assert_string_equal(str_at(o, "points.4.sha"), sha(4));
	assert_string_equal(str_at(o, "series.0.worse"), "more");
	assert_string_equal(str_at(o, "series.0.unit"), "kB");
	assert_string_equal(str_at(o, "series.0.scenario"), "memory.pgtables");
	assert_string_equal(str_at(o, "series.0.fault.mode"), "none");
	assert_null(at(o, "series.1.fault"));
	assert_string_equal(str_at(o, "series.1.worse"), "");
	few = series(2, NULL);
	assert_string_equal(str_at(few, "points.0.sha"), sha(3));
	few_text = text_of(few);
	assert_non_null(strstr(few_text, "thp_split_pmd default kvm: 4 4; "));
	one = series(30, "thp_split_pmd_failed");
	one_text = text_of(one);
	assert_string_equal(one_text, "thp_split_pmd_failed default kvm: 3 0 - - 5");
	assert_string_equal(str_at(one, "metric"), "thp_split_pmd_failed");
}

/* Values of two accelerators are no one line, but are drawn together. */
static void test_accelerators(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	CLEANUP(free_p) char *text = NULL;

	(void)state;
	follow();
	move_branch(branch, 4, 5);
	work(said);
	o = series(30, "pgtables.per_thp");
	text = text_of(o);
	assert_string_equal(text, "pgtables.per_thp default kvm: 6 -; "
				  "pgtables.per_thp default tcg: - 9");
	assert_string_equal(str_at(o, "series.0.chart"), str_at(o, "series.1.chart"));
}

static void test_nothing(void **state)
{
	const struct series_filter unknown = { .repo = "demo", .ref = "other", .limit = 5 };
	const struct series_filter endless = { .repo = "demo", .ref = "main", .limit = 501 };
	CLEANUP(json_put_p) struct json_object *o = NULL, *none = NULL;

	(void)state;
	assert_int_equal(view_series(store, &unknown, &none, &err), -ENOENT);
	follow();
	assert_int_equal(view_series(store, &endless, &none, &err), -EINVAL);
	o = series(30, NULL);
	assert_int_equal(len_at(o, "points"), 0);
	assert_int_equal(len_at(o, "series"), 0);
	move_branch(branch, 0, 1);
	json_object_put(o);
	o = series(30, NULL);
	assert_int_equal(len_at(o, "points"), 2); /* planned, not run */
	assert_int_equal(len_at(o, "series"), 0);
}

/* Lines of a chart stay together, wherever it stands; that no split failed is no reason to hide it. */
static void test_still_lines(void **state)
{
	static const struct said two[] = { { { 0, 0 }, "5", "kvm" }, { { 0, 0 }, "5", "tcg" } };
	CLEANUP(json_put_p) struct json_object *o = NULL;
	CLEANUP(free_p) char *text = NULL;

	(void)state;
	follow();
	move_branch(branch, 0, 1);
	work(two);
	o = series(30, NULL);
	text = text_of(o);
	assert_non_null(strstr(text, "thp_split_pmd_failed default kvm: 0 -; "
				     "thp_split_pmd_failed default tcg: - 0; "));
	assert_non_null(strstr(text, "pgmigrate_success default kvm: 0 -; "
				     "pgmigrate_success default tcg: - 0"));
	assert_string_equal(str_at(o, "series.0.name"), "pgtables.per_thp");
}

/* A commit that fails has its mark where the line turns bad. */
static void test_marks(void **state)
{
	static const struct case_seen seen = { .config = (char *)"default",
					       .scenario = (char *)"split.mprotect",
					       .fault = (char *)"{}" };
	struct regression_new found = { .signature = "0123456789abcdef",
					.title = "BUG in x",
					.reason = "bug",
					.good_id = 1,
					.bad_id = 2,
					.n_cases = 1 };
	CLEANUP(json_put_p) struct json_object *o = NULL, *list = NULL;
	struct case_seen with = seen;
	int n;

	(void)state;
	follow();
	move_branch(branch, 0, 1);
	work(said);
	OK(view_results(store, &(struct result_filter){ .commit = sha(1), .limit = 1 }, &list,
			&err));
	with.failure = int_at(list, "items.0.id");
	found.cases = (const struct case_seen *const[]){ &with };
	OK(store_compare_done(store, 1, &found, 1, &n, &err));
	assert_int_equal(n, 1);
	/* regressions are of a line of history, which is what submissions asked for: the branch */
	o = series(30, NULL);
	assert_int_equal(len_at(o, "points.0.regressions"), 0);
	assert_int_equal(len_at(o, "points.1.regressions"), 1);
	assert_int_equal(int_at(o, "points.1.regressions.0.id"), 1);
	assert_string_equal(str_at(o, "points.1.regressions.0.title"), "BUG in x");
}

/* What an older server stored: all of it was in documents and measurements. */
static void test_migration_finds_the_values(void **state)
{
	CLEANUP(json_put_p) struct json_object *before = NULL, *after = NULL;
	CLEANUP(free_p) char *old = NULL, *new = NULL;

	(void)state;
	follow();
	move_branch(branch, 0, 5);
	work(said);
	before = series(30, NULL);
	old = text_of(before);
	assert_non_null(strstr(old, "pgtables.per_thp default kvm: 4 5 - - 6 -"));
	assert_non_null(strstr(old, "on_target default tcg: - - - - - 6"));
	reopen_older(8);
	after = series(30, NULL);
	new = text_of(after);
	assert_string_equal(new, old);
}

/* A guest that makes up names fills no table. */
static void test_made_up_counters(void **state)
{
	struct result_doc doc = { .kernel = { .release = xstrdup("6.12.117") } };
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct result *x = add(&doc, "split.mprotect", 1);
	enum lease lease;
	struct job job;

	(void)state;
	follow();
	move_branch(branch, 0, 1);
	for (int i = 0; i < 300; i++) {
		CLEANUP(free_p) char *name = xasprintf("made_up_%d", i);

		add_counter(x, name, i);
	}
	x->status = STATUS_PASS;
	for (int tests = 0; !tests && claim_as("agent1", "l", &job) == CLAIM_JOB; job_free(&job)) {
		tests = job.kind == JOB_TEST;
		if (tests)
			OK(store_test_done(store, job.id, "l", &doc, REASON_NONE, NULL, &lease,
					   &err));
		else
			(void)build_answer(job.id, "l", STATUS_PASS, REASON_NONE);
	}
	result_doc_free(&doc);
	o = series(30, NULL);
	assert_int_equal(len_at(o, "series"), 128 + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_series, setup, teardown),
		cmocka_unit_test_setup_teardown(test_accelerators, setup, teardown),
		cmocka_unit_test_setup_teardown(test_still_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_marks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_migration_finds_the_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_made_up_counters, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
