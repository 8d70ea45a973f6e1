/* SPDX-License-Identifier: MIT */
/*
 * dash_fill: a database of the size that the dashboard is measured with.
 *
 *   dash_fill DIR [SEED]
 *
 * Fills DIR, the data folder of a server, by what the server itself does: submissions are planned,
 * their jobs claimed and answered, what fails is found, confirmed, searched for and closed by the
 * engine's own decisions, the truth being that of dash_world.c. DIR/addresses has the pages that are
 * to be measured, one a line: what it shows, a tab, its address. A folder that was filled with the
 * same seed is only brought to the current schema. Exit 0, 1 after a failure, 64 for a wrong call.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/path.h"
#include "server/regress_find.h"
#include "server/regress_step.h"
#include "tests/bench/dash_fill.h"
#include "tests/bench/dash_nosync.h"

#define LEASE_US (3600 * US_PER_S)
#define FOREVER_US (INT64_C(1000000) * 3600 * US_PER_S)
#define LOG_EVERY 40 /* one run in so many keeps its log */
#define SUBMISSIONS_MAX 1024

static struct fill f;

void fill_must(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "dash_fill: %s: %s\n", what, f.err.msg);
	exit(1);
}

/* --- agents ----------------------------------------------------------------------------------- */

static bool claim(bool build, bool test, int64_t ttl_us, struct job *ret)
{
	static int turn;
	char name[32];
	const struct agent_info agent = {
		.name = name, .version = "1.0", .slots = 4, .can_build = build, .can_test = test
	};
	enum claim c;

	snprintf(name, sizeof(name), "agent-%d", turn++ % 12);
	MUST(store_claim(f.store, &agent, name, ttl_us, &c, ret, &f.err));
	if (c == CLAIM_NONE)
		return false;
	free(ret->lease_token);
	ret->lease_token = xstrdup(name);
	return true;
}

static void keep_log(const struct job *job, const struct result_doc *doc)
{
	CLEANUP(free_p) char *path = xasprintf("%s/logs/%lld.log", f.dir, (long long)job->run_id);
	CLEANUP(free_p) char *text = world_log(job, doc);

	MUST(path_write_atomic(path, text, strlen(text), 0600, &f.err));
	MUST(store_log_size(f.store, job->run_id, (int64_t)strlen(text), &f.err));
	f.log_run = job->run_id;
}

static void answer_build(const struct job *job)
{
	struct build_result b;
	enum lease lease;

	world_build(job, &b);
	if (b.status == STATUS_FAIL)
		f.broken_run = job->run_id;
	MUST(store_build_done(f.store, job->id, job->lease_token, &b, &lease, &f.err));
	build_result_free(&b);
}

static void answer_test(const struct job *job)
{
	struct result_doc doc;
	enum lease lease;

	if (!world_test(job, &doc)) {
		MUST(store_test_done(f.store, job->id, job->lease_token, NULL, REASON_QEMU,
				     "QEMU ended by signal 9", &lease, &f.err));
		return;
	}
	f.results += (int64_t)doc.n_results;
	if (job->run_id % LOG_EVERY == 0)
		keep_log(job, &doc);
	MUST(store_test_done(f.store, job->id, job->lease_token, &doc, REASON_NONE, NULL, &lease,
			     &f.err));
	result_doc_free(&doc);
}

static void work(bool tests)
{
	struct job job;

	while (claim(true, tests, LEASE_US, &job)) {
		f.now_us += US_PER_S;
		clock_fake(f.now_us);
		f.last_run = job.run_id;
		if (job.kind == JOB_BUILD)
			answer_build(&job);
		else
			answer_test(&job);
		job_free(&job);
	}
}

/* --- regressions ------------------------------------------------------------------------------ */

static int failure(void *arg, int64_t result, char ret_signature[SIGNATURE_MAX],
		   enum reason *ret_reason, char **ret_title, struct error *err)
{
	return store_compare_failure(arg, result, ret_signature, ret_reason, ret_title, err);
}

static int revlist(void *arg, const char *good, const char *bad, char **ret, struct error *err)
{
	const struct regression_row *row = arg;
	const struct dash_defect *d = world_defect_of(bad, row->scenario);

	if (d && d->life == DASH_STALE)
		return error_set(err, -ENOENT, "there is no commit '%s'", good);
	*ret = world_revlist(good, bad);
	return 0;
}

static int older(void *arg, char **ret, struct error *err)
{
	const struct regression_row *row = arg;

	return store_regression_older(f.store, row->id, ret, err);
}

