/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "jobs/fault.h"
#include "lib/buf.h"

static int parse(const char *text, struct fault *ret, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct jval v;

	assert_int_equal(json_parse(text, strlen(text), &o, err), 0);
	v = json_root(o);
	return fault_from_json(&v, ret, err);
}

static void assert_fault_equal(const struct fault *a, const struct fault *b)
{
	assert_string_equal(a->site, b->site);
	assert_int_equal(a->within, b->within);
	assert_int_equal(a->facility, b->facility);
	assert_int_equal(a->mode, b->mode);
	assert_int_equal(a->nth, b->nth);
	assert_int_equal(a->times, b->times);
	assert_int_equal(a->probability, b->probability);
	assert_true(a->seed == b->seed);
}

static void test_defaults(void **state)
{
	struct error err = ERROR_INIT;
	struct fault a, b;

	(void)state;
	fault_defaults(&a);
	assert_string_equal(a.site, "pte_alloc_one");
	assert_int_equal(a.within, FAULT_WITHIN_SPLIT);
	assert_int_equal(a.facility, FAULT_FAIL_PAGE_ALLOC);
	assert_int_equal(a.mode, FAULT_NONE);
	assert_int_equal(a.times, 3);
	assert_true(a.seed == 1);
	assert_int_equal(parse("{}", &b, &err), 0);
	assert_fault_equal(&a, &b);
}

/* text → canonical text */
static const struct {
	const char *in, *canonical;
} good[] = {
	{ "none", "mode=none" },
	{ "sweep", "mode=sweep" },
	{ "mode=sweep,nth=2", "mode=sweep,nth=2" },
	{ "mode=nth,nth=3", "mode=nth,nth=3" },
	{ "nth=3,mode=nth", "mode=nth,nth=3" },
	{ "nth,nth=3,times=9", "mode=nth,nth=3" },
	{ "burst", "mode=burst,times=3" },
	{ "burst,times=1000", "mode=burst,times=1000" },
	{ "probability,probability=10", "mode=probability,probability=10,seed=1" },
	{ "probability,probability=10,times=1", "mode=probability,probability=10,seed=1" },
	{ "probability,probability=10,times=4", "mode=probability,probability=10,seed=1,times=4" },
	{ "probability,probability=100,seed=0", "mode=probability,probability=100,seed=0" },
	{ "sweep,site=__alloc.isra_1,within=any,facility=failslab",
	  "mode=sweep,site=__alloc.isra_1,within=any,facility=failslab" },
	{ "sweep,within=split,facility=fail_page_alloc,site=pte_alloc_one", "mode=sweep" },
	{ "sweep,facility=fail_function", "mode=sweep,facility=fail_function" },
};

static void test_round_trips(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct error err = ERROR_INIT;
		CLEANUP(json_put_p) struct json_object *o = NULL;
		CLEANUP(free_p) char *json = NULL;
		char text[FAULT_TEXT_MAX];
		struct fault a, b, c;

		assert_int_equal(fault_from_text(good[i].in, &a, &err), 0);
		fault_to_text(&a, text);
		assert_string_equal(text, good[i].canonical);
		assert_int_equal(fault_from_text(text, &b, &err), 0);
		assert_fault_equal(&a, &b);
		o = fault_to_json(&a);
		json = json_text(o);
		assert_int_equal(parse(json, &c, &err), 0);
		assert_fault_equal(&a, &c);
		assert_int_equal(err.code, 0);
	}
}

static void test_json_has_what_the_mode_uses(void **state)
{
	struct error err = ERROR_INIT;
	CLEANUP(json_put_p) struct json_object *o = NULL;
	CLEANUP(free_p) char *json = NULL;
	struct fault f;

	(void)state;
	assert_int_equal(fault_from_text("nth,nth=3", &f, &err), 0);
	o = fault_to_json(&f);
	json = json_text(o);
	assert_string_equal(json, "{\"site\":\"pte_alloc_one\",\"within\":\"split\",\"facility\":"
				  "\"fail_page_alloc\",\"mode\":\"nth\",\"nth\":3}");
}

