/* SPDX-License-Identifier: MIT */
#include "tests/unit/test_store.h"

#include "db/store_regress.h"
#include "jobs/bisect.h"

/* What one commit's test answers: results of split.mprotect, swept; a letter a point: P pass, F leak,
 * B bug, and alone E error, S skip. */
static void answer_doc(struct result_doc *doc, const char *points, int repeat)
{
	enum status worst = STATUS_PASS;
	struct result *x;

	for (const char *p = points; *p; p++) {
		bool fail = *p == 'F' || *p == 'B';

		x = result_doc_add(doc);
		result_init(x);
		x->scenario = xstrdup("split.mprotect");
		x->repeat = repeat;
		x->fault.mode = FAULT_SWEEP;
		x->fault.nth = (int)(p - points) + 1;
		x->status = fail ? STATUS_FAIL : *p == 'E' ? STATUS_ERROR : STATUS_PASS;
		x->reason = *p == 'F'	? REASON_LEAK
			    : *p == 'B' ? REASON_BUG
			    : *p == 'E' ? REASON_INEFFECTIVE
					: REASON_NONE;
		x->duration_us = 100;
		if (*p == 'F') {
			x->checks = xcalloc(1, sizeof(*x->checks));
			x->checks[x->n_checks++].name = xstrdup("leak.machine_tables");
		}
		if (*p == 'B') {
			x->splat.kind = SPLAT_BUG;
			x->splat.title = xstrdup("kernel BUG in f");
			strcpy(x->splat.fingerprint, "0123456789abcdef");
		}
		if (x->status < worst)
			worst = x->status;
	}
	x = result_doc_add(doc);
	result_init(x);
	x->scenario = xstrdup("split.mprotect");
	x->repeat = repeat;
	x->fault.mode = FAULT_SWEEP;
	x->closing = true;
	x->status = *points == 'S' ? STATUS_SKIP : worst;
	x->reason = worst == STATUS_FAIL    ? REASON_LEAK
		    : worst == STATUS_ERROR ? REASON_INEFFECTIVE
		    : *points == 'S'	    ? REASON_PREDEPOSIT
					    : REASON_NONE;
}

static void answer(const struct job *job, const char *points)
{
	struct result_doc doc = { .kernel = { .release = xstrdup("6.12.117") } };
	enum lease lease;

	for (size_t i = 0; i < job->n_cases; i++) {
		const struct plan_case *c = &job->cases[i];

		if (strcmp(c->scenario, "split.mprotect") == 0 && c->fault.mode == FAULT_SWEEP) {
			answer_doc(&doc, points, c->repeat);
		} else if (c->fault.mode == FAULT_NONE) {
			struct result *x = result_doc_add(&doc);

			result_init(x);
			x->scenario = xstrdup(c->scenario);
			x->repeat = c->repeat;
			x->status = STATUS_PASS;
		}
	}
	OK(store_test_done(store, job->id, "l", &doc, REASON_NONE, NULL, &lease, &err));
	assert_int_equal(lease, LEASE_OK);
	result_doc_free(&doc);
}

/* Answers everything that is queued; by the last digits of the commit. NULL: does not build. */
static int work(const char *const *by_commit)
{
	struct job job;
	int n = 0;

	while (claim_as("agent1", "l", &job) == CLAIM_JOB) {
		const char *points = by_commit[strtol(job.commit + 36, NULL, 16)];

		if (job.kind == JOB_BUILD)
			assert_int_equal(build_answer(job.id, "l",
						      points ? STATUS_PASS : STATUS_FAIL,
						      points ? REASON_NONE : REASON_BUILD),
					 LEASE_OK);
		else
			answer(&job, points);
		job_free(&job);
		n++;
	}
	return n;
}

static int64_t due(void)
{
	int64_t id = 0;
	int r;

	OK(r = store_compare_due(store, &id, &err));
	return r ? id : 0;
}

/* "config/scenario@position:letter …", letters F failed, h held, - neither. */
static char *seen(int64_t submission)
{
	struct case_seen *rows;
	struct buf b = BUF_INIT;
	size_t n;

	OK(store_compare_cases(store, submission, &rows, &n, &err));
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%s%s/%s@%d:%c", i ? " " : "", rows[i].config, rows[i].scenario,
			   rows[i].position,
			   rows[i].failed ? 'F'
			   : rows[i].held ? 'h'
					  : '-');
	case_seen_free(rows, n);
	return buf_steal(&b);
}

