/* SPDX-License-Identifier: MIT */
#include "tests/unit/test_store.h"

static const enum status mixed[] = { STATUS_PASS, STATUS_FAIL, STATUS_PASS, STATUS_SKIP,
				     STATUS_FAIL, STATUS_PASS, STATUS_DONE, STATUS_COUNT };
#define PER_RUN 7

static struct json_object *results(struct result_filter f)
{
	struct json_object *o = NULL;

	OK(view_results(store, &f, &o, &err));
	return o;
}

/* Walks all pages; returns how many items there were, each seen once, in order. */
static size_t walk(struct result_filter f)
{
	CLEANUP(free_p) char *cursor = NULL;
	CLEANUP(json_put_p) struct json_object *seen = json_object_new_object();
	int64_t run = INT64_MAX, id = 0;
	size_t n = 0;

	for (;;) {
		CLEANUP(json_put_p) struct json_object *o = NULL;
		struct json_object *next;

		f.cursor = cursor;
		o = results(f);
		assert_true(len_at(o, "items") <= (size_t)f.limit);
		for (size_t i = 0; i < len_at(o, "items"); i++, n++) {
			struct json_object *item = json_object_array_get_idx(at(o, "items"), i);

			assert_true(int_at(item, "run") < run ||
				    (int_at(item, "run") == run && int_at(item, "id") > id));
			run = int_at(item, "run");
			id = int_at(item, "id");
			assert_false(json_object_object_get_ex(seen, str_at(item, "id"), NULL));
			json_object_object_add(seen, str_at(item, "id"), NULL);
		}
		if (!json_object_object_get_ex(o, "next", &next))
			return n;
		assert_int_equal(len_at(o, "items"), f.limit);
		free(cursor);
		cursor = xstrdup(json_object_get_string(next));
	}
}

static void test_pages(void **state)
{
	int64_t a = submit(1, 3, make_plan(1, "cases"));
	int64_t b = submit(3, 2, make_plan(1, "cases"));

	(void)state;
	assert_int_equal(drain(mixed), 8);
	for (int limit = 1; limit <= 30; limit += 3) {
		const char *s = "split.mprotect";
		struct result_filter all = { .limit = limit };

		assert_int_equal(walk(all), 4 * PER_RUN);
#define WALK(...) walk((struct result_filter){ .limit = limit, __VA_ARGS__ })
		assert_int_equal(WALK(.status = "FAIL"), 8);
		assert_int_equal(WALK(.status = "MISS"), 0);
		assert_int_equal(WALK(.scenario = s), 16);
		assert_int_equal(WALK(.scenario = "x"), 0);
		assert_int_equal(WALK(.scenario = s, .status = "FAIL"), 4);
		assert_int_equal(WALK(.submission = a), 3 * PER_RUN);
		assert_int_equal(WALK(.submission = b), 2 * PER_RUN);
		assert_int_equal(WALK(.submission = b, .status = "FAIL", .scenario = s), 2);
		assert_int_equal(WALK(.submission = a, .commit = sha(3)), PER_RUN);
		assert_int_equal(WALK(.submission = a, .commit = sha(4)), 0);
		assert_int_equal(WALK(.commit = sha(3)), PER_RUN);
		assert_int_equal(WALK(.commit = sha(3), .status = "SKIP"), 1);
		assert_int_equal(WALK(.commit = sha(9)), 0);
		assert_int_equal(WALK(.run = 2), PER_RUN);
		assert_int_equal(WALK(.run = 2, .scenario = s), 4);
		assert_int_equal(WALK(.run = 1), 0); /* a build that passed has no results */
		assert_int_equal(WALK(.run = 2, .submission = b), 0);
		assert_int_equal(WALK(.run = 99), 0);
		assert_int_equal(WALK(.full = true), 4 * PER_RUN);
	}
}