static int commit_of(void *arg, const char *sha, struct commit_info *ret, struct error *err)
{
	static struct dash_commit c[4];
	static int turn;
	struct dash_commit *to = &c[turn++ % 4];
	int line, index;

	(void)arg;
	(void)err;
	world_find(sha, &line, &index);
	world_commit(line, index, to);
	*ret = to->info;
	return 0;
}

static const struct confirm_opts confirm = CONFIRM_DEFAULTS;

/* One decision; true when one was made. */
static bool decide(int64_t id)
{
	CLEANUP(regression_state_free) struct regression_state g = { 0 };
	CLEANUP(regress_decision_free) struct regress_decision d = { 0 };
	struct regress_history h = { revlist, commit_of, older, NULL };

	MUST(store_regression_load(f.store, id, &g, &f.err));
	h.arg = &g.row;
	MUST(regress_decide(&confirm, &g, &h, &d, &f.err));
	if (d.any)
		MUST(store_regression_step(f.store, &g.row, &d.step, &f.err));
	return d.any;
}

static bool decide_all(void)
{
	CLEANUP(free_p) int64_t *ids = NULL;
	bool any = false;
	size_t n;

	MUST(store_regressions_due(f.store, &ids, &n, &f.err));
	for (size_t i = 0; i < n; i++)
		any |= decide(ids[i]);
	return any;
}

static void look_for_fixes(int64_t submission)
{
	CLEANUP(free_p) int64_t *ids = NULL;
	size_t n;

	MUST(store_regressions_of_line(f.store, submission, &ids, &n, &f.err));
	for (size_t i = 0; i < n; i++) {
		CLEANUP(regression_state_free) struct regression_state g = { 0 };
		CLEANUP(submission_fix_free) struct submission_fix fix = { 0 };
		struct probe_new probes[REGRESS_PROBES_MAX];
		struct regression_step step = { .probes = probes };
		int r;

		MUST(store_regression_load(f.store, ids[i], &g, &f.err));
		r = store_regression_fix(f.store, &g.row, submission, &fix, &f.err);
		MUST(r);
		if (r == 0)
			continue;
		step.n_probes = regress_fix_probes(&confirm, &g, &fix.commit, probes);
		if (strcmp(g.row.scenario, "build") == 0)
			step = (struct regression_step){ .state = "fixed",
							 .fixed = fix.commit.sha };
		MUST(store_regression_step(f.store, &g.row, &step, &f.err));
	}
}

static void compare(int64_t submission)
{
	struct regress_found found = { 0 };
	struct case_seen *rows = NULL;
	int n_new;
	size_t n;

	look_for_fixes(submission);
	MUST(store_compare_cases(f.store, submission, &rows, &n, &f.err));
	MUST(regress_find(rows, n, failure, f.store, &found, &f.err));
	MUST(store_compare_done(f.store, submission, found.v, found.n, &n_new, &f.err));
	f.regressions += n_new;
	regress_found_free(&found);
	case_seen_free(rows, n);
}

/* --- submissions ------------------------------------------------------------------------------ */

struct movement {
	int line, commits;
	double at; /* when, 0..1 */
};

static struct movement movements[SUBMISSIONS_MAX];
static int n_movements;

static int by_time(const void *a, const void *b)
{
	const struct movement *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->line - y->line;
}

/* A followed line moves by some commits at a time, once by two hundred with the base. */
static void schedule(void)
{
	for (int line = 0; line < DASH_FOLLOWED + DASH_SERIES; line++) {
		const struct dash_line *l = world_line(line);
		int n = line == 1 ? 199 : l->step > 1 ? 1 : 5 + (int)world_pick(36, 50, 0, 0);

		for (int done = 0; done < l->commits; done += n) {
			if (done)
				n = l->step > 1 ? 1
						: 5 + (int)world_pick(36, 50, (uint32_t)line,
								      (uint32_t)done);
			if (n > l->commits - done || line >= DASH_FOLLOWED)
				n = l->commits - done;
			movements[n_movements++] =
				(struct movement){ .line = line,
						   .commits = n,
						   .at = line < DASH_FOLLOWED
								 ? (double)done / l->commits
								 : (line - DASH_FOLLOWED) /
									   (double)DASH_SERIES };
		}
	}
	for (int i = 0; i < n_movements; i++)
		if (movements[i].line >= DASH_FOLLOWED + DASH_SERIES - DASH_WAITING)
			movements[i].at = 2; /* after all others */
	qsort(movements, (size_t)n_movements, sizeof(*movements), by_time);
}

