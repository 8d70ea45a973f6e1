/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "server/http_cost.h"

static void test_costs(void **state)
{
	struct http_costs *k = http_costs_new();

	(void)state;
	assert_int_equal(http_cost_of(k, http_cost_place("/branches/a/b", "limit=200")), 0);
	http_cost_took(k, http_cost_place("/branches/a/b", "limit=200"), 20000);
	assert_int_equal(http_cost_of(k, http_cost_place("/branches/a/b", "limit=200")), 20000);
	/* what is asked for behind the path is another page */
	assert_int_equal(http_cost_of(k, http_cost_place("/branches/a/b", "")), 0);
	assert_int_equal(http_cost_of(k, http_cost_place("/branches/a/b", NULL)), 0);
	http_costs_free(k);
}

/* It follows what changes, and one that was slow once is forgotten. */
static void test_forgets(void **state)
{
	struct http_costs *k = http_costs_new();

	(void)state;
	http_cost_took(k, http_cost_place("/", NULL), 1000000);
	http_cost_took(k, http_cost_place("/", NULL), 2000);
	assert_in_range(http_cost_of(k, http_cost_place("/", NULL)), 500000, 999999);
	for (int i = 0; i < 40; i++)
		http_cost_took(k, http_cost_place("/", NULL), 2000);
	assert_in_range(http_cost_of(k, http_cost_place("/", NULL)), 2000, 2020);
	http_costs_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_costs),
		cmocka_unit_test(test_forgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