static void test_cursors(void **state)
{
	static const char *const bad[] = {
		"",	"r",	 "r1",	  "r1.",  "r1.2.3",
		"s1.2", "r-1.2", "r1.2 ", "r1.x", "r99999999999999999999.1",
		"x"
	};
	struct json_object *o = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct result_filter f = { .limit = 10, .cursor = bad[i] };

		assert_int_equal(view_results(store, &f, &o, &err), -EINVAL);
	}
	assert_int_equal(view_submissions(store, "r1.2", 10, &o, &err), -EINVAL);
	assert_int_equal(view_submissions(store, "s", 10, &o, &err), -EINVAL);
	assert_int_equal(view_submissions(store, NULL, 0, &o, &err), -EINVAL);
	assert_int_equal(view_submissions(store, NULL, 501, &o, &err), -EINVAL);
	assert_null(o);
}

static void test_submission_pages(void **state)
{
	CLEANUP(free_p) char *cursor = NULL;
	int64_t last = 8;

	(void)state;
	for (int i = 0; i < 7; i++)
		(void)submit(1, 1, make_plan(1, "cases"));
	for (;;) {
		CLEANUP(json_put_p) struct json_object *o = NULL;
		struct json_object *next;

		OK(view_submissions(store, cursor, 3, &o, &err));
		for (size_t i = 0; i < len_at(o, "items"); i++) {
			struct json_object *item = json_object_array_get_idx(at(o, "items"), i);

			has_keys(item, "id repo ref branch base_sha head_sha plan state message "
				       "created ended status summary jobs_total jobs_open subject");
			assert_int_equal(int_at(item, "id"), --last);
		}
		if (!json_object_object_get_ex(o, "next", &next))
			break;
		free(cursor);
		cursor = xstrdup(json_object_get_string(next));
	}
	assert_int_equal(last, 1);
}

static void test_view_keys(void **state)
{
	CLEANUP(json_put_p) struct json_object *sub = NULL, *commit = NULL, *build = NULL;
	CLEANUP(json_put_p) struct json_object *run = NULL, *result = NULL, *stats = NULL;
	int64_t id = submit(1, 2, make_plan(2, "cases"));

	(void)state;
	assert_int_equal(drain(mixed), 6);
	OK(view_submission(store, id, &sub, &err));
	has_keys(sub,
		 "id repo ref base_sha head_sha plan state message created commits jobs matrix");
	has_keys(at(sub, "commits.0"), "sha short subject author position summary status");
	has_keys(at(sub, "commits.0.summary"), "FAIL ERROR MISS PASS DONE SKIP");
	has_keys(at(sub, "jobs"), "queued waiting leased done failed cancelled");
	has_keys(at(sub, "matrix.rows.0"), "sha short subject config build run cells");
	has_keys(at(sub, "matrix.rows.0.build"), "id state status");
	has_keys(at(sub, "matrix.rows.0.cells.0"), "status reason result injected");
	OK(view_commit(store, sha(2), &commit, &err));
	has_keys(commit, "sha short tree parent author subject committed submissions matrix");
	assert_int_equal(len_at(commit, "matrix.rows"), 2);
	OK(view_build(store, 1, &build, &err));
	has_keys(build,
		 "id repo repo_url commit short subject config arch compiler state status reason "
		 "release detail image duration_us warnings errors artifacts tests runs "
		 "submissions");
	OK(view_run(store, int_at(sub, "matrix.rows.0.run"), &run, &err));
	has_keys(run,
		 "id job kind build repo commit short subject config attempt agent started ended "
		 "outcome status reason detail progress log_size kernel machine summary results "
		 "submissions");
	has_keys(at(run, "results.0"), "id case fault repeat closing status reason detail injected "
				       "errno splat duration_us console");
	assert_null(at(run, "results.0.splat"));
	assert_null(at(run, "results.0.console"));
	assert_string_equal(str_at(run, "results.0.fault.mode"), "nth");
	OK(view_result(store, int_at(run, "results.0.id"), &result, &err));
	has_keys(
		result,
		"id run job build repo commit short subject config agent started at kernel machine "
		"case fault status reason detail injected stacks errno checks counters metrics "
		"splat duration_us repro");
	OK(view_stats(store, &stats, &err));
	has_keys(stats,
		 "jobs.build.queued jobs.test.done results.PASS agents.live submissions.done "
		 "regressions.stale probes.under_way outbox.doubtful writer.commits runs commits "
		 "builds database_bytes");
	assert_int_equal(int_at(stats, "results.PASS"), 6);
}

