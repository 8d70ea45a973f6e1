/* SPDX-License-Identifier: MIT */
/* tools/queries as the build runs it: what it makes, and what it refuses with file and line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/path.h"
#include "lib/proc.h"

static char dir[64];
static char tool[4096];
static struct error err;

static const char schema[] = "PRAGMA user_version = 1;\n"
			     "CREATE TABLE t (\n\ta INTEGER PRIMARY KEY, -- first\n\tb TEXT\n"
			     ") STRICT;\n";
static const char queries[] = "-- name: one\n-- It reads.\nSELECT a, b FROM t\nWHERE a = ?1\n\n"
			      "-- name: two\nINSERT INTO t (a, b) VALUES (?1, 'x\\y \"z\"')\n";
/* The same without layout and comments. */
static const char migration[] = "PRAGMA user_version = 1;\n"
				"CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT) STRICT;\n";

static int setup(void **state)
{
	ssize_t n = readlink("/proc/self/exe", tool, sizeof(tool) - 64);
	char *end;

	(void)state;
	if (n < 0)
		return -1;
	tool[n] = '\0';
	/* <build>/tests/unit/test_queries → <build>/bin/tools/queries */
	for (int i = 0; i < 3; i++) {
		end = strrchr(tool, '/');
		*end = '\0';
	}
	strcat(tool, "/bin/tools/queries");
	strcpy(dir, "/tmp/queries-test-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return path_remove_tree(dir, &err);
}

static void put(const char *name, const char *text)
{
	CLEANUP(free_p) char *path = xasprintf("%s/%s", dir, name);

	assert_int_equal(path_write_atomic(path, text, strlen(text), 0600, &err), 0);
}

/* A second file of queries, which begins with a digit nowhere. */
static const char *more = "-- name: three\nSELECT b FROM t\n";

/* Runs the tool over the texts; what it says is in *out. */
static int run(const char *schema_text, const char *queries_text, const char *migration_text,
	       struct buf *out)
{
	const char *argv[] = { tool,	      "out.h",	  "out.c",	"schema.sql",
			       "queries.sql", "more.sql", "0001_a.sql", NULL };
	/* Like every generator it may leak, since it ends at once. */
	const char *env[] = { "ASAN_OPTIONS=detect_leaks=0", NULL };
	struct proc_spec spec = { .argv = argv, .env = env, .cwd = dir };
	struct proc_run_opts opts = { .timeout_ms = 20000, .out = out };
	int status = -1;

	put("schema.sql", schema_text);
	put("queries.sql", queries_text);
	put("more.sql", more);
	put("0001_a.sql", migration_text);
	if (proc_run(&spec, &opts, &status, &err) < 0)
		fail_msg("%s", err.msg);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_makes(void **state)
{
	CLEANUP(free_p) char *header = xasprintf("%s/out.h", dir);
	CLEANUP(free_p) char *source = xasprintf("%s/out.c", dir);
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	CLEANUP(buf_free) struct buf h = BUF_INIT;
	CLEANUP(buf_free) struct buf c = BUF_INIT;

	(void)state;
	if (run(schema, queries, migration, &out))
		fail_msg("%s", buf_cstr(&out));
	assert_int_equal(path_read(header, 1 << 20, &h, &err), 0);
	assert_int_equal(path_read(source, 1 << 20, &c, &err), 0);
	assert_non_null(strstr(h.data, "/* It reads. */\n\tQ_ONE, /* 1 parameter */"));
	assert_non_null(strstr(h.data, "Q_TWO"));
	assert_non_null(strstr(h.data, "Q_THREE"));
	assert_non_null(strstr(c.data, "VALUES (?1, 'x\\\\y \\\"z\\\"')"));
	assert_non_null(strstr(c.data, "db_n_migrations = 1;"));
}

static void refused(const char *s, const char *q, const char *m, const char *says)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT;

	assert_int_equal(run(s, q, m, &out), 1);
	if (!strstr(buf_cstr(&out), says))
		fail_msg("'%s' does not say '%s'", buf_cstr(&out), says);
}

static void test_refuses_queries(void **state)
{
	(void)state;
	refused(schema, "-- name: x\nSELECT a\nFROM nowhere\n", migration, "queries.sql:");
	refused(schema, "-- name: x\nSELECT a,\n\tnothing FROM t\n", migration, "queries.sql:3:");
	refused(schema, "-- name: x\nSELECT 1; SELECT 2\n", migration, "not one statement");
	refused(schema, "-- name: x\nSELECT ?1, ?3\n", migration, "does not use ?2");
	refused(schema, "-- name: x\n\n-- name: y\nSELECT 1\n", migration, "not one statement");
	refused(schema, "-- name: x\nSELECT 1\n-- name: x\nSELECT 2\n", migration,
		"queries.sql:3: 'x' is there already");
	refused(schema, "-- name: three\nSELECT 1\n", migration,
		"more.sql:1: 'three' is there already");
	refused(schema, "-- name: A b\nSELECT 1\n", migration, "not a name");
	refused(schema, "SELECT 1\n", migration, "queries.sql:1: statement without a name");
}

static void test_refuses_schema(void **state)
{
	(void)state;
	refused("PRAGMA user_version = 1;\nCREATE TABLE t (a INTEGER, b TEXT);\n", queries,
		migration, "'t' is not a STRICT table");
	refused("CREATE TABLE t (a INTEGER, b TEXT) STRICT;\n", queries, migration, "user_version");
	refused("PRAGMA user_version = 1;\nCREATE TABLE t (a INTEGER REFERENCES u, b TEXT) STRICT;\n",
		queries, migration, "'t.a' refers to a table that is not there");
	refused("PRAGMA user_version = 1;\nCREATE TABLE t (a INTEGER,\nb NOTYPE) STRICT;\n",
		queries, migration, "schema.sql:2");
}

static void test_refuses_migrations(void **state)
{
	(void)state;
	refused(schema, queries,
		"PRAGMA user_version = 1;\nCREATE TABLE t (a INTEGER PRIMARY KEY) STRICT;\n",
		"the migrations lead elsewhere");
	refused(schema, queries,
		"PRAGMA user_version = 2;\nCREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT) STRICT;\n",
		"the migrations lead elsewhere");
	refused(schema, queries, "PRAGMA user_version = 1;\n\nCREATE NONSENSE;\n", "0001_a.sql:3:");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_makes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refuses_queries, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refuses_schema, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refuses_migrations, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
