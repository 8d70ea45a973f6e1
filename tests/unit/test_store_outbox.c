/* SPDX-License-Identifier: MIT */
#include "tests/unit/test_store.h"

#include "db/store_outbox.h"
#include "db/store_regress.h"

/* A regression of the topic branch between two new commits; its row. */
static void declare(int first, const char *signature, struct regression_state *ret)
{
	static const enum status fails[] = { STATUS_FAIL, STATUS_COUNT };
	int64_t id = submit(first, 2, make_plan(1, "cases"));
	struct case_seen at = { .config = (char *)"default",
				.scenario = (char *)"split.mprotect",
				.fault = (char *)"{\"mode\":\"sweep\"}" };
	const struct case_seen *cases = &at;
	struct regression_new g = { .signature = signature,
				    .title = "kernel BUG in f",
				    .reason = "bug",
				    .cases = &cases,
				    .n_cases = 1 };
	CLEANUP(free_p) int64_t *due = NULL;
	struct case_seen *rows;
	size_t n;
	int found;

	drain(fails);
	OK(store_compare_cases(store, id, &rows, &n, &err));
	assert_true(n > 0);
	at.failure = rows[0].failure;
	g.good_id = rows[0].commit_id;
	g.bad_id = rows[0].commit_id + 1;
	case_seen_free(rows, n);
	OK(store_compare_done(store, id, &g, 1, &found, &err));
	assert_int_equal(found, 1);
	OK(store_regressions_due(store, &due, &n, &err));
	OK(store_regression_load(store, due[n - 1], ret, &err));
}

static void change(const struct regression_state *g, const char *state, const char *culprit,
		   const char *mail)
{
	const struct recipient_new to = { "mail", mail };
	const struct regression_step step = {
		.state = state, .culprit = culprit, .report_to = &to, .n_report_to = mail ? 1 : 0
	};

	OK(store_regression_step(store, &g->row, &step, &err));
}

/* "kind recipient" of what is due now, "" for nothing; *ret_id is its number. */
static const char *due(int64_t *ret_id)
{
	static char text[200];
	struct outbox_row row;
	int r;

	text[0] = '\0';
	OK(r = store_outbox_due(store, clock_now_us(), &row, &err));
	if (!r)
		return text;
	snprintf(text, sizeof(text), "%s %s", row.kind, row.recipient);
	*ret_id = row.id;
	outbox_row_free(&row);
	return text;
}

static void send_due(enum outbox_end end)
{
	int64_t id = 0;

	assert_string_not_equal(due(&id), "");
	OK(store_outbox_begin(store, id, &err));
	OK(store_outbox_end(store, id, end, "said so", clock_now_us() + 60 * US_PER_S, &err));
}

#define A "aaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbb"

static void test_life(void **state)
{
	struct regression_state g;
	int64_t id = 0;

	(void)state;
	declare(0, A, &g);
	change(&g, "confirmed", NULL, NULL);
	assert_string_equal(due(&id), "");
	change(&g, "bisected", sha(1), "a@b.example");
	assert_string_equal(due(&id), "report a@b.example");
	/* what follows waits for it */
	change(&g, "fixed", NULL, NULL);
	assert_string_equal(due(&id), "report a@b.example");
	send_due(OUTBOX_SENT);
	assert_string_equal(due(&id), "fixed a@b.example");
	send_due(OUTBOX_SENT);
	assert_string_equal(due(&id), "");
	regression_state_free(&g);
}

static void test_once(void **state)
{
	struct regression_state g, h, k;
	int64_t id = 0;

	(void)state;
	declare(0, A, &g);
	change(&g, "bisected", sha(1), "a@b.example");
	send_due(OUTBOX_SENT);
	change(&g, "bisected", sha(1), "a@b.example");
	assert_string_equal(due(&id), "");
	change(&g, "stale", NULL, NULL);
	/* the same signature of the same commit, in another regression: the same news */
	declare(4, A, &h);
	change(&h, "bisected", sha(1), "a@b.example");
	assert_string_equal(due(&id), "");
	/* somebody else has not heard it */
	change(&h, "bisected", sha(1), "c@d.example");
	assert_string_equal(due(&id), "report c@d.example");
	send_due(OUTBOX_SENT);
	declare(8, B, &k);
	change(&k, "bisected", sha(1), "a@b.example");
	assert_string_equal(due(&id), "report a@b.example");
	regression_state_free(&g);
	regression_state_free(&h);
	regression_state_free(&k);
}

static void test_ends(void **state)
{
	struct regression_state g;
	int64_t id = 0;
	int n = -1;

	(void)state;
	clock_fake(1700000000 * US_PER_S);
	declare(0, A, &g);
	change(&g, "bisected", sha(1), "a@b.example");
	/* put off, and due again later */
	send_due(OUTBOX_AGAIN);
	assert_string_equal(due(&id), "");
	clock_fake(1700000061 * US_PER_S);
	assert_string_equal(due(&id), "report a@b.example");
	/* the server dies in the middle of it: never again */
	OK(store_outbox_begin(store, id, &err));
	assert_int_equal(store_outbox_begin(store, id, &err), -ENOENT);
	assert_string_equal(due(&id), "");
	reopen();
	OK(store_outbox_recover(store, &n, &err));
	assert_int_equal(n, 1);
	assert_string_equal(due(&id), "");
	/* it may have arrived, so its end is told */
	change(&g, "fixed", NULL, NULL);
	assert_string_equal(due(&id), "fixed a@b.example");
	regression_state_free(&g);
}

static void test_refused(void **state)
{
	struct regression_state g;
	int64_t id = 0;

	(void)state;
	declare(0, A, &g);
	change(&g, "bisected", sha(1), "a@b.example");
	send_due(OUTBOX_REFUSED);
	/* who never heard of it need not hear that it is over */
	change(&g, "fixed", NULL, NULL);
	assert_string_equal(due(&id), "");
	regression_state_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, setup, teardown),
		cmocka_unit_test_setup_teardown(test_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
