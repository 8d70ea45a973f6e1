/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "agent/repro.h"
#include "lib/buf.h"
#include "lib/clean.h"

static void quotes_words(void **state)
{
	static const char *const pairs[][2] = {
		{ "plain-1_2./:=,@%+", "plain-1_2./:=,@%+" },
		{ "", "''" },
		{ "two words", "'two words'" },
		{ "it's", "'it'\\''s'" },
		{ "$(rm -rf /)", "'$(rm -rf /)'" },
		{ "a;b\nc", "'a;b\nc'" },
		{ "~user", "'~user'" },
		{ "*", "'*'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		CLEANUP(buf_free) struct buf b = BUF_INIT;

		repro_quote(&b, pairs[i][0]);
		assert_string_equal(buf_cstr(&b), pairs[i][1]);
	}
}

static struct result result_of(enum fault_mode mode, int nth, bool closing)
{
	static char name[] = "split.mprotect";
	struct result r = { .closing = closing };

	r.scenario = name;
	fault_defaults(&r.fault);
	r.fault.mode = mode;
	r.fault.nth = nth;
	return r;
}

/* What the command says is what was run: the fault reads back as the same. */
static void check(const struct result *r, const char *prefix, enum fault_mode mode, int nth)
{
	struct testrun_opts o = { .kernel = "/k/my image",
				  .symbols = "/k/map",
				  .repro_prefix = prefix,
				  .machine = { 2, 512 } };
	CLEANUP(free_p) char *cmd = repro_command(&o, ACCEL_TCG, r);
	const char *p = strstr(cmd, " --fault ");
	CLEANUP(free_p) char *text = NULL;
	struct error err = ERROR_INIT;
	struct fault f;

	assert_non_null(p);
	p += strlen(" --fault ");
	text = xstrndup(p, strcspn(p, " "));
	assert_int_equal(fault_from_text(text, &f, &err), 0);
	assert_int_equal(f.mode, mode);
	if (mode == FAULT_NTH)
		assert_int_equal(f.nth, nth);
	assert_non_null(strstr(cmd, " --scenario split.mprotect "));
	assert_non_null(strstr(cmd, " --memory 512 --cpus 2 --accel tcg"));
	if (prefix)
		assert_memory_equal(cmd, prefix, strlen(prefix));
	else
		assert_non_null(
			strstr(cmd, "faultline run --kernel '/k/my image' --symbols /k/map"));
}

static void offers(void **state)
{
	struct testrun_opts o = { .kernel = "/k", .machine = { 1, 128 } };
	struct result r = result_of(FAULT_NTH, 2, false);
	CLEANUP(free_p) char *failed = NULL;
	CLEANUP(free_p) char *passed = NULL;
	CLEANUP(free_p) char *replayed = NULL;

	(void)state;
	r.status = STATUS_FAIL;
	failed = repro_command(&o, ACCEL_TCG, &r);
	assert_non_null(strstr(failed, " --accel tcg # add --replay"));
	o.replay = true;
	replayed = repro_command(&o, ACCEL_TCG, &r);
	assert_non_null(strstr(replayed, " --accel tcg --replay"));
	assert_null(strchr(replayed, '#'));
	o.replay = false;
	r.status = STATUS_PASS;
	passed = repro_command(&o, ACCEL_TCG, &r);
	assert_null(strchr(passed, '#'));
}

static void commands(void **state)
{
	struct result point = result_of(FAULT_SWEEP, 3, false);
	struct result closing = result_of(FAULT_SWEEP, 0, true);
	struct result nth = result_of(FAULT_NTH, 2, false);
	struct result none = result_of(FAULT_NONE, 0, false);

	(void)state;
	check(&point, NULL, FAULT_NTH, 3);
	check(&closing, NULL, FAULT_SWEEP, 0);
	check(&nth, "faultline run tree", FAULT_NTH, 2);
	check(&none, NULL, FAULT_NONE, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quotes_words),
		cmocka_unit_test(commands),
		cmocka_unit_test(offers),
	};

	return cmocka_run_group_tests_name("repro", tests, NULL, NULL);
}
