/* SPDX-License-Identifier: MIT */
#include "db/db.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Only the writer and a backup ever lock the file; a reader meets them while the log is reset. */
#define BUSY_TIMEOUT_MS 5000
#define MMAP_BYTES (INT64_C(2) << 30) /* as much as SQLite maps (SQLITE_MAX_MMAP_SIZE) */

static const char pragmas_common[] = "PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;"
				     "PRAGMA temp_store=MEMORY;";
/* A log beyond 64 MiB is cut after the checkpoint that emptied it. */
static const char pragmas_writer[] =
	"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cell_size_check=ON;"
	"PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-32768;";
static const char pragmas_reader[] = "PRAGMA query_only=ON; PRAGMA cache_size=-8192;";

static int code_errno(int code)
{
	switch (code) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
		return -EEXIST;
	case SQLITE_CONSTRAINT_FOREIGNKEY:
		return -ENOENT;
	}
	switch (code & 0xff) {
	case SQLITE_CONSTRAINT:
	case SQLITE_TOOBIG:
	case SQLITE_MISMATCH:
		return -EINVAL;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CANTOPEN:
		return -ENOENT;
	default:
		return -EIO;
	}
}

int db_error(struct db *db, const char *what, struct error *err)
{
	int code = db->conn ? sqlite3_extended_errcode(db->conn) : SQLITE_NOMEM;

	return error_set(err, code_errno(code), "database: %s: %s", what,
			 db->conn ? sqlite3_errmsg(db->conn) : "out of memory");
}

int db_script(struct db *db, const char *sql, struct error *err)
{
	if (sqlite3_exec(db->conn, sql, NULL, NULL, NULL) != SQLITE_OK)
		return db_error(db, sql, err);
	return 0;
}

