/* SPDX-License-Identifier: MIT */
/*
 * store: what the server remembers. The interface is free of SQLite, so that another database can
 * stand behind it.
 *
 * Writing: every function that changes something is one transaction. It is handed to the one
 * writer thread, which commits what has gathered together (group commit), and returns after the
 * commit: what a caller was told is on disk. Callers block; never call from an HTTP event loop.
 * Reading: from any thread, each with its own read-only connection, never blocked by the writer.
 * Views are JSON objects, the same ones that API and pages show; the caller owns the reference.
 *
 * Expected outcomes (lease lost, no job) are enums; -errno is for trouble.
 * All instants are µs UTC from lib/clock.h.
 */
#ifndef FAULTLINE_DB_STORE_H
#define FAULTLINE_DB_STORE_H

#include "jobs/job.h"
#include "jobs/result.h"

struct store;

/* Opens or creates <dir>/faultline.db (folder made with mode 0700), migrates it forward, checks
 * that no other process has it open for writing (-EBUSY naming the file). */
must_check int store_open(const char *dir, struct store **ret, struct error *err);
/* Commits what was accepted, ends the writer thread, closes. NULL is fine. */
void store_close(struct store *s);
/* 0 if a write and a read went through just now (for /readyz). */
must_check int store_check(struct store *s, struct error *err);

/* --- tokens ------------------------------------------------------------------------------ */

enum role { ROLE_NONE, ROLE_READER, ROLE_AGENT, ROLE_MAINTAINER, ROLE_ADMIN };

const char *role_name(enum role r);
bool role_parse(const char *s, enum role *ret);

/* `hash`: keyed BLAKE2b of the token as hex, computed by the server; the token itself is never
 * stored. -EEXIST for a name in use. */
must_check int store_token_add(struct store *s, const char *name, enum role role, const char *hash,
			       int64_t *ret_id, struct error *err);
/* -ENOENT for unknown names. */
must_check int store_token_revoke(struct store *s, const char *name, struct error *err);
/* ROLE_NONE when there is no such live token. */
must_check int store_token_find(struct store *s, const char *hash, int64_t *ret_id,
				enum role *ret_role, struct error *err);
must_check int store_tokens_view(struct store *s, struct json_object **ret, struct error *err);

/* --- repositories and branches ----------------------------------------------------------- */

struct repo_row {
	int64_t id;
	char *name; /* safe name: also the folder <data>/git/<name>.git */
	char *url; /* where it is fetched from */
	bool configured; /* by the administrator (may be a local path); else made by a submission */
};

/* Inserts or updates by name. -EEXIST: a submission (configured false) gives another URL for a name
 * of the administrator's. */
must_check int store_repo_put(struct store *s, const char *name, const char *url, bool configured,
			      int64_t *ret_id, struct error *err);
must_check int store_repo_get(struct store *s, int64_t id, struct repo_row *ret, struct error *err);
must_check int store_repo_by_name(struct store *s, const char *name, struct repo_row *ret,
				  struct error *err);
void repo_row_free(struct repo_row *r);

struct branch_row {
	int64_t id, repo_id;
	char *ref; /* "lazy-pgtable" */
	char *base_ref; /* branch that ranges start from (merge base); may be NULL */
	char *plan;
	char *tip; /* 40 hex; NULL = never seen */
};

must_check int store_branch_put(struct store *s, int64_t repo_id, const char *ref,
				const char *base_ref, const char *plan, int64_t *ret_id,
				struct error *err);
/* All branches that are followed. Owned array. */
must_check int store_branches(struct store *s, struct branch_row **ret, size_t *ret_n,
			      struct error *err);
void branch_rows_free(struct branch_row *rows, size_t n);
/* The tip moved: records it and makes a submission old..new of it in the same transaction (its ref is
 * the branch's, head_sha the new tip, base the old one or NULL at first sight). When a submission
 * for this branch and head exists already, its id is returned (idempotent). -ENOENT for an unknown
 * branch. */
must_check int store_branch_moved(struct store *s, int64_t branch_id, const char *old_tip,
				  const char *new_tip, int64_t *ret_submission, struct error *err);
/* No branch is followed; store_branch_put() follows one. */
must_check int store_branches_unfollow(struct store *s, struct error *err);
/* The branch's last fetch: message NULL = fine; gone: the repository answered, and has no such
 * branch. */
