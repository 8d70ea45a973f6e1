/* SPDX-License-Identifier: MIT */
#include "tests/unit/test_compare.h"

#include "jobs/stat.h"

#define BUG "FAIL bug 00000000000000aa"

static void be_build(struct result *r)
{
	free(r->scenario);
	r->scenario = xstrdup("build");
}

/* Every class, each with a neighbour that must come out otherwise. Repeats are divided by commas. */
static void test_classes(void **state)
{
	static const struct {
		const char *a, *b;
		enum compare_class class;
		const char *why;
	} cases[] = {
		{ "PASS", "FAIL bug", COMPARE_REGRESSED, NULL },
		{ "DONE", "FAIL data", COMPARE_REGRESSED, NULL },
		{ "PASS,PASS", "PASS,FAIL bug", COMPARE_REGRESSED, NULL },
		{ "PASS,MISS qemu", "FAIL bug", COMPARE_REGRESSED, NULL },
		{ "PASS", "FAIL bug,MISS qemu", COMPARE_REGRESSED, NULL },
		{ "FAIL bug", "FAIL bug", COMPARE_STILL_FAILING, NULL },
		{ "PASS,FAIL bug", "FAIL bug", COMPARE_STILL_FAILING, NULL },
		{ "FAIL bug", "PASS", COMPARE_FIXED, NULL },
		{ "FAIL bug", "DONE", COMPARE_FIXED, NULL },
		{ "PASS", "PASS", COMPARE_UNCHANGED, NULL },
		{ "PASS", "DONE", COMPARE_UNCHANGED, NULL },
		{ "", "FAIL bug", COMPARE_APPEARED, NULL },
		{ "", "MISS qemu", COMPARE_APPEARED, NULL },
		{ "FAIL bug", "", COMPARE_DISAPPEARED, NULL },
		/* Infrastructure and a broken harness are nobody's regression, and nobody's fix. */
		{ "PASS", "MISS qemu", COMPARE_NOT_COMPARABLE, "B has no verdict" },
		{ "PASS", "ERROR harness", COMPARE_NOT_COMPARABLE, "B has no verdict" },
		{ "PASS", "SKIP predeposit", COMPARE_NOT_COMPARABLE, "B has no verdict" },
		{ "FAIL bug", "MISS lease", COMPARE_NOT_COMPARABLE, "B has no verdict" },
		{ "SKIP kconfig", "FAIL bug", COMPARE_REGRESSED, "A skips it" },
		{ "MISS disk,ERROR truncated", "PASS", COMPARE_NOT_COMPARABLE, "A has no verdict" },
		{ "SKIP kconfig", "SKIP arch", COMPARE_NOT_COMPARABLE, "neither has a verdict" },
		{ "SKIP arch", "SKIP arch", COMPARE_NOT_COMPARABLE, "neither has a verdict" },
		{ "MISS agent", "ERROR ineffective", COMPARE_NOT_COMPARABLE,
		  "neither has a verdict" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *const texts[] = { cases[i].a, cases[i].b };

		setup(NULL);
		for (int s = 0; s < COMPARE_SIDES; s++) {
			CLEANUP(free_p) char *copy = xstrdup(texts[s]);
			char *rest = copy, *one;

			while ((one = strsep(&rest, ",")))
				if (*one)
					repeat(s, "nth,nth=1", one, 1);
		}
		compare_them();
		if (got.n_rows != 1 || got.rows[0].class != cases[i].class)
			fail_msg("'%s' and '%s': %s", cases[i].a, cases[i].b,
				 compare_class_name(got.rows[0].class));
		assert_int_equal(got.counts[cases[i].class], 1);
		assert_string_equal(got.rows[0].why ? got.rows[0].why : "",
				    cases[i].why ? cases[i].why : "");
		assert_int_equal(got.rows[0].shown, cases[i].class != COMPARE_UNCHANGED &&
							    strcmp(cases[i].a, "SKIP arch"));
		teardown(NULL);
	}
}

static void test_counts(void **state)
{
	const struct compare_row *row;

	(void)state;
	repeat(COMPARE_A, "nth,nth=1", "PASS", 5);
	repeat(COMPARE_B, "nth,nth=1", BUG, 4);
	repeat(COMPARE_B, "nth,nth=1", "PASS", 1);
	repeat(COMPARE_B, "nth,nth=1", "MISS qemu", 3);
	compare_them();
	row = &got.rows[0];
	assert_int_equal(row->side[COMPARE_A].fails, 0);
	assert_int_equal(row->side[COMPARE_A].runs, 5);
	assert_int_equal(row->side[COMPARE_B].fails, 4);
	assert_int_equal(row->side[COMPARE_B].runs, 5); /* a lost machine is no run */
	assert_int_equal(row->side[COMPARE_B].n, 8);
	assert_true(row->p == stat_fisher_two_sided(0, 5, 4, 5));
	assert_true(fabs(row->p - 12.0 / 252) < 1e-9);
	assert_int_equal(row->side[COMPARE_B].worst->result->status, STATUS_FAIL);
	assert_int_equal(row->side[COMPARE_B].n_failures, 1);
	assert_int_equal(row->side[COMPARE_B].failures[0].count, 4);
	assert_string_equal(row->side[COMPARE_B].failures[0].fingerprint, "00000000000000aa");
	assert_string_equal(row->side[COMPARE_B].failures[0].title, "kernel BUG in 00aa");
}

/* The same failure, another one, one more, one less, and one without a splat. */
static void test_same_failure(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{ BUG, BUG, true },
		{ BUG, "FAIL bug 00000000000000bb", false },
		{ BUG, "FAIL leak", false },
		{ "FAIL leak", "FAIL leak", true },
		{ "FAIL leak", "FAIL data", false },
	};
	const struct compare_row *row;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(free_p) char *fault = xasprintf("nth,nth=%zu", i + 1);

		add(COMPARE_A, fault, cases[i].a);
		add(COMPARE_B, fault, cases[i].b);
	}
	repeat(COMPARE_A, "none", BUG, 1);
	repeat(COMPARE_A, "none", "FAIL leak", 1);
	repeat(COMPARE_B, "none", BUG, 2); /* no leak any more */
	repeat(COMPARE_A, "burst,times=2", BUG, 2);
	repeat(COMPARE_B, "burst,times=2", BUG, 1);
	repeat(COMPARE_B, "burst,times=2", "FAIL leak", 1); /* and a leak */
	compare_them();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(free_p) char *fault = xasprintf("nth,nth=%zu", i + 1);

		row = row_of("split.mprotect", fault);
		assert_class(row, COMPARE_STILL_FAILING);
		if (row->same_failure != cases[i].same)
			fail_msg("%s and %s", cases[i].a, cases[i].b);
	}
	assert_true(row_of("split.mprotect", "none")->same_failure);
	assert_false(row_of("split.mprotect", "burst,times=2")->same_failure);
}

