/* SPDX-License-Identifier: MIT */
/*
 * store: how fast results become durable, against plain SQLite with groups of the same size, and
 * how long each view takes over a large store.
 *
 *   store rates DIR [THREADS [RESULTS]]      answers of RESULTS results each, THREADS at once
 *   store views DIR [SUBMISSIONS]            fills DIR (50 commits × 4 configurations × 50 results
 *                                            a submission) unless it is filled, then times views
 *
 * Links libdb, libjobs, liblib, SQLite, json-c, libsodium. DIR should be on the disk that counts.
 */
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/store.h"
#include "db_queries.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/path.h"

#define RATE_SECONDS 5
#define COMMITS 50
#define CONFIGS 4
#define SCENARIOS 20
#define RESULTS 50

static struct store *store;
static struct error err;
static int64_t repo;

#define MUST(call)                                                   \
	do {                                                         \
		if ((call) < 0) {                                    \
			fprintf(stderr, "%s: %s\n", #call, err.msg); \
			exit(1);                                     \
		}                                                    \
	} while (0)

static struct plan_case cases[SCENARIOS];
static struct plan_config configs[CONFIGS];
static struct plan plan;

static void plan_make(void)
{
	for (int i = 0; i < SCENARIOS; i++) {
		cases[i].scenario = xasprintf("split.scenario%02d", i);
		fault_defaults(&cases[i].fault);
		cases[i].fault.mode = FAULT_SWEEP;
		cases[i].repeat = 1;
	}
	for (int i = 0; i < CONFIGS; i++) {
		configs[i] = (struct plan_config){ .name = xasprintf("config%d", i),
						   .arch = (char *)"x86_64",
						   .compiler = (char *)"gcc",
						   .boot = true };
		snprintf(configs[i].hash, sizeof(configs[i].hash), "config%d", i);
	}
	plan = (struct plan){ .name = (char *)"bench",
			      .configs = configs,
			      .n_configs = CONFIGS,
			      .machine = { .cpus = 2, .memory_mib = 512 },
			      .cases = cases,
			      .n_cases = SCENARIOS };
	strcpy(plan.cases_hash, "bench");
}

/* About 1.5 KB of JSON a result, as the engine makes them. */
static void doc_make(struct result_doc *doc, int n, int salt)
{
	memset(doc, 0, sizeof(*doc));
	for (int i = 0; i < n; i++) {
		struct result *x = result_doc_add(doc);

		result_init(x);
		x->scenario = xstrdup(cases[i % SCENARIOS].scenario);
		x->fault.mode = FAULT_NTH;
		x->fault.nth = 1 + i / SCENARIOS;
		x->repeat = 1;
		x->status = (i + salt) % 97 ? STATUS_PASS : STATUS_FAIL;
		x->reason = x->status == STATUS_PASS ? REASON_NONE : REASON_BUG;
		x->injected_on = 1;
		x->n_stacks = 1;
		x->stacks = xcalloc(1, sizeof(*x->stacks));
		x->stacks[0] = (struct stack){ .n = 16, .count = 1, .on_target = true };
		x->stacks[0].frames = xcalloc(16, sizeof(char *));
		for (int f = 0; f < 16; f++)
			x->stacks[0].frames[f] = xasprintf("some_kernel_function_%d", f);
		x->n_checks = 4;
		x->checks = xcalloc(4, sizeof(*x->checks));
		for (int c = 0; c < 4; c++)
			x->checks[c] = (struct check){ .name = xasprintf("check.number%d", c),
						       .ok = true,
						       .detail = xstrdup("as it should be") };
		x->n_counters = 5;
		x->counters = xcalloc(5, sizeof(*x->counters));
		for (int c = 0; c < 5; c++)
			x->counters[c] = (struct counter){ .name = xasprintf("thp_counter_%d", c),
							   .before = 10,
							   .after = 11 };
		x->duration_us = 100000 + i;
		x->repro = xstrdup("faultline run --kernel bzImage --scenario split.scenario01");
	}
}

/* A planned submission of COMMITS commits, `n` of them still unknown. */
static int64_t submit(int64_t branch, int first)
{
	static char text[COMMITS + 1][2][41];
	struct commit_info commits[COMMITS + 1];
	int64_t id;

	for (int i = 0; i <= COMMITS; i++) {
		snprintf(text[i][0], 41, "%040x", (unsigned int)(first + i + 1));
		snprintf(text[i][1], 41, "%040x", (unsigned int)(first + i + 10000000));
		commits[i] = (struct commit_info){ .sha = text[i][0],
						   .tree = text[i][1],
						   .author = "A U Thor <a@example.org>",
						   .subject = "mm: a subject of the usual length",
						   .committed_us = 1 };
	}
	MUST(store_branch_moved(store, branch, NULL, text[COMMITS][0], &id, &err));
	MUST(store_submission_plan(store, id, commits, COMMITS + 1, &plan, &err));
	return id;
}

struct worker {
	pthread_t thread;
	int number, results;
	bool builds_only;
	int64_t until_us; /* 0: until nothing is left */
	int64_t answers; /* out */
};

static void *work(void *arg)
{
	struct worker *w = arg;
	struct error e = ERROR_INIT;
	struct agent_info agent = {
		.version = "1", .slots = 1, .can_build = w->builds_only, .can_test = !w->builds_only
	};
	CLEANUP(free_p) char *name = xasprintf("agent%d", w->number);
	struct build_result built = { .status = STATUS_PASS, .image = true };
	struct result_doc doc;

	agent.name = name;
	doc_make(&doc, w->results, w->number);
	while (!w->until_us || clock_mono_us() < w->until_us) {
		enum claim c;
		enum lease lease;
		struct job job;

		if (store_claim(store, &agent, name, 60 * US_PER_S, &c, &job, &e) < 0 ||
		    c == CLAIM_NONE)
			break;
		if ((w->builds_only ? store_build_done(store, job.id, name, &built, &lease, &e)
				    : store_test_done(store, job.id, name, &doc, REASON_NONE, NULL,
						      &lease, &e)) < 0 ||
		    lease != LEASE_OK)
			break;
		w->answers++;
		job_free(&job);
	}
	if (e.code)
		fprintf(stderr, "%s\n", e.msg);
	result_doc_free(&doc);
	return NULL;
}

static int64_t work_all(int n, int results, bool builds_only, int64_t until_us)
{
	struct worker *w = xcalloc((size_t)n, sizeof(*w));
	int64_t answers = 0;

	for (int i = 0; i < n; i++) {
		w[i] = (struct worker){ .number = i,
					.results = results,
					.builds_only = builds_only,
					.until_us = until_us };
		if (pthread_create(&w[i].thread, NULL, work, &w[i]))
			abort();
	}
	for (int i = 0; i < n; i++) {
		pthread_join(w[i].thread, NULL);
		answers += w[i].answers;
	}
	free(w);
	return answers;
}

/* Plain SQLite: the same table and document, `group` rows a commit, nothing else. */
static double raw_rate(const char *dir, int group)
{
	CLEANUP(free_p) char *path = xasprintf("%s/raw.db", dir);
	struct result_doc doc;
	sqlite3 *db;
	sqlite3_stmt *row, *document;
	int64_t start, n = 0;

	doc_make(&doc, 1, 1);
	CLEANUP(json_put_p) struct json_object *o = result_to_json(&doc.results[0]);
	CLEANUP(free_p) char *text = json_text(o);
	if (sqlite3_open(path, &db) || sqlite3_exec(db, db_schema_sql, 0, 0, 0) ||
	    sqlite3_exec(db,
			 "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
			 "PRAGMA foreign_keys=OFF",
			 0, 0, 0) ||
	    sqlite3_prepare_v2(db, db_queries[Q_RESULT_ADD].sql, -1, &row, NULL) ||
	    sqlite3_prepare_v2(db, db_queries[Q_DOCUMENT_ADD].sql, -1, &document, NULL)) {
		fprintf(stderr, "raw: %s\n", sqlite3_errmsg(db));
		exit(1);
	}
	start = clock_mono_us();
	while (clock_mono_us() - start < RATE_SECONDS * US_PER_S) {
		sqlite3_exec(db, "BEGIN IMMEDIATE", 0, 0, 0);
		for (int i = 0; i < group; i++) {
			for (int c = 1; c <= 18; c++)
				sqlite3_bind_int64(row, c, c == 5 ? 0 : n + c);
			sqlite3_bind_text(row, 2, cases[i % SCENARIOS].scenario, -1, NULL);
			sqlite3_bind_text(row, 3, "{\"mode\":\"nth\",\"nth\":1}", -1, NULL);
			sqlite3_bind_text(row, 7, "PASS", -1, NULL);
			sqlite3_bind_text(row, 8, "", -1, NULL);
			sqlite3_bind_null(row, 9);
			for (int c = 13; c <= 15; c++)
				sqlite3_bind_null(row, c);
			if (sqlite3_step(row) != SQLITE_DONE)
				fprintf(stderr, "%s\n", sqlite3_errmsg(db));
			sqlite3_reset(row);
			sqlite3_bind_int64(document, 1, sqlite3_last_insert_rowid(db));
			sqlite3_bind_text(document, 2, text, -1, NULL);
			sqlite3_step(document);
			sqlite3_reset(document);
			n++;
		}
		sqlite3_exec(db, "COMMIT", 0, 0, 0);
	}
	start = clock_mono_us() - start;
	sqlite3_finalize(row);
	sqlite3_finalize(document);
	sqlite3_close(db);
	result_doc_free(&doc);
	return (double)n * 1e6 / (double)start;
}

static int64_t stat_of(const char *key)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;

	MUST(view_stats(store, &o, &err));
	return json_object_get_int64(
		json_object_object_get(json_object_object_get(o, "writer"), key));
}

