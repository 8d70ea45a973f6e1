/* SPDX-License-Identifier: MIT */
#include "tests/unit/test_store_older.h"

#include "lib/json.h"

static const char *const mprotect_frames[] = { "pte_alloc_one",		"__split_huge_pmd",
					       "vma_adjust_trans_huge", "__split_vma.isra.0",
					       "mprotect_fixup",	"do_syscall_64" };
static const char *const new_frames[] = { "pte_alloc_one", "__split_huge_pmd", "elsewhere" };
static const char *const fault_frames[] = { "pte_alloc_one", "__pte_alloc", "handle_mm_fault" };

static void put_stack(struct stack *s, const char *const *frames, int n, int count, bool on)
{
	*s = (struct stack){ .n = n, .count = count, .on_target = on };
	s->frames = xcalloc((size_t)n, sizeof(*s->frames));
	for (int i = 0; i < n; i++)
		s->frames[i] = xstrdup(frames[i]);
}

/* mprotect is hit on target and off, munmap's fault is skipped. */
static void answer(const char *lease, struct job *job)
{
	static const enum status statuses[] = { STATUS_PASS, STATUS_SKIP, STATUS_PASS,
						STATUS_COUNT };
	struct result_doc doc;
	enum lease ret;

	make_doc(&doc, statuses);
	doc.kernel.lacks = xcalloc(1, sizeof(*doc.kernel.lacks));
	doc.kernel.lacks[0] = xstrdup("vma_adjust_trans_huge");
	doc.kernel.n_lacks = 1;
	for (size_t i = 0; i < 3; i += 2) {
		struct result *x = &doc.results[i];

		x->stacks = xcalloc(3, sizeof(*x->stacks));
		x->n_stacks = 3;
		put_stack(&x->stacks[0], mprotect_frames, 6, 2, true);
		put_stack(&x->stacks[1], fault_frames, 3, 9, false);
		put_stack(&x->stacks[2], new_frames, 3, 1, i == 0);
	}
	OK(store_test_done(store, job->id, lease, &doc, REASON_NONE, NULL, &ret, &err));
	assert_int_equal(ret, LEASE_OK);
	result_doc_free(&doc);
}

static void answer_all(void)
{
	struct job job;

	while (claim_as("agent1", "all", &job) == CLAIM_JOB) {
		if (job.kind == JOB_BUILD)
			build_answer(job.id, "all", STATUS_PASS, REASON_NONE);
		else
			answer("all", &job);
		job_free(&job);
	}
}

static struct json_object *chain_of(struct json_object *view, const char *scenario)
{
	for (size_t i = 0; i < len_at(view, "chains"); i++) {
		struct json_object *c = json_object_array_get_idx(at(view, "chains"), i);

		if (!strcmp(str_at(c, "scenarios.0"), scenario))
			return c;
	}
	fail_msg("no chain of %s", scenario);
	return NULL;
}

static void test_coverage(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct json_object *c;

	(void)state;
	submit(1, 2, make_plan(1, "cases"));
	OK(view_coverage(store, sha(2), &o, &err));
	assert_int_equal(len_at(o, "configs"), 0);
	assert_int_equal(int_at(o, "reached"), 0);
	assert_int_equal(int_at(o, "not_run"), int_at(o, "known"));
	json_object_put(STEAL(o));

	answer_all();
	OK(view_coverage(store, sha(2), &o, &err));
	assert_string_equal(str_at(o, "sha"), sha(2));
	assert_int_equal(len_at(o, "configs"), 1);
	assert_string_equal(str_at(o, "configs.0"), "default");
	assert_int_equal(int_at(o, "reached"), 1);
	assert_int_equal(int_at(o, "skipped"), 1);
	assert_int_equal(int_at(o, "missed"), 0);
	assert_int_equal(int_at(o, "new"), 1);
	assert_int_equal(int_at(o, "not_run"), int_at(o, "known") - 2);

	c = chain_of(o, "split.mprotect");
	assert_int_equal(int_at(c, "injections"), 4); /* summed over two results */
	assert_string_equal(str_at(c, "state"), "reached");
	assert_string_equal(str_at(c, "configs.0.config"), "default");
	assert_string_equal(str_at(c, "configs.0.state"), "reached");
	assert_int_equal(int_at(c, "configs.0.injections"), 4);
	assert_string_equal(str_at(c, "configs.0.lacks.0"), "vma_adjust_trans_huge");
	c = chain_of(o, "split.munmap");
	assert_string_equal(str_at(c, "state"), "skipped");
	assert_string_equal(str_at(c, "reason"), "predeposit");
	c = json_object_array_get_idx(at(o, "chains"), (size_t)int_at(o, "known"));
	assert_string_equal(str_at(c, "path"), "pte_alloc_one < __split_huge_pmd < elsewhere");
	assert_int_equal(int_at(c, "injections"), 1);
	assert_int_equal(int_at(c, "configs.0.injections"), 1);
}