/* A check names its failure, whatever its detail says. */
static void test_failing_checks(void **state)
{
	static const char *const names[] = { "leak.tables", "leak.tables", "leak.pages" };

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct result *r = add(i ? COMPARE_B : COMPARE_A, "none", "FAIL leak");

		r->repeat = 1 + i;
		r->checks = xcalloc(1, sizeof(*r->checks));
		r->n_checks = 1;
		r->checks[0] = (struct check){ xstrdup(names[i]), false, xasprintf("%d left", i) };
	}
	compare_them();
	assert_int_equal(got.rows[0].side[COMPARE_B].n_failures, 2);
	assert_false(got.rows[0].same_failure);
	sides[COMPARE_B].n--;
	compare_them();
	assert_int_equal(got.rows[0].side[COMPARE_B].n_failures, 1);
	assert_true(got.rows[0].same_failure);
}

/* Each difference makes it another case. */
static void test_alignment(void **state)
{
	struct compare_item *item;

	(void)state;
	for (int i = 0; i < 6; i++)
		add(COMPARE_A, "nth,nth=1", "PASS")->repeat = 1 + i;
	sides[COMPARE_A].n = 1;
	for (int i = 0; i < 7; i++)
		add(COMPARE_B, i == 4 ? "nth,nth=2" : "nth,nth=1", "PASS");
	item = sides[COMPARE_B].items;
	item[1].arch = "arm64";
	item[2].accel = "kvm";
	results[6 + 3]->config[0] = 'x';
	results[6 + 5]->scenario[0] = 'x';
	results[6 + 6]->fault.facility = FAULT_FAILSLAB;
	compare_them();
	assert_int_equal(got.n_rows, 7);
	assert_int_equal(got.counts[COMPARE_UNCHANGED], 1);
	assert_int_equal(got.counts[COMPARE_APPEARED], 6);
}

