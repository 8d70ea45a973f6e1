/* SPDX-License-Identifier: MIT */
/* The matrix of pages (strips) says what that of the API says cell by cell. */
#include "tests/unit/test_store.h"

#define COLUMNS_MAX 16

/* A row's strip, laid out: of each cell its status, and the result where it is told. */
struct laid {
	const char *status[COLUMNS_MAX];
	struct json_object *told[COLUMNS_MAX];
	size_t n;
};

static void lay_out(struct json_object *strip, struct laid *ret)
{
	*ret = (struct laid){ 0 };
	for (size_t i = 0; i < json_object_array_length(strip); i++) {
		struct json_object *o = json_object_array_get_idx(strip, i);
		const char *status = json_object_get_string(at(o, "status"));
		int64_t n = int_at(o, "n");

		/* Neighbours that say the same stand together. */
		if (n && ret->n && !ret->told[ret->n - 1])
			assert_false((!status && !ret->status[ret->n - 1]) ||
				     (status && ret->status[ret->n - 1] &&
				      !strcmp(status, ret->status[ret->n - 1])));
		if (!n)
			ret->told[ret->n] = o;
		for (int64_t k = 0; k < (n ? n : 1); k++) {
			assert_true(ret->n < COLUMNS_MAX);
			ret->status[ret->n++] = status;
		}
	}
}

static void compare_cell(const struct laid *l, size_t i, struct json_object *cell,
			 const char *scenario)
{
	if (!cell) {
		assert_null(l->status[i]);
		return;
	}
	assert_non_null(l->status[i]);
	assert_string_equal(l->status[i], str_at(cell, "status"));
	assert_int_equal(l->told[i] != NULL, strchr("FEM", *l->status[i]) != NULL);
	if (!l->told[i])
		return;
	assert_int_equal(int_at(l->told[i], "result"), int_at(cell, "result"));
	assert_int_equal(int_at(l->told[i], "injected"), int_at(cell, "injected"));
	assert_string_equal(str_at(l->told[i], "reason"), str_at(cell, "reason"));
	assert_string_equal(str_at(l->told[i], "case"), scenario);
}

/* Returns how many cells are told of. */
static int compare(struct json_object *full, struct json_object *brief)
{
	size_t rows = len_at(full, "matrix.rows");
	int told = 0;

	assert_int_equal(len_at(brief, "matrix.rows"), rows);
	assert_int_equal(len_at(brief, "matrix.cases"), len_at(full, "matrix.cases"));
	for (size_t i = 0; i < rows; i++) {
		struct json_object *row = json_object_array_get_idx(at(full, "matrix.rows"), i);
		struct json_object *other = json_object_array_get_idx(at(brief, "matrix.rows"), i);
		struct laid l;

		lay_out(at(other, "strip"), &l);
		assert_int_equal(l.n, len_at(row, "cells"));
		assert_string_equal(str_at(other, "sha"), str_at(row, "sha"));
		for (size_t k = 0; k < l.n; k++) {
			struct json_object *name =
				json_object_array_get_idx(at(full, "matrix.cases"), k);

			compare_cell(&l, k, json_object_array_get_idx(at(row, "cells"), k),
				     json_object_get_string(name));
			told += l.told[k] != NULL;
		}
	}
	return told;
}

static int compare_submission(int64_t id)
{
	CLEANUP(json_put_p) struct json_object *full = NULL, *brief = NULL;

	OK(view_submission(store, id, &full, &err));
	OK(view_submission_brief(store, id, &brief, &err));
	return compare(full, brief);
}

static void test_statuses(void **state)
{
	static const enum status pairs[][3] = {
		{ STATUS_PASS, STATUS_PASS, STATUS_COUNT },
		{ STATUS_FAIL, STATUS_PASS, STATUS_COUNT },
		{ STATUS_SKIP, STATUS_DONE, STATUS_COUNT },
		{ STATUS_ERROR, STATUS_MISS, STATUS_COUNT },
		{ STATUS_PASS, STATUS_COUNT, STATUS_COUNT }, /* the other case says nothing */
	};
	static const int told[] = { 0, 1, 0, 2, 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		int64_t id = submit(1 + 2 * (int)i, 2, make_plan(2, "cases"));

		assert_int_equal(compare_submission(id), 0); /* nothing has run yet */
		(void)drain(pairs[i]);
		assert_int_equal(compare_submission(id), 2 * told[i]);
	}
}

static void answer_with(const struct job *job, const char *const *scenarios, enum status status)
{
	struct result_doc doc = { .kernel = { .release = xstrdup("6.12.117") } };
	enum lease lease;

	for (int i = 0; scenarios[i]; i++) {
		struct result *x = result_doc_add(&doc);

		result_init(x);
		x->scenario = xstrdup(scenarios[i]);
		x->repeat = 1;
		x->status = status;
		x->reason = status == STATUS_FAIL ? REASON_LEAK : REASON_NONE;
	}
	OK(store_test_done(store, job->id, "l", &doc, REASON_NONE, NULL, &lease, &err));
	assert_int_equal(lease, LEASE_OK);
	result_doc_free(&doc);
}

/* What an agent tells of cases that were not asked for is shown in columns of its own. */
static void test_unnamed_case(void **state)
{
	static const char *const named[] = { "split.munmap", "split.mprotect", NULL };
	static const char *const more[] = { "split.munmap", "split.mremap", "control.nosplit",
					    NULL };
	int64_t id = submit(1, 2, make_plan(1, "cases"));
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct job job;
	int tests = 0;

	(void)state;
	while (claim_as("agent1", "l", &job) == CLAIM_JOB) {
		if (job.kind == JOB_BUILD)
			assert_int_equal(build_answer(job.id, "l", STATUS_PASS, REASON_NONE),
					 LEASE_OK);
		else if (tests++)
			answer_with(&job, named, STATUS_PASS);
		else
			answer_with(&job, more, STATUS_FAIL);
		job_free(&job);
	}
	assert_int_equal(tests, 2);
	assert_int_equal(compare_submission(id), 3);
	OK(view_submission_brief(store, id, &o, &err));
	assert_int_equal(len_at(o, "matrix.cases"), 4);
}

static void test_branch_and_commit(void **state)
{
	static const enum status mixed[] = { STATUS_FAIL, STATUS_PASS, STATUS_COUNT };
	CLEANUP(json_put_p) struct json_object *full = NULL, *brief = NULL;
	CLEANUP(json_put_p) struct json_object *full_one = NULL, *brief_one = NULL;
	struct commit_info commits[3] = { make_commit(0), make_commit(1), make_commit(2) };
	int64_t branch, id;

	(void)state;
	OK(store_branch_put(store, repo, "main", NULL, "thp-split", &branch, &err));
	OK(store_branch_moved(store, branch, sha(0), sha(2), &id, &err));
	OK(store_submission_plan(store, id, commits, 3, make_plan(1, "cases"), &err));
	(void)drain(mixed);
	OK(view_branch(store, "demo", "main", 10, &full, &err));
	OK(view_branch_brief(store, "demo", "main", 10, &brief, &err));
	assert_int_equal(compare(full, brief), 3);
	OK(view_commit(store, sha(1), &full_one, &err));
	OK(view_commit_brief(store, sha(1), &brief_one, &err));
	assert_int_equal(compare(full_one, brief_one), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_statuses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unnamed_case, setup, teardown),
		cmocka_unit_test_setup_teardown(test_branch_and_commit, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
