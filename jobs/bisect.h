/* SPDX-License-Identifier: MIT */
/*
 * bisect: which commit of a range is the first that fails. A state machine without input or output:
 * it says what to run next, is told what was seen, and ends with a commit, an interval of suspects
 * or a refusal. docs/regressions.md explains it.
 *
 *   bisect_new() → bisect_next() → run that commit → bisect_record() | bisect_skip() →
 *   bisect_noop() → bisect_next() …
 *
 * - The bad end comes first: it has to fail, with the fingerprint that is looked for, and is run
 *   until the rate at which it fails is known. p1 is the lower confidence bound of that rate.
 * - Every other commit is a sequential test (jobs/sprt.h) between `false_rate` and p1. Only failures
 *   with the same fingerprint count. Another failure says nothing about this one: its run counts
 *   neither way, and a commit that has too many of them is a skip.
 * - The good end has to pass that test before any other commit is asked for.
 * - The next commit is the one that halves what is left best, weighed anew each time, so verdicts
 *   may come in any order and for commits that were not asked for. In a linear range of n commits
 *   at most ceil(log2 n) are asked for besides the ends and those that turn out to be skips, unless
 *   a re-check goes back. Where every merge has two parents there is always a commit that leaves at
 *   most two thirds.
 * - A commit is named only when it is bad and each of its parents good by runs of their own. If the
 *   failure does not show in every run, the commit and its parents are run again: what brought the
 *   search to this pair may have been an error, and only runs that had no part in choosing the pair
 *   tell.
 *
 * The errors: `error` bounds the probability of a wrong result. It is shared equally among
 * ceil(log2 n) + 2 tests and the estimate of the rate. The confidence of a result is computed from
 * the runs that were seen: a test is wrong with at most the inverse of its likelihood ratio,
 * whenever it is stopped (J. Ville, Étude critique de la notion de collectif, 1939, chapter 5), and
 * the errors are added. It presumes that the commit that is looked for fails at p1 or more, and no
 * good one above false_rate.
 *
 * Ownership: struct bisect owns all it holds; bisect_free(). Thread: one owner at a time.
 */
#ifndef FAULTLINE_JOBS_BISECT_H
#define FAULTLINE_JOBS_BISECT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"
#include "lib/json.h"

#define BISECT_ID_MAX 65 /* a commit's name: 40 or 64 (SHA-256 repositories) hex digits */
#define BISECT_RUNS_MAX 100000 /* runs in one record, and each of the caps below */

struct bisect;

struct bisect_config {
	double false_rate; /* of runs of a good commit that fail all the same; (0, 0.1] */
	double error; /* probability that the result is wrong; (0, 0.5] */
	int batch; /* runs asked for at once, at most */
	int end_fails; /* the bad end's rate is known after so many failures … */
	int end_runs; /* … or so many runs */
	int max_runs; /* of one commit's test; as many again to confirm the result */
};

/* What to start from: 0.001, 0.05, 10, 10, 200, 400. */
extern const struct bisect_config bisect_defaults;

enum bisect_verdict {
	BISECT_OPEN, /* untested, or not decided yet */
	BISECT_GOOD,
	BISECT_BAD,
	BISECT_SKIP, /* cannot be tested: it says nothing */
	BISECT_VERDICT_COUNT
};

enum bisect_why {
	BISECT_WHY_NONE,
	BISECT_WHY_BUILD, /* does not build */
	BISECT_WHY_BOOT, /* does not boot */
	BISECT_WHY_INFRA, /* could not be tried for reasons that are not the commit's */
	BISECT_WHY_OTHER, /* fails in another way; found by bisect_record() */
	BISECT_WHY_UNDECIDED, /* max_runs are spent; found by bisect_record() */
	BISECT_WHY_COUNT
};

enum bisect_purpose {
	BISECT_GIVEN, /* told without being asked for */
	BISECT_ENDPOINT, /* is the good end good, the bad end bad? */
	BISECT_STEP, /* halves what is left */
	BISECT_RECHECK, /* the commit that would be named, or a parent of it */
	BISECT_PURPOSE_COUNT
};

const char *bisect_verdict_name(enum bisect_verdict v); /* "open", "good", "bad", "skip" */
const char *bisect_why_name(enum bisect_why w); /* "", "build", "boot", "infra", "other", … */
const char *bisect_purpose_name(enum bisect_purpose p); /* "given", "endpoint", … */

/* A search for the first commit that fails with `fingerprint` (1..LIMIT_NAME_LEN characters).
 * `revlist`: the commits good..bad as `git rev-list --parents good..bad` prints them, one a line,
 * its name and those of its parents, in any order; commits that do not lead to `bad` or that `good`
 * holds are of no interest. config NULL: bisect_defaults. *ret owned.
 * -EINVAL: a line is not of this form, a name occurs twice, a cycle, `bad` is not in the list, `good`
 * is no ancestor of it, a configuration out of range. -E2BIG: above LIMIT_BISECT_COMMITS lines. */
