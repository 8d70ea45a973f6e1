/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <string.h>

#include "agent/collect.h"
#include "lib/limits.h"

#define REC "# faultline "
#define READY REC "{\"type\":\"ready\",\"version\":1,\"release\":\"6.12\"}\n"
#define BEGIN(id, n) REC "{\"type\":\"begin\",\"id\":" id ",\"nth\":" n "}\n"
#define DONE(id, n, more)                                   \
	REC "{\"type\":\"result\",\"id\":" id ",\"nth\":" n \
	    ",\"outcome\":\"done\",\"checks\":[],\"injected\":" more "}\n"
#define END REC "{\"type\":\"end\"}\n"
#define HEAD "KTAP version 1\n1..2\n"

static char seen[200];

static void on_event(void *arg, const struct collect_event *e)
{
	static const char letters[] = {
		[COLLECT_READY] = 'R',	[COLLECT_CALIBRATION] = 'C', [COLLECT_BEGIN] = 'b',
		[COLLECT_RESULT] = 'r', [COLLECT_CASE] = 'c',	     [COLLECT_BAIL] = 'B',
		[COLLECT_END] = 'E'
	};
	size_t n = strlen(seen);

	(void)arg;
	seen[n] = letters[e->type];
	seen[n + 1] = '\0';
}

/* Feeds an answer to a sweep (id 1, from 1) and a burst (id 2), `step` bytes at a time. */
static int answer(const char *text, size_t step)
{
	const struct collect_case cases[] = { { .id = 1, .sweep = true, .first = 1 }, { .id = 2 } };
	struct error err = ERROR_INIT;
	struct collect c;
	int r;

	seen[0] = '\0';
	collect_init(&c, on_event, NULL);
	r = collect_feed(&c, READY, strlen(READY), &err);
	assert_int_equal(r, 0);
	collect_expect(&c, cases, 2);
	for (size_t at = 0, len = strlen(text); at < len && !r; at += step)
		r = collect_feed(&c, text + at, step < len - at ? step : len - at, &err);
	collect_free(&c);
	return r;
}

static const char good[] = HEAD REC
	"{\"type\":\"calibration\",\"site\":\"x\",\"splits\":1,\"hits\":1,\"allocates\":true}\n" BEGIN(
		"1", "1") DONE("1", "1", "1") "# a remark\n" BEGIN("1", "2")
		DONE("1", "2", "0,\"last\":true") "ok 1 split.mprotect # 1 point\n" BEGIN("2", "0")
			DONE("2", "0", "3") "not ok 2 split.munmap\n" END;

static void reads_a_good_answer(void **state)
{
	(void)state;
	assert_int_equal(answer(good, 1), 0);
	assert_string_equal(seen, "RCbrbrcbrcE");
	assert_int_equal(answer(good, 7), 0);
	assert_int_equal(answer(good, sizeof(good)), 0);
	assert_string_equal(seen, "RCbrbrcbrcE");
}

static char got[64];

static void on_output(void *arg, const struct collect_event *e)
{
	(void)arg;
	if (e->type == COLLECT_RESULT)
		strncat(got, e->point->output ? e->point->output : "-",
			sizeof(got) - strlen(got) - 1);
}

#define OUTPUT(id, text) REC "{\"type\":\"output\",\"id\":" id ",\"nth\":0,\"text\":\"" text "\"}\n"

/* What a program wrote goes with its own result, in its order, and with no other. */
static void keeps_output(void **state)
{
	static const char text[] = "KTAP version 1\n1..2\n" BEGIN("1", "0") OUTPUT("1", "a\\n")
		OUTPUT("1", "b\\n") DONE("1", "0", "0") "ok 1 a\n" BEGIN("2", "0")
			DONE("2", "0", "0") "ok 2 b\n" END;
	static const char early[] = "KTAP version 1\n1..2\n" OUTPUT("1", "a");
	static const char other[] = "KTAP version 1\n1..2\n" BEGIN("1", "0") OUTPUT("2", "a");
	const struct collect_case cases[] = { { .id = 1 }, { .id = 2 } };
	const char *const texts[] = { text, early, other };

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct error err = ERROR_INIT;
		struct collect c;

		collect_init(&c, on_output, NULL);
		assert_int_equal(collect_feed(&c, READY, strlen(READY), &err), 0);
		collect_expect(&c, cases, 2);
		assert_int_equal(collect_feed(&c, texts[i], strlen(texts[i]), &err),
				 i ? -EPROTO : 0);
		collect_free(&c);
	}
	assert_string_equal(got, "a\nb\n-");
}