static void test_cases(void **state)
{
	static const char *const outcomes[] = { "P", "PP", "PFP", "S", "E", "BF", NULL };
	int64_t id = submit(0, 7, make_plan(1, "cases"));
	CLEANUP(free_p) char *text = NULL;

	(void)state;
	assert_int_equal(due(), 0); /* nothing is done yet */
	work(outcomes);
	assert_state(id, "done");
	assert_int_equal(due(), id);
	text = seen(id);
	assert_string_equal(text, "default/build@0:h default/build@1:h default/build@2:h "
				  "default/build@3:h default/build@4:h default/build@5:h "
				  "default/build@6:F "
				  "default/split.mprotect@0:h default/split.mprotect@1:h "
				  "default/split.mprotect@2:F default/split.mprotect@3:h "
				  "default/split.mprotect@4:- default/split.mprotect@5:F");
}

static void test_nothing_fails(void **state)
{
	static const char *const outcomes[] = { "P", "P" };
	int64_t id = submit(0, 2, make_plan(1, "cases"));
	CLEANUP(free_p) char *text = NULL;
	int found = -1;

	(void)state;
	work(outcomes);
	text = seen(id);
	assert_string_equal(text, "");
	OK(store_compare_done(store, id, NULL, 0, &found, &err));
	assert_int_equal(found, 0);
	assert_int_equal(due(), 0);
}

/* The regression of the one case that fails at position `bad` of a submission. */
static int declare(int64_t submission, int good, int bad)
{
	char signature[SIGNATURE_MAX];
	const struct case_seen *at = NULL;
	enum reason reason;
	struct regression_new g = { .cases = &at, .n_cases = 1 };
	CLEANUP(free_p) char *title = NULL;
	struct case_seen *rows;
	int found = -1;
	size_t n;

	OK(store_compare_cases(store, submission, &rows, &n, &err));
	for (size_t i = 0; i < n; i++) {
		if (strcmp(rows[i].scenario, "split.mprotect") != 0)
			continue;
		if (rows[i].position == good)
			g.good_id = rows[i].commit_id;
		if (rows[i].position == bad)
			at = &rows[i];
	}
	assert_non_null(at);
	g.bad_id = at->commit_id;
	OK(store_compare_failure(store, at->failure, signature, &reason, &title, &err));
	g.reason = reason_name(reason);
	g.signature = signature;
	g.title = title;
	OK(store_compare_done(store, submission, &g, 1, &found, &err));
	case_seen_free(rows, n);
	return found;
}

static int64_t only_due(void)
{
	CLEANUP(free_p) int64_t *ids = NULL;
	size_t n = 0;

	OK(store_regressions_due(store, &ids, &n, &err));
	assert_int_equal(n, 1);
	return ids[0];
}

static void test_found(void **state)
{
	static const char *const outcomes[] = { "P", "PP", "PF" };
	int64_t id = submit(0, 3, make_plan(1, "cases"));
	struct regression_state g;

	(void)state;
	work(outcomes);
	assert_int_equal(declare(id, 1, 2), 1);
	assert_int_equal(due(), 0);
	assert_int_equal(declare(id, 1, 2), 0); /* compared already */
	OK(store_regression_load(store, only_due(), &g, &err));
	assert_string_equal(g.row.state, "new");
	assert_string_equal(g.row.title, "leak: leak.machine_tables");
	assert_string_equal(g.row.reason, "leak");
	assert_string_equal(g.row.good, sha(1));
	assert_string_equal(g.row.bad, sha(2));
	assert_null(g.row.culprit);
	assert_string_equal(g.row.config, "default");
	assert_string_equal(g.row.config_hash, "c0nf190");
	assert_int_equal(g.row.machine.memory_mib, 512);
	assert_string_equal(g.row.scenario, "split.mprotect");
	assert_int_equal(g.row.fault.mode, FAULT_SWEEP);
	assert_string_equal(g.row.ref, "topic");
	assert_int_equal(g.n_probes, 0);
	regression_state_free(&g);
	assert_int_equal(store_regression_load(store, 999, &g, &err), -ENOENT);
}

/* A member of an object of the view. */
static const char *of(struct json_object *view, const char *key, const char *member)
{
	struct json_object *o = json_object_object_get(view, key);

	return json_object_get_string(json_object_object_get(o, member));
}

/* Both sides of a report are of the same point of the sweep. */
static void test_report(void **state)
{
	static const char *const outcomes[] = { "P", "PP", "PF" };
	int64_t id = submit(0, 3, make_plan(1, "cases"));
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct json_object *fault, *commits;

	(void)state;
	work(outcomes);
	declare(id, 1, 2);
	OK(view_report(store, only_due(), &o, &err));
	commits = json_object_object_get(o, "commits");
	assert_int_equal(json_object_array_length(commits), 3);
	assert_string_equal(of(o, "shown", "commit"), sha(2));
	assert_string_equal(of(o, "shown", "status"), "FAIL");
	assert_string_equal(of(o, "before", "commit"), sha(1));
	assert_string_equal(of(o, "before", "status"), "PASS");
	fault = json_object_object_get(json_object_object_get(o, "shown"), "fault");
	assert_int_equal(json_object_get_int(json_object_object_get(fault, "nth")), 2);
	assert_true(json_object_equal(
		fault, json_object_object_get(json_object_object_get(o, "before"), "fault")));
	assert_string_equal(of(o, "build", "commit"), sha(2));
	assert_string_equal(of(o, "build_before", "commit"), sha(1));
	assert_string_equal(json_object_get_string(json_object_object_get(o, "config_hash")),
			    "c0nf190");
	assert_null(json_object_object_get(o, "result_before"));
	json_object_put(STEAL(o));
	assert_int_equal(view_report(store, 999, &o, &err), -ENOENT);
}