must_check int store_branch_checked(struct store *s, int64_t branch_id, const char *message,
				    bool gone, struct error *err);

/* --- submissions -------------------------------------------------------------------------- */

struct submission_row {
	int64_t id, repo_id, branch_id; /* branch_id 0 = none */
	char *ref; /* as asked for; branch, tag or 40 hex */
	char *base; /* as asked for, may be NULL = merge base with the repo's base or first parent */
	char *plan;
	char *head_sha; /* NULL until planned, but for a branch's movement: the tip it moved to */
	char *base_sha; /* NULL until planned */
	int state; /* enum submission_state */
};

enum submission_state {
	SUBMISSION_NEW, /* accepted, not looked at */
	SUBMISSION_FETCHING,
	SUBMISSION_PLANNED, /* jobs exist */
	SUBMISSION_DONE, /* every job ended */
	SUBMISSION_REFUSED /* unknown ref, unreachable, …; message says */
};

const char *submission_state_name(int state);

must_check int store_submission_add(struct store *s, int64_t repo_id, const char *ref,
				    const char *base, const char *plan, int64_t token_id,
				    int64_t *ret_id, struct error *err);
must_check int store_submission_get(struct store *s, int64_t id, struct submission_row *ret,
				    struct error *err);
void submission_row_free(struct submission_row *r);
/* Ids in state NEW or FETCHING, oldest first (work for the planner, also after a restart). */
must_check int store_submissions_open(struct store *s, int64_t **ret_ids, size_t *ret_n,
				      struct error *err);
/* -ENOENT when there is none, or when it is done or refused already. */
must_check int store_submission_state(struct store *s, int64_t id, enum submission_state state,
				      const char *message, struct error *err);

struct commit_info {
	const char *sha, *tree, *parent; /* parent: first, NULL for a root */
	const char *author, *subject; /* any bytes; stored as valid UTF-8 */
	int64_t committed_us;
};

/* Plans a submission in one transaction: commits (oldest first; [0] is the base), for each commit
 * and each configuration of the plan a build (by build_key(), made once) and for each bootable
 * one a test (by build key + cases_hash, made once), queued or waiting for its build; links all
 * of them to the submission. Jobs of the newest submission do not overtake older ones, but base
 * and head of a submission go before the commits between. A submission all of whose jobs ended
 * already becomes DONE at once. What was given up as MISS gets another try. -ENOENT unless its state
 * is NEW or FETCHING, -EINVAL without commits or configurations. */
must_check int store_submission_plan(struct store *s, int64_t id, const struct commit_info *commits,
				     size_t n_commits, const struct plan *plan, struct error *err);

/* --- jobs ----------------------------------------------------------------------------------- */

#define JOB_MAX_ATTEMPTS 3

struct agent_info {
	int64_t token_id;
	const char *name; /* safe name */
	const char *version;
	int slots;
	bool can_build, can_test;
};

enum claim { CLAIM_JOB, CLAIM_NONE };

/* One statement takes the first queued job that fits and leases it to the agent: attempt + 1,
 * deadline now + ttl. ret_job is complete but for lease_token (the caller's secret; only its hash
 * is stored) and artifact URLs. Makes a run. Also records that the agent was seen. */
must_check int store_claim(struct store *s, const struct agent_info *agent, const char *lease_hash,
			   int64_t ttl_us, enum claim *ret, struct job *ret_job, struct error *err);

enum lease { LEASE_OK, LEASE_LOST, LEASE_UNKNOWN /* no such job */ };

/* Extends the lease and stores the progress object (borrowed, may be NULL) with the run. */
must_check int store_heartbeat(struct store *s, int64_t job_id, const char *lease_hash,
			       int64_t ttl_us, struct json_object *progress, enum lease *ret,
			       struct error *err);
/* LEASE_OK while the lease is live; *ret_run is its run. Read only. */
must_check int store_lease_check(struct store *s, int64_t job_id, const char *lease_hash,
				 enum lease *ret, int64_t *ret_run, struct error *err);
/* Leases past their deadline: requeue, or at JOB_MAX_ATTEMPTS end the job with MISS/lease (for a
 * test one MISS result per case; for a build its tests end MISS too). Returns how many. */
