/* SPDX-License-Identifier: MIT */
/*
 * queries: build-time tool that turns the SQL of db/ into a C table, after checking it.
 *
 *   queries OUT.h OUT.c SCHEMA.sql QUERIES.sql... [NNNN_MIGRATION.sql...]
 *
 * A query begins with a line `-- name: claim_job`; comment lines below are its documentation, the
 * rest up to the next name is one statement with parameters ?1, ?2 … The build fails, with file
 * and line, when
 *   - a query does not prepare against the schema, is more than one statement, has gaps in its
 *     parameters, or its name was there before,
 *   - a table of the schema is not STRICT, or a foreign key leads nowhere,
 *   - the migrations (NNNN_name.sql, numbered 1, 2, …), run one after another, do not lead to the
 *     same schema and the same user_version.
 */
#include <ctype.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/error.h"
#include "lib/path.h"

#define SQL_FILE_MAX (1 << 20)

struct query {
	const char *path; /* of its file; borrowed */
	char *name, *doc, *sql;
	int line; /* of the statement's first line */
	int n_params;
};

struct queries {
	struct query *q;
	size_t n, cap;
};

static int line_at(const char *text, const char *at)
{
	int line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

/* The line of what SQLite complains about: `first` is the line of sql[0]. */
static int complain(sqlite3 *db, const char *path, const char *sql, int first)
{
	int off = sqlite3_error_offset(db);

	fprintf(stderr, "%s:%d: %s\n", path, first + (off > 0 ? line_at(sql, sql + off) - 1 : 0),
		sqlite3_errmsg(db));
	return -1;
}

static char *slurp(const char *path)
{
	struct error err = ERROR_INIT;
	struct buf b = BUF_INIT;

	if (path_read(path, SQL_FILE_MAX, &b, &err) < 0) {
		fprintf(stderr, "queries: %s\n", err.msg);
		buf_free(&b);
		return NULL;
	}
	return buf_steal(&b);
}

/* Runs a script statement by statement, so that an error has its line. */
static int run_script(sqlite3 *db, const char *path, const char *text)
{
	const char *rest = text;

	while (*rest) {
		const char *tail;
		sqlite3_stmt *st;
		int r;

		while (*rest == '\n' || *rest == ' ' || *rest == '\t')
			rest++;
		if (sqlite3_prepare_v2(db, rest, -1, &st, &tail))
			return complain(db, path, rest, line_at(text, rest));
		r = st ? sqlite3_step(st) : SQLITE_DONE;
		sqlite3_finalize(st);
		if (r != SQLITE_DONE && r != SQLITE_ROW)
			return complain(db, path, rest, line_at(text, rest));
		rest = tail;
	}
	return 0;
}

/* SQL without comments and layout, so that only what it says is compared. */
static void normalise(const char *sql, struct buf *out)
{
	const char *tight = "(),;";

	for (const char *p = sql; *p; p++) {
		char last = out->len ? out->data[out->len - 1] : '(';

		if (p[0] == '-' && p[1] == '-') {
			p += strcspn(p, "\n");
			if (!*p)
				break;
		}
		if (strchr(" \t\n", *p)) {
			if (last != ' ' && !strchr(tight, last))
				buf_char(out, ' ');
			continue;
		}
		if (strchr(tight, *p) && last == ' ')
			out->len--;
		buf_char(out, *p);
	}
}

/* The schema of `db` as text that is equal for equal schemas. Owned. */
static char *dump(sqlite3 *db)
{
	static const char sql[] = "SELECT type || ' ' || name || ': ', sql FROM sqlite_master"
				  " WHERE sql IS NOT NULL ORDER BY type, name";
	struct buf out = BUF_INIT;
	sqlite3_stmt *st;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == 0)
		while (sqlite3_step(st) == SQLITE_ROW) {
			struct buf one = BUF_INIT;

			normalise((const char *)sqlite3_column_text(st, 1), &one);
			buf_printf(&out, "%s%s\n", (const char *)sqlite3_column_text(st, 0),
				   buf_cstr(&one));
			buf_free(&one);
		}
	sqlite3_finalize(st);
	if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &st, NULL) == 0 &&
	    sqlite3_step(st) == SQLITE_ROW)
		buf_printf(&out, "user_version %d\n", sqlite3_column_int(st, 0));
	sqlite3_finalize(st);
	return buf_steal(&out);
}

/* Complains about every row of a check; the row is what is wrong. */
static int check_rows(sqlite3 *db, const char *path, const char *sql, const char *what)
{
	sqlite3_stmt *st;
	int bad = 0;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL))
		return complain(db, path, sql, 1);
	while (sqlite3_step(st) == SQLITE_ROW) {
		fprintf(stderr, "%s:1: '%s' %s\n", path, (const char *)sqlite3_column_text(st, 0),
			what);
		bad = -1;
	}
	sqlite3_finalize(st);
	return bad;
}

