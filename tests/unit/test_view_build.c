/* SPDX-License-Identifier: MIT */
#include "tests/unit/test_store.h"

static struct json_object *list(struct build_filter f)
{
	struct json_object *o = NULL;

	f.limit = f.limit ? f.limit : 50;
	OK(view_builds(store, &f, &o, &err));
	return o;
}

static void answer(enum status status, size_t n_warnings)
{
	char *warnings[] = { (char *)"mm/rmap.c:1: unused", (char *)"mm/rmap.c:2: unused" };
	struct build_result b = { .status = status,
				  .reason = status == STATUS_FAIL ? REASON_BUILD : REASON_NONE,
				  .warnings = warnings,
				  .n_warnings = n_warnings,
				  .errors = warnings,
				  .n_errors = status == STATUS_FAIL,
				  .duration_us = 7 };
	struct job job = must_claim("b");
	enum lease lease;

	assert_int_equal(job.kind, JOB_BUILD);
	OK(store_build_done(store, job.id, "b", &b, &lease, &err));
	assert_int_equal(lease, LEASE_OK);
	job_free(&job);
}

/* Of 1200 builds: the second failed with warnings, the third passed with one, the others are open. */
static void fill(void)
{
	for (int i = 0; i < 100; i++)
		submit(i * 12, 12, make_plan(1, "cases"));
	answer(STATUS_PASS, 0);
	answer(STATUS_FAIL, 2);
	answer(STATUS_PASS, 1);
}

static void test_list(void **state)
{
	CLEANUP(json_put_p) struct json_object *all = NULL, *next = NULL;
	struct build_filter f = { .limit = 100 };

	(void)state;
	fill();
	all = list(f);
	assert_int_equal(len_at(all, "items"), 100);
	assert_int_equal(int_at(all, "items.0.id"), 1200);
	assert_int_equal(int_at(all, "items.99.id"), 1101);
	has_keys(at(all, "items.0"), "repo commit short subject config arch compiler created run "
				     "reason image duration_us");
	assert_null(at(all, "items.0.status"));
	assert_string_equal(str_at(all, "items.0.state"), "queued");
	f.cursor = str_at(all, "next");
	next = list(f);
	assert_int_equal(int_at(next, "items.0.id"), 1100);
}

/* Page after page to the end; how many there were. */
static int walk(struct build_filter f, int *ret_pages)
{
	CLEANUP(free_p) char *cursor = NULL;
	int n = 0;

	for (*ret_pages = 1;; (*ret_pages)++) {
		CLEANUP(json_put_p) struct json_object *o = NULL;
		struct json_object *next = NULL; /* of `o` */

		f.cursor = cursor;
		o = list(f);
		n += (int)len_at(o, "items");
		if (!json_object_object_get_ex(o, "next", &next))
			break;
		free(cursor);
		cursor = xstrdup(json_object_get_string(next));
	}
	return n;
}

static void test_filters(void **state)
{
	struct build_filter f = { .limit = 100 };
	CLEANUP(json_put_p) struct json_object *o = NULL;
	int pages;

	(void)state;
	fill();
	assert_int_equal(walk(f, &pages), 1200);
	assert_int_equal(pages, 12);
	f.status = "open";
	assert_int_equal(walk(f, &pages), 1197);
	f.status = "PASS";
	assert_int_equal(walk(f, &pages), 2);
	assert_int_equal(pages, 3); /* each looks at 500 */
	f.warnings = true;
	assert_int_equal(walk(f, &pages), 1);
	f.status = "FAIL";
	f.cursor = "b500";
	o = list(f);
	assert_int_equal(len_at(o, "items"), 1);
	assert_int_equal(int_at(o, "items.0.warnings"), 2);
	assert_int_equal(int_at(o, "items.0.errors"), 1);
	assert_int_equal(int_at(o, "items.0.duration_us"), 7);
}

static void test_wrong(void **state)
{
	CLEANUP(json_put_p) struct json_object *none = list((struct build_filter){ .limit = 1 });
	struct build_filter f = { .cursor = "x", .limit = 1 };
	struct json_object *o = NULL;

	(void)state;
	assert_int_equal(len_at(none, "items"), 0);
	assert_false(json_object_object_get_ex(none, "next", NULL));
	assert_int_equal(view_builds(store, &f, &o, &err), -EINVAL);
	f.cursor = NULL;
	f.limit = 501;
	assert_int_equal(view_builds(store, &f, &o, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_list, setup, teardown),
		cmocka_unit_test_setup_teardown(test_filters, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
