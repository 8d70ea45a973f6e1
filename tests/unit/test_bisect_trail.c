/* SPDX-License-Identifier: MIT */
/* A search as people look at it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "jobs/bisect_trail.h"
#include "tests/unit/test_bisect.h"

/* "0g1/8 1o 2b5/2*": commit, verdict, turn and what was left after it; * what is left now. */
static char *text_of(const struct bisect *b)
{
	struct bisect_place *all = NULL;
	struct error err = ERROR_INIT;
	struct buf out = BUF_INIT;
	size_t n;

	if (bisect_trail(b, &all, &n, &err))
		fail_msg("%s", err.msg);
	for (size_t i = 0; i < n; i++) {
		const struct bisect_place *p = &all[i];

		buf_printf(&out, "%s%d%c", i ? " " : "", world_commit(p->id),
			   *bisect_verdict_name(p->known.verdict));
		if (p->turn)
			buf_printf(&out, "%d/%d", p->turn, p->left_after);
		if (p->left)
			buf_char(&out, '*');
	}
	free(all);
	return buf_steal(&out);
}

#define assert_trail(b, want)                            \
	do {                                             \
		CLEANUP(free_p) char *got_ = text_of(b); \
		assert_string_equal(got_, want);         \
	} while (0)

static void test_linear(void **state)
{
	struct world w = world_linear(8, 1);
	CLEANUP(bisect_p) struct bisect *b = world_search(&w, NULL);

	(void)state;
	assert_trail(b, "0o 1o* 2o* 3o* 4o* 5o* 6o* 7o* 8o*");
	bad(b, 8);
	good(b, 0);
	assert_trail(b, "0g2/8 1o* 2o* 3o* 4o* 5o* 6o* 7o* 8b1/8*");
	bad(b, 4);
	good(b, 2);
	assert_trail(b, "0g2/8 1o 2g4/2 3o* 4b3/4* 5o 6o 7o 8b1/8");
	good(b, 3);
	assert_culprit(b, 4);
	assert_trail(b, "0g2/8 1o 2g4/2 3g5/1 4b3/4* 5o 6o 7o 8b1/8");
}

static void test_skips(void **state)
{
	struct world w = world_linear(4, 1);
	CLEANUP(bisect_p) struct bisect *b = verified(&w);

	(void)state;
	skipped(b, 2, BISECT_WHY_BUILD);
	good(b, 1);
	bad(b, 3);
	/* one of two, and which of them nobody can say */
	assert_trail(b, "0g2/4 1g4/3 2s3/4* 3b5/2* 4b1/4");
}

/* A commit keeps its turn, and says what was left when it was looked at last. */
static void test_again(void **state)
{
	struct world w = world_linear(4, 1);
	CLEANUP(bisect_p) struct bisect *b = verified(&w);

	(void)state;
	seen(b, 2, 0, 1);
	bad(b, 3);
	good(b, 2);
	assert_trail(b, "0g2/4 1o 2g3/1 3b4/3* 4b1/4");
}

/* The same after it was stored, with merges too. */
static void test_stored(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 20; seed++) {
		struct world w = world_merges(30, seed);
		CLEANUP(bisect_p) struct bisect *b = NULL;
		CLEANUP(free_p) char *before = NULL, *after = NULL;
		struct bisect_place *all;
		struct bisect_next next;
		size_t n, n_left = 0;

		world_plant(&w, 1 + world_below(&w, w.n - 1));
		b = world_search(&w, NULL);
		next = world_solve(&w, &b);
		assert_int_equal(next.kind, BISECT_CULPRIT);
		before = text_of(b);
		world_restart(&b);
		after = text_of(b);
		assert_string_equal(after, before);
		assert_int_equal(bisect_trail(b, &all, &n, NULL), 0);
		assert_true(n == bisect_commits(b) + 1);
		for (size_t i = 0; i < n; i++)
			n_left += all[i].left;
		assert_int_equal(n_left, 1);
		for (size_t i = 0; i < n; i++)
			assert_true(!all[i].left || (w.bad[world_commit(all[i].id)] &&
						     all[i].known.verdict == BISECT_BAD));
		free(all);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_linear),
		cmocka_unit_test(test_skips),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_stored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