static void test_no_such_commit(void **state)
{
	struct json_object *o = NULL;

	(void)state;
	assert_int_equal(view_coverage(store, sha(9), &o, &err), -ENOENT);
	assert_null(o);
}

/* Two commits of a branch, newest first; the first is asked for again, and stands there once. */
static void test_line(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct json_object *c;
	int64_t branch;

	(void)state;
	OK(store_branch_put(store, repo, "main", NULL, "thp-split", &branch, &err));
	move_branch(branch, 1, 2);
	answer_all();
	move_branch(branch, 2, 3);
	OK(view_coverage_line(store, "demo", "main", 30, &o, &err));
	assert_string_equal(str_at(o, "repo"), "demo");
	assert_int_equal(len_at(o, "commits"), 3);
	assert_string_equal(str_at(o, "commits.0.sha"), sha(3));
	assert_int_equal(int_at(o, "commits.0.configs"), 0); /* not tested yet */
	assert_int_equal(int_at(o, "commits.0.reached"), 0);
	assert_string_equal(str_at(o, "commits.1.sha"), sha(2));
	assert_int_equal(int_at(o, "commits.1.configs"), 1);
	assert_int_equal(int_at(o, "commits.1.reached"), 1);
	assert_string_equal(str_at(o, "commits.2.sha"), sha(1));
	c = chain_of(o, "split.mprotect");
	assert_int_equal(len_at(c, "cells"), 3);
	assert_string_equal(str_at(c, "cells.0.state"), "not_run");
	assert_string_equal(str_at(c, "cells.1.state"), "reached");
	assert_int_equal(int_at(c, "cells.1.injections"), 4);
	/* what the catalogue does not know is behind it */
	c = json_object_array_get_idx(at(o, "chains"), (size_t)int_at(o, "commits.1.known"));
	assert_string_equal(str_at(c, "path"), "pte_alloc_one < __split_huge_pmd < elsewhere");
	assert_null(at(c, "cells.0.state"));
	assert_string_equal(str_at(c, "cells.1.state"), "reached");
	json_object_put(STEAL(o));

	OK(view_coverage_line(store, "demo", "main", 1, &o, &err));
	assert_int_equal(len_at(o, "commits"), 1);
	assert_string_equal(str_at(o, "commits.0.sha"), sha(3));
	json_object_put(STEAL(o));
	assert_int_equal(view_coverage_line(store, "demo", "other", 1, &o, &err), -ENOENT);
	assert_int_equal(view_coverage_line(store, "demo", "main", 31, &o, &err), -EINVAL);
	assert_null(o);
}

/* What an older server stored: the stacks were in the documents alone. */
static void test_migration_finds_the_stacks(void **state)
{
	CLEANUP(json_put_p) struct json_object *before = NULL, *after = NULL;
	CLEANUP(free_p) char *was = NULL, *is = NULL;

	(void)state;
	submit(1, 2, make_plan(1, "cases"));
	answer_all();
	OK(view_coverage(store, sha(2), &before, &err));
	reopen_older(1);
	OK(view_coverage(store, sha(2), &after, &err));
	was = json_text(before);
	is = json_text(after);
	assert_string_equal(was, is);
	assert_int_equal(int_at(after, "reached"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_coverage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_such_commit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_migration_finds_the_stacks, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
