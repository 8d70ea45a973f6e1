/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "jobs/coverage.h"
#include "jobs/parts.h"
#include "jobs/scenario.h"
#include "lib/buf.h"
#include "lib/limits.h"

#define SYSCALL "<do_syscall_64<entry_SYSCALL_64_after_hwframe"
/* As Linux 6.12 shows them. */
#define MPROTECT                                                                       \
	"pte_alloc_one<__split_huge_pmd<split_huge_pmd_address<vma_adjust_trans_huge<" \
	"__split_vma<split_vma<vma_modify<mprotect_fixup<do_mprotect_pkey<x64_sys_call" SYSCALL
#define MLOCK                                                                          \
	"pte_alloc_one<__split_huge_pmd<split_huge_pmd_address<vma_adjust_trans_huge<" \
	"__split_vma<split_vma<vma_modify<mlock_fixup<do_mlock<x64_sys_call" SYSCALL

/* `text`: "a<b<c", innermost first. */
static struct stack stack_of(const char *text, int count)
{
	CLEANUP(free_p) char *copy = xstrdup(text);
	struct stack s = { .count = count, .on_target = true };
	char *rest = copy, *frame;

	s.frames = xcalloc(LIMIT_STACK_FRAMES, sizeof(*s.frames));
	while (*copy && (frame = strsep(&rest, "<")))
		s.frames[s.n++] = xstrdup(frame);
	return s;
}

static void add(struct coverage *c, const char *scenario, const char *text, int count)
{
	struct stack s = stack_of(text, count);

	coverage_add(c, scenario, &s);
	stack_clear(&s);
}

static struct coverage_chain *chain_of(struct coverage *c, const char *scenario)
{
	for (size_t i = 0; i < c->n_known; i++)
		for (size_t k = 0; k < c->chains[i].n_scenarios; k++)
			if (!strcmp(c->chains[i].scenarios[k], scenario))
				return &c->chains[i];
	fail_msg("no chain of %s", scenario);
	return NULL;
}

static void test_known_are_the_catalogues(void **state)
{
	size_t n, paths = 0, found = 0;
	const struct scenario *table = scenario_table(&n);
	struct coverage c;

	(void)state;
	coverage_init(&c, NULL, 0);
	for (size_t i = 0; i < n; i++)
		paths += table[i].kind == SCENARIO_KIND_SPLIT && strcmp(table[i].path, "none") != 0;
	for (size_t i = 0; i < c.n; i++) {
		assert_true(c.chains[i].known);
		assert_true(c.chains[i].n >= 2);
		assert_string_equal(c.chains[i].frames[0], COVERAGE_SITE);
		assert_int_equal(coverage_state(&c.chains[i]), COVERAGE_NOT_RUN);
		found += c.chains[i].n_scenarios;
	}
	assert_int_equal(found, paths);
	assert_int_equal(c.n, c.n_known);
	assert_int_equal(coverage_count(&c, COVERAGE_NOT_RUN), c.n);
	/* two advices that come the same way are one place */
	assert_ptr_equal(chain_of(&c, "split.madv_cold"), chain_of(&c, "split.madv_pageout"));
	assert_ptr_not_equal(chain_of(&c, "split.mprotect"), chain_of(&c, "split.mlock"));
	coverage_free(&c);
}

static void test_functions_are_named_once(void **state)
{
	char **functions;
	size_t n = coverage_functions(&functions);
	bool site = false;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		site |= !strcmp(functions[i], COVERAGE_SITE);
		/* a name, not what stands between two */
		assert_null(strpbrk(functions[i], " <"));
		for (size_t k = i + 1; k < n; k++)
			assert_string_not_equal(functions[i], functions[k]);
	}
	assert_true(site);
	strings_free(functions, n);
}