static int configure(struct db *db, bool writable, struct error *err)
{
	char mmap[64];
	int r;

	sqlite3_extended_result_codes(db->conn, 1);
	sqlite3_busy_timeout(db->conn, BUSY_TIMEOUT_MS);
	sqlite3_db_config(db->conn, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db->conn, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(db->conn, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	sqlite3_db_config(db->conn, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_limit(db->conn, SQLITE_LIMIT_ATTACHED, 0);
	r = db_script(db, pragmas_common, err);
	if (!r)
		r = db_script(db, writable ? pragmas_writer : pragmas_reader, err);
	if (r < 0 || writable)
		return r;
	/* Readers only: a read error in mapped memory is a signal. */
	snprintf(mmap, sizeof(mmap), "PRAGMA mmap_size=%lld", (long long)MMAP_BYTES);
	return db_script(db, mmap, err);
}

int db_open(const char *path, bool writable, struct db **ret, struct error *err)
{
	int flags = SQLITE_OPEN_NOMUTEX |
		    (writable ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
	struct db *db = xcalloc(1, sizeof(*db));
	int r = 0;

	if (sqlite3_open_v2(path, &db->conn, flags, NULL) != SQLITE_OK)
		r = db_error(db, path, err);
	if (!r)
		r = configure(db, writable, err);
	if (r < 0) {
		db_close(db);
		return r;
	}
	*ret = db;
	return 0;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	for (int i = 0; i < Q_COUNT; i++)
		sqlite3_finalize(db->stmts[i]);
	sqlite3_close(db->conn);
	free(db);
}

int db_migrate(struct db *db, struct error *err)
{
	for (;;) {
		int64_t version;
		int r = db_find(db, Q_USER_VERSION, NO_ARGS, &version, err);

		if (r < 0)
			return r;
		if (version > db_n_migrations)
			return error_set(err, -ENOTSUP,
					 "database has version %lld, this program knows %d",
					 (long long)version, db_n_migrations);
		if (version == db_n_migrations)
			return 0;
		r = db_script(db, "BEGIN IMMEDIATE", err);
		if (!r)
			r = db_script(db, db_migrations[version].sql, err);
		if (!r)
			r = db_script(db, "COMMIT", err);
		if (r < 0) {
			if (!sqlite3_get_autocommit(db->conn))
				sqlite3_exec(db->conn, "ROLLBACK", NULL, NULL, NULL);
			return error_wrap(err, r, "migration %s", db_migrations[version].name);
		}
	}
}

void query_end(struct query *q)
{
	if (!q->st)
		return;
	sqlite3_reset(q->st);
	sqlite3_clear_bindings(q->st);
	q->st = NULL;
}

static int bind(sqlite3_stmt *st, int i, const struct arg *a)
{
	switch (a->type) {
	case ARG_INT:
		return sqlite3_bind_int64(st, i, a->i);
	case ARG_REAL:
		return sqlite3_bind_double(st, i, a->d);
	case ARG_TEXT:
		return sqlite3_bind_text(st, i, a->s, -1, SQLITE_STATIC);
	case ARG_NULL:
	default:
		return sqlite3_bind_null(st, i);
	}
}

int query_start(struct query *q, struct db *db, enum db_query name, const struct arg *args, int n,
		struct error *err)
{
	const struct db_query_info *info = &db_queries[name];
	sqlite3_stmt **st = &db->stmts[name];

	if (n != info->n_params)
		return error_set(err, -EINVAL, "database: %s takes %d parameters, got %d",
				 info->name, info->n_params, n);
	if (!*st && sqlite3_prepare_v3(db->conn, info->sql, -1, SQLITE_PREPARE_PERSISTENT, st,
				       NULL) != SQLITE_OK)
		return db_error(db, info->name, err);
	if (sqlite3_stmt_busy(*st))
		return error_set(err, -EBUSY, "database: %s is under way", info->name);
	for (int i = 0; i < n; i++)
		if (bind(*st, i + 1, &args[i]) != SQLITE_OK)
			return db_error(db, info->name, err);
	*q = (struct query){ .db = db, .st = *st, .name = name };
	return 0;
}

int query_next(struct query *q, struct error *err)
{
	switch (sqlite3_step(q->st)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		return db_error(q->db, db_queries[q->name].name, err);
	}
}

int64_t query_i64(const struct query *q, int col)
{
	return sqlite3_column_int64(q->st, col);
}

double query_double(const struct query *q, int col)
{
	return sqlite3_column_double(q->st, col);
}

const char *query_text(const struct query *q, int col)
{
	return (const char *)sqlite3_column_text(q->st, col);
}

char *query_dup(const struct query *q, int col)
{
	return xstrdup(query_text(q, col));
}

int db_run(struct db *db, enum db_query name, const struct arg *args, int n, int *ret_changes,
	   struct error *err)
{
	CLEANUP(query_end) struct query q = { .db = db };
	int r = query_start(&q, db, name, args, n, err);

	if (r < 0)
		return r;
	while ((r = query_next(&q, err)) == 1)
		;
	if (!r && ret_changes)
		*ret_changes = sqlite3_changes(db->conn);
	return r;
}

int db_find(struct db *db, enum db_query name, const struct arg *args, int n, int64_t *ret,
	    struct error *err)
{
	CLEANUP(query_end) struct query q = { .db = db };
	int64_t value = 0;
	int r = query_start(&q, db, name, args, n, err), more;

	if (!r)
		r = query_next(&q, err);
	if (r != 1)
		return r;
	value = query_i64(&q, 0);
	/* A statement with RETURNING has done its work only when it ran to the end. */
	while ((more = query_next(&q, err)) == 1)
		;
	if (more < 0)
		return more;
	*ret = value;
	return 1;
}

int db_ids(struct db *db, enum db_query name, const struct arg *args, int n, int64_t **ret,
	   size_t *ret_n, struct error *err)
{
	CLEANUP(query_end) struct query q = { .db = db };
	CLEANUP(free_p) int64_t *ids = NULL;
	size_t len = 0, cap = 0;
	int r = query_start(&q, db, name, args, n, err);

	if (r < 0)
		return r;
	while ((r = query_next(&q, err)) == 1) {
		ARRAY_RESERVE(ids, len, cap);
		ids[len++] = query_i64(&q, 0);
	}
	if (r < 0)
		return r;
	*ret = STEAL(ids);
	*ret_n = len;
	return 0;
}