static const struct {
	const char *json, *path;
} bad_json[] = {
	{ "[]", "$" },
	{ "{\"mode\":\"nth\"}", "$.nth" },
	{ "{\"mode\":\"nth\",\"nth\":0}", "$.nth" },
	{ "{\"mode\":\"nth\",\"nth\":1000001}", "$.nth" },
	{ "{\"mode\":\"nth\",\"nth\":\"3\"}", "$.nth" },
	{ "{\"mode\":\"nth\",\"nth\":3.5}", "$.nth" },
	{ "{\"mode\":\"probability\"}", "$.probability" },
	{ "{\"mode\":\"probability\",\"probability\":0}", "$.probability" },
	{ "{\"mode\":\"probability\",\"probability\":101}", "$.probability" },
	{ "{\"mode\":\"probability\",\"probability\":1,\"seed\":-1}", "$.seed" },
	{ "{\"mode\":\"burst\",\"times\":0}", "$.times" },
	{ "{\"mode\":\"burst\",\"times\":-1}", "$.times" },
	{ "{\"mode\":\"burst\",\"times\":1001}", "$.times" },
	{ "{\"mode\":\"Sweep\"}", "$.mode" },
	{ "{\"mode\":\"\"}", "$.mode" },
	{ "{\"mode\":1}", "$.mode" },
	{ "{\"within\":\"outside\"}", "$.within" },
	{ "{\"facility\":\"fail_io\"}", "$.facility" },
	{ "{\"site\":\"\"}", "$.site" },
	{ "{\"site\":\"1abc\"}", "$.site" },
	{ "{\"site\":\"a b\"}", "$.site" },
	{ "{\"site\":\"a\\nrun\"}", "$.site" },
	{ "{\"site\":\"a=b\"}", "$.site" },
	{ "{\"site\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
	  "$.site" },
	{ "{\"nths\":3}", "nths" },
};

static void test_strict_json(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_json); i++) {
		struct error err = ERROR_INIT;
		struct fault f;

		memset(&f, 0x55, sizeof(f));
		if (parse(bad_json[i].json, &f, &err) != -EINVAL)
			fail_msg("accepted: %s", bad_json[i].json);
		if (!strstr(err.msg, bad_json[i].path))
			fail_msg("%s: '%s' does not name %s", bad_json[i].json, err.msg,
				 bad_json[i].path);
		assert_int_equal(((unsigned char *)&f)[0], 0x55); /* untouched */
	}
}

static void test_strict_text(void **state)
{
	static const char *const bad[] = {
		"",
		"nth",
		"mode=nth",
		"nth=3,nth",
		"sweep,burst",
		"sweep,",
		",sweep",
		"sweep,mode=none",
		"sweep,nth=0",
		"burst,times=",
		"burst,times=1x",
		"burst,times= 1",
		"burst,times=+1",
		"burst,times=1001",
		"sweep,x=1",
		"probability",
		"SWEEP",
		"sweep,site=a b",
		"sweep,site=",
		"nth,nth=1,nth=1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error err = ERROR_INIT;
		struct fault f;

		if (fault_from_text(bad[i], &f, &err) != -EINVAL)
			fail_msg("accepted: '%s'", bad[i]);
		assert_true(err.msg[0] != '\0');
	}
}