/* What is not https may be a path of this machine, which nobody else needs to know. */
static void test_repo_url(void **state)
{
	static const struct {
		const char *url;
		bool shown;
	} rows[] = {
		{ "/srv/demo.git", false },
		{ "ssh://git@git.example.org/demo.git", false },
		{ "http://git.example.org/demo.git", false },
		{ "https://git.example.org/demo.git", true },
	};

	(void)state;
	submit(1, 1, make_plan(1, "cases"));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(json_put_p) struct json_object *build = NULL;
		int64_t id;

		OK(store_repo_put(store, "demo", rows[i].url, true, &id, &err));
		OK(view_build(store, 1, &build, &err));
		if (rows[i].shown)
			assert_string_equal(str_at(build, "repo_url"), rows[i].url);
		else
			assert_null(at(build, "repo_url"));
	}
}

static void test_not_there(void **state)
{
	struct json_object *o = NULL;

	(void)state;
	assert_int_equal(view_submission(store, 9, &o, &err), -ENOENT);
	assert_int_equal(view_commit(store, sha(9), &o, &err), -ENOENT);
	assert_int_equal(view_branch(store, "demo", "x", 10, &o, &err), -ENOENT);
	assert_int_equal(view_build(store, 9, &o, &err), -ENOENT);
	assert_int_equal(view_run(store, 9, &o, &err), -ENOENT);
	assert_int_equal(view_result(store, 9, &o, &err), -ENOENT);
	assert_null(o);
}

/* The newest commits of a branch over its submissions, each commit once. */
static void test_branch_matrix(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL, *few = NULL;
	int64_t branch, id;

	(void)state;
	OK(store_branch_put(store, repo, "main", NULL, "thp-split", &branch, &err));
	for (int i = 0; i < 3; i++) {
		struct commit_info commits[3] = { make_commit(2 * i), make_commit(2 * i + 1),
						  make_commit(2 * i + 2) };

		OK(store_branch_moved(store, branch, sha(2 * i), sha(2 * i + 2), &id, &err));
		OK(store_submission_plan(store, id, commits, 3, make_plan(1, "cases"), &err));
	}
	(void)drain(mixed);
	OK(view_branch(store, "demo", "main", 100, &o, &err));
	has_keys(
		o,
		"id repo ref tip plan message checked submission status summary submissions matrix");
	assert_int_equal(len_at(o, "matrix.rows"), 7);
	assert_string_equal(str_at(o, "matrix.rows.0.sha"), sha(6));
	assert_string_equal(str_at(o, "matrix.rows.6.sha"), sha(0));
	assert_string_equal(str_at(o, "status"), "FAIL");
	OK(view_branch(store, "demo", "main", 4, &few, &err));
	assert_int_equal(len_at(few, "matrix.rows"), 4);
}

/* One commit is submitted and built; its test, leased as "t". */
static struct job claim_test(void)
{
	struct job job;

	submit(1, 1, make_plan(1, "cases"));
	job = must_claim("b");
	assert_int_equal(build_answer(job.id, "b", STATUS_PASS, REASON_NONE), LEASE_OK);
	job_free(&job);
	return must_claim("t");
}

/* The whole document comes back as it was sent. */
static void test_document(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL, *row = NULL;
	struct result_doc doc;
	struct result *x;
	enum lease lease;
	struct job job;

	(void)state;
	job = claim_test();
	make_doc(&doc, (const enum status[]){ STATUS_FAIL, STATUS_COUNT });
	x = &doc.results[0];
	x->splat.kind = SPLAT_BUG;
	x->splat.title = xstrdup("kernel BUG in f <script>");
	strcpy(x->splat.fingerprint, "0123456789abcdef");
	x->splat.excerpt = xstrdup("line one\nline two \xff");
	x->console_offset = 10;
	x->console_len = 20;
	x->detail = xstrdup("it's \"quoted\"");
	OK(store_test_done(store, job.id, "t", &doc, REASON_NONE, NULL, &lease, &err));
	result_doc_free(&doc);
	job_free(&job);
	OK(view_result(store, 1, &o, &err));
	assert_string_equal(str_at(o, "splat.excerpt"), "line one\nline two \xef\xbf\xbd");
	assert_string_equal(str_at(o, "detail"), "it's \"quoted\"");
	assert_int_equal(int_at(o, "console.offset"), 10);
	row = results((struct result_filter){ .limit = 1 });
	assert_string_equal(str_at(row, "items.0.splat.title"), "kernel BUG in f <script>");
	assert_int_equal(int_at(row, "items.0.console.length"), 20);
	assert_false(json_object_object_get_ex(at(row, "items.0.splat"), "excerpt", NULL));
}

