/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "request.h"

#define HEADER "faultline-request 1"
/* What every fault needs. */
#define SITE " site=pte_alloc_one within=split facility=fail_page_alloc"
#define N40 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"

static struct request request;

static int feed(const char *text, struct problem *problem)
{
	char line[REQUEST_LINE_MAX + 1];

	assert_true(strlen(text) < sizeof(line));
	strcpy(line, text);
	return request_feed(&request, line, problem);
}

/* One case line behind a good header. */
static int feed_case(const char *line, struct problem *problem)
{
	request_reset(&request);
	assert_int_equal(feed(HEADER, problem), 0);
	return feed(line, problem);
}

static void test_points(void **state)
{
	struct problem problem = { .text = "" };

	(void)state;
	assert_int_equal(feed_case("case id=7 scenario=split.mprotect" SITE
				   " mode=sweep from=3 points=1",
				   &problem),
			 0);
	assert_int_equal(request.cases[0].from, 3);
	assert_int_equal(request.cases[0].points, 1);
	assert_int_equal(
		feed_case("case id=7 scenario=split.mprotect" SITE " mode=sweep", &problem), 0);
	assert_int_equal(request.cases[0].points, 0);
	assert_int_equal(feed_case("case id=7 scenario=a mode=none points=-1", &problem), -EINVAL);
}

static void test_calibrate(void **state)
{
	static const char *const wrong[] = {
		"calibrate site=f",
		"calibrate facility=failslab",
		"calibrate site=f facility=nosuch",
		"calibrate site=f facility=failslab mode=none",
		"calibrate site=f site=g facility=failslab",
		"calibrate ",
	};
	struct problem problem = { .text = "" };

	(void)state;
	assert_int_equal(feed_case("calibrate site=f facility=failslab", &problem), 0);
	assert_int_equal(feed("calibrate site=g facility=fail_page_alloc", &problem), 0);
	assert_int_equal(feed("run", &problem), 0);
	assert_int_equal(request.state, REQUEST_RUN);
	assert_int_equal(request.count, 0);
	assert_int_equal(request.sites_count, 2);
	assert_string_equal(request.sites[0].site, "f");
	assert_int_equal(request.sites[0].facility, FAULT_FAILSLAB);
	assert_string_equal(request.sites[1].site, "g");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(feed_case(wrong[i], &problem), -EINVAL);
	request_reset(&request);
	assert_int_equal(request.sites_count, 0);
	assert_int_equal(feed(HEADER, &problem), 0);
	for (int i = 0; i < REQUEST_SITES_MAX; i++)
		assert_int_equal(feed("calibrate site=f facility=failslab", &problem), 0);
	assert_int_equal(feed("calibrate site=f facility=failslab", &problem), -EINVAL);
}

static void test_skips(void **state)
{
	struct problem problem = { .text = "" };

	(void)state;
	assert_int_equal(feed_case("case id=1 scenario=control.nosplit mode=none", &problem), 0);
	assert_int_equal(feed("skips", &problem), 0);
	assert_int_equal(request.state, REQUEST_RUN);
	assert_true(request.skips_only);
	request_reset(&request);
	assert_false(request.skips_only);
}

static void test_whole(void **state)
{
	struct problem problem = { .text = "" };
	const struct request_case *c;

	(void)state;
	assert_int_equal(feed_case("case id=7 scenario=split.mprotect" SITE
				   " mode=sweep from=3 times=4 nth=0 probability=0 seed=1"
				   " deadline_ms=10000",
				   &problem),
			 0);
	assert_int_equal(request.state, REQUEST_CASES);
	assert_int_equal(feed("case id=8 scenario=control.nosplit mode=none", &problem), 0);
	assert_int_equal(feed("run", &problem), 0);
	assert_int_equal(request.state, REQUEST_RUN);
	assert_false(request.skips_only);
	assert_int_equal(request.count, 2);
	assert_int_equal(request.line, 4);
	assert_string_equal(problem.text, "");
	c = &request.cases[0];
	assert_int_equal(c->id, 7);
	assert_string_equal(c->scenario, "split.mprotect");
	assert_string_equal(c->fault.site, "pte_alloc_one");
	assert_int_equal(c->fault.within, FAULT_WITHIN_SPLIT);
	assert_int_equal(c->fault.facility, FAULT_FAIL_PAGE_ALLOC);
	assert_int_equal(c->fault.mode, FAULT_MODE_SWEEP);
	assert_int_equal(c->from, 3);
	assert_int_equal(c->fault.times, 4);
	assert_int_equal(c->deadline_ms, 10000);
	c = &request.cases[1];
	assert_int_equal(c->fault.mode, FAULT_MODE_NONE);
	assert_int_equal(c->from, 1);
	assert_int_equal(c->fault.seed, 1);
	assert_int_equal(c->deadline_ms, 0);
}

