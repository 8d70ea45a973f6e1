/* SPDX-License-Identifier: MIT */
#include "tests/unit/test_store.h"

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "db_queries.h"

#define HASH_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HASH_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void test_open(void **state)
{
	CLEANUP(free_p) char *sub = xasprintf("%s/a/b", dir);
	struct store *other = NULL;
	struct stat st;

	(void)state;
	assert_int_equal(store_open(dir, &other, &err), -EBUSY);
	assert_non_null(strstr(err.msg, dir));
	assert_null(other);
	OK(store_open(sub, &other, &err));
	assert_int_equal(stat(sub, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	OK(store_check(other, &err));
	store_close(other);
	store_close(NULL);
	reopen();
	OK(store_check(store, &err));
}

/* Another process, not only another descriptor. */
static void test_open_elsewhere(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct store *other;

		_exit(store_open(dir, &other, &err) == -EBUSY ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_not_ours(void **state)
{
	CLEANUP(free_p) char *path = xasprintf("%s/faultline.db", dir);
	CLEANUP(free_p) char *junk = xcalloc(4096, 1);
	struct store *other = NULL;
	sqlite3 *db;

	(void)state;
	store_close(STEAL(store));
	assert_int_equal(sqlite3_open(path, &db), 0);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version=99", 0, 0, 0), 0);
	sqlite3_close(db);
	assert_int_equal(store_open(dir, &other, &err), -ENOTSUP);
	memset(junk, 'x', 4096);
	OK(path_write_atomic(path, junk, 4096, 0600, &err));
	assert_int_equal(store_open(dir, &other, &err), -EBADMSG);
	assert_null(other);
}

static char *schema_dump(sqlite3 *db)
{
	struct buf out = BUF_INIT;
	sqlite3_stmt *st;

	assert_int_equal(sqlite3_prepare_v2(db,
					    "SELECT m.type, m.name, c.name, c.type, c.\"notnull\","
					    " c.dflt_value, c.pk, c.hidden FROM sqlite_master m"
					    " LEFT JOIN pragma_table_xinfo(m.name) c"
					    " ORDER BY 1, 2, c.cid",
					    -1, &st, NULL),
			 0);
	while (sqlite3_step(st) == SQLITE_ROW) {
		for (int i = 0; i < 8; i++)
			buf_printf(&out, "%s|",
				   sqlite3_column_text(st, i)
					   ? (const char *)sqlite3_column_text(st, i)
					   : "");
		buf_char(&out, '\n');
	}
	sqlite3_finalize(st);
	return buf_steal(&out);
}

/* From every older version the migrations lead to schema.sql, with what was in it. */
static void test_migrations(void **state)
{
	(void)state;
	for (int from = 0; from < db_n_migrations; from++) {
		CLEANUP(free_p) char *path = xasprintf("%s/faultline.db", dir);
		CLEANUP(free_p) char *want = NULL, *got = NULL;
		sqlite3 *db;

		if (store)
			store_close(STEAL(store));
		OK(path_remove_tree(dir, &err));
		OK(path_mkdirs(dir, 0700, &err));
		assert_int_equal(sqlite3_open(path, &db), 0);
		for (int i = 0; i < from; i++)
			assert_int_equal(sqlite3_exec(db, db_migrations[i].sql, 0, 0, 0), 0);
		sqlite3_close(db);
		OK(store_open(dir, &store, &err));
		store_close(STEAL(store));
		assert_int_equal(sqlite3_open(path, &db), 0);
		got = schema_dump(db);
		sqlite3_close(db);
		assert_int_equal(sqlite3_open(":memory:", &db), 0);
		assert_int_equal(sqlite3_exec(db, db_schema_sql, 0, 0, 0), 0);
		want = schema_dump(db);
		sqlite3_close(db);
		assert_string_equal(got, want);
	}
}

static void test_tokens(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	enum role role;
	int64_t id, found;

	(void)state;
	OK(store_token_add(store, "ci", ROLE_AGENT, HASH_A, &id, &err));
	assert_int_equal(store_token_add(store, "ci", ROLE_ADMIN, HASH_B, &id, &err), -EEXIST);
	OK(store_token_find(store, HASH_A, &found, &role, &err));
	assert_int_equal(role, ROLE_AGENT);
	assert_int_equal(found, id);
	OK(store_token_find(store, HASH_B, &found, &role, &err));
	assert_int_equal(role, ROLE_NONE);
	OK(store_token_revoke(store, "ci", &err));
	assert_int_equal(store_token_revoke(store, "ci", &err), -ENOENT);
	OK(store_token_find(store, HASH_A, &found, &role, &err));
	assert_int_equal(role, ROLE_NONE);
	/* The name is free again. */
	OK(store_token_add(store, "ci", ROLE_ADMIN, HASH_B, &id, &err));
	assert_true(store_token_add(store, "bad", ROLE_NONE, HASH_B "1", &id, &err) < 0);
	OK(store_tokens_view(store, &o, &err));
	assert_int_equal(len_at(o, "items"), 2);
	has_keys(at(o, "items.0"), "id name role created revoked");
	assert_null(strstr(json_object_to_json_string(o), "aaaa"));
	assert_false(role_parse("none", &role));
	assert_true(role_parse("admin", &role));
	assert_string_equal(role_name(ROLE_MAINTAINER), "maintainer");
}

static void test_repos(void **state)
{
	struct repo_row row;
	int64_t id;

	(void)state;
	OK(store_repo_put(store, "demo", "/srv/demo2.git", true, &id, &err));
	assert_int_equal(id, repo);
	/* A submission cannot point the administrator's repository elsewhere. */
	assert_int_equal(store_repo_put(store, "demo", "https://evil/x", false, &id, &err),
			 -EEXIST);
	OK(store_repo_by_name(store, "demo", &row, &err));
	assert_string_equal(row.url, "/srv/demo2.git");
	assert_true(row.configured);
	repo_row_free(&row);
	OK(store_repo_get(store, repo, &row, &err));
	repo_row_free(&row);
	assert_int_equal(store_repo_get(store, 99, &row, &err), -ENOENT);
	assert_int_equal(store_repo_by_name(store, "x", &row, &err), -ENOENT);
}

static void test_branches(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL, *events = NULL, *one = NULL;
	struct branch_row *rows;
	struct submission_row sub;
	int64_t branch, a, b;
	size_t n;

	(void)state;
	OK(store_branch_put(store, repo, "main", NULL, "thp-split", &branch, &err));
	OK(store_branch_put(store, repo, "main", "base", "thp-split", &branch, &err));
	assert_int_equal(store_branch_put(store, 99, "m", NULL, "p", &a, &err), -ENOENT);
	OK(store_branch_moved(store, branch, NULL, sha(1), &a, &err));
	OK(store_branch_moved(store, branch, NULL, sha(1), &b, &err));
	assert_int_equal(a, b);
	OK(store_branch_moved(store, branch, sha(1), sha(2), &b, &err));
	assert_true(a != b);
	assert_int_equal(store_branch_moved(store, 99, NULL, sha(1), &b, &err), -ENOENT);
	OK(store_submission_get(store, b, &sub, &err));
	assert_string_equal(sub.base, sha(1));
	assert_string_equal(sub.ref, "main");
	assert_string_equal(sub.head_sha, sha(2));
	assert_int_equal(sub.branch_id, branch);
	assert_int_equal(sub.state, SUBMISSION_NEW);
	submission_row_free(&sub);
	OK(store_branches(store, &rows, &n, &err));
	assert_int_equal(n, 1);
	assert_string_equal(rows[0].base_ref, "base");
	assert_string_equal(rows[0].tip, sha(2));
	branch_rows_free(rows, n);
	OK(view_branches(store, &o, &err));
	has_keys(at(o, "items.0"),
		 "id repo ref tip plan message checked submission status lately summary");
	assert_int_equal(int_at(o, "items.0.submission"), b);
	/* Only a change of the message is an event. */
	for (int i = 0; i < 3; i++)
		OK(store_branch_checked(store, branch, "no route", false, &err));
	assert_int_equal(store_branch_checked(store, 99, NULL, false, &err), -ENOENT);
	OK(view_events(store, 0, 500, &events, &err));
	assert_int_equal(len_at(events, "items"), 5);
	has_keys(at(events, "items.4"), "id type at data");
	assert_string_equal(str_at(events, "items.4.type"), "branch");
	assert_string_equal(str_at(events, "items.4.data.message"), "no route");
	OK(view_branch(store, "demo", "main", 10, &one, &err));
	assert_int_equal(len_at(one, "submissions"), 2);
	assert_int_equal(len_at(one, "matrix.rows"), 0);
}

/* One submission of a branch, of one commit that nobody has had. */
static void move(int64_t branch, int n, const enum status *statuses)
{
	struct commit_info commits[2] = { make_commit(2 * n), make_commit(2 * n + 1) };
	int64_t id;

	OK(store_branch_moved(store, branch, commits[0].sha, commits[1].sha, &id, &err));
	OK(store_submission_plan(store, id, commits, 2, make_plan(1, "cases"), &err));
	if (statuses)
		(void)drain(statuses);
}

static void test_lately(void **state)
{
	static const enum status fails[] = { STATUS_PASS, STATUS_FAIL, STATUS_COUNT };
	static const enum status misses[] = { STATUS_MISS, STATUS_SKIP, STATUS_COUNT };
	CLEANUP(json_put_p) struct json_object *none = NULL, *some = NULL, *many = NULL;
	int64_t branch, other;

	(void)state;
	OK(store_branch_put(store, repo, "main", NULL, "thp-split", &branch, &err));
	OK(store_branch_put(store, repo, "other", NULL, "thp-split", &other, &err));
	OK(view_branches(store, &none, &err));
	assert_null(at(none, "items.0.lately"));
	move(branch, 1, all_pass);
	move(other, 2, misses);
	move(branch, 3, fails);
	move(branch, 4, NULL);
	OK(view_branches(store, &some, &err));
	assert_string_equal(str_at(some, "items.0.lately"), ".FP");
	assert_string_equal(str_at(some, "items.1.lately"), "M");
	(void)drain(all_pass);
	for (int i = 5; i < 30; i++)
		move(branch, i, i < 29 ? all_pass : fails);
	OK(view_branches(store, &many, &err));
	assert_string_equal(str_at(many, "items.0.lately"), "FPPPPPPPPPPPPPPPPPPP");
}

static void test_submission_states(void **state)
{
	int64_t id, *ids;
	size_t n;

	(void)state;
	OK(store_submission_add(store, repo, "topic", NULL, "thp-split", 0, &id, &err));
	assert_int_equal(store_submission_add(store, 99, "t", NULL, "p", 0, &id, &err), -ENOENT);
	OK(store_submission_state(store, id, SUBMISSION_FETCHING, NULL, &err));
	OK(store_submissions_open(store, &ids, &n, &err));
	assert_int_equal(n, 1);
	assert_int_equal(ids[0], id);
	free(ids);
	OK(store_submission_state(store, id, SUBMISSION_REFUSED, "no such ref", &err));
	assert_int_equal(store_submission_state(store, id, SUBMISSION_NEW, NULL, &err), -ENOENT);
	OK(store_submissions_open(store, &ids, &n, &err));
	assert_int_equal(n, 0);
	free(ids);
	assert_state(id, "refused");
}

static void count_call(void *arg)
{
	__atomic_add_fetch((int *)arg, 1, __ATOMIC_RELAXED);
}

static void test_callbacks(void **state)
{
	int events = 0, queued = 0;
	int64_t id;

	(void)state;
	store_on_events(store, count_call, &events);
	store_on_queued(store, count_call, &queued);
	OK(store_submission_add(store, repo, "t", NULL, "p", 0, &id, &err));
	OK(store_check(store, &err)); /* behind it: the first call back has been made */
	assert_int_equal(events, 1);
	assert_int_equal(queued, 0);
	(void)submit(1, 1, make_plan(1, "cases"));
	OK(store_check(store, &err));
	assert_int_equal(queued, 1);
	assert_true(store_submission_add(store, 99, "t", NULL, "p", 0, &id, &err) < 0);
	events = 0;
	OK(store_check(store, &err));
	assert_int_equal(events, 0);
	store_on_events(store, NULL, NULL);
	store_on_queued(store, NULL, NULL);
}

static void test_backup(void **state)
{
	CLEANUP(free_p) char *copy = xasprintf("%s/copy", dir);
	CLEANUP(free_p) char *path = xasprintf("%s/copy/faultline.db", dir);
	struct store *other;
	struct repo_row row;

	(void)state;
	OK(path_mkdirs(copy, 0700, &err));
	OK(store_backup(store, path, &err));
	OK(store_backup(store, path, &err)); /* replaces it */
	OK(store_open(copy, &other, &err));
	OK(store_repo_by_name(other, "demo", &row, &err));
	repo_row_free(&row);
	store_close(other);
	assert_true(store_backup(store, "/nowhere/at/all", &err) < 0);
}

/* The child writes and says the id only after the store did; then it is killed at some moment. */
static void child(int fd, const char *where, unsigned int seed)
{
	struct store *s;
	int64_t id;

	if (store_open(where, &s, &err) < 0)
		_exit(1);
	for (;;) {
		char ref[32];

		snprintf(ref, sizeof(ref), "r%u", seed++);
		if (store_submission_add(s, repo, ref, NULL, "p", 0, &id, &err) < 0 ||
		    write(fd, &id, sizeof(id)) != sizeof(id))
			_exit(1);
	}
}

static void test_killed(void **state)
{
	(void)state;
	store_close(STEAL(store));
	for (unsigned int round = 0; round < 6; round++) {
		int64_t id, last = 0;
		int fds[2], status;
		pid_t pid;

		assert_int_equal(pipe(fds), 0);
		pid = fork();
		if (pid == 0)
			child(fds[1], dir, round * 1000);
		close(fds[1]);
		/* Some writes in, and then at an odd moment. */
		for (unsigned int i = 0; i < 3 + round * 5; i++)
			assert_int_equal(read(fds[0], &last, sizeof(last)), sizeof(last));
		usleep(337 * (round + 1));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		while (read(fds[0], &id, sizeof(id)) == sizeof(id))
			last = id;
		close(fds[0]);
		OK(store_open(dir, &store, &err));
		for (id = 1; id <= last; id++) {
			struct submission_row row;

			OK(store_submission_get(store, id, &row, &err));
			submission_row_free(&row);
		}
		store_close(STEAL(store));
	}
}

#define WRITERS 8
#define WRITES 25

static void *writer(void *arg)
{
	struct error e = ERROR_INIT;
	int64_t id;

	for (int i = 0; i < WRITES; i++)
		if (store_submission_add(store, repo, "t", NULL, arg, 0, &id, &e) < 0)
			return arg;
	return NULL;
}

static int64_t took(int n_threads)
{
	pthread_t threads[WRITERS];
	int64_t start = clock_mono_us();
	void *bad;

	for (int i = 0; i < n_threads; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, writer, (void *)"p"), 0);
	for (int i = 0; i < n_threads; i++) {
		pthread_join(threads[i], &bad);
		assert_null(bad);
	}
	return clock_mono_us() - start;
}

/* Eight writers together share their commits. Times are shown, not judged: a busy machine has
 * its own. */
static void test_group_commit(void **state)
{
	CLEANUP(json_put_p) struct json_object *before = NULL, *after = NULL;
	int64_t one = took(1), all, writes, commits;

	(void)state;
	OK(view_stats(store, &before, &err));
	all = took(WRITERS);
	OK(view_stats(store, &after, &err));
	writes = int_at(after, "writer.writes") - int_at(before, "writer.writes");
	commits = int_at(after, "writer.commits") - int_at(before, "writer.commits");
	print_message("%d writes: %lld us alone; %lld writes by %d: %lld us in %lld commits\n",
		      WRITES, (long long)one, (long long)writes, WRITERS, (long long)all,
		      (long long)commits);
	assert_int_equal(int_at(after, "submissions.new"), WRITES * (WRITERS + 1));
	assert_int_equal(writes, WRITES * WRITERS);
	assert_true(commits <= writes / 2);
}

static void test_events_kept(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	int64_t id, after = 0, third_us = 0;
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 3; i++) {
		third_us = clock_now_us();
		OK(store_submission_add(store, repo, "t", NULL, "p", 0, &id, &err));
	}
	do {
		json_put_p(&o);
		o = NULL;
		OK(view_events(store, after, 2, &o, &err));
		for (size_t i = 0; i < len_at(o, "items"); i++, n++) {
			char path[40];

			snprintf(path, sizeof(path), "items.%zu.id", i);
			assert_int_equal(int_at(o, path), after + 1);
			after++;
		}
	} while (len_at(o, "items") == 2);
	assert_int_equal(n, 3);
	json_put_p(&o);
	o = NULL;
	OK(view_event_before(store, INT64_MAX, &id, &err));
	assert_int_equal(id, 3);
	OK(view_event_before(store, third_us, &id, &err));
	assert_int_equal(id, 2);
	OK(view_event_before(store, 0, &id, &err));
	assert_int_equal(id, 0);
	assert_int_equal(view_events(store, 0, 0, &o, &err), -EINVAL);
	assert_int_equal(view_events(store, 0, 501, &o, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_open, setup, teardown),
		cmocka_unit_test_setup_teardown(test_open_elsewhere, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(test_migrations, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tokens, setup, teardown),
		cmocka_unit_test_setup_teardown(test_repos, setup, teardown),
		cmocka_unit_test_setup_teardown(test_branches, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lately, setup, teardown),
		cmocka_unit_test_setup_teardown(test_submission_states, setup, teardown),
		cmocka_unit_test_setup_teardown(test_callbacks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_backup, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_group_commit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_events_kept, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