static int check_schema(sqlite3 *db, const char *path)
{
	int r = check_rows(db, path,
			   "SELECT name FROM pragma_table_list WHERE schema = 'main'"
			   " AND type = 'table' AND name NOT LIKE 'sqlite_%' AND NOT strict",
			   "is not a STRICT table");

	r |= check_rows(
		db, path,
		"SELECT m.name || '.' || f.\"from\" FROM sqlite_master m,"
		" pragma_foreign_key_list(m.name) f WHERE NOT EXISTS"
		" (SELECT 1 FROM sqlite_master t WHERE t.type = 'table' AND t.name = f.\"table\")",
		"refers to a table that is not there");
	return r | check_rows(db, path,
			      "SELECT 'PRAGMA' FROM pragma_user_version WHERE user_version < 1",
			      "user_version is not set");
}

static int check_migrations(sqlite3 *want, const char *schema, char **paths, char **texts, int n)
{
	CLEANUP(free_p) char *a = NULL;
	CLEANUP(free_p) char *b = NULL;
	sqlite3 *db;
	int r = 0;

	if (sqlite3_open(":memory:", &db))
		return complain(db, schema, "", 1);
	for (int i = 0; i < n && !r; i++) {
		const char *base = strrchr(paths[i], '/');

		if (atoi(base ? base + 1 : paths[i]) != i + 1) {
			fprintf(stderr, "%s:1: migration %d is expected here\n", paths[i], i + 1);
			r = -1;
		} else {
			r = run_script(db, paths[i], texts[i]);
		}
	}
	a = dump(want);
	b = dump(db);
	if (!r && n && strcmp(a, b) != 0) {
		size_t at = 0;

		while (a[at] == b[at])
			at++;
		while (at && a[at - 1] != '\n')
			at--;
		fprintf(stderr,
			"%s:1: the migrations lead elsewhere\n  schema:     %.*s\n"
			"  migrations: %.*s\n",
			schema, (int)strcspn(a + at, "\n"), a + at, (int)strcspn(b + at, "\n"),
			b + at);
		r = -1;
	}
	sqlite3_close(db);
	return r;
}

static struct query *query_add(struct queries *all, const char *path, const char *name, int line)
{
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->q[i].name, name) == 0) {
			fprintf(stderr, "%s:%d: '%s' is there already\n", path, line, name);
			return NULL;
		}
	if (!*name || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")]) {
		fprintf(stderr, "%s:%d: '%s' is not a name\n", path, line, name);
		return NULL;
	}
	ARRAY_RESERVE(all->q, all->n, all->cap);
	all->q[all->n] = (struct query){
		.path = path, .name = xstrdup(name), .doc = xstrdup(""), .sql = xstrdup("")
	};
	return &all->q[all->n++];
}

static void append(char **to, const char *line, const char *end)
{
	char *joined = xasprintf("%s%s%s", *to, line, end);

	free(*to);
	*to = joined;
}

/* Splits a file into queries. Cuts `text` into lines in place. */
static int read_queries(struct queries *all, const char *path, char *text)
{
	struct query *q = NULL;
	char *save = NULL;
	int line = 0;

	for (char *l = text; l; l = save) {
		save = strchr(l, '\n');
		if (save)
			*save++ = '\0';
		line++;
		if (str_starts(l, "-- name: ")) {
			q = query_add(all, path, l + strlen("-- name: "), line);
			if (!q)
				return -1;
		} else if (q && !q->line && str_starts(l, "--")) {
			append(&q->doc, l + 2 + (l[2] == ' '), "\n");
		} else if (q && (q->line || *l)) {
			q->line = q->line ? q->line : line;
			append(&q->sql, l, "\n");
		} else if (*l && !str_starts(l, "--")) {
			fprintf(stderr, "%s:%d: statement without a name\n", path, line);
			return -1;
		}
	}
	return 0;
}

static int check_query(sqlite3 *db, struct query *q)
{
	const char *path = q->path;
	const char *tail;
	sqlite3_stmt *st;
	int r = 0;

	if (sqlite3_prepare_v2(db, q->sql, -1, &st, &tail))
		return complain(db, path, q->sql, q->line);
	if (!st || tail[strspn(tail, " \t\n")]) {
		fprintf(stderr, "%s:%d: '%s' is not one statement\n", path, q->line, q->name);
		r = -1;
	}
	q->n_params = st ? sqlite3_bind_parameter_count(st) : 0;
	for (int i = 1; i <= q->n_params; i++)
		if (!sqlite3_bind_parameter_name(st, i)) {
			fprintf(stderr, "%s:%d: '%s' does not use ?%d\n", path, q->line, q->name,
				i);
			r = -1;
		}
	sqlite3_finalize(st);
	return r;
}

/* A C string literal, one line of text a line. */
static void put_literal(struct buf *out, const char *text)
{
	if (!*text)
		buf_str(out, "\n\t\"\"");
	while (*text) {
		buf_str(out, "\n\t\"");
		for (; *text && *text != '\n'; text++) {
			if (*text == '\t') {
				buf_str(out, "\\t");
				continue;
			}
			if (*text == '"' || *text == '\\')
				buf_char(out, '\\');
			buf_char(out, *text);
		}
		text += *text == '\n';
		buf_str(out, "\\n\"");
	}
}

