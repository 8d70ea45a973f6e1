/* SPDX-License-Identifier: MIT */
/*
 * bisect_internal: what the files of bisect share; see jobs/bisect.h. Only jobs/bisect*.c.
 */
#ifndef FAULTLINE_JOBS_BISECT_INTERNAL_H
#define FAULTLINE_JOBS_BISECT_INTERNAL_H

#include "jobs/bisect.h"
#include "jobs/sprt.h"

/* What runs of one image showed. */
struct bisect_runs {
	int runs, fails, other; /* other: failed in another way; part of `runs` */
};

struct bisect_node {
	char id[BISECT_ID_MAX];
	int first_parent, n_parents; /* in struct bisect_graph.parents */
	bool listed; /* in the range's list; else only named as a parent there */
	/* Of the image: only where image == the node itself. */
	int image; /* the node that has the runs of this image: no-ops point to a parent */
	struct bisect_runs seen; /* all runs */
	struct bisect_runs fresh; /* those of the re-check, part of `seen` */
	enum bisect_why skip; /* told by bisect_skip() */
};

/* Indexes of nodes are int: LIMIT_BISECT_COMMITS keeps them small. */
struct bisect_graph {
	struct bisect_node *nodes;
	size_t n, cap;
	int *parents;
	size_t n_parents, cap_parents;
	int *by_id; /* sorted by id */
	int *order; /* parents before children */
};

struct bisect {
	struct bisect_config config;
	struct bisect_graph g;
	int good, bad;
	char *fingerprint;
	size_t n_range; /* commits that may be the first */
	double share; /* of the error, for one test */
	double rate; /* p1, once the bad end is known; else 0 */
	struct bisect_step *steps;
	size_t n_steps, cap_steps;
	const char **suspects; /* of the last answer */
	size_t n_suspects, cap_suspects;
};

/* ---- bisect_graph.c ---- */

/* -EINVAL, -E2BIG; on failure `g` may be filled in part, bisect_graph_free() all the same. */
must_check int bisect_graph_parse(struct bisect_graph *g, const char *revlist, struct error *err);
void bisect_graph_free(struct bisect_graph *g);
int bisect_graph_find(const struct bisect_graph *g, const char *id); /* -1: unknown */
bool bisect_id_is_valid(const char *id);
/* Marks every ancestor of the nodes that are marked. */
void bisect_graph_mark_ancestors(const struct bisect_graph *g, bool *marked);
/* Nodes that `top` reaches, itself included, without those in `without`; how many of them are in
 * `count` (all when NULL). `within` (may be NULL) is filled with them. */
int bisect_graph_reach(const struct bisect_graph *g, int top, const bool *without,
		       const bool *count, bool *within);
/* The node of `open` that divides best what `set` holds; -1 when none is open. `set` is what the bad
 * commit `top` reaches, without what good ones do; `open` is the part of it that can be tested, and
 * the rest of it, besides `top`, are skips. */
int bisect_graph_middle(const struct bisect_graph *g, const bool *set, const bool *open, int top);

/* ---- bisect.c ---- */

struct bisect_node *bisect_image(const struct bisect *b, int node);
enum bisect_verdict bisect_judge(const struct bisect *b, int node, enum bisect_why *ret_why);
/* The test of an image, over all its runs or those of the re-check only. */
struct sprt bisect_test(const struct bisect *b, const struct bisect_runs *r);
/* Runs after which a commit is good when none fails and a bad one fails at `p1`. */
int bisect_clean_runs(const struct bisect *b, double p1);
bool bisect_end_is_known(const struct bisect *b); /* the bad end was run often enough */
double
bisect_end_rate(const struct bisect *b); /* lower bound of the bad end's rate; 0: no failure */

/* ---- bisect_next.c ---- */

/* Marks what may be the first that fails, by all that was told: all of the range as long as the bad end
 * is not known to be bad. Returns how many. */
int bisect_left(const struct bisect *b, bool *left);

#endif
