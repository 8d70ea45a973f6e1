/* SPDX-License-Identifier: MIT */
/* Which machine a case gets, and which case comes first. */
#include "tests/unit/test_testrun.h"

/* The same script and cases in every isolation: the same verdicts, points and injections. */
static void same_verdicts(void **state)
{
	static const char script[] = "snapshots\nready\ndie split.mprotect 2 split_vma\n"
				     "stuck split.mlock\nserve 3";
	static const char cases[] = "split.mprotect/sweep split.munmap/sweep split.mlock/burst "
				    "split.mremap/none split.mremap/mode=nth,nth=2";
	struct play p[3];

	(void)state;
	for (enum isolation i = ISOLATION_SNAPSHOT; i <= ISOLATION_SHARED; i++) {
		isolation = i;
		play(&p[i], script, cases);
		assert_string_equal(p[i].doc.machine.isolation, isolation_name(i));
	}
	/* each point of the sweeps with its end, and the others */
	assert_int_equal(p[ISOLATION_SNAPSHOT].doc.machine.restores, 4 + 4 + 3);
	assert_int_equal(p[ISOLATION_SNAPSHOT].doc.machine.boots, 1);
	assert_true(p[ISOLATION_SNAPSHOT].doc.machine.result_us > 0);
	assert_int_equal(p[ISOLATION_COLD].doc.machine.boots, 4 + 4 + 3);
	assert_int_equal(p[ISOLATION_SHARED].doc.machine.boots, 3);
	assert_int_equal(p[0].doc.n_results, 4 + 4 + 3);
	for (enum isolation i = ISOLATION_COLD; i <= ISOLATION_SHARED; i++) {
		assert_int_equal(p[i].doc.n_results, p[0].doc.n_results);
		for (size_t k = 0; k < p[0].doc.n_results; k++) {
			const struct result *a = &p[0].doc.results[k], *b = &p[i].doc.results[k];

			assert_string_equal(a->scenario, b->scenario);
			assert_int_equal(a->fault.nth, b->fault.nth);
			assert_int_equal(a->status, b->status);
			assert_int_equal(a->reason, b->reason);
			assert_int_equal(a->injected_on, b->injected_on);
			assert_int_equal(a->points, b->points);
		}
	}
	for (int i = 0; i < 3; i++)
		play_free(&p[i]);
}

/* Every machine brings its request; the verdicts are the same. */
static void replayed(void **state)
{
	struct play p;

	(void)state;
	isolation = ISOLATION_SNAPSHOT;
	replay = true;
	play(&p, "ready\ndie split.mprotect 2 split_vma\nserve 2",
	     "split.mprotect/sweep split.munmap/mode=nth,nth=5");
	expect(&p, 0, "PASS");
	expect(&p, 1, "FAIL bug");
	expect(&p, 2, "FAIL bug");
	expect(&p, 3, "PASS");
	assert_int_equal(p.doc.n_results, 4);
	/* the two points, the end of the sweep, and the other case */
	assert_int_equal(p.doc.machine.boots, 4);
	assert_true(p.doc.machine.boot_us > 0);
	assert_string_equal(p.doc.machine.isolation, "cold");
	play_free(&p);
	play(&p, "panic start_kernel", "split.munmap/none");
	expect(&p, 0, "FAIL bug");
	play_free(&p);
	replay = false;
}

/* Plays in snapshot isolation; the verdict and what it took. */
static void expect_restored(const char *script, const char *verdict, const char *really, int boots,
			    int restores)
{
	struct play p;

	isolation = ISOLATION_SNAPSHOT;
	play(&p, script, "split.mprotect/none");
	expect(&p, 0, verdict);
	assert_string_equal(p.doc.machine.isolation, really);
	assert_int_equal(p.doc.machine.boots, boots);
	assert_int_equal(p.doc.machine.restores, restores);
	if (strcmp(really, "shared") == 0)
		assert_non_null(strstr(p.log.data, "--- no snapshots, machines are shared: "));
	play_free(&p);
}