must_check int store_expire(struct store *s, int64_t now_us, int *ret_expired, struct error *err);
/* The agent gives the job back unharmed (drain): requeued, attempt not counted. */
must_check int store_release(struct store *s, int64_t job_id, const char *lease_hash,
			     enum lease *ret, struct error *err);

/* Log size as acknowledged (bytes are on disk in the blob store first). */
must_check int store_log_size(struct store *s, int64_t run_id, int64_t size_bytes,
			      struct error *err);
/* How much of a run's log is acknowledged, and whether the run has ended. -ENOENT. */
must_check int store_run_log(struct store *s, int64_t run, int64_t *ret_size, bool *ret_ended,
			     struct error *err);
/* Which bytes of its run's log are a result's. -ENOENT when there are none, or it is another run's. */
must_check int store_result_part(struct store *s, int64_t run, int64_t result, int64_t *ret_offset,
				 int64_t *ret_len, struct error *err);
must_check int store_artifact_add(struct store *s, int64_t job_id, const char *lease_hash,
				  const char *name, const char *sha256, int64_t size_bytes,
				  enum lease *ret, struct error *err);
struct artifact_row {
	char *name;
	char sha256[HASH_HEX_MAX];
	int64_t size_bytes;
};
must_check int store_artifact_get(struct store *s, int64_t build_id, const char *name,
				  struct artifact_row *ret, struct error *err);
void artifact_row_free(struct artifact_row *a);

/* Ends a build: queues its tests (PASS with image), or ends them with one result FAIL/build
 * (SKIP-free: the build's failure is shown once, tests are `cancelled`); MISS requeues up to the
 * cap. The same lease again answers LEASE_OK and changes nothing. Submissions whose jobs have all
 * ended become DONE. */
must_check int store_build_done(struct store *s, int64_t job_id, const char *lease_hash,
				const struct build_result *b, enum lease *ret, struct error *err);
/* Ends a test with its result document, all rows in one transaction; same idempotence. A document
 * that is MISS as a whole (doc NULL, reason given) requeues up to the cap. -EINVAL for a document
 * without results, a reason that is not MISS's, or an answer to a job of the other kind. */
must_check int store_test_done(struct store *s, int64_t job_id, const char *lease_hash,
			       const struct result_doc *doc, enum reason miss_reason,
			       const char *miss_detail, enum lease *ret, struct error *err);

/* --- views (new references) ------------------------------------------------------------------ */

/* Every key is always there; what is unknown is null. Instants are RFC 3339 text. A job's state is
 * waiting (a test, for its build), queued, leased, done (there is an answer, good or bad), failed
 * (given up: MISS) or cancelled (a test whose build made no image). A submission's own status and
 * summary leave its base commit out: what fails there is not its doing. */

/* Every list view: {"items":[…],"next":"cursor"|absent}. `cursor` NULL = first page; a cursor that
 * was not given out is -EINVAL. limit 1..500. */
must_check int view_submissions(struct store *s, const char *cursor, int limit,
				struct json_object **ret, struct error *err);
/* {"id","repo","ref","base_sha","head_sha","plan","state","message","created","commits":[{"sha",
 * "short","subject","author","position","summary":{"PASS":n,…},"status":"FAIL"}],
 * "jobs":{"queued","waiting","leased","done","failed","cancelled"},
 * "matrix":{"cases":[…],"rows":[{"sha","short","subject","config","build":{"id","state","status"},
 * "test":{"job","state","run"}|null,"run":id,"cells":[{"status","reason","result","injected"}|
 * null]}]},
 * "progress":null once it is done or refused, else {"imported","stages":[{"name","total","ended",
 * "running","waiting"}],"results","running":[{"run","kind","commit","short","subject","config","agent",
 * "started","for_us","progress"}],"left":{"low_us","high_us","text","others"} or {"why"}, null before
 * the import's end}; "others": as such jobs of other submissions took}
 * Commits and rows: head first. "run" is the newest finished one, that of "test" the newest
 * one. -ENOENT. */
must_check int view_submission(struct store *s, int64_t id, struct json_object **ret,
			       struct error *err);
/* [{"id","repo","ref","tip","plan","message","checked","submission","status","lately","summary"}] in
 * items. "lately": the newest 20 submissions, newest first, a letter each: its status' first one, '.'
 * where nothing can be said (yet); null without any. */
must_check int view_branches(struct store *s, struct json_object **ret, struct error *err);
must_check int view_branch(struct store *s, const char *repo, const char *ref, int limit,
			   struct json_object **ret, struct error *err); /* with matrix as above */