/* What failed comes before what broke, with all that is known of it. */
static void test_run_bad(void **state)
{
	static const enum status bad_ones[] = { STATUS_PASS, STATUS_ERROR, STATUS_FAIL,
						STATUS_MISS, STATUS_FAIL,  STATUS_COUNT };
	CLEANUP(json_put_p) struct json_object *all = NULL, *one = NULL, *none = NULL;
	struct job job;

	(void)state;
	job = claim_test();
	assert_int_equal(test_answer(job.id, "t", bad_ones), LEASE_OK);
	OK(view_run_bad(store, job.run_id, 12, &all, &err));
	assert_int_equal(json_object_array_length(all), 2);
	assert_string_equal(str_at(all, "0.status"), "FAIL");
	assert_int_equal(int_at(all, "0.fault.nth"), 3);
	assert_int_equal(int_at(all, "0.alike"), 2); /* another point fails in the same way */
	assert_string_equal(str_at(all, "1.status"), "ERROR");
	assert_int_equal(int_at(all, "1.alike"), 1);
	has_keys(json_object_array_get_idx(all, 0), "checks stacks counters machine run");
	OK(view_run_bad(store, job.run_id, 1, &one, &err));
	assert_int_equal(json_object_array_length(one), 1);
	OK(view_run_bad(store, 999, 2, &none, &err));
	assert_int_equal(json_object_array_length(none), 0);
	job_free(&job);
}

/* What fails again in the same way is told once; another case, or another way, is another. */
static void test_run_bad_alike(void **state)
{
	static const struct {
		const char *scenario, *detail;
	} fails[] = { { "split.munmap", "two" },   { "split.mprotect", "one" },
		      { "split.mprotect", "one" }, { "split.mprotect", "three" },
		      { "split.munmap", "two" },   { "split.mprotect", "one" } };
	static const int alike[] = { 2, 3, 1 };
	CLEANUP(json_put_p) struct json_object *all = NULL;
	struct result_doc doc;
	enum lease lease;
	struct job job;

	(void)state;
	job = claim_test();
	make_doc(&doc,
		 (const enum status[]){ STATUS_ERROR, STATUS_ERROR, STATUS_ERROR, STATUS_ERROR,
					STATUS_ERROR, STATUS_ERROR, STATUS_COUNT });
	for (size_t i = 0; i < ARRAY_SIZE(fails); i++) {
		free(doc.results[i].scenario);
		free(doc.results[i].detail);
		doc.results[i].scenario = xstrdup(fails[i].scenario);
		doc.results[i].detail = xstrdup(fails[i].detail);
	}
	OK(store_test_done(store, job.id, "t", &doc, REASON_NONE, NULL, &lease, &err));
	OK(view_run_bad(store, job.run_id, 12, &all, &err));
	assert_int_equal(json_object_array_length(all), ARRAY_SIZE(alike));
	for (int i = 0; i < (int)ARRAY_SIZE(alike); i++)
		assert_int_equal(int_at(json_object_array_get_idx(all, (size_t)i), "alike"),
				 alike[i]);
	assert_string_equal(str_at(all, "0.case"), "split.munmap");
	assert_string_equal(str_at(all, "2.detail"), "three");
	result_doc_free(&doc);
	job_free(&job);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cursors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_submission_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_view_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_repo_url, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_there, setup, teardown),
		cmocka_unit_test_setup_teardown(test_branch_matrix, setup, teardown),
		cmocka_unit_test_setup_teardown(test_document, setup, teardown),
		cmocka_unit_test_setup_teardown(test_run_bad, setup, teardown),
		cmocka_unit_test_setup_teardown(test_run_bad_alike, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
