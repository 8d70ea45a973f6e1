/* SPDX-License-Identifier: MIT */
/* The coverage of a commit, and of the newest ones of a branch: what their runs injected into, held
 * against the catalogue as it is now. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db/store_internal.h"
#include "jobs/coverage.h"
#include "jobs/parts.h"

struct config {
	char *name;
	struct coverage coverage;
};

struct configs {
	struct config *v;
	size_t n, cap;
};

static void configs_free_p(struct configs *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].name);
		coverage_free(&c->v[i].coverage);
	}
	free(c->v);
}

static void coverage_p(struct coverage *c)
{
	coverage_free(c);
}

/* What the run's kernel lacks; nothing is known of runs that never said so. */
static int kernel_lacks(const char *kernel, char ***ret, size_t *ret_n, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct jval v;
	int r;

	if (!kernel || !*kernel)
		return 0;
	r = json_parse(kernel, strlen(kernel), &o, err);
	if (r < 0)
		return r;
	v = json_root(o);
	return strings_from_json(&v, "lacks", FAULT_SITE_MAX, ret, ret_n, err);
}

/* The runs come in the order of their configurations. */
static int config_of(struct configs *c, const char *name, const char *kernel, struct coverage **ret,
		     struct error *err)
{
	char **lacks = NULL;
	size_t n_lacks = 0;
	int r;

	if (!c->n || strcmp(c->v[c->n - 1].name, name) != 0) {
		r = kernel_lacks(kernel, &lacks, &n_lacks, err);
		if (r < 0)
			return r;
		ARRAY_RESERVE(c->v, c->n, c->cap);
		c->v[c->n] = (struct config){ .name = xstrdup(name) };
		coverage_init(&c->v[c->n].coverage, lacks, n_lacks);
		strings_free(lacks, n_lacks);
		c->n++;
	}
	*ret = &c->v[c->n - 1].coverage;
	return 0;
}

static int add_stack(struct coverage *c, const struct query *q, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *doc = json_object_new_object(), *o = NULL;
	const char *text = query_text(q, 1);
	struct stack s = { .on_target = true, .count = (int)query_i64(q, 2) };
	size_t n = 0;
	struct jval v;
	int r = json_parse(text, strlen(text), &o, err);

	if (r < 0)
		return r;
	json_object_object_add(doc, "stack", STEAL(o));
	v = json_root(doc);
	r = strings_from_json(&v, "stack", PARTS_FRAME_LEN, &s.frames, &n, err);
	if (r < 0)
		return r;
	s.n = (int)n;
	coverage_add(c, query_text(q, 0), &s);
	stack_clear(&s);
	return 0;
}

static int add_run(struct db *db, int64_t run, struct coverage *c, struct error *err)
{
	CLEANUP(query_end) struct query scenarios = { 0 };
	CLEANUP(query_end) struct query stacks = { 0 };
	int r = query_start(&scenarios, db, Q_COVERAGE_SCENARIOS, ARGS(I(run)), err);

	while (r >= 0 && (r = query_next(&scenarios, err)) == 1) {
		enum reason skip;

		if (reason_parse(query_text(&scenarios, 2), &skip) && skip != REASON_NONE)
			coverage_ran(c, query_text(&scenarios, 0), skip);
		if (query_i64(&scenarios, 1))
			coverage_ran(c, query_text(&scenarios, 0), REASON_NONE);
	}
	if (!r)
		r = query_start(&stacks, db, Q_COVERAGE_INJECTIONS, ARGS(I(run)), err);
	while (r >= 0 && (r = query_next(&stacks, err)) == 1)
		r = add_stack(c, &stacks, err);
	return r;
}

static int read_configs(struct db *db, int64_t commit, struct configs *c, struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	int r = query_start(&q, db, Q_COVERAGE_RUNS, ARGS(I(commit)), err);

	while (r >= 0 && (r = query_next(&q, err)) == 1) {
		struct coverage *coverage;

		r = config_of(c, query_text(&q, 0), query_text(&q, 2), &coverage, err);
		if (!r)
			r = add_run(db, query_i64(&q, 1), coverage, err);
	}
	return r;
}