must_check int view_commit(struct store *s, const char *sha, struct json_object **ret,
			   struct error *err);
/* The same for pages: instead of "cells" a row of the matrix has "strip", which reads a tenth of the
 * rows: [{"n":12,"status":"PASS","result":null}] for 12 neighbours that say the same (null: none), and
 * for each FAIL, ERROR and MISS {"n":0,"case","status","reason","result","injected"}. */
must_check int view_submission_brief(struct store *s, int64_t id, struct json_object **ret,
				     struct error *err);
must_check int view_branch_brief(struct store *s, const char *repo, const char *ref, int limit,
				 struct json_object **ret, struct error *err);
must_check int view_commit_brief(struct store *s, const char *sha, struct json_object **ret,
				 struct error *err);
/* Which known injection sites the tests of a commit reached, over all its configurations and in
 * each: {"sha","short","subject","configs":[name],"known","reached","missed","skipped","not_run",
 * "new","dropped","chains":[{members of coverage_chain_to_json(),"path":"a < b","configs":[
 * {"config","state","covered","reason","injections","lacks"}]}]} (jobs/coverage.h). -ENOENT. */
must_check int view_coverage(struct store *s, const char *sha, struct json_object **ret,
			     struct error *err);
/* The same of the newest commits of a branch, newest first: {"repo","ref","commits":[{"sha","short",
 * "subject","configs","known","reached","missed","skipped","not_run","new","dropped"}],"chains":[
 * {"path","known","site","scenarios","cells":[{"state","injections"}]}]}, with a cell for each commit,
 * its state null where a chain that is not known is another commit's; `configs`: how many were tested, 0: nothing of it has ended. limit: 1..COVERAGE_COMMITS_MAX.
 * -EINVAL, -ENOENT. */
#define COVERAGE_COMMITS_MAX 30
must_check int view_coverage_line(struct store *s, const char *repo, const char *ref, int limit,
				  struct json_object **ret, struct error *err);
/* What the newest commits of a branch measured, oldest first, for charts:
 * {"repo","ref","metric","points":[{"sha","short","subject","regressions":[{"id","title"}]}],
 * "series":[{"chart","kind","scenario","fault","name","unit","worse","config","accel","values":[…]}]}
 * `values` has one a point, from the newest finished run of the commit's tests, null where there is none.
 * `kind`, `scenario` and `fault` (null: of all) as in the table run_values; "worse": "more", "less" or
 * "". `chart` names what is drawn together: series of one chart differ in configuration and accelerator
 * only, and stand side by side. Metrics that can get worse come first, then counters of splits, and last
 * what is zero everywhere. Marked with regressions is the commit where one begins. -ENOENT. */
struct series_filter {
	const char *repo, *ref;
	const char *metric; /* only series of this name; NULL = all */
	int limit; /* commits; 1..500 */
};
must_check int view_series(struct store *s, const struct series_filter *f, struct json_object **ret,
			   struct error *err);
/* Two commits side by side, by the newest finished run of each of their tests (jobs/compare.h has
 * the members). Each is a hash or at least 7 digits of it; REPO/BRANCH: the head of the newest
 * submission of it that is done, or else planned; submission:N: the head of that one, by its own
 * tests. -EINVAL for another word or too few digits, -ENOENT. */
must_check int view_compare(struct store *s, const char *a, const char *b, struct json_object **ret,
			    struct error *err);
struct build_filter {
	const char *status; /* PASS, FAIL, MISS; "open": not ended; NULL = any */
	bool warnings; /* only those with warnings */
	const char *cursor;
	int limit;
};
/* Newest first: [{"id","status","reason","state","repo","commit","short","subject","config",
 * "arch","compiler","warnings","errors","image","duration_us","created","run"}] in items; warnings and
 * errors are numbers. A page looks at 500 builds: with a filter it may be short and yet have a "next". */
must_check int view_builds(struct store *s, const struct build_filter *f, struct json_object **ret,
			   struct error *err);
must_check int view_build(struct store *s, int64_t id, struct json_object **ret, struct error *err);
/* The run with agent, times, machine, kernel, progress and all results (without stacks and
 * excerpts, which view_result() has). */