static const char *const good[] = {
	"case id=0 scenario=a mode=none",
	"case mode=none scenario=a id=1", /* any order */
	"case id=2147483647 scenario=A-b_c.0 mode=none",
	"case id=1 scenario=a mode=nth nth=1" SITE,
	"case id=1 scenario=a mode=nth nth=999999999" SITE,
	"case id=1 scenario=a mode=burst times=1" SITE,
	"case id=1 scenario=a mode=burst times=1000000" SITE,
	"case id=1 scenario=a mode=probability probability=1" SITE,
	"case id=1 scenario=a mode=probability probability=100 seed=18446744073709551615" SITE,
	"case id=1 scenario=a mode=sweep" SITE,
	"case id=1 scenario=a mode=sweep site=f within=any facility=failslab",
	"case id=1 scenario=a mode=sweep site=f.isra.0 within=any facility=fail_function",
	"case id=1 scenario=a mode=none deadline_ms=3600000",
	"case id=1 mode=none scenario=" N40 "nnnnnnnnnnnnnnnnnnnnnnn", /* 63 */
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct problem problem = { .text = "" };

		if (feed_case(good[i], &problem) || request.count != 1)
			fail_msg("'%s': %s", good[i], problem.text);
	}
}

static const struct {
	const char *line, *says;
} bad[] = {
	{ "case", "expected" },
	{ "case ", "key=value" },
	{ "Case id=1 scenario=a mode=none", "expected" },
	{ " case id=1 scenario=a mode=none", "expected" },
	{ "run", "without a case" },
	{ "run ", "expected" },
	{ "", "expected" },
	{ HEADER, "expected" },
	{ "poweroff ", "expected" },
	{ "case id=1  scenario=a mode=none", "key=value" },
	{ "case  id=1 scenario=a mode=none", "key=value" },
	{ "case id=1 scenario=a mode=none ", "key=value" },
	{ "case id=1\tscenario=a mode=none", "id" },
	{ "case id=1 scenario=a mode=none\r", "mode" },
	{ "case id=1 scenario=a mode=none junk", "key=value" },
	{ "case id=1 scenario=a mode=none junk=1", "no key 'junk'" },
	{ "case id=1 scenario=a mode=none =1", "no key ''" },
	{ "case id=1 scenario=a mode=none ID=1", "no key 'ID'" },
	{ "case id=1 id=1 scenario=a mode=none", "id is there twice" },
	{ "case id=1 scenario=a mode=none mode=none", "mode is there twice" },
	{ "case scenario=a mode=none", "needs id" },
	{ "case id=1 mode=none", "needs id" },
	{ "case id=1 scenario=a", "needs id" },
	{ "case id= scenario=a mode=none", "id is not a number" },
	{ "case id=-1 scenario=a mode=none", "id is not a number" },
	{ "case id=+1 scenario=a mode=none", "id is not a number" },
	{ "case id=01 scenario=a mode=none", "id is not a number" },
	{ "case id=0x1 scenario=a mode=none", "id is not a number" },
	{ "case id=1.0 scenario=a mode=none", "id is not a number" },
	{ "case id=1=1 scenario=a mode=none", "id is not a number" },
	{ "case id=2147483648 scenario=a mode=none", "id is more than" },
	{ "case id=18446744073709551616 scenario=a mode=none", "id is more than" },
	{ "case id=1 scenario= mode=none", "scenario is empty" },
	{ "case id=1 scenario=a/b mode=none", "scenario has a character" },
	{ "case id=1 scenario=a$b mode=none", "scenario has a character" },
	{ "case id=1 scenario=\xc3\xa9 mode=none", "scenario has a character" },
	{ "case id=1 mode=none scenario=" N40 "nnnnnnnnnnnnnnnnnnnnnnnn", "too long" }, /* 64 */
	{ "case id=1 scenario=a mode=all" SITE, "no mode" },
	{ "case id=1 scenario=a mode=" SITE, "no mode" },
	{ "case id=1 scenario=a mode=SWEEP" SITE, "no mode" },
	{ "case id=1 scenario=a mode=sweep", "needs site" },
	{ "case id=1 scenario=a mode=sweep site=f within=split", "needs site" },
	{ "case id=1 scenario=a mode=sweep site=f facility=failslab", "needs site" },
	{ "case id=1 scenario=a mode=sweep within=split facility=failslab", "needs site" },
	{ "case id=1 scenario=a mode=sweep site= within=any facility=failslab", "site is empty" },
	{ "case id=1 scenario=a mode=sweep site=f within=all facility=failslab", "within" },
	{ "case id=1 scenario=a mode=sweep site=f within=any facility=slab", "no facility" },
	{ "case id=1 scenario=a mode=sweep from=0" SITE, "from >= 1" },
	{ "case id=1 scenario=a mode=sweep from=1000000000" SITE, "from is more than" },
	{ "case id=1 scenario=a mode=nth" SITE, "nth >= 1" },
	{ "case id=1 scenario=a mode=nth nth=0" SITE, "nth >= 1" },
	{ "case id=1 scenario=a mode=nth nth=1000000000" SITE, "nth is more than" },
	{ "case id=1 scenario=a mode=burst" SITE, "times >= 1" },
	{ "case id=1 scenario=a mode=burst times=0" SITE, "times >= 1" },
	{ "case id=1 scenario=a mode=burst times=-1" SITE, "times is not a number" },
	{ "case id=1 scenario=a mode=burst times=1000001" SITE, "times is more than" },
	{ "case id=1 scenario=a mode=probability" SITE, "probability >= 1" },
	{ "case id=1 scenario=a mode=probability probability=101" SITE, "more than 100" },
	{ "case id=1 scenario=a mode=none seed=18446744073709551616", "seed is more than" },
	{ "case id=1 scenario=a mode=none deadline_ms=3600001", "deadline_ms is more than" },
};