/* How one configuration did at this place; a new chain may be another one's alone. */
static struct json_object *config_object(const struct config *config,
					 const struct coverage_chain *chain)
{
	const struct coverage_chain *own = coverage_find(&config->coverage, chain);
	struct coverage_chain none = { .frames = chain->frames, .n = chain->n };
	CLEANUP(json_put_p) struct json_object *all = coverage_chain_to_json(own ? own : &none);
	static const char *const members[] = { "state", "covered", "reason", "injections",
					       "lacks" };
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "config", json_str(config->name));
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		json_object_object_add(o, members[i],
				       json_object_get(json_object_object_get(all, members[i])));
	return o;
}

/* "a < b", innermost first. */
static struct json_object *chain_path(const struct coverage_chain *chain)
{
	CLEANUP(buf_free) struct buf path = BUF_INIT;

	for (size_t i = 0; i < chain->n; i++)
		buf_printf(&path, "%s%s", i ? " < " : "", chain->frames[i]);
	return json_str(buf_cstr(&path));
}

static struct json_object *chain_object(const struct coverage_chain *chain,
					const struct configs *configs)
{
	struct json_object *o = coverage_chain_to_json(chain), *list = json_object_new_array();

	json_object_object_add(o, "path", chain_path(chain));
	json_object_object_del(o, "lacks"); /* each configuration has its own */
	for (size_t i = 0; i < configs->n; i++)
		json_object_array_add(list, config_object(&configs->v[i], chain));
	json_object_object_add(o, "configs", list);
	return o;
}

static void put_coverage(const struct configs *configs, struct json_object *o)
{
	CLEANUP(coverage_p) struct coverage all = { .n = 0 };
	struct json_object *names = json_object_new_array(), *chains = json_object_new_array();

	coverage_init(&all, NULL, 0);
	for (size_t i = 0; i < configs->n; i++) {
		coverage_merge(&all, &configs->v[i].coverage);
		json_object_array_add(names, json_str(configs->v[i].name));
	}
	for (size_t i = 0; i < all.n; i++)
		json_object_array_add(chains, chain_object(&all.chains[i], configs));
	json_object_object_add(o, "configs", names);
	coverage_counts_to_json(&all, o);
	json_object_object_add(o, "chains", chains);
}

int view_coverage(struct store *s, const char *sha, struct json_object **ret, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(configs_free_p) struct configs configs = { 0 };
	CLEANUP(json_put_p) struct json_object *o = NULL;
	int64_t id;
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = db_row(rd.db, Q_COVERAGE_COMMIT, ARGS(S(sha)), &o, err);
	if (r < 0)
		return r;
	if (r == 0)
		return error_set(err, -ENOENT, "there is no commit %s", sha);
	id = json_object_get_int64(json_object_object_get(o, "id"));
	json_object_object_del(o, "id");
	r = read_configs(rd.db, id, &configs, err);
	if (r < 0)
		return r;
	put_coverage(&configs, o);
	*ret = STEAL(o);
	return 0;
}

/* --- of a branch ------------------------------------------------------------------------------- */

/* A commit and what all its configurations reached. */
struct place {
	int64_t id;
	char *sha, *subject;
	size_t n_configs;
	struct coverage coverage;
};

struct places {
	struct place v[COVERAGE_COMMITS_MAX];
	size_t n, limit;
};

static void places_free_p(struct places *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].sha);
		free(l->v[i].subject);
		coverage_free(&l->v[i].coverage);
	}
}

/* Branches that are rebased have a commit in many submissions. */
static bool has_place(const struct places *l, int64_t id)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].id == id)
			return true;
	return false;
}

static int add_places(struct places *l, struct db *db, int64_t submission, struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	int r = query_start(&q, db, Q_COVERAGE_LINE, ARGS(I(submission)), err);

	while (r >= 0 && l->n < l->limit && (r = query_next(&q, err)) == 1) {
		if (has_place(l, query_i64(&q, 0)))
			continue;
		l->v[l->n] = (struct place){ .id = query_i64(&q, 0),
					     .sha = query_dup(&q, 1),
					     .subject = query_dup(&q, 2) };
		coverage_init(&l->v[l->n++].coverage, NULL, 0);
	}
	return r < 0 ? r : 0;
}