static int64_t submit(int line, int commits)
{
	static struct dash_commit c[SUBMISSIONS_MAX];
	const struct dash_line *l = world_line(line);
	struct commit_info info[SUBMISSIONS_MAX];
	int64_t id;

	if (line >= DASH_FOLLOWED)
		world_base(line, f.at[DASH_BASE_LINE]);
	for (int i = 0; i <= commits; i++) {
		world_commit(line, (f.at[line] + i) * l->step, &c[i]);
		info[i] = c[i].info;
		info[i].author = f.texts[2 * i] = xstrdup(info[i].author);
		info[i].subject = f.texts[2 * i + 1] = xstrdup(info[i].subject);
	}
	if (line < DASH_FOLLOWED)
		MUST(store_branch_moved(f.store, f.branches[line], info[0].sha, info[commits].sha,
					&id, &f.err));
	else
		MUST(store_submission_add(f.store, f.repos[0], l->ref, info[0].sha, "thp-split", 0,
					  &id, &f.err));
	MUST(store_submission_plan(f.store, id, info, (size_t)commits + 1, world_plan(), &f.err));
	for (int i = 0; i < 2 * (commits + 1); i++)
		free(f.texts[i]);
	f.at[line] += commits;
	f.commits += commits;
	if (commits > f.fattest_commits) {
		f.fattest = id;
		f.fattest_commits = commits;
	}
	return id;
}

static void fill_repos(void)
{
	MUST(store_repo_put(f.store, "linux", "https://example.org/linux.git", true, &f.repos[0],
			    &f.err));
	MUST(store_repo_put(f.store, "next", "https://example.org/next.git", true, &f.repos[1],
			    &f.err));
	for (int i = 0; i < DASH_FOLLOWED; i++) {
		const struct dash_line *l = world_line(i);
		int64_t repo = f.repos[strcmp(l->repo, "next") == 0];

		MUST(store_branch_put(f.store, repo, l->ref, l->base_ref, "thp-split",
				      &f.branches[i], &f.err));
	}
}

static void fill_all(void)
{
	int64_t step_us = INT64_C(90) * 24 * 3600 * US_PER_S / n_movements;
	struct job job;

	for (int i = 0; i < n_movements; i++) {
		const struct movement *m = &movements[i];
		int64_t id;

		f.now_us += step_us;
		clock_fake(f.now_us);
		id = submit(m->line, m->commits);
		work(true);
		compare(id);
		if (m->at < 2)
			while (decide_all())
				work(true);
		fprintf(stderr, "\r%d of %d submissions, %lld results", i + 1, n_movements,
			(long long)f.results);
	}
	fputc('\n', stderr);
	/* What is under way stays so: nobody answers these. */
	(void)decide_all();
	while (claim(true, true, FOREVER_US, &job))
		job_free(&job);
	for (int line = DASH_LINES - 1; line >= DASH_LINES - DASH_PENDING; line--) {
		int64_t id = submit(line, world_line(line)->commits);

		if (line == DASH_LINES - 1)
			f.open = id;
		work(false);
	}
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	CLEANUP(free_p) char *mark = NULL, *logs = NULL, *want = NULL;
	CLEANUP(buf_free) struct buf have = BUF_INIT;
	int64_t start = clock_real_mono_us();

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: dash_fill DIR [SEED]\n");
		return 64;
	}
	f.dir = argv[1];
	mark = xasprintf("%s/filled", f.dir);
	want = xasprintf("form %d, seed %llu\n", DASH_FORM, (unsigned long long)seed);
	if (path_read(mark, 4096, &have, &f.err) == 0 && strcmp(buf_cstr(&have), want) == 0 &&
	    store_open(f.dir, &f.store, &f.err) == 0) { /* which brings it to this schema */
		store_close(f.store);
		return 0;
	}
	MUST(path_remove_tree(f.dir, &f.err));
	logs = xasprintf("%s/logs", f.dir);
	MUST(path_mkdirs(logs, 0700, &f.err));
	dash_nosync();
	world_init(seed);
	schedule();
	f.now_us = INT64_C(1750000000) * US_PER_S;
	clock_fake(f.now_us);
	MUST(store_open(f.dir, &f.store, &f.err));
	fill_repos();
	fill_all();
	fill_addresses(&f);
	store_close(f.store);
	MUST(path_write_atomic(mark, want, strlen(want), 0600, &f.err));
	fprintf(stderr, "filled in %.0f s: %lld results, %lld runs, %d commits, %d regressions\n",
		(double)(clock_real_mono_us() - start) / 1e6, (long long)f.results,
		(long long)f.last_run, f.commits, f.regressions);
	return 0;
}