static void test_strict(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct problem problem = { .text = "" };
		int r = feed_case(bad[i].line, &problem);

		if (r != -EINVAL || !strstr(problem.text, bad[i].says))
			fail_msg("'%s': %d, '%s' where '%s' was expected", bad[i].line, r,
				 problem.text, bad[i].says);
		assert_int_equal(request.count, 0);
		assert_int_equal(request.state, REQUEST_CASES);
		assert_int_equal(request.line, 2);
	}
}

static void test_header(void **state)
{
	static const char *const wrong[] = {
		"",
		"run",
		"case id=1 scenario=a mode=none",
		"faultline-request 2",
		"faultline-request 1 ",
		"faultline-request",
		"faultline-request 01",
	};
	struct problem problem;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		request_reset(&request);
		assert_int_equal(feed(wrong[i], &problem), -EINVAL);
		assert_int_equal(request.state, REQUEST_HEADER);
	}
	assert_int_equal(feed("faultline-request 2", NULL), -EINVAL); /* nobody wants to know */
}

static void test_poweroff(void **state)
{
	struct problem problem;

	(void)state;
	request_reset(&request);
	assert_int_equal(feed("poweroff", &problem), 0);
	assert_int_equal(request.state, REQUEST_POWEROFF);
	assert_int_equal(feed_case("case id=1 scenario=a mode=none", &problem), 0);
	assert_int_equal(feed("poweroff", &problem), 0);
	assert_int_equal(request.state, REQUEST_POWEROFF);
}

static void test_ids_and_number_of_cases(void **state)
{
	struct problem problem = { .text = "" };
	char line[100];

	(void)state;
	request_reset(&request);
	assert_int_equal(feed(HEADER, &problem), 0);
	for (int i = 0; i < REQUEST_CASES_MAX; i++) {
		snprintf(line, sizeof(line), "case id=%d scenario=a mode=none", i);
		assert_int_equal(feed(line, &problem), 0);
	}
	assert_int_equal(feed("case id=9999 scenario=a mode=none", &problem), -EINVAL);
	assert_non_null(strstr(problem.text, "more than"));
	assert_int_equal(request.count, REQUEST_CASES_MAX);
	assert_int_equal(feed_case("case id=5 scenario=a mode=none", &problem), 0);
	assert_int_equal(feed("case id=5 scenario=b mode=none", &problem), -EINVAL);
	assert_string_equal(problem.text, "id 5 is there twice");
	assert_int_equal(request.count, 1);
}

/* The longest line that the protocol allows fits, whatever is in it. */
static void test_long_line(void **state)
{
	struct problem problem = { .text = "" };
	char line[REQUEST_LINE_MAX + 1];

	(void)state;
	memset(line, 'x', REQUEST_LINE_MAX);
	line[REQUEST_LINE_MAX] = '\0';
	memcpy(line, "case ", 5);
	assert_int_equal(feed_case(line, &problem), -EINVAL);
	line[100] = '=';
	assert_int_equal(feed_case(line, &problem), -EINVAL);
	assert_true(strlen(problem.text) < sizeof(problem.text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_points),
		cmocka_unit_test(test_calibrate),
		cmocka_unit_test(test_skips),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_poweroff),
		cmocka_unit_test(test_ids_and_number_of_cases),
		cmocka_unit_test(test_long_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
