/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/regress_stale.h"
#include "tests/unit/test_repo.h"

/* The first parent of a commit. */
static const char *older(const char *sha)
{
	static char ring[8][SHA_MAX];
	static unsigned n;
	char *ret = ring[n++ % 8];

	assert_int_equal(range_first_parent(repo_path, sha, ret, NULL), 0);
	return ret;
}

/* What a step to "fixed" becomes: its state, with the evidence. */
static const char *becomes(const char *bad, const char *culprit, const char *fixed,
			   struct json_object *evidence)
{
	struct regression_row g = { .bad = (char *)bad, .culprit = (char *)culprit };
	struct regression_step step = { .state = "fixed", .evidence = evidence, .fixed = fixed };
	struct error err = ERROR_INIT;

	if (regress_stale_rewritten(repo_path, &g, &step, &err))
		fail_msg("%s", err.msg);
	assert_true((step.fixed != NULL) == !strcmp(step.state, "fixed"));
	return step.state;
}

static void test_rewritten(void **state)
{
	static const char gone[] = "0123456789012345678901234567890123456789";
	CLEANUP(json_put_p) struct json_object *e = json_object_new_object();
	struct json_object *missing = NULL;

	(void)state;
	/* mended on top of it */
	assert_string_equal(becomes(older(repo_sha("topic")), NULL, repo_sha("topic"), e), "fixed");
	assert_string_equal(becomes(repo_sha("topic"), older(older(repo_sha("topic"))),
				    repo_sha("topic"), e),
			    "fixed");
	assert_int_equal(json_object_object_length(e), 0);
	/* what brought it is not there: in another history, on another branch, nowhere */
	assert_string_equal(becomes(repo_sha("topic"), NULL, repo_sha("master"), e), "stale");
	assert_string_equal(becomes(older(older(repo_sha("master"))), repo_sha("topic"),
				    repo_sha("master"), e),
			    "stale");
	assert_string_equal(becomes(repo_sha("topic"), NULL, repo_sha("other"), e), "stale");
	assert_true(json_object_object_get_ex(e, "missing", &missing));
	assert_string_equal(json_object_get_string(missing), repo_sha("topic"));
	assert_string_equal(becomes(gone, NULL, repo_sha("topic"), e), "stale");
	assert_non_null(strstr(json_object_get_string(json_object_object_get(e, "why")),
			       "history was rewritten"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rewritten, repo_setup, repo_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