static int write_header(const char *path, const struct queries *all)
{
	struct error err = ERROR_INIT;
	struct buf out = BUF_INIT;
	int r;

	buf_str(&out, "/* SPDX-License-Identifier: MIT */\n/* Made by tools/queries.c. */\n"
		      "#ifndef FAULTLINE_GEN_DB_QUERIES_H\n#define FAULTLINE_GEN_DB_QUERIES_H\n\n"
		      "enum db_query {\n");
	for (size_t i = 0; i < all->n; i++) {
		const struct query *q = &all->q[i];

		for (const char *d = q->doc; *d; d += strcspn(d, "\n") + 1)
			buf_printf(&out, "\t/* %.*s */\n", (int)strcspn(d, "\n"), d);
		buf_str(&out, "\tQ_");
		for (const char *c = q->name; *c; c++)
			buf_char(&out, (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c));
		buf_printf(&out, ", /* %d parameter%s */\n", q->n_params,
			   q->n_params == 1 ? "" : "s");
	}
	buf_str(&out, "\tQ_COUNT\n};\n\n"
		      "struct db_query_info {\n\tconst char *name, *sql;\n\tint n_params;\n};\n"
		      "extern const struct db_query_info db_queries[Q_COUNT];\n\n"
		      "/* db_migrations[i] leads from version i to i + 1. */\n"
		      "struct db_migration {\n\tconst char *name, *sql;\n};\n"
		      "extern const struct db_migration db_migrations[];\n"
		      "extern const int db_n_migrations;\n"
		      "extern const char db_schema_sql[];\n\n#endif\n");
	r = path_write_atomic(path, out.data, out.len, 0644, &err);
	if (r < 0)
		fprintf(stderr, "queries: %s\n", err.msg);
	buf_free(&out);
	return r;
}

static int write_source(const char *path, const struct queries *all, const char *schema,
			char **paths, char **texts, int n)
{
	struct error err = ERROR_INIT;
	struct buf out = BUF_INIT;
	int r;

	buf_str(&out, "/* SPDX-License-Identifier: MIT */\n/* Made by tools/queries.c. */\n"
		      "#include \"db_queries.h\"\n\n"
		      "const struct db_query_info db_queries[Q_COUNT] = {\n");
	for (size_t i = 0; i < all->n; i++) {
		buf_printf(&out, "\t{ \"%s\",", all->q[i].name);
		put_literal(&out, all->q[i].sql);
		buf_printf(&out, ", %d },\n", all->q[i].n_params);
	}
	buf_str(&out, "};\n\nconst struct db_migration db_migrations[] = {\n");
	for (int i = 0; i < n; i++) {
		const char *base = strrchr(paths[i], '/');

		buf_printf(&out, "\t{ \"%s\",", base ? base + 1 : paths[i]);
		put_literal(&out, texts[i]);
		buf_str(&out, " },\n");
	}
	buf_printf(&out,
		   "\t{ 0, 0 }\n};\nconst int db_n_migrations = %d;\n\n"
		   "const char db_schema_sql[] =",
		   n);
	put_literal(&out, schema);
	buf_str(&out, ";\n");
	r = path_write_atomic(path, out.data, out.len, 0644, &err);
	if (r < 0)
		fprintf(stderr, "queries: %s\n", err.msg);
	buf_free(&out);
	return r;
}

/* Migrations are told from queries by the digit that their names begin with. */
static bool is_migration(const char *path)
{
	const char *base = strrchr(path, '/');

	return isdigit((unsigned char)(base ? base + 1 : path)[0]);
}

int main(int argc, char **argv)
{
	struct queries all = { 0 };
	char **files = argv + 4, *schema, **texts;
	int n = argc - 4, first = 0, bad = 0;
	sqlite3 *db;

	if (n < 1) {
		fprintf(stderr, "usage: queries OUT.h OUT.c SCHEMA QUERIES... [MIGRATION...]\n");
		return 64;
	}
	while (first < n && !is_migration(files[first]))
		first++;
	schema = slurp(argv[3]);
	texts = xcalloc((size_t)n + 1, sizeof(*texts));
	for (int i = 0; i < n; i++) {
		texts[i] = slurp(files[i]);
		bad |= !texts[i];
	}
	if (!schema || bad || sqlite3_open(":memory:", &db))
		return 1;
	if (run_script(db, argv[3], schema) < 0 || check_schema(db, argv[3]) < 0 ||
	    check_migrations(db, argv[3], files + first, texts + first, n - first) < 0)
		return 1;
	for (int i = 0; i < first; i++)
		if (read_queries(&all, files[i], texts[i]) < 0)
			return 1;
	for (size_t i = 0; i < all.n; i++)
		bad |= check_query(db, &all.q[i]) < 0;
	sqlite3_close(db);
	if (bad || write_header(argv[1], &all) < 0)
		return 1;
	return write_source(argv[2], &all, schema, files + first, texts + first, n - first) < 0;
}