/* What is not known is the same as what is not known. */
static void test_unknown_places(void **state)
{
	(void)state;
	free(add(COMPARE_A, "none", "PASS")->config);
	results[0]->config = NULL;
	results[0]->repeat = 7; /* the number of a repeat does not divide cases */
	free(add(COMPARE_B, "none", "FAIL data")->config);
	results[1]->config = xstrdup("");
	sides[COMPARE_A].items[0].arch = sides[COMPARE_A].items[0].accel = NULL;
	sides[COMPARE_B].items[0].arch = sides[COMPARE_B].items[0].accel = "";
	compare_them();
	assert_int_equal(got.n_rows, 1);
	assert_class(&got.rows[0], COMPARE_REGRESSED);
}

/* A run that never began knows no accelerator, and a document no architecture; while there is only
 * one beside them, it is theirs. */
static void test_filled_in(void **state)
{
	(void)state;
	add(COMPARE_A, "none", "PASS");
	add(COMPARE_B, "none", "MISS qemu");
	be_build(add(COMPARE_A, "none", "PASS"));
	be_build(add(COMPARE_B, "none", "PASS"));
	sides[COMPARE_B].items[0].accel = NULL;
	sides[COMPARE_B].items[0].arch = NULL;
	sides[COMPARE_A].items[1].accel = sides[COMPARE_B].items[1].accel = NULL;
	compare_them();
	assert_int_equal(got.n_rows, 2);
	assert_int_equal(got.counts[COMPARE_NOT_COMPARABLE], 1);
	assert_string_equal(got.rows[0].arch, "x86_64");
	assert_string_equal(got.rows[0].accel, "tcg");
	assert_class(row_of("build", "none"), COMPARE_UNCHANGED);
	assert_string_equal(row_of("build", "none")->accel, "");
	/* Which of two it was nobody knows. */
	add(COMPARE_A, "nth,nth=1", "PASS");
	sides[COMPARE_A].items[2].accel = "kvm";
	compare_them();
	assert_int_equal(got.counts[COMPARE_APPEARED], 1);
	assert_int_equal(got.counts[COMPARE_DISAPPEARED], 2);
	sides[COMPARE_A].items[2].accel = "tcg";
	sides[COMPARE_A].items[2].arch = "arm64";
	compare_them();
	assert_int_equal(got.counts[COMPARE_APPEARED], 1);
	assert_string_equal(got.rows[0].arch, "");
}

/* The same repeat of the same document counts once, and for its worse answer. */
static void test_duplicates(void **state)
{
	(void)state;
	add(COMPARE_A, "none", "PASS");
	add(COMPARE_A, "none", "PASS");
	add(COMPARE_B, "none", "PASS");
	add(COMPARE_B, "none", BUG);
	add(COMPARE_B, "none", "PASS");
	compare_them();
	assert_class(&got.rows[0], COMPARE_REGRESSED);
	assert_int_equal(got.rows[0].side[COMPARE_A].runs, 1);
	assert_int_equal(got.rows[0].side[COMPARE_B].runs, 1);
	assert_int_equal(got.rows[0].side[COMPARE_B].fails, 1);
	assert_int_equal(got.duplicates[COMPARE_A], 1);
	assert_int_equal(got.duplicates[COMPARE_B], 2);
	/* Another run's first repeat is a run of its own. */
	for (size_t i = 0; i < 3; i++)
		sides[COMPARE_B].items[i].run = (int64_t)i;
	compare_them();
	assert_int_equal(got.rows[0].side[COMPARE_B].runs, 3);
	assert_int_equal(got.rows[0].side[COMPARE_B].fails, 1);
	assert_int_equal(got.duplicates[COMPARE_B], 0);
}

static void test_nothing(void **state)
{
	(void)state;
	compare_them();
	assert_int_equal(got.n_rows, 0);
	assert_int_equal(got.n_metrics, 0);
	add(COMPARE_B, "none", "PASS");
	compare_them();
	assert_int_equal(got.counts[COMPARE_APPEARED], 1);
}