static void rejects(void **state)
{
	static const char *const bad[] = {
		"1..2\n",
		"KTAP version 1\n1..3\n",
		"KTAP version 1\n1..two\n",
		HEAD END,
		HEAD "ok 1 x\n",
		HEAD BEGIN("2", "0"),
		HEAD BEGIN("1", "2"),
		HEAD BEGIN("1", "1") BEGIN("1", "1"),
		HEAD DONE("1", "1", "0"),
		HEAD BEGIN("1", "1") DONE("1", "2", "0"),
		HEAD BEGIN("1", "1") DONE("1", "1", "1") "ok 1 x\n",
		HEAD BEGIN("1", "1") DONE("1", "1", "0,\"last\":true") BEGIN("1", "2"),
		HEAD BEGIN("1", "1") DONE("1", "1", "0,\"last\":true") "ok 2 x\n",
		HEAD READY,
		HEAD REC "{\"type\":\"what\"}\n",
		HEAD REC "{broken\n",
		HEAD REC "[]\n",
		HEAD "Bail out! the guest is confused\n",
		HEAD "\x7f\x45\x4c\x46\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (answer(bad[i], 5) != -EPROTO)
			fail_msg("accepted: %s", bad[i]);
}

static void long_lines_and_nuls(void **state)
{
	struct error err = ERROR_INIT;
	struct collect c;
	char chunk[1024];
	int r = 0;

	(void)state;
	memset(chunk, '#', sizeof(chunk));
	collect_init(&c, on_event, NULL);
	for (int i = 0; i < 2 * LIMIT_RECORD_BYTES / 1024 && !r; i++)
		r = collect_feed(&c, chunk, sizeof(chunk), &err);
	assert_int_equal(r, -EPROTO);
	assert_true(c.line.len <= LIMIT_RECORD_BYTES);
	collect_free(&c);
	collect_init(&c, on_event, NULL);
	assert_int_equal(collect_feed(&c, "#\0\n", 3, &err), -EPROTO);
	collect_free(&c);
}

/* A sweep that was asked for one point is over after it, without a last one; no more may come. */
static void asked_for_one_point(void **state)
{
	const struct collect_case cases[] = { { .id = 1, .sweep = true, .first = 5, .points = 1 } };
	static const char *const answers[] = {
		"KTAP version 1\n1..1\n" BEGIN("1", "5") DONE("1", "5", "1") "ok 1 x\n" END,
		"KTAP version 1\n1..1\n" BEGIN("1", "5") DONE("1", "5", "1") BEGIN("1", "6"),
	};
	struct error err = ERROR_INIT;
	struct collect c;

	(void)state;
	for (int i = 0; i < 2; i++) {
		seen[0] = '\0';
		collect_init(&c, on_event, NULL);
		collect_restored(&c);
		collect_expect(&c, cases, 1);
		assert_int_equal(collect_feed(&c, answers[i], strlen(answers[i]), &err),
				 i ? -EPROTO : 0);
		assert_string_equal(seen, i ? "br" : "brcE");
		collect_free(&c);
	}
}

static void bail_out_ends_it(void **state)
{
	(void)state;
	assert_int_equal(answer(HEAD BEGIN("1", "1") REC
				"{\"type\":\"result\",\"id\":1,\"nth\":1,\"outcome\":\"timeout\","
				"\"stuck\":{\"state\":\"D\",\"killed\":false}}\n"
				"Bail out! id=1 unkillable\nwhatever\n",
				3),
			 0);
	assert_string_equal(seen, "RbrB");
}

/* "skips": a case that applies ends without a result, one that does not is answered. */
static int answer_skips(const char *text)
{
	const struct collect_case cases[] = {
		{ .id = 1, .sweep = true, .first = 1, .only_skip = true },
		{ .id = 2, .only_skip = true }
	};
	struct error err = ERROR_INIT;
	struct collect c;
	int r;

	seen[0] = '\0';
	collect_init(&c, on_event, NULL);
	r = collect_feed(&c, READY, strlen(READY), &err);
	assert_int_equal(r, 0);
	collect_expect(&c, cases, 2);
	r = collect_feed(&c, text, strlen(text), &err);
	collect_free(&c);
	return r;
}

#define SKIP(id, n)                                         \
	REC "{\"type\":\"result\",\"id\":" id ",\"nth\":" n \
	    ",\"outcome\":\"skip\",\"skip\":\"predeposit\",\"detail\":\"d\"}\n"

static void only_what_does_not_apply(void **state)
{
	(void)state;
	assert_int_equal(answer_skips(HEAD BEGIN("1", "1")
					      SKIP("1", "1") "ok 1 a # SKIP predeposit\n"
							     "ok 2 b # 0 points\n" END),
			 0);
	assert_string_equal(seen, "RbrccE");
	/* a case that was run after all, and one that ends in the middle of its point */
	assert_int_equal(answer_skips(HEAD BEGIN("1", "1") DONE("1", "1", "1")), -EPROTO);
	assert_int_equal(answer_skips(HEAD BEGIN("1", "1") "ok 1 a # 0 points\n"), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_good_answer),
		cmocka_unit_test(keeps_output),
		cmocka_unit_test(rejects),
		cmocka_unit_test(long_lines_and_nuls),
		cmocka_unit_test(asked_for_one_point),
		cmocka_unit_test(only_what_does_not_apply),
		cmocka_unit_test(bail_out_ends_it),
	};

	return cmocka_run_group_tests_name("collect", tests, NULL, NULL);
}
