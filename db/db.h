/* SPDX-License-Identifier: MIT */
/*
 * db: one SQLite connection: opening, prepared statements by name, arguments, columns, rows as
 * JSON. The SQL itself is in db/queries.sql.
 *
 * Thread: a connection belongs to one thread at a time. May be included by db/ only.
 */
#ifndef FAULTLINE_DB_DB_H
#define FAULTLINE_DB_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "db_queries.h"
#include "lib/buf.h"
#include "lib/error.h"
#include "lib/json.h"

struct db {
	sqlite3 *conn;
	sqlite3_stmt *stmts[Q_COUNT]; /* prepared at first use */
	/* Writer: what the transaction under way is to tell after its commit. */
	bool events, queued;
};

/* Writable: made when missing, journal in WAL, each commit on disk (synchronous=FULL). Else
 * read-only; the file must be open for writing already. -EBADMSG when it is not a database. */
must_check int db_open(const char *path, bool writable, struct db **ret, struct error *err);
void db_close(struct db *db);
/* Runs the migrations that are missing, each in its own transaction. -ENOTSUP for a database of a
 * later version of this program. */
must_check int db_migrate(struct db *db, struct error *err);
/* Statements that are not in queries.sql because they cannot be prepared: PRAGMA, BEGIN … */
must_check int db_script(struct db *db, const char *sql, struct error *err);
/* What SQLite just said, as errno and message. `what` is the query's name. */
int db_error(struct db *db, const char *what, struct error *err);

struct arg {
	enum { ARG_NULL, ARG_INT, ARG_REAL, ARG_TEXT } type;
	int64_t i;
	double d;
	const char *s;
};

/* clang-format off */
#define I(x) ((struct arg){ .type = ARG_INT, .i = (x) })
#define ID(x) db_arg_id(x) /* 0 is NULL */
#define D(x) ((struct arg){ .type = ARG_REAL, .d = (x) })
#define S(x) db_arg_text(x) /* NULL is NULL; borrowed until the statement ends */
#define ARGS(...) (const struct arg[]){ __VA_ARGS__ }, \
	(int)(sizeof((const struct arg[]){ __VA_ARGS__ }) / sizeof(struct arg))
#define NO_ARGS NULL, 0
/* clang-format on */

static inline struct arg db_arg_id(int64_t id)
{
	return (struct arg){ .type = id ? ARG_INT : ARG_NULL, .i = id };
}

static inline struct arg db_arg_text(const char *s)
{
	return (struct arg){ .type = s ? ARG_TEXT : ARG_NULL, .s = s };
}

/* A statement under way. Declare with CLEANUP(query_end): the query can be run again after. */
struct query {
	struct db *db;
	sqlite3_stmt *st;
	enum db_query name;
};

void query_end(struct query *q);
/* Binds and is ready for the first query_next(). The same query must not be under way. */
must_check int query_start(struct query *q, struct db *db, enum db_query name,
			   const struct arg *args, int n, struct error *err);
/* 1 = a row is there, 0 = no more, or -errno. */
must_check int query_next(struct query *q, struct error *err);

int64_t query_i64(const struct query *q, int col); /* NULL is 0 */
double query_double(const struct query *q, int col); /* NULL is 0 */
const char *query_text(const struct query *q, int col); /* NULL stays NULL; until the next step */
char *query_dup(const struct query *q, int col); /* owned */

/* Runs to the end. *ret_changes (may be NULL): rows inserted, updated or deleted. */
must_check int db_run(struct db *db, enum db_query name, const struct arg *args, int n,
		      int *ret_changes, struct error *err);
/* First column of the first row: 1 with *ret, 0 when there is no row. */
must_check int db_find(struct db *db, enum db_query name, const struct arg *args, int n,
		       int64_t *ret, struct error *err);

/*
 * Rows as JSON. A column's alias is its key; behind a colon is how it is shown:
 *   "created:time" RFC 3339, "live:bool", "fault:json" embedded, "short:short" first 12 digits;
 *   a dot makes an object: "injected.on_target".
 * NULL is null.
 */
struct json_object *query_row(const struct query *q);
/* Adds the row's columns to `o`. */
void query_row_into(const struct query *q, struct json_object *o);
/* All rows as an array. */
must_check int db_rows(struct db *db, enum db_query name, const struct arg *args, int n,
		       struct json_object **ret, struct error *err);
/* Those of a query whose only argument is `id`, as the array `key` of `o`. */
must_check int db_add_rows(struct db *db, enum db_query name, int64_t id, const char *key,
			   struct json_object *o, struct error *err);
/* The first row: 1 with *ret, 0 when there is none. */
must_check int db_row(struct db *db, enum db_query name, const struct arg *args, int n,
		      struct json_object **ret, struct error *err);
/* All values of the first column. Owned array. */
must_check int db_ids(struct db *db, enum db_query name, const struct arg *args, int n,
		      int64_t **ret, size_t *ret_n, struct error *err);

#endif
