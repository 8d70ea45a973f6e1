/* SPDX-License-Identifier: MIT */
/*
 * How SQLite goes through the tables that grow: by an index or the key, never from one end to the
 * other (https://www.sqlite.org/eqp.html). What a page asks for takes as long with a million results
 * as with a hundred then.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "db_queries.h"
#include "lib/buf.h"
#include "lib/clean.h"

/* Of these there may be thousands and more. */
static const char *const large[] = { "results",
				     "documents",
				     "cells",
				     "run_values",
				     "injections",
				     "runs",
				     "jobs",
				     "builds",
				     "tests",
				     "commits",
				     "submissions",
				     "submission_jobs",
				     "submission_commits",
				     "artifacts",
				     "measurements",
				     "events",
				     "regression_cases",
				     "regression_changes",
				     "regression_probes" };

static sqlite3 *conn;

static int setup(void **state)
{
	(void)state;
	return sqlite3_open(":memory:", &conn) != SQLITE_OK ||
	       sqlite3_exec(conn, db_schema_sql, NULL, NULL, NULL) != SQLITE_OK;
}

static int teardown(void **state)
{
	(void)state;
	return sqlite3_close(conn) != SQLITE_OK;
}

static bool in_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* True when the query calls the table `alias`: "results r", "results AS r", or by its own name. */
static bool is_called(const char *sql, const char *table, const char *alias)
{
	size_t len = strlen(table), alias_len = strlen(alias);
	CLEANUP(free_p) char *with = xasprintf("%s AS (", table);

	if (strstr(sql, with)) /* the name stands for something else here */
		return false;
	if (strcmp(table, alias) == 0)
		return true;
	for (const char *p = sql; (p = strstr(p, table)); p += len) {
		const char *name = p + len;

		if ((p > sql && in_word(p[-1])) || in_word(*name))
			continue;
		name += strspn(name, " \t\n");
		if (str_starts(name, "AS "))
			name += 3;
		if (strncmp(name, alias, alias_len) == 0 && !in_word(name[alias_len]))
			return true;
	}
	return false;
}

/* "SCAN x USING INDEX y": an index of few of the rows (those that are still open) is gone through as
 * a matter of course. */
static bool is_of_few(const char *table, const char *detail)
{
	const char *index = strstr(detail, "INDEX ");
	sqlite3_stmt *st = NULL;
	bool partial;

	if (!index)
		return false;
	if (sqlite3_prepare_v2(conn, "SELECT partial FROM pragma_index_list(?1) WHERE name = ?2",
			       -1, &st, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(conn));
	sqlite3_bind_text(st, 1, table, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, index + 6, -1, SQLITE_STATIC);
	partial = sqlite3_step(st) == SQLITE_ROW && sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return partial;
}

/* One line of a plan: "SCAN r USING INDEX …", or "SEARCH r USING AUTOMATIC … INDEX", which is made of
 * all rows for this once. Returns how many findings it is. */
static int look(const char *query, const char *sql, const char *detail)
{
	char alias[64];

	if (sscanf(detail, "SCAN %63s", alias) != 1 &&
	    (!strstr(detail, "USING AUTOMATIC") || sscanf(detail, "SEARCH %63s", alias) != 1))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(large); i++) {
		if (!is_called(sql, large[i], alias) || is_of_few(large[i], detail))
			continue;
		print_message("%s goes through all of %s: %s\n", query, large[i], detail);
		return 1;
	}
	return 0;
}

static int findings_of(const char *name, const char *sql)
{
	CLEANUP(free_p) char *explain = xasprintf("EXPLAIN QUERY PLAN %s", sql);
	sqlite3_stmt *st = NULL;
	int n = 0;

	if (sqlite3_prepare_v2(conn, explain, -1, &st, NULL) != SQLITE_OK)
		fail_msg("%s: %s", name, sqlite3_errmsg(conn));
	while (sqlite3_step(st) == SQLITE_ROW)
		n += look(name, sql, (const char *)sqlite3_column_text(st, 3));
	sqlite3_finalize(st);
	return n;
}

static void test_no_scan(void **state)
{
	int n = 0;

	(void)state;
	for (int i = 0; i < Q_COUNT; i++)
		n += findings_of(db_queries[i].name, db_queries[i].sql);
	assert_int_equal(n, 0);
}

/* That the test sees what it looks for. */
static void test_scans_are_seen(void **state)
{
	static const struct {
		const char *sql;
		int n;
	} rows[] = {
		{ "SELECT * FROM results", 1 },
		{ "SELECT count(*) FROM runs u", 1 },
		{ "SELECT x.id FROM results AS x WHERE x.detail = 'y'", 1 },
		{ "SELECT a.id FROM commits a, builds b WHERE a.subject = b.detail", 2 },
		{ "SELECT * FROM results WHERE id = 1", 0 },
		{ "SELECT id FROM results ORDER BY run_id DESC LIMIT 10", 1 },
		{ "SELECT id FROM results WHERE run_id < 9 ORDER BY run_id DESC LIMIT 10", 0 },
		{ "SELECT id FROM submissions WHERE state = 'planned'", 0 }, /* they are few */
		{ "WITH runs AS (SELECT 1) SELECT * FROM runs", 0 }, /* another table's name */
		{ "SELECT * FROM branches", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (findings_of("this", rows[i].sql) != rows[i].n)
			fail_msg("%s", rows[i].sql);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_no_scan, setup, teardown),
		cmocka_unit_test_setup_teardown(test_scans_are_seen, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
