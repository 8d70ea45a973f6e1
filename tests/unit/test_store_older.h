/* SPDX-License-Identifier: MIT */
/*
 * test_store_older: the store's database as an older server would have left it, for the tests of what
 * a migration derives from what is there. It does not know what newer migrations make.
 */
#ifndef FAULTLINE_TESTS_UNIT_TEST_STORE_OLDER_H
#define FAULTLINE_TESTS_UNIT_TEST_STORE_OLDER_H

#include <sqlite3.h>

#include "db/db.h"
#include "tests/unit/test_store.h"

static inline void older_run(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL))
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

/* The statements that copy each table, by the columns that both schemas have. */
static inline char *older_copies(sqlite3 *db)
{
	static const char sql[] =
		"SELECT 'DELETE FROM main.' || t || '; INSERT INTO main.' || t || '(' || cols || ')"
		" SELECT ' || cols || ' FROM newer.' || t || ';' FROM (SELECT m.name AS t,"
		" group_concat(c.name, ',') AS cols FROM main.sqlite_master m, pragma_table_info(m.name)"
		" c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND c.name IN"
		" (SELECT n.name FROM pragma_table_info(m.name, 'newer') n) GROUP BY m.name)";
	struct buf out = BUF_INIT;
	sqlite3_stmt *st;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW)
		buf_str(&out, (const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	return buf_steal(&out);
}

/* Closes the store, makes its database one of that version with the same rows, and opens it again,
 * which migrates it. */
static inline void reopen_older(int version)
{
	CLEANUP(free_p) char *path = xasprintf("%s/faultline.db", dir);
	CLEANUP(free_p) char *newer = xasprintf("%s/newer.db", dir);
	CLEANUP(free_p) char *attach = xasprintf("ATTACH '%s' AS newer", newer);
	CLEANUP(free_p) char *copies = NULL;
	sqlite3 *db;

	store_close(STEAL(store));
	assert_int_equal(rename(path, newer), 0);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	for (int i = 0; i < version; i++)
		older_run(db, db_migrations[i].sql);
	older_run(db, attach);
	copies = older_copies(db);
	older_run(db, copies);
	sqlite3_close(db);
	OK(store_open(dir, &store, &err));
}

#endif
