/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/test_bisect.h"

/* A search that is stored and read again after every answer takes the same way. */
static void test_restarts(void **state)
{
	(void)state;
	for (int seed = 1; seed <= 30; seed++) {
		size_t n, n_again;
		struct world w = world_merges(40, (uint64_t)seed), again;
		CLEANUP(bisect_p) struct bisect *b = world_search(&w, NULL);
		CLEANUP(bisect_p) struct bisect *b_again = world_search(&w, NULL);
		struct bisect_next next, next_again;

		for (int i = 1; i < w.n - 1; i++)
			w.skip[i] = world_chance(&w, 0.1);
		w.rate = seed % 2 ? 1 : 0.5;
		w.other = 0.005;
		world_plant(&w, 1 + world_below(&w, w.n - 1));
		again = w;
		again.restart = true;
		next = world_solve(&w, &b);
		next_again = world_solve(&again, &b_again);
		assert_int_equal(next.kind, next_again.kind);
		assert_int_equal(w.runs, again.runs);
		assert_int_equal(w.builds, again.builds);
		assert_true(next.confidence == next_again.confidence);
		assert_string_equal(next.reason, next_again.reason);
		assert_int_equal(next.n_suspects, next_again.n_suspects);
		bisect_steps(b, &n);
		bisect_steps(b_again, &n_again);
		assert_int_equal(n, n_again);
	}
}

/* Of every kind one: ends, a step, a skip, a no-op, another failure, a re-check. */
static struct bisect *example(void)
{
	struct world w = world_linear(8, 1);
	struct bisect *b = world_search(&w, NULL);
	int r = 0;

	r |= bisect_record(b, world_id(8), 16, 10, WANTED, NULL);
	r |= bisect_noop(b, world_id(5), world_id(4), NULL);
	r |= bisect_record(b, world_id(0), 40, 0, NULL, NULL);
	r |= bisect_skip(b, world_id(4), BISECT_WHY_BUILD, "mm/x.c:3: error: \"quoted\"\n", NULL);
	r |= bisect_record(b, world_id(3), 9, 9, OTHER, NULL);
	r |= bisect_skip(b, world_id(2), BISECT_WHY_INFRA, NULL, NULL);
	assert_int_equal(r, 0);
	return b;
}

static void test_round_trip(void **state)
{
	CLEANUP(bisect_p) struct bisect *b = example();
	const struct bisect_step *steps;
	size_t n;

	(void)state;
	world_restart(&b);
	steps = bisect_steps(b, &n);
	assert_int_equal(n, 6);
	assert_int_equal(steps[0].fails, 10);
	assert_int_equal(world_commit(steps[1].noop_of), 4);
	assert_int_equal(steps[3].skip, BISECT_WHY_BUILD);
	assert_string_equal(steps[3].detail, "mm/x.c:3: error: \"quoted\"\n");
	assert_string_equal(steps[4].fingerprint, OTHER);
	assert_int_equal(steps[4].verdict, BISECT_SKIP);
	assert_null(steps[5].detail);
}

/* The text with one place changed is refused, and the message says where. */
static void test_strict(void **state)
{
	static const struct {
		const char *old, *changed, *says;
	} cases[] = {
		{ "\"version\":1", "\"version\":2", "$.version" },
		{ "\"version\":1,", "", "$.version: missing" },
		{ "\"version\":1", "\"version\":1,\"x\":1", "$.x: unknown key" },
		{ "\"batch\":10", "\"batch\":0", "$.config.batch" },
		{ "\"batch\":10", "\"batch\":\"10\"", "$.config.batch" },
		{ "\"batch\":10", "\"batch\":10,\"y\":0", "$.config.y: unknown key" },
		{ "\"error\":0.05", "\"error\":0.9", "error: 0.9" },
		{ "\"max_runs\":400", "\"max_runs\":100001", "$.config.max_runs" },
		{ WANTED, "", "the fingerprint" },
		{ "\"commits\":[\"", "\"commits\":[1,\"", "$.commits[0]" },
		{ "\"commits\":[\"", "\"commits\":[\"x\",\"", "line 1" },
		{ "\"commits\":[\"", "\"commits\":[\"\\n", "$.commits[0]: is more than one" },
		{ "\"steps\":[", "\"steps\":[null,", "$.steps[0]" },
		{ "\"purpose\":\"endpoint\"", "\"purpose\":\"step\"", "$.steps[0].purpose" },
		{ "\"purpose\":\"given\"", "\"purpose\":\"what\"", "$.steps[1].purpose" },
		{ "\"verdict\":\"bad\"", "\"verdict\":\"good\"", "$.steps[0].verdict" },
		{ "\"verdict\":\"bad\"", "\"z\":0", "$.steps[0].z: unknown key" },
		{ "\"runs\":16,", "", "$.steps[0].runs: missing" },
		{ "\"fails\":10", "\"fails\":17", "$.steps[0]: 17 fails of 16 runs" },
		{ "\"fails\":10", "\"fails\":0", "$.steps[0]: a fingerprint without" },
		{ "\"fails\":10", "\"fails\":-1", "$.steps[0].fails" },
		/* ten clean runs would not have given the good end its verdict */
		{ "\"runs\":40", "\"runs\":10", "$.steps[2].verdict" },
		{ "\"skip\":\"build\"", "\"skip\":\"other\"", "$.steps[3]: 'other'" },
		{ "\"skip\":\"build\"", "\"skip\":\"else\"", "$.steps[3].skip" },
		{ "\"skip\":\"infra\"", "\"skip\":\"infra\",\"runs\":1", "$.steps[5].runs: unk" },
		{ "\"noop\":\"0000000000000000000000000000000000000005\"",
		  "\"noop\":\"0000000000000000000000000000000000000004\"", "is no parent of" },
		{ "\"noop\":\"0000000000000000000000000000000000000005\"", "\"noop\":\"HEAD\"",
		  "$.steps[1]: commit 'HEAD'" },
	};
	CLEANUP(bisect_p) struct bisect *b = example();
	CLEANUP(json_put_p) struct json_object *o = bisect_to_json(b);
	CLEANUP(free_p) char *text = json_text(o);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *at = strstr(text, cases[i].old);
		CLEANUP(free_p) char *changed = NULL;
		CLEANUP(json_put_p) struct json_object *root = NULL;
		CLEANUP(bisect_p) struct bisect *back = NULL;
		struct error err = ERROR_INIT;
		struct jval v;

		assert_non_null(at);
		changed = xasprintf("%.*s%s%s", (int)(at - text), text, cases[i].changed,
				    at + strlen(cases[i].old));
		assert_int_equal(json_parse(changed, strlen(changed), &root, &err), 0);
		v = json_root(root);
		if (!bisect_from_json(&v, &back, &err))
			fail_msg("case %zu is accepted", i);
		assert_null(back);
		if (!strstr(err.msg, cases[i].says))
			fail_msg("case %zu: %s", i, err.msg);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_restarts),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_strict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