static int read_places(struct places *l, struct db *db, int64_t branch, struct error *err)
{
	CLEANUP(free_p) int64_t *ids = NULL;
	size_t n = 0;
	int r = db_ids(db, Q_BRANCH_SUBMISSIONS, ARGS(I(branch), I(l->limit)), &ids, &n, err);

	for (size_t i = 0; i < n && !r && l->n < l->limit; i++)
		r = add_places(l, db, ids[i], err);
	for (size_t i = 0; i < l->n && !r; i++) {
		CLEANUP(configs_free_p) struct configs configs = { 0 };

		r = read_configs(db, l->v[i].id, &configs, err);
		l->v[i].n_configs = configs.n;
		for (size_t k = 0; k < configs.n && !r; k++)
			coverage_merge(&l->v[i].coverage, &configs.v[k].coverage);
	}
	return r;
}

static struct json_object *place_object(const struct place *p)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "sha", json_str(p->sha));
	json_object_object_add(o, "short", json_strn(p->sha, 12));
	json_object_object_add(o, "subject", json_str(p->subject));
	json_object_object_add(o, "configs", json_object_new_int64((int64_t)p->n_configs));
	coverage_counts_to_json(&p->coverage, o);
	return o;
}

/* What a commit came to at this place: nothing (null) where the chain is new, and another one's alone. */
static struct json_object *cell_object(const struct place *p, const struct coverage_chain *chain)
{
	const struct coverage_chain *own = coverage_find(&p->coverage, chain);
	enum coverage_state state = own ? coverage_state(own) : COVERAGE_NOT_RUN;
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "state",
			       own || chain->known ? json_str(coverage_state_name(state)) : NULL);
	json_object_object_add(o, "injections", json_object_new_int64(own ? own->injections : 0));
	return o;
}

static struct json_object *row_object(const struct places *l, const struct coverage_chain *chain)
{
	static const char *const members[] = { "site", "known", "scenarios" };
	CLEANUP(json_put_p) struct json_object *all = coverage_chain_to_json(chain);
	struct json_object *o = json_object_new_object(), *cells = json_object_new_array();

	json_object_object_add(o, "path", chain_path(chain));
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		json_object_object_add(o, members[i],
				       json_object_get(json_object_object_get(all, members[i])));
	for (size_t i = 0; i < l->n; i++)
		json_object_array_add(cells, cell_object(&l->v[i], chain));
	json_object_object_add(o, "cells", cells);
	return o;
}

static void put_places(const struct places *l, struct json_object *o)
{
	CLEANUP(coverage_p) struct coverage all = { .n = 0 };
	struct json_object *commits = json_object_new_array(), *chains = json_object_new_array();

	coverage_init(&all, NULL, 0);
	for (size_t i = 0; i < l->n; i++) {
		coverage_merge(&all, &l->v[i].coverage);
		json_object_array_add(commits, place_object(&l->v[i]));
	}
	for (size_t i = 0; i < all.n; i++)
		json_object_array_add(chains, row_object(l, &all.chains[i]));
	json_object_object_add(o, "commits", commits);
	json_object_object_add(o, "chains", chains);
}

int view_coverage_line(struct store *s, const char *repo, const char *ref, int limit,
		       struct json_object **ret, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(places_free_p) struct places places = { .limit = (size_t)limit };
	CLEANUP(json_put_p) struct json_object *o = NULL;
	int64_t id;
	int r;

	if (limit < 1 || limit > COVERAGE_COMMITS_MAX)
		return error_set(err, -EINVAL, "limit %d is not from 1 to %d", limit,
				 COVERAGE_COMMITS_MAX);
	r = reader_begin(&rd, s, err);
	if (!r)
		r = db_row(rd.db, Q_SERIES_BRANCH, ARGS(S(repo), S(ref)), &o, err);
	if (r < 0)
		return r;
	if (r == 0)
		return error_set(err, -ENOENT, "there is no branch '%s' of '%s'", ref, repo);
	id = json_object_get_int64(json_object_object_get(o, "id"));
	json_object_object_del(o, "id");
	json_object_object_del(o, "repo_id");
	r = read_places(&places, rd.db, id, err);
	if (r < 0)
		return r;
	put_places(&places, o);
	*ret = STEAL(o);
	return 0;
}
