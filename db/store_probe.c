/* SPDX-License-Identifier: MIT */
/*
 * A decision about a regression, written in one transaction: its state with the evidence, the search,
 * and the tests that are to tell more. Those are jobs like all others, of builds that are made once.
 */
#include <errno.h>
#include <string.h>

#include "db/store_internal.h"
#include "db/store_regress.h"
#include "lib/clock.h"

/* Before every plan's: somebody waits for the answer, and it is a matter of seconds. */
#define PRIORITY_TEST (-2)
#define PRIORITY_BUILD (-1)

struct step {
	const struct regression_row *row;
	const struct regression_step *what;
	char *evidence, *search; /* JSON */
	int64_t now;
};

/* A list of cases under construction. */
struct list {
	struct plan plan;
	size_t cap;
};

static void list_free(struct list *l)
{
	plan_cases_free(l->plan.cases, l->plan.n_cases);
}

static void list_add(struct list *l, const char *scenario, const struct fault *f, int repeat)
{
	ARRAY_RESERVE(l->plan.cases, l->plan.n_cases, l->cap);
	l->plan.cases[l->plan.n_cases++] =
		(struct plan_case){ .scenario = xstrdup(scenario), .fault = *f, .repeat = repeat };
}

/* The case and its control by turns, so that both see the same machine. Repeats go on where the
 * commit's last ones ended: a list that was asked for before would be answered from memory. */
static void list_make(struct list *l, const struct regression_row *g, int first, int runs)
{
	struct fault none;

	fault_defaults(&none);
	l->plan.machine = g->machine;
	for (int i = first; i < first + runs; i++) {
		list_add(l, g->scenario, &g->fault, i);
		if (g->fault.mode != FAULT_NONE)
			list_add(l, g->scenario, &none, i);
	}
	plan_cases_hash(&l->plan);
}

static int put_list(struct db *db, const struct list *l, int64_t *ret_id, struct error *err)
{
	CLEANUP(json_put_p)
	struct json_object *cases = plan_cases_to_json(l->plan.cases, l->plan.n_cases);
	CLEANUP(json_put_p) struct json_object *names = json_object_new_array();
	CLEANUP(free_p) char *cases_text = json_text(cases), *names_text = NULL;

	json_object_array_add(names, json_str(l->plan.cases[0].scenario));
	names_text = json_text(names);
	return db_find(db, Q_CASE_LIST_PUT,
		       ARGS(S(l->plan.cases_hash), I(l->plan.machine.cpus),
			    I(l->plan.machine.memory_mib), S(cases_text), S(names_text)),
		       ret_id, err);
}

static int put_commit(struct db *db, const struct commit_info *c, int64_t *ret_id,
		      struct error *err)
{
	CLEANUP(free_p) char *author = text_utf8(c->author ? c->author : "");
	CLEANUP(free_p) char *subject = text_utf8(c->subject ? c->subject : "");

	return db_find(db, Q_COMMIT_PUT,
		       ARGS(S(c->sha), S(c->tree), S(c->parent), S(author), S(subject),
			    I(c->committed_us)),
		       ret_id, err);
}

static int put_build(struct db *db, const struct step *s, const struct probe_new *p,
		     int64_t commit_id, int64_t *ret_id, struct error *err)
{
	const struct regression_row *g = s->row;
	char key[HASH_HEX_MAX];
	int64_t job = 0;
	int revived = 0, r;

	build_key(p->commit.tree, g->config_hash, g->compiler, g->arch, key);
	r = db_find(db, Q_PROBE_BUILD, ARGS(S(key), I(g->id), I(commit_id), I(s->now)), ret_id,
		    err);
	if (r == 1)
		r = db_find(db, Q_JOB_PUT_BUILD, ARGS(I(*ret_id), I(PRIORITY_BUILD), I(s->now)),
			    &job, err);
	if (r == 1)
		r = db_run(db, Q_JOB_REVIVE_BUILD, ARGS(I(job)), &revived, err);
	if (!r && revived)
		r = db_run(db, Q_BUILD_FORGET, ARGS(I(*ret_id)), NULL, err);
	if (!r && revived)
		r = job_refresh(db, job, err);
	return r;
}

static int put_probe(struct db *db, const struct step *s, const struct probe_new *p,
		     struct error *err)
{
	CLEANUP(list_free) struct list list = { 0 };
	int64_t commit_id = 0, build = 0, list_id = 0, test = 0, job = 0, last = 0;
	int r = put_commit(db, &p->commit, &commit_id, err);

	if (r == 1)
		r = db_find(db, Q_PROBE_REPEATS, ARGS(I(s->row->id), S(p->commit.sha)), &last, err);
	if (r != 1)
		return r;
	list_make(&list, s->row, (int)last + 1, p->runs);
	r = put_list(db, &list, &list_id, err);
	if (r == 1)
		r = put_build(db, s, p, commit_id, &build, err);
	if (!r)
		r = db_find(db, Q_TEST_PUT, ARGS(I(build), I(list_id), S("regression")), &test,
			    err);
	if (r == 1)
		r = db_find(db, Q_JOB_PUT_TEST,
			    ARGS(I(build), I(test), I(PRIORITY_TEST), I(s->now)), &job, err);
	if (r == 1)
		r = db_run(db, Q_PROBE_ADD,
			   ARGS(I(s->row->id), S(p->purpose), I(commit_id), I(job), I(s->now)),
			   NULL, err);
	return r;
}

static int tx_step(struct db *db, void *arg, struct error *err)
{
	struct step *s = arg;
	const struct regression_step *w = s->what;
	const char *state = w->state ? w->state : s->row->state;
	int changes = 0, r;

	s->now = clock_now_us();
	r = db_run(db, Q_REGRESSION_CHANGE,
		   ARGS(I(s->row->id), S(state), I(s->now), S(w->culprit), S(w->fixed),
			I(w->state != NULL), S(w->good)),
		   &changes, err);
	if (!r && !changes)
		return error_set(err, -ENOENT, "there is no open regression %lld",
				 (long long)s->row->id);
	if (!r && w->state)
		r = db_run(db, Q_REGRESSION_CHANGE_ADD,
			   ARGS(I(s->row->id), I(s->now), S(w->state), S(s->evidence)), NULL, err);
	if (!r && w->state)
		r = event_add(db, Q_EVENT_REGRESSION, s->row->id, err);
	if (!r && s->search)
		r = db_run(db, Q_REGRESSION_SEARCH, ARGS(I(s->row->id), S(s->search)), NULL, err);
	for (size_t i = 0; i < w->n_probes && !r; i++)
		r = put_probe(db, s, &w->probes[i], err);
	for (size_t i = 0; i < w->n_report_to && !r; i++)
		r = db_run(db, Q_OUTBOX_REPORT,
			   ARGS(I(s->row->id), S(w->report_to[i].channel),
				S(w->report_to[i].recipient), I(s->now)),
			   NULL, err);
	if (!r && w->state && strcmp(w->state, "fixed") == 0)
		r = db_run(db, Q_OUTBOX_FIXED, ARGS(I(s->row->id), I(s->now)), NULL, err);
	if (!r && w->n_probes)
		db->queued = true;
	return r;
}

int store_regression_step(struct store *s, const struct regression_row *row,
			  const struct regression_step *step, struct error *err)
{
	struct step st = { .row = row, .what = step };
	int r;

	st.evidence = step->evidence ? json_text(step->evidence) : xstrdup("{}");
	st.search = step->search ? json_text(step->search) : NULL;
	r = store_write(s, tx_step, &st, err);
	free(st.evidence);
	free(st.search);
	return r;
}
