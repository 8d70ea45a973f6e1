/* SPDX-License-Identifier: MIT */
#include "tests/bench/api_raw.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/buf.h"
#include "lib/clock.h"

struct raw {
	sqlite3 *db;
	sqlite3_stmt *add;
};

static void must(struct raw *r, int status, int wanted)
{
	if (status == wanted)
		return;
	fprintf(stderr, "plain SQLite: %s\n", sqlite3_errmsg(r->db));
	exit(2);
}

static void sql(struct raw *r, const char *text)
{
	must(r, sqlite3_exec(r->db, text, NULL, NULL, NULL), SQLITE_OK);
}

struct raw *raw_open(const char *path)
{
	struct raw *r = xcalloc(1, sizeof(*r));

	must(r, sqlite3_open(path, &r->db), SQLITE_OK);
	sql(r, "PRAGMA journal_mode=WAL");
	sql(r, "PRAGMA synchronous=FULL");
	sql(r, "CREATE TABLE results (id INTEGER PRIMARY KEY, document TEXT NOT NULL) STRICT");
	must(r,
	     sqlite3_prepare_v2(r->db, "INSERT INTO results (document) VALUES (?1)", -1, &r->add,
				NULL),
	     SQLITE_OK);
	return r;
}

void raw_close(struct raw *r)
{
	sqlite3_finalize(r->add);
	sqlite3_close(r->db);
	free(r);
}

static double thread_cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double raw_store(struct raw *r, const char *const *texts, int n_texts, int n, double *ret_cpu_s)
{
	int64_t start = clock_mono_us();
	double cpu = thread_cpu_s();

	sql(r, "BEGIN IMMEDIATE");
	for (int i = 0; i < n; i++) {
		if (i && i % RAW_ROWS_A_COMMIT == 0) {
			sql(r, "COMMIT");
			sql(r, "BEGIN IMMEDIATE");
		}
		must(r, sqlite3_bind_text(r->add, 1, texts[i % n_texts], -1, SQLITE_STATIC),
		     SQLITE_OK);
		must(r, sqlite3_step(r->add), SQLITE_DONE);
		sqlite3_reset(r->add);
	}
	sql(r, "COMMIT");
	*ret_cpu_s = thread_cpu_s() - cpu;
	return (double)(clock_mono_us() - start) / US_PER_S;
}