must_check int view_run(struct store *s, int64_t id, struct json_object **ret, struct error *err);
/* A case over time, a row for each run that had it, newest first: {"case","summary","needs","path",
 * "items":[{"run","commit","short","subject","repo","config","accel","at","status","reason","detail",
 * "fault","result","results","fails","injected":{"on_target","off_target"},"duration_us"}],"next",
 * "regressions":[…as view_regressions()],"points":[…],"series":[…]}. Status to result are those of the
 * worst of its results in the run that have the fault that is asked for; the others are sums over them.
 * Points are the items' commits, oldest first, with the series of view_series(): metrics of the case, and
 * of kind "case" its duration and injections; of two runs of a commit the newer one's. A page looks at 500 runs at most: with a filter it may have fewer
 * rows than the limit, or none, and yet a "next". -ENOENT: the catalogue does not have it, and no run
 * had it. */
struct case_filter {
	const char *scenario;
	const char *repo, *ref; /* ref: as a submission asked for it; NULL = any */
	const char *config;
	const char *fault; /* mode; NULL = any */
	const char *status;
	const char *cursor;
	int limit; /* runs; 1..500 */
};
must_check int view_case(struct store *s, const struct case_filter *f, struct json_object **ret,
			 struct error *err);
/* What went wrong in a run, FAIL before ERROR: the first result of each way in which a case did (by its
 * signature), as view_result() has it, and in "alike" how many there are. Closing results of sweeps
 * only where no point of theirs did. */
must_check int view_run_bad(struct store *s, int64_t run, int limit, struct json_object **ret,
			    struct error *err);
/* The run without its results: what stands above its log. -ENOENT. */
must_check int view_run_head(struct store *s, int64_t id, struct json_object **ret,
			     struct error *err);
/* The results whose part of the run's log begins within [from, to) bytes, in its order, at most 1000:
 * [{"id","case","status","reason","offset"}]. */
must_check int view_run_results_at(struct store *s, int64_t run, int64_t from, int64_t to,
				   struct json_object **ret, struct error *err);
struct result_filter {
	int64_t submission, run; /* 0 = any */
	const char *scenario, *status, *commit; /* NULL = any */
	const char *cursor;
	int limit;
	bool full; /* whole documents instead of rows */
};
must_check int view_results(struct store *s, const struct result_filter *f,
			    struct json_object **ret, struct error *err);
must_check int view_result(struct store *s, int64_t id, struct json_object **ret,
			   struct error *err);
/* What a text of 1 byte or more names: {"q","items":[{"kind","name","title","href"}],"truncated"}, at
 * most 10 of a kind. Kinds, in this order: commit (by the first 4 digits of its hash or more, words of
 * its subject, its author), regression (title, signature), branch, submission (its ref), failure
 * (what the kernel said, fingerprint) and case (name, summary). `href` is an address of the
 * dashboard; a branch has "repo" and "ref" instead. */
must_check int view_search(struct store *s, const char *q, struct json_object **ret,
			   struct error *err);
must_check int view_agents(struct store *s, struct json_object **ret, struct error *err);
/* {"jobs":{"build":{"queued",…},"test":{…}},"results":{"PASS":n,…},"submissions":{"new",…},
 * "agents":{"known","live"},"regressions":{state: n},"probes":{"under_way"},"outbox":{state: n},
 * "writer":{"writes","commits"},"runs","commits","builds","database_bytes"}: for /stats, /metrics,
 * overview. */
must_check int view_stats(struct store *s, struct json_object **ret, struct error *err);
/* Events after `after_id`, oldest first, at most `limit`: {"items":[{"id","type","at","data"}]}.
 * Types: submission, job, run, result, branch, agent, regression. The newest 10000 are kept. */
must_check int view_events(struct store *s, int64_t after_id, int limit, struct json_object **ret,
			   struct error *err);
/* The newest event that is older than `at_us`; 0 when none is kept. */
must_check int view_event_before(struct store *s, int64_t at_us, int64_t *ret_id,
				 struct error *err);
/* Called by the writer thread after each commit that added events; must not block. */
void store_on_events(struct store *s, void (*fn)(void *arg), void *arg);
/* Called after each commit that queued a job (long polls wake up); must not block. */
void store_on_queued(struct store *s, void (*fn)(void *arg), void *arg);

/* A consistent copy of the database to `path` while in use. */
must_check int store_backup(struct store *s, const char *path, struct error *err);

#endif