/* Stacks as `a<b<c`, innermost first. */
static const struct {
	const char *site, *stack;
	bool split, any;
} stacks[] = {
	{ "pte_alloc_one", "should_fail<pte_alloc_one<__split_huge_pmd<zap_pmd_range", true, true },
	{ "pte_alloc_one", "pte_alloc_one<split_huge_pmd_locked<try_to_unmap_one", true, true },
	{ "pte_alloc_one", "pte_alloc_one<__split_huge_pmd_locked.isra.0", true, true },
	{ "pte_alloc_one", "pte_alloc_one.constprop.0<__split_huge_pmd", true, true },
	{ "pte_alloc_one", "pte_alloc_one_noprof<__split_huge_pmd.part.0", true, true },
	{ "pte_alloc_one", "pte_alloc_one<split_huge_pmd_address", true, true },
	{ "pte_alloc_one", "pte_alloc_one<split_huge_pmd_if_needed", true, true },
	{ "pte_alloc_one", "pte_alloc_one<vma_adjust_trans_huge<__split_vma", true, true },
	{ "pte_alloc_one", "pte_alloc_one<try_to_unmap_one<rmap_walk_anon", true, true },
	{ "pte_alloc_one", "pte_alloc_one<try_to_migrate_one", true, true },
	{ "pte_alloc_one", "pte_alloc_one<do_huge_pmd_wp_page", true, true },
	/* a site around the split */
	{ "handle_mm_fault", "pte_alloc_one<__split_huge_pmd<handle_mm_fault", true, true },
	{ "copy_page_range", "f<split_huge_pmd_address<copy_page_range<fork", true, true },
	/* Neighbours that are not. */
	{ "handle_mm_fault", "pte_alloc_one<__pte_alloc<handle_mm_fault", false, true },
	{ "handle_mm_fault", "f<__pte_alloc<__split_huge_pmd<handle_mm_fault", false, true },
	{ "handle_mm_fault", "vma_alloc_folio<do_wp_page<handle_mm_fault", false, true },
	{ "pte_alloc_one", "pte_alloc_one<__do_huge_pmd_anonymous_page", false, true },
	{ "pte_alloc_one", "pte_alloc_one<copy_huge_pmd<copy_page_range", false, true },
	{ "pte_alloc_one", "pte_alloc_one<__pte_alloc<do_anonymous_page", false, true },
	{ "pte_alloc_one", "pte_alloc_one<__pte_alloc<__split_huge_pmd", false, true },
	{ "pte_alloc_one", "pte_alloc_one<__pte_alloc.isra.0<try_to_unmap_one", false, true },
	{ "pte_alloc_one", "pte_alloc_one<__split_huge_pmd<__pte_alloc", true, true },
	{ "pte_alloc_one", "__split_huge_pmd<zap_pmd_range", false, false },
	{ "pte_alloc_one", "pte_alloc_one_kernel<__split_huge_pmd", false, false },
	{ "pte_alloc_one", "pte_alloc_onerous<__split_huge_pmd", false, false },
	{ "pte_alloc_one", "pte_alloc_one<__split_huge_pud", false, true },
	{ "pte_alloc_one", "pte_alloc_one<__split_huge_pmd_x", false, true },
	{ "__split_huge_pmd", "alloc_pages<__split_huge_pmd<zap_pmd_range", true, true },
	{ "pte_alloc_one", "", false, false },
};

static void test_frame_fold(void **state)
{
	static const struct {
		const char *frame, *function;
	} rows[] = {
		{ "pte_alloc_one", "pte_alloc_one" },
		{ "pte_alloc_one_noprof", "pte_alloc_one" },
		{ "f.isra.0", "f" },
		{ "f.constprop.0.isra.0", "f" },
		{ "f_noprof.part.0.cold", "f" },
		{ "f.cold.17", "f" },
		{ "f.llvm.1", "f.llvm.1" },
		{ "_noprof_f", "_noprof_f" },
		{ "f.israel", "f.israel" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(free_p) char *function = fault_frame_fold(rows[i].frame);

		assert_string_equal(function, rows[i].function);
	}
}

static void test_on_target(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(stacks); i++) {
		char copy[160], *rest = copy, *frame;
		const char *frames[8];
		struct fault f;
		int n = 0;

		fault_defaults(&f);
		strcpy(f.site, stacks[i].site);
		strcpy(copy, stacks[i].stack);
		while (*copy && (frame = strsep(&rest, "<")))
			frames[n++] = frame;
		if (fault_stack_on_target(&f, frames, n) != stacks[i].split)
			fail_msg("split: %s", stacks[i].stack);
		f.within = FAULT_WITHIN_ANY;
		if (fault_stack_on_target(&f, frames, n) != stacks[i].any)
			fail_msg("any: %s", stacks[i].stack);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_json_has_what_the_mode_uses),
		cmocka_unit_test(test_strict_json),
		cmocka_unit_test(test_strict_text),
		cmocka_unit_test(test_frame_fold),
		cmocka_unit_test(test_on_target),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