/* The same line of history again, with other commits: still the same regression. */
static void test_same_again(void **state)
{
	static const char *const outcomes[] = { "P", "F", "P", "F", "P", "B" };
	int64_t first = submit(0, 2, make_plan(1, "cases")), second, third;

	(void)state;
	work(outcomes);
	assert_int_equal(declare(first, 0, 1), 1);
	second = submit(2, 2, make_plan(1, "cases"));
	work(outcomes);
	assert_int_equal(declare(second, 0, 1), 0);
	third = submit(4, 2, make_plan(1, "cases")); /* another signature */
	work(outcomes);
	assert_int_equal(declare(third, 0, 1), 1);
}

/* Commits that held before the good one, until they were repeated for it. */
static void test_older(void **state)
{
	static const char *const outcomes[] = { "P", "PP", "F", "P", "P", "PF", "P" };
	int64_t first = submit(0, 4, make_plan(1, "cases")), second;
	struct probe_new p = { .purpose = "good", .commit = make_commit(3), .runs = 2 };
	struct regression_step s = { .state = "new", .good = sha(1) };
	CLEANUP(free_p) char *list = NULL, *want = NULL, *left = NULL, *last = NULL;
	struct regression_state g;
	int64_t id;

	(void)state;
	work(outcomes);
	OK(store_compare_done(store, first, NULL, 0, &(int){ 0 }, &err));
	second = submit(3, 4, make_plan(1, "cases"));
	work(outcomes);
	assert_int_equal(declare(second, 1, 2), 1); /* 4 held, 5 does not; 6 is newer */
	id = only_due();
	OK(store_regression_older(store, id, &list, &err));
	want = xasprintf("%s\n%s\n%s\n", sha(3), sha(1), sha(0));
	assert_string_equal(list, want);
	OK(store_regression_load(store, id, &g, &err));
	OK(store_regression_step(store, &g.row,
				 &(struct regression_step){ .probes = &p, .n_probes = 1 }, &err));
	work(outcomes);
	OK(store_regression_older(store, id, &left, &err));
	assert_string_equal(left, want + 41);
	OK(store_regression_step(store, &g.row, &s, &err));
	regression_state_free(&g);
	OK(store_regression_load(store, id, &g, &err));
	assert_string_equal(g.row.good, sha(1));
	OK(store_regression_older(store, id, &last, &err));
	assert_string_equal(last, want + 82);
	regression_state_free(&g);
}

static void step(const struct regression_row *row, const char *next, const struct probe_new *p,
		 size_t n)
{
	struct regression_step s = { .state = next, .probes = p, .n_probes = n };

	OK(store_regression_step(store, row, &s, &err));
}

static void test_probes(void **state)
{
	static const char *const outcomes[] = { "P", "PF", "B", "P", NULL };
	struct probe_new p[] = { { .purpose = "bad", .commit = make_commit(1), .runs = 3 },
				 { .purpose = "good", .commit = make_commit(0), .runs = 2 },
				 { .purpose = "search", .commit = make_commit(2), .runs = 1 },
				 { .purpose = "search", .commit = make_commit(4), .runs = 1 } };
	int64_t id = submit(0, 2, make_plan(1, "cases"));
	struct regression_state g;
	int64_t regression;

	(void)state;
	work(outcomes);
	declare(id, 0, 1);
	regression = only_due();
	OK(store_regression_load(store, regression, &g, &err));
	step(&g.row, NULL, p, 2);
	assert_int_equal(work(outcomes), 2); /* both kernels are there: nothing is built */
	step(&g.row, NULL, p + 2, 2);
	assert_int_equal(work(outcomes), 3); /* two builds, one of them without an image */
	step(&g.row, "confirmed", p, 1); /* more of the bad one */
	regression_state_free(&g);

	OK(store_regression_load(store, regression, &g, &err));
	assert_string_equal(g.row.state, "confirmed");
	assert_int_equal(g.n_probes, 5);
	assert_string_equal(g.probes[0].purpose, "bad");
	assert_string_equal(g.probes[0].sha, sha(1));
	assert_true(g.probes[0].ended && g.probes[0].built);
	assert_int_equal(g.probes[0].fails, 3);
	assert_int_equal(g.probes[0].runs, 3);
	assert_int_equal(g.probes[0].control_runs, 3);
	assert_int_equal(g.probes[0].control_fails, 0);
	assert_int_equal(g.probes[1].fails, 0);
	assert_int_equal(g.probes[1].runs, 2);
	/* it fails in another way: that is no run of this one */
	assert_int_equal(g.probes[2].runs, 0);
	assert_int_equal(g.probes[2].others, 1);
	assert_string_equal(g.probes[2].other, "0123456789abcdef");
	assert_true(g.probes[3].ended && !g.probes[3].built);
	assert_int_equal(g.probes[3].runs, 0);
	assert_false(g.probes[4].ended);
	regression_state_free(&g);
	work(outcomes);
	OK(store_regression_load(store, regression, &g, &err));
	assert_int_equal(g.probes[4].runs, 3); /* not answered from memory */
	assert_true(g.probes[4].ended);
	regression_state_free(&g);
}

