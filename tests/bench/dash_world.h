/* SPDX-License-Identifier: MIT */
/*
 * dash_world: lines of history whose truth is known: which commits they have, which defects came
 * with which commit and went with which, and what a build or a test of a commit therefore answers.
 * Everything follows from the seed and from what is asked, never from the order of asking.
 *
 * Lines that are followed come first; each of the others is a series of its own, based on the line
 * DASH_BASE_LINE. Thread: one; world_init() comes first.
 */
#ifndef FAULTLINE_BENCH_DASH_WORLD_H
#define FAULTLINE_BENCH_DASH_WORLD_H

#include "db/store.h"

#define DASH_FOLLOWED 5
#define DASH_SERIES 150 /* done */
#define DASH_WAITING 8 /* the last of those: their regressions stay under test */
#define DASH_PENDING 20 /* built and not yet tested: what arrives while pages are read */
#define DASH_OPEN_COMMITS 199 /* of the last of those, which is tested first */
#define DASH_LINES (DASH_FOLLOWED + DASH_SERIES + DASH_PENDING)
#define DASH_SERIES_COMMITS 10
#define DASH_CASES 60
#define DASH_DEFECTS 212 /* a few of them overlap: about 200 regressions come of them */
#define DASH_BASE_LINE 0

struct dash_line {
	const char *repo, *base_ref;
	char ref[32];
	int commits; /* that are tested, without the base */
	int step; /* so many commits from one that is tested to the next */
};

enum dash_life {
	DASH_FIXED, /* a later commit mends it */
	DASH_OPEN, /* none does */
	DASH_FLAKY, /* seen once */
	DASH_LOST, /* no machine ever answers again */
	DASH_STALE /* its history is rewritten */
};

struct dash_defect {
	int line, first, last; /* commits that have it */
	int scenario; /* of the plan; -1: the commits do not compile */
	bool debug; /* in that configuration only */
	enum dash_life life;
};

void world_init(uint64_t seed);
const struct plan *world_plan(void);
const struct dash_line *world_line(int line);
/* Pseudo-random, 0..n - 1, the same for the same place. */
uint32_t world_pick(uint32_t n, uint32_t what, uint32_t a, uint32_t b);

/* The series' base is commit 0 of its line: name it once before anything else of the series. */
void world_base(int line, int base_index);
/* Commit `index` of a line, 0 its base. Texts live as long as *ret is not asked for again in
 * `texts`. */
struct dash_commit {
	char sha[41], tree[41], parent[41];
	struct commit_info info;
};
void world_commit(int line, int index, struct dash_commit *ret);
/* Line and index of a commit's hash; the base of a series is of the line that it is on. */
void world_find(const char *sha, int *ret_line, int *ret_index);
/* `git rev-list --parents good..bad`; owned. */
char *world_revlist(const char *good, const char *bad);

/* Index of a scenario in the order of the plan; -1: none of it. */
int world_scenario(const char *scenario);
/* The defect that a commit of a regression found in `line` has; NULL: none. */
const struct dash_defect *world_defect(int line, int index, int scenario, bool debug);
/* That a regression is about, by where it was found first. */
const struct dash_defect *world_defect_of(const char *bad_sha, const char *scenario);

void world_build(const struct job *job, struct build_result *ret); /* owned contents */
/* True with a document; false: the machine is lost. */
bool world_test(const struct job *job, struct result_doc *ret);
/* What the console of such a test says; owned. */
char *world_log(const struct job *job, const struct result_doc *doc);

#endif