static void test_reached_by_its_frames_in_order(void **state)
{
	struct coverage c;

	(void)state;
	coverage_init(&c, NULL, 0);
	add(&c, "split.mprotect", MPROTECT, 2);
	add(&c, "split.mprotect", MPROTECT, 1);
	assert_int_equal(chain_of(&c, "split.mprotect")->injections, 3);
	assert_int_equal(coverage_count(&c, COVERAGE_REACHED), 1);
	assert_int_equal(c.n, c.n_known);
	/* the same functions, upside down: another place */
	add(&c, "split.mprotect",
	    "mprotect_fixup<__split_vma<vma_adjust_trans_huge<__split_huge_pmd<pte_alloc_one", 1);
	assert_int_equal(chain_of(&c, "split.mprotect")->injections, 3);
	assert_int_equal(c.n, c.n_known + 1);
	coverage_free(&c);
}

static void test_clones_are_the_function(void **state)
{
	struct coverage c;

	(void)state;
	coverage_init(&c, NULL, 0);
	add(&c, "split.mprotect",
	    "pte_alloc_one_noprof<__split_huge_pmd.part.0<vma_adjust_trans_huge.constprop.0.isra.0"
	    "<__split_vma.cold<mprotect_fixup.isra.0",
	    1);
	assert_int_equal(chain_of(&c, "split.mprotect")->injections, 1);
	coverage_free(&c);
}

static void test_another_scenario_may_come_there(void **state)
{
	struct coverage c;

	(void)state;
	coverage_init(&c, NULL, 0);
	add(&c, "split.munmap", MLOCK, 1);
	assert_int_equal(chain_of(&c, "split.mlock")->injections, 1);
	assert_int_equal(chain_of(&c, "split.munmap")->injections, 0);
	assert_int_equal(c.n, c.n_known);
	coverage_free(&c);
}

static void test_what_the_kernel_lacks_is_not_looked_for(void **state)
{
	static const char inlined[] =
		"pte_alloc_one<__split_huge_pmd<vma_adjust_trans_huge<__split_vma<do_mprotect_pkey";
	char fixup[] = "mprotect_fixup";
	char *const lacks[] = { fixup };
	struct coverage c;

	(void)state;
	coverage_init(&c, NULL, 0);
	add(&c, "split.mprotect", inlined, 1);
	assert_int_equal(chain_of(&c, "split.mprotect")->injections, 0);
	assert_int_equal(c.n, c.n_known + 1);
	coverage_free(&c);

	coverage_init(&c, lacks, 1);
	assert_int_equal(chain_of(&c, "split.mprotect")->n_lacks, 1);
	assert_string_equal(chain_of(&c, "split.mprotect")->lacks[0], fixup);
	assert_int_equal(chain_of(&c, "split.mlock")->n_lacks, 0);
	add(&c, "split.mprotect", inlined, 1);
	assert_int_equal(chain_of(&c, "split.mprotect")->injections, 1);
	/* what is left of the chain is on this stack too, but does not say that it was mprotect */
	add(&c, "split.madv_vma", inlined, 1);
	assert_int_equal(chain_of(&c, "split.mprotect")->injections, 1);
	assert_int_equal(c.n, c.n_known + 1);
	coverage_free(&c);
}

static void test_new_chains(void **state)
{
	struct coverage c;
	struct coverage_chain *chain;

	(void)state;
	coverage_init(&c, NULL, 0);
	add(&c, "split.mprotect", "pte_alloc_one<__split_huge_pmd<elsewhere<do_syscall_64", 1);
	add(&c, "split.mlock", "pte_alloc_one<__split_huge_pmd.isra.0<elsewhere", 4);
	assert_int_equal(c.n, c.n_known + 1);
	chain = &c.chains[c.n_known];
	assert_false(chain->known);
	assert_int_equal(chain->injections, 5);
	assert_int_equal(chain->n, 3);
	assert_string_equal(chain->frames[2], "elsewhere");
	assert_int_equal(chain->n_scenarios, 2);
	/* nothing but the way into the kernel says nothing */
	add(&c, "split.mlock", "do_syscall_64<entry_SYSCALL_64_after_hwframe", 1);
	assert_int_equal(c.n, c.n_known + 1);
	coverage_free(&c);
}

