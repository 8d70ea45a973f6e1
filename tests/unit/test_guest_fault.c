/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <cmocka.h>

#include "fault.h"
#include "prng.h"

static struct fault_arm arm_of(enum fault_facility facility, enum fault_mode mode, uint64_t seed)
{
	struct fault_spec spec = {
		.facility = facility,
		.mode = mode,
		.times = 4,
		.probability = 50,
		.seed = seed,
	};
	struct fault_arm arm;

	fault_arm_init(&arm, &spec, 3);
	return arm;
}

static void test_modes(void **state)
{
	struct fault_arm arm;

	(void)state;
	for (int i = 0; i < FAULT_FACILITIES; i++) {
		enum fault_facility facility = (enum fault_facility)i;

		arm = arm_of(facility, FAULT_MODE_NONE, 1);
		assert_int_equal(arm.nth, 0);
		assert_int_equal(arm.times, 0);
		arm = arm_of(facility, FAULT_MODE_SWEEP, 1);
		assert_int_equal(arm.nth, 3);
		assert_int_equal(arm.times, 1);
		arm = arm_of(facility, FAULT_MODE_BURST, 1);
		assert_int_equal(arm.nth, 0);
		assert_int_equal(arm.times, 4);
		assert_int_equal(arm.facility, facility);
		assert_int_equal(arm.nth_fd, -1);
		assert_int_equal(arm.fail_fd, -1);
		assert_int_equal(arm.facility_fd, -1);
		assert_true(arm.hits == -1);
	}
}

/* A page's sequence has a gap; where the kernel cannot hold one, it ends before the gap. */
static void test_gaps(void **state)
{
	bool gap = false, run = false;

	(void)state;
	for (uint64_t seed = 0; seed < 100; seed++) {
		struct fault_arm page = arm_of(FAULT_FAIL_PAGE_ALLOC, FAULT_MODE_PROBABILITY, seed);
		struct fault_arm hook = arm_of(FAULT_FAIL_FUNCTION, FAULT_MODE_PROBABILITY, seed);

		assert_int_equal(page.nth, prng_first_failure(seed, 50));
		assert_int_equal(hook.nth, page.nth);
		assert_int_equal(hook.gap, 0);
		assert_int_equal(hook.times, page.gap ? 1 : page.times);
		gap |= page.gap > 0;
		run |= hook.times > 2;
	}
	assert_true(gap);
	assert_true(run);
}

/* Without a kernel that has the knobs, and with nothing to arm. */
static void test_nothing_to_arm(void **state)
{
	struct fault_arm arm = arm_of(FAULT_FAIL_FUNCTION, FAULT_MODE_NONE, 1);
	struct problem problem;

	(void)state;
	assert_int_equal(fault_arm_refill(&arm, &problem), 0);
	assert_int_equal(fault_arm_open(&arm, 0), 0);
	assert_int_equal(arm.facility_fd, -1);
	assert_int_equal(fault_arm_now(&arm), 0);
	fault_disarm(&arm);
	assert_int_equal(arm.injected, 0);
	fault_arm_collect(&arm, 0);
	fault_arm_close(&arm);
}

static struct fault_spec spec_of(const char *site, enum fault_mode mode)
{
	struct fault_spec spec = { .mode = mode };

	snprintf(spec.site, sizeof(spec.site), "%s", site);
	return spec;
}

/* Which filters and knobs are pushed depends on where and on what kind of count, not on which n. */
static void test_fits(void **state)
{
	struct fault_session session = { .spec = spec_of("f", FAULT_MODE_SWEEP) };
	struct fault_spec spec = spec_of("f", FAULT_MODE_NTH);

	(void)state;
	spec.nth = 3;
	assert_true(fault_session_fits(&session, &spec));
	spec.within = FAULT_WITHIN_ANY;
	assert_false(fault_session_fits(&session, &spec));
	spec = spec_of("g", FAULT_MODE_SWEEP);
	assert_false(fault_session_fits(&session, &spec));
	spec = spec_of("f", FAULT_MODE_SWEEP);
	spec.facility = FAULT_FAILSLAB;
	assert_false(fault_session_fits(&session, &spec));
	spec = spec_of("f", FAULT_MODE_BURST);
	assert_false(fault_session_fits(&session, &spec));
	session.spec = spec_of("f", FAULT_MODE_PROBABILITY);
	assert_true(fault_session_fits(&session, &spec));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_gaps),
		cmocka_unit_test(test_nothing_to_arm),
		cmocka_unit_test(test_fits),
	};

	return cmocka_run_group_tests_name("guest_fault", tests, NULL, NULL);
}