/* 0 is good, 2 is bad; 1 did not build. */
static struct json_object *some_search(void)
{
	CLEANUP(free_p) char *revlist = xasprintf("%s %s\n%s %s\n", sha(2), sha(1), sha(1), sha(0));
	CLEANUP(bisect_p) struct bisect *b = NULL;

	OK(bisect_new(NULL, sha(0), sha(2), "f00d", revlist, &b, &err));
	OK(bisect_record(b, sha(2), 10, 10, "f00d", &err));
	OK(bisect_record(b, sha(0), 10, 0, NULL, &err));
	OK(bisect_skip(b, sha(1), BISECT_WHY_BUILD, "make: Error 2", &err));
	return bisect_to_json(b);
}

static void test_trail(void **state)
{
	static const char *const outcomes[] = { "P", "P", "F", NULL };
	CLEANUP(json_put_p) struct json_object *search = some_search(), *before = NULL;
	CLEANUP(json_put_p) struct json_object *o = NULL, *odd = NULL;
	struct regression_step s = { .search = search };
	int64_t id = submit(0, 3, make_plan(1, "cases"));
	struct regression_state g;
	int64_t regression;

	(void)state;
	work(outcomes);
	declare(id, 1, 2);
	regression = only_due();
	OK(view_regression(store, regression, &before, &err));
	assert_null(at(before, "trail"));
	OK(store_regression_load(store, regression, &g, &err));
	OK(store_regression_step(store, &g.row, &s, &err));
	OK(view_regression(store, regression, &o, &err));
	assert_int_equal(len_at(o, "trail"), 3);
	for (int i = 0; i < 3; i++) {
		static const char *const verdicts[] = { "good", "skip", "bad" };
		static const int turns[] = { 2, 3, 1 };
		struct json_object *p = json_object_array_get_idx(at(o, "trail"), (size_t)i);

		assert_string_equal(str_at(p, "commit"), sha(i));
		assert_string_equal(str_at(p, "subject"), "mm: split later");
		assert_string_equal(str_at(p, "verdict"), verdicts[i]);
		assert_int_equal(int_at(p, "turn"), turns[i]);
		assert_int_equal(int_at(p, "left_after"), 2);
		assert_int_equal(json_object_get_boolean(at(p, "left")), i > 0);
		assert_int_equal(int_at(p, "fails"), i == 2 ? 10 : 0);
	}
	assert_string_equal(str_at(o, "trail.1.why"), "build");
	/* what cannot be told again hides nothing else */
	json_object_object_add(search, "good", json_str("zqx"));
	OK(store_regression_step(store, &g.row, &s, &err));
	OK(view_regression(store, regression, &odd, &err));
	assert_null(at(odd, "trail"));
	assert_string_equal(str_at(odd, "search.good"), "zqx");
	regression_state_free(&g);
}

static void test_ends(void **state)
{
	static const char *const outcomes[] = { "P", "F" };
	int64_t id = submit(0, 2, make_plan(1, "cases"));
	struct regression_step s = { .state = "flaky" };
	CLEANUP(free_p) int64_t *ids = NULL;
	struct regression_state g;
	size_t n = 7;

	(void)state;
	work(outcomes);
	declare(id, 0, 1);
	OK(store_regression_load(store, only_due(), &g, &err));
	OK(store_regression_step(store, &g.row, &s, &err));
	OK(store_regressions_due(store, &ids, &n, &err));
	assert_int_equal(n, 0);
	/* what has ended stays as it is */
	assert_int_equal(store_regression_step(store, &g.row, &s, &err), -ENOENT);
	regression_state_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cases, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_found, setup, teardown),
		cmocka_unit_test_setup_teardown(test_report, setup, teardown),
		cmocka_unit_test_setup_teardown(test_same_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_older, setup, teardown),
		cmocka_unit_test_setup_teardown(test_probes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trail, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ends, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