static void test_new_chains_are_capped(void **state)
{
	struct coverage c;

	(void)state;
	coverage_init(&c, NULL, 0);
	for (int i = 0; i < COVERAGE_NEW_MAX + 3; i++) {
		CLEANUP(free_p) char *text = xasprintf("pte_alloc_one<f%d", i);

		add(&c, "split.mlock", text, 2);
	}
	assert_int_equal(c.n, c.n_known + COVERAGE_NEW_MAX);
	assert_int_equal(c.dropped, 6);
	add(&c, "split.mlock", MLOCK, 1);
	assert_int_equal(chain_of(&c, "split.mlock")->injections, 1);
	coverage_free(&c);
}

static void test_states(void **state)
{
	struct coverage c;

	(void)state;
	coverage_init(&c, NULL, 0);
	coverage_ran(&c, "split.mprotect", REASON_NONE);
	coverage_ran(&c, "split.mlock", REASON_PREDEPOSIT);
	coverage_ran(&c, "split.madv_cold", REASON_KCONFIG);
	coverage_ran(&c, "split.madv_pageout", REASON_NONE);
	coverage_ran(&c, "control.nosplit", REASON_NONE);
	assert_int_equal(coverage_state(chain_of(&c, "split.mprotect")), COVERAGE_MISSED);
	assert_int_equal(coverage_state(chain_of(&c, "split.mlock")), COVERAGE_SKIPPED);
	assert_int_equal(chain_of(&c, "split.mlock")->skip, REASON_PREDEPOSIT);
	/* one of the two could come there and did not */
	assert_int_equal(coverage_state(chain_of(&c, "split.madv_cold")), COVERAGE_MISSED);
	assert_int_equal(coverage_state(chain_of(&c, "split.munmap")), COVERAGE_NOT_RUN);
	add(&c, "split.mprotect", MPROTECT, 1);
	assert_int_equal(coverage_state(chain_of(&c, "split.mprotect")), COVERAGE_REACHED);
	coverage_free(&c);
}

static struct result *add_result(struct result_doc *d, const char *scenario, enum fault_mode mode,
				 enum status status, enum reason reason)
{
	struct result *r = result_doc_add(d);

	r->scenario = xstrdup(scenario);
	r->fault.mode = mode;
	r->status = status;
	r->reason = reason;
	return r;
}

static void test_document(void **state)
{
	struct result_doc d = { .n_results = 0 };
	struct coverage c;
	struct result *r;

	(void)state;
	r = add_result(&d, "split.mprotect", FAULT_SWEEP, STATUS_PASS, REASON_NONE);
	r->stacks = xcalloc(2, sizeof(*r->stacks));
	r->n_stacks = 2;
	r->stacks[0] = stack_of(MPROTECT, 1);
	r->stacks[1] = stack_of("pte_alloc_one<__pte_alloc<do_anonymous_page", 9);
	r->stacks[1].on_target = false;
	add_result(&d, "split.munmap", FAULT_NONE, STATUS_PASS, REASON_NONE);
	add_result(&d, "split.mlock", FAULT_BURST, STATUS_FAIL, REASON_BUG);
	add_result(&d, "split.cow_fork", FAULT_BURST, STATUS_MISS, REASON_QEMU);
	add_result(&d, "split.reclaim", FAULT_SWEEP, STATUS_SKIP, REASON_KCONFIG);
	coverage_of_doc(&d, &c);
	assert_int_equal(chain_of(&c, "split.mprotect")->injections, 1);
	assert_int_equal(coverage_state(chain_of(&c, "split.munmap")), COVERAGE_NOT_RUN);
	assert_int_equal(coverage_state(chain_of(&c, "split.mlock")), COVERAGE_MISSED);
	assert_int_equal(coverage_state(chain_of(&c, "split.cow_fork")), COVERAGE_NOT_RUN);
	assert_int_equal(coverage_state(chain_of(&c, "split.reclaim")), COVERAGE_SKIPPED);
	assert_int_equal(c.n, c.n_known); /* what was off target is no place at all */
	coverage_free(&c);
	result_doc_free(&d);
}