/* What does not apply to the kernel takes no machine of its own. */
static void skips_are_asked_for_once(void **state)
{
	struct play p;

	(void)state;
	isolation = ISOLATION_SNAPSHOT;
	play(&p, "snapshots\nready\nskip\nserve 1",
	     "split.mprotect/sweep split.munmap/burst split.mlock/mode=nth,nth=2");
	assert_int_equal(p.doc.n_results, 3);
	for (size_t i = 0; i < p.doc.n_results; i++) {
		assert_int_equal(p.doc.results[i].status, STATUS_SKIP);
		assert_int_equal(p.doc.results[i].reason, REASON_PREDEPOSIT);
	}
	assert_int_equal(p.doc.machine.boots, 1);
	assert_int_equal(p.doc.machine.restores, 0);
	play_free(&p);
}

static void snapshots_that_fail(void **state)
{
	(void)state;
	/* no monitor at all: one machine for that knowledge */
	expect_restored("ready\nserve 1", "PASS", "shared", 2, 0);
	/* two snapshots that are good for nothing, each tried twice */
	expect_restored("snapshots\nready\nrestored exit 1\nserve 1", "PASS", "shared", 3, 4);
	/* the host had a bad moment */
	expect_restored("snapshots\nready\nrestored once f kill\nserve 1", "PASS", "snapshot", 1,
			2);
	/* the kernel does not survive a calibration: no word about snapshots, one about it */
	expect_restored("snapshots\nready\nawait\nrecord KTAP version 1\nrecord 1..1\n"
			"panic __split_huge_pmd",
			"FAIL bug", "snapshot", 2, 2);
}

/* The titles in the order in which their machines ran. Owned. */
static char *order_of(const char *cases, uint64_t seed)
{
	struct buf order = BUF_INIT;
	struct play p;

	shuffle_seed = seed;
	play(&p, "snapshots\nready\nslow split.mlock\nserve 1", cases);
	shuffle_seed = 0;
	assert_int_equal(p.doc.machine.shuffle_seed, (int64_t)seed);
	for (const char *at = p.log.data; (at = strstr(at, "--- machine ")); at++) {
		const char *title = strchr(at, ':') + 2;

		if (!str_starts(title, "boot"))
			buf_printf(&order, "%.*s ", (int)strcspn(title, " "), title);
	}
	/* whatever the order, the document has the plan's */
	for (size_t i = 0, at = 0; i < p.doc.n_results; i++) {
		const char *scenario = p.doc.results[i].scenario;

		assert_memory_equal(cases + at, scenario, strlen(scenario));
		at += strcspn(cases + at, " ") + 1;
	}
	play_free(&p);
	return buf_steal(&order);
}

#define FOUR "split.mprotect/none split.munmap/none split.mlock/none split.mremap/none"
#define FIVE FOUR " split.madv_dontneed/none"

static void longest_first(void **state)
{
	CLEANUP(free_p) char *durations = xasprintf("%s/cache/durations", work);
	CLEANUP(free_p) char *first = NULL;
	CLEANUP(free_p) char *second = NULL;

	(void)state;
	isolation = ISOLATION_SNAPSHOT;
	unlink(durations);
	first = order_of(FOUR, 0);
	assert_string_equal(first, "split.mprotect split.munmap split.mlock split.mremap ");
	/* what is not known yet, then what was slow */
	second = order_of(FIVE, 0);
	assert_true(str_starts(second, "split.madv_dontneed split.mlock "));
}

static void shuffled(void **state)
{
	CLEANUP(free_p) char *a = NULL;
	CLEANUP(free_p) char *again = NULL;
	CLEANUP(free_p) char *b = NULL;

	(void)state;
	isolation = ISOLATION_SNAPSHOT;
	a = order_of(FIVE, 4711);
	again = order_of(FIVE, 4711);
	b = order_of(FIVE, 4712);
	assert_string_equal(a, again);
	assert_string_not_equal(a, b);
	/* part of the promise: the same in every version */
	assert_string_equal(a, "split.munmap split.mlock split.madv_dontneed split.mprotect "
			       "split.mremap ");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_verdicts), cmocka_unit_test(snapshots_that_fail),
		cmocka_unit_test(replayed),	 cmocka_unit_test(longest_first),
		cmocka_unit_test(shuffled),	 cmocka_unit_test(skips_are_asked_for_once),
	};

	return play_main(argc, argv, "testrun_isolate", tests, ARRAY_SIZE(tests));
}