/* A document's accelerator is its machines', not its compiler's. */
static void test_documents(void **state)
{
	struct result_doc docs[COMPARE_SIDES] = { { .n_results = 0 } };

	(void)state;
	for (int s = 0; s < COMPARE_SIDES; s++) {
		docs[s].machine.accel = xstrdup(s ? "kvm" : "tcg");
		result_doc_add(&docs[s])->scenario = xstrdup("build");
		result_doc_add(&docs[s])->scenario = xstrdup("split.mprotect");
		for (int i = 0; i < 2; i++)
			docs[s].results[i].status = STATUS_PASS;
		compare_side_doc(&sides[s], &docs[s]);
	}
	compare_them();
	assert_int_equal(got.n_rows, 3);
	assert_int_equal(got.counts[COMPARE_UNCHANGED], 1);
	assert_class(row_of("build", "none"), COMPARE_UNCHANGED);
	assert_int_equal(got.counts[COMPARE_APPEARED], 1);
	assert_int_equal(got.counts[COMPARE_DISAPPEARED], 1);
	for (int s = 0; s < COMPARE_SIDES; s++)
		result_doc_free(&docs[s]);
}

/* Regressed first, and within a class as the results came; what fails comes before what does not. */
static void test_order(void **state)
{
	static const char *const wanted[] = { "x.regressed2", "x.regressed1", "x.still",
					      "x.fixed",      "x.new_fails",  "x.new",
					      "x.gone",	      "x.lost",	      "x.same" };
	static const struct {
		const char *name, *a, *b;
	} cases[] = {
		{ "x.same", "PASS", "PASS" },
		{ "x.lost", "PASS", "MISS qemu" },
		{ "x.gone", "PASS", NULL },
		{ "x.new", NULL, "PASS" },
		{ "x.new_fails", NULL, BUG },
		{ "x.fixed", BUG, "PASS" },
		{ "x.still", BUG, BUG },
		{ "x.regressed2", "PASS", BUG },
		{ "x.regressed1", "PASS", "FAIL leak" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (int s = 0; s < COMPARE_SIDES; s++) {
			const char *status = s ? cases[i].b : cases[i].a;
			struct result *r = status ? add(s, "none", status) : NULL;

			if (!r)
				continue;
			free(r->scenario);
			r->scenario = xstrdup(cases[i].name);
		}
	}
	compare_them();
	assert_int_equal(got.n_rows, ARRAY_SIZE(wanted));
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		assert_string_equal(got.rows[i].item->result->scenario, wanted[i]);
}

/* A kernel that does not build regressed once, in its build, and not in every case. */
static void test_build(void **state)
{
	const struct compare_row *row;

	(void)state;
	be_build(add(COMPARE_A, "none", "PASS"));
	add(COMPARE_A, "nth,nth=1", "PASS");
	add(COMPARE_A, "nth,nth=2", "PASS");
	be_build(add(COMPARE_B, "none", "FAIL build"));
	compare_them();
	assert_class(row_of("build", "none"), COMPARE_REGRESSED);
	row = row_of("split.mprotect", "nth,nth=1");
	assert_class(row, COMPARE_NOT_COMPARABLE);
	assert_string_equal(row->why, "B was not built");
	assert_int_equal(got.counts[COMPARE_NOT_COMPARABLE], 2);
	assert_int_equal(got.counts[COMPARE_DISAPPEARED], 0);
	/* A machine without a disk says nothing about the kernel. */
	results[3]->status = STATUS_MISS;
	results[3]->reason = REASON_DISK;
	compare_them();
	assert_class(row_of("build", "none"), COMPARE_NOT_COMPARABLE);
	assert_class(row_of("split.mprotect", "nth,nth=1"), COMPARE_NOT_COMPARABLE);
	/* Another configuration's build is not this one's. */
	results[3]->config[0] = 'x';
	compare_them();
	assert_class(row_of("split.mprotect", "nth,nth=1"), COMPARE_DISAPPEARED);
}

/* A kernel that dies differently each time; the sixteen kept ones are not all. */
static void test_many_failures(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++) {
		char text[64];

		snprintf(text, sizeof(text), "FAIL bug %016x", i);
		for (int s = 0; s < COMPARE_SIDES; s++)
			add(s, "none", text)->repeat = 1 + i;
	}
	compare_them();
	assert_int_equal(got.rows[0].side[COMPARE_B].fails, 1000);
	assert_int_equal(got.rows[0].side[COMPARE_B].n_failures, COMPARE_FAILURES_MAX);
	assert_int_equal(got.rows[0].side[COMPARE_B].failures_dropped, 1000 - COMPARE_FAILURES_MAX);
	assert_false(got.rows[0].same_failure);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes),
		TEST(counts),
		TEST(same_failure),
		TEST(failing_checks),
		TEST(alignment),
		TEST(unknown_places),
		TEST(filled_in),
		TEST(duplicates),
		TEST(nothing),
		TEST(documents),
		TEST(order),
		TEST(build),
		TEST(many_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