must_check int bisect_new(const struct bisect_config *config, const char *good, const char *bad,
			  const char *fingerprint, const char *revlist, struct bisect **ret,
			  struct error *err);
void bisect_free(struct bisect *b); /* NULL is fine */

/* `runs` runs of the commit were seen, of which `fails` failed, all with this fingerprint (NULL
 * when none did). Runs that failed in different ways are recorded apart, each run once. Any commit
 * of the range or parent of one, asked for or not, at any time; the runs add up. It takes back an
 * earlier bisect_skip(). -EINVAL, -ENOENT for an unknown commit. */
must_check int bisect_record(struct bisect *b, const char *commit, int runs, int fails,
			     const char *fingerprint, struct error *err);
/* It cannot be tested: BISECT_WHY_BUILD, _BOOT or _INFRA, with what was said (may be NULL; cut at
 * LIMIT_TEXT_LEN bytes). -EINVAL, -ENOENT. */
must_check int bisect_skip(struct bisect *b, const char *commit, enum bisect_why why,
			   const char *detail, struct error *err);
/* Its image is identical to that of `parent`: both have one verdict and share their runs.
 * -EINVAL when it is no parent of it, -ENOENT. */
must_check int bisect_noop(struct bisect *b, const char *commit, const char *parent,
			   struct error *err);

enum bisect_kind {
	BISECT_ASK, /* run `commit` */
	BISECT_CULPRIT, /* `commit` is the first that fails */
	BISECT_SUSPECTS, /* it is one of `suspects`, and which one cannot be found out */
	BISECT_REFUSED, /* there is nothing to find here */
	BISECT_KIND_COUNT
};

const char *bisect_kind_name(enum bisect_kind k); /* "ask", "culprit", "suspects", "refused" */

struct bisect_next {
	enum bisect_kind kind;
	const char *commit; /* ask, culprit; NULL otherwise. Lives as long as the search */
	enum bisect_purpose purpose; /* ask */
	int runs; /* ask: so many now; fewer may be recorded, a failure is often enough */
	double confidence; /* culprit, suspects: 1 - the bound of the error; 0..1 */
	const char *const *suspects; /* lives until the next call; parents before children */
	size_t n_suspects;
	char reason[256]; /* suspects, refused: why, as a sentence without a full stop */
};

/* What is to be done now; the same answer until something is told. */
void bisect_next(struct bisect *b, struct bisect_next *ret);

/* What is known of a commit. No-op commits have the counts of the image that they share. */
struct bisect_known {
	enum bisect_verdict verdict;
	enum bisect_why why; /* of a skip */
	int runs, fails; /* fails: with the fingerprint that is looked for */
	int other; /* failed in another way; part of `runs` */
};

/* -ENOENT. */
must_check int bisect_known(const struct bisect *b, const char *commit, struct bisect_known *ret,
			    struct error *err);

/* What was told, in its order, and what it made of the commit. */
struct bisect_step {
	const char *commit;
	enum bisect_purpose purpose;
	int runs, fails;
	char *fingerprint; /* of the failures, or NULL */
	enum bisect_why skip; /* a bisect_skip() */
	char *detail; /* its words, or NULL */
	const char *noop_of; /* a bisect_noop(): the parent */
	enum bisect_verdict verdict; /* of the commit, after it */
};

const struct bisect_step *bisect_steps(const struct bisect *b, size_t *ret_n);
size_t bisect_commits(const struct bisect *b); /* that may be the first: reached by bad, not good */
/* The failure rate that a commit must show to be bad; 0 until the bad end's is known. */
double bisect_rate(const struct bisect *b);

/* The whole search, to be stored between steps:
 *   {"version":1,"good":…,"bad":…,"fingerprint":…,
 *    "config":{"false_rate":0.001,"error":0.05,"batch":10,"end_fails":10,"end_runs":200,
 *              "max_runs":400},
 *    "commits":["<name> <parent> …"],
 *    "steps":[{"commit":…,"purpose":"step","runs":6,"fails":6,"fingerprint":…,"verdict":"bad"},
 *             {"commit":…,"purpose":"step","skip":"build","detail":…,"verdict":"skip"},
 *             {"commit":…,"purpose":"given","noop":"<parent>","verdict":"open"}]} */
struct json_object *bisect_to_json(const struct bisect *b);
/* Strict: unknown keys, and a purpose or verdict that does not follow from what stands before it,
 * are -EINVAL too. *ret owned. */
must_check int bisect_from_json(const struct jval *v, struct bisect **ret, struct error *err);

static inline void bisect_p(struct bisect **b)
{
	bisect_free(*b);
}

#endif