/* Two configurations of one commit. */
static void test_merge(void **state)
{
	struct coverage a, b;
	size_t known;

	(void)state;
	coverage_init(&a, NULL, 0);
	coverage_init(&b, NULL, 0);
	known = a.n_known;
	add(&a, "split.mprotect", MPROTECT, 1);
	coverage_ran(&a, "split.munmap", REASON_KCONFIG);
	add(&a, "split.mlock", "pte_alloc_one<only_a", 1);
	add(&b, "split.mprotect", MPROTECT, 2);
	add(&b, "split.mlock", MLOCK, 1);
	coverage_ran(&b, "split.munmap", REASON_NONE);
	add(&b, "split.mlock", "pte_alloc_one<only_b", 5);
	add(&b, "split.munmap", "pte_alloc_one<only_b", 1);
	add(&b, "split.munmap", "pte_alloc_one<only_a", 1);
	assert_null(coverage_find(&a, &b.chains[known]));
	coverage_merge(&a, &b);
	assert_int_equal(chain_of(&a, "split.mprotect")->injections, 3);
	assert_int_equal(chain_of(&a, "split.mlock")->injections, 1);
	assert_int_equal(coverage_state(chain_of(&a, "split.munmap")), COVERAGE_MISSED);
	assert_int_equal(a.n, known + 2);
	assert_int_equal(a.chains[known].injections, 2);
	assert_int_equal(a.chains[known].n_scenarios, 2);
	assert_int_equal(a.chains[known + 1].injections, 6);
	assert_ptr_equal(coverage_find(&a, &b.chains[known]), &a.chains[known + 1]);
	coverage_free(&a);
	coverage_free(&b);
}

static void test_json(void **state)
{
	char fixup[] = "mprotect_fixup";
	char *const lacks[] = { fixup };
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct json_object *chains, *first;
	struct coverage c;
	int64_t sum = 0;

	(void)state;
	coverage_init(&c, lacks, 1);
	add(&c, "split.mprotect", MPROTECT, 2);
	add(&c, "split.mprotect", "pte_alloc_one<other", 1);
	coverage_ran(&c, "split.mlock", REASON_KCONFIG);
	o = coverage_to_json(&c);
	for (int s = COVERAGE_REACHED; s <= COVERAGE_NOT_RUN; s++)
		sum += json_object_get_int64(
			json_object_object_get(o, coverage_state_name((enum coverage_state)s)));
	assert_int_equal(json_object_get_int64(json_object_object_get(o, "known")), sum);
	assert_int_equal(json_object_get_int64(json_object_object_get(o, "new")), 1);
	chains = json_object_object_get(o, "chains");
	assert_int_equal(json_object_array_length(chains), c.n);
	first = json_object_array_get_idx(chains, 0);
	assert_string_equal(json_object_to_json_string_ext(first, JSON_C_TO_STRING_PLAIN),
			    "{\"site\":\"pte_alloc_one\",\"chain\":[\"__split_huge_pmd\","
			    "\"vma_adjust_trans_huge\",\"__split_vma\",\"mprotect_fixup\"],"
			    "\"known\":true,\"covered\":true,\"state\":\"reached\",\"reason\":\"\","
			    "\"scenarios\":[\"split.mprotect\",\"split.mprotect_soft_dirty\","
			    "\"split.mprotect_shared\"],\"injections\":2,"
			    "\"lacks\":[\"mprotect_fixup\"]}");
	coverage_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_are_the_catalogues),
		cmocka_unit_test(test_functions_are_named_once),
		cmocka_unit_test(test_reached_by_its_frames_in_order),
		cmocka_unit_test(test_clones_are_the_function),
		cmocka_unit_test(test_another_scenario_may_come_there),
		cmocka_unit_test(test_what_the_kernel_lacks_is_not_looked_for),
		cmocka_unit_test(test_new_chains),
		cmocka_unit_test(test_new_chains_are_capped),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_document),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