static void rates(const char *dir, int threads, int results)
{
	int64_t branch, start, answers, writes, commits;
	double ours, group;

	MUST(store_branch_put(store, repo, "bench", NULL, "bench", &branch, &err));
	for (int i = 0; i < 60; i++)
		(void)submit(branch, i * (COMMITS + 1));
	(void)work_all(32, 1, true, 0);
	writes = stat_of("writes");
	commits = stat_of("commits");
	start = clock_mono_us();
	answers = work_all(threads, results, false, start + RATE_SECONDS * US_PER_S);
	start = clock_mono_us() - start;
	writes = stat_of("writes") - writes;
	commits = stat_of("commits") - commits;
	ours = (double)(answers * results) * 1e6 / (double)start;
	group = (double)(answers * results) / (double)commits;
	printf("threads %d, results an answer %d: %.0f answers/s, %.0f durable results/s,"
	       " %.1f writes and %.1f results a commit\n",
	       threads, results, (double)answers * 1e6 / (double)start, ours,
	       (double)writes / (double)commits, group);
	start = (int64_t)(group < 1 ? 1 : group + 0.5);
	group = raw_rate(dir, (int)start);
	printf("plain SQLite, %lld results a commit: %.0f durable results/s; ours is %.0f %%\n",
	       (long long)start, group, 100 * ours / group);
}

static void fill(int submissions)
{
	int64_t branch, start = clock_mono_us();

	MUST(store_branch_put(store, repo, "bench", NULL, "bench", &branch, &err));
	for (int i = 0; i < submissions; i++) {
		(void)submit(branch, i * COMMITS);
		(void)work_all(16, 1, true, 0);
		(void)work_all(4, RESULTS, false, 0);
	}
	printf("filled in %.1f s\n", (double)(clock_mono_us() - start) / 1e6);
}

static double spent(int64_t start)
{
	return (double)(clock_mono_us() - start) / 1000;
}

#define TIME(call)                                                                \
	do {                                                                      \
		double best = 1e9, worst = 0;                                     \
		for (int t_ = 0; t_ < 5; t_++) {                                  \
			struct json_object *o = NULL;                             \
			int64_t s_ = clock_mono_us();                             \
			double ms_;                                               \
			MUST(call);                                               \
			ms_ = spent(s_);                                          \
			json_object_put(o);                                       \
			best = ms_ < best ? ms_ : best;                           \
			worst = ms_ > worst ? ms_ : worst;                        \
		}                                                                 \
		printf("%8.2f ms best %8.2f ms worst  %s\n", best, worst, #call); \
	} while (0)

static void views(int submissions)
{
	char sha[41];

	snprintf(sha, sizeof(sha), "%040x", 1u + (unsigned int)COMMITS);
#define RESULTS_OF(...) (&(const struct result_filter){ .limit = 100, __VA_ARGS__ })
	TIME(view_stats(store, &o, &err));
	TIME(view_submissions(store, NULL, 500, &o, &err));
	TIME(view_submission(store, submissions / 2, &o, &err));
	TIME(view_branches(store, &o, &err));
	TIME(view_branch(store, "bench", "bench", 100, &o, &err));
	TIME(view_commit(store, sha, &o, &err));
	TIME(view_build(store, 1, &o, &err));
	TIME(view_run(store, 300, &o, &err));
	TIME(view_result(store, 1, &o, &err));
	TIME(view_results(store, RESULTS_OF(.full = false), &o, &err));
	TIME(view_results(store, RESULTS_OF(.full = true), &o, &err));
	TIME(view_results(store, RESULTS_OF(.status = "FAIL"), &o, &err));
	TIME(view_results(store, RESULTS_OF(.status = "MISS"), &o, &err));
	TIME(view_results(store, RESULTS_OF(.scenario = "split.scenario07"), &o, &err));
	TIME(view_results(store, RESULTS_OF(.scenario = "nothing"), &o, &err));
	TIME(view_results(store, RESULTS_OF(.scenario = "split.scenario07", .status = "FAIL"), &o,
			  &err));
	TIME(view_results(store, RESULTS_OF(.submission = 2, .status = "FAIL"), &o, &err));
	TIME(view_results(store, RESULTS_OF(.submission = 2, .status = "MISS"), &o, &err));
	TIME(view_results(store, RESULTS_OF(.commit = sha), &o, &err));
	TIME(view_agents(store, &o, &err));
	TIME(view_events(store, 0, 500, &o, &err));
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: store rates|views DIR [N [N]]\n");
		return 64;
	}
	plan_make();
	MUST(store_open(argv[2], &store, &err));
	MUST(store_repo_put(store, "bench", "/srv/bench.git", true, &repo, &err));
	if (strcmp(argv[1], "rates") == 0) {
		rates(argv[2], argc > 3 ? atoi(argv[3]) : 8, argc > 4 ? atoi(argv[4]) : 20);
	} else {
		int n = argc > 3 ? atoi(argv[3]) : 100;
		struct submission_row row;

		if (store_submission_get(store, n, &row, &err) < 0)
			fill(n);
		else
			submission_row_free(&row);
		views(n);
	}
	store_close(store);
	return 0;
}
