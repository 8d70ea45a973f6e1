/* SPDX-License-Identifier: MIT */
/* Regressions as API and pages show them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "db/store_internal.h"
#include "db/store_regress.h"
#include "jobs/bisect_trail.h"

int view_regressions(struct store *s, const struct regression_filter *f, struct json_object **ret,
		     struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(query_end) struct query q = { 0 };
	int64_t before = INT64_MAX;
	int r = cursor_parse(f->cursor, 'g', &before, 1, err);

	if (!r)
		r = limit_check(f->limit, err);
	if (!r)
		r = reader_begin(&rd, s, err);
	if (!r)
		r = query_start(&q, rd.db, Q_REGRESSIONS_VIEW,
				ARGS(I(f->cursor ? before - 1 : before), I(f->limit + 1),
				     S(f->state), S(f->repo), S(f->ref), I(f->submission),
				     S(f->scenario)),
				err);
	return r < 0 ? r : view_page(&q, 'g', f->limit, ret, err);
}

static struct json_object *values_view(const double *values, size_t n)
{
	struct json_object *a = json_object_new_array();

	for (size_t i = 0; i < n; i++)
		json_object_array_add(a, json_object_new_double(values[i]));
	return a;
}

static struct json_object *between_view(const struct regression_state *g)
{
	struct json_object *a = json_object_new_array();

	for (size_t i = 0; i < g->n_between; i++) {
		const struct commit_values *c = &g->between[i];
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "commit", json_str(c->sha));
		json_object_object_add(o, "values", values_view(c->values, c->n));
		json_object_array_add(a, o);
	}
	return a;
}

static struct json_object *metric_view(const struct regression_state *g)
{
	const struct regression_metric *m = &g->row.metric;
	struct json_object *o = m->name ? json_object_new_object() : NULL;

	if (!o)
		return NULL;
	json_object_object_add(o, "name", json_str(m->name));
	json_object_object_add(o, "unit", json_str(m->unit));
	json_object_object_add(o, "worse", json_str(metric_worse_name(m->worse)));
	json_object_object_add(o, "accel", json_str(m->accel));
	json_object_object_add(o, "threshold",
			       m->measured ? json_object_new_double(m->threshold) : NULL);
	json_object_object_add(o, "between", between_view(g));
	return o;
}

static struct json_object *probes_view(const struct regression_state *g)
{
	struct json_object *a = json_object_new_array();

	for (size_t i = 0; i < g->n_probes; i++) {
		const struct probe_row *p = &g->probes[i];
		struct json_object *o = json_object_new_object();
		const struct {
			const char *name;
			int value;
		} counts[] = { { "fails", p->fails },
			       { "runs", p->runs },
			       { "others", p->others },
			       { "control_fails", p->control_fails },
			       { "control_runs", p->control_runs } };

		json_object_object_add(o, "purpose", json_str(p->purpose));
		json_object_object_add(o, "commit", json_str(p->sha));
		json_object_object_add(o, "ended", json_object_new_boolean(p->ended));
		json_object_object_add(o, "built", json_object_new_boolean(p->built));
		for (size_t k = 0; k < ARRAY_SIZE(counts); k++)
			json_object_object_add(o, counts[k].name,
					       json_object_new_int(counts[k].value));
		if (g->row.metric.name)
			json_object_object_add(o, "values", values_view(p->values, p->n_values));
		json_object_array_add(a, o);
	}
	return a;
}

/* Subjects of the commits that the store has, by hash. */
static int read_subjects(struct db *db, int64_t id, struct json_object *ret, struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	int r = query_start(&q, db, Q_REPORT_COMMITS, ARGS(I(id)), err);

	while (!r && (r = query_next(&q, err)) == 1) {
		json_object_object_add(ret, query_text(&q, 0), json_str(query_text(&q, 3)));
		r = 0;
	}
	return r;
}

static struct json_object *place_view(const struct bisect_place *p, struct json_object *subjects)
{
	struct json_object *o = json_object_new_object(), *subject = NULL;
	const struct {
		const char *name;
		int value;
	} counts[] = { { "runs", p->known.runs },
		       { "fails", p->known.fails },
		       { "others", p->known.other },
		       { "turn", p->turn } };

	json_object_object_get_ex(subjects, p->id, &subject);
	json_object_object_add(o, "commit", json_str(p->id));
	json_object_object_add(o, "subject", json_object_get(subject));
	json_object_object_add(o, "verdict", json_str(bisect_verdict_name(p->known.verdict)));
	json_object_object_add(o, "why", json_str(bisect_why_name(p->known.why)));
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		json_object_object_add(o, counts[i].name, json_object_new_int(counts[i].value));
	json_object_object_add(o, "left_after",
			       p->turn ? json_object_new_int(p->left_after) : NULL);
	json_object_object_add(o, "left", json_object_new_boolean(p->left));
	return o;
}

/* null for a search that cannot be told again, which is no reason to show nothing at all. */
static int add_trail(struct db *db, int64_t id, struct json_object *search, struct json_object *o,
		     struct error *err)
{
	CLEANUP(json_put_p) struct json_object *subjects = json_object_new_object();
	CLEANUP(free_p) struct bisect_place *all = NULL;
	CLEANUP(bisect_p) struct bisect *b = NULL;
	struct jval v = json_root(search);
	struct json_object *trail;
	size_t n = 0;
	int r;

	json_object_object_add(o, "trail", NULL);
	if (!search || bisect_from_json(&v, &b, NULL) < 0 || bisect_trail(b, &all, &n, NULL) < 0)
		return 0;
	r = read_subjects(db, id, subjects, err);
	if (r)
		return r;
	trail = json_object_new_array();
	for (size_t i = 0; i < n; i++)
		json_object_array_add(trail, place_view(&all[i], subjects));
	json_object_object_add(o, "trail", trail);
	return 0;
}

static int add_search(struct db *db, int64_t id, const char *text, struct json_object *o,
		      struct error *err)
{
	struct json_object *search = NULL;
	int r = text ? json_parse(text, strlen(text), &search, err) : 0;

	if (r)
		return r;
	json_object_object_add(o, "search", search);
	return add_trail(db, id, search, o, err);
}

int view_regression(struct store *s, int64_t id, struct json_object **ret, struct error *err)
{
	CLEANUP(regression_state_free) struct regression_state g = { 0 };
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(json_put_p) struct json_object *o = NULL;
	int r = store_regression_load(s, id, &g, err);

	if (!r)
		r = reader_begin(&rd, s, err);
	if (r < 0)
		return r;
	r = db_row(rd.db, Q_REGRESSIONS_VIEW,
		   ARGS(I(id), I(1), S(NULL), S(NULL), S(NULL), I(0), S(NULL)), &o, err);
	if (r != 1)
		return r < 0 ? r : -ENOENT;
	r = db_add_rows(rd.db, Q_REGRESSION_CASES_VIEW, id, "cases", o, err);
	if (!r)
		r = db_add_rows(rd.db, Q_REGRESSION_CHANGES_VIEW, id, "changes", o, err);
	if (!r)
		r = db_add_rows(rd.db, Q_OUTBOX_TOLD, id, "told", o, err);
	if (r < 0)
		return r;
	json_object_object_add(o, "probes", probes_view(&g));
	json_object_object_add(o, "metric", metric_view(&g));
	r = add_search(rd.db, id, g.row.search, o, err);
	if (!r)
		*ret = STEAL(o);
	return r;
}

int store_branch_badge(struct store *s, const char *repo, const char *ref, struct badge_facts *ret,
		       struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(query_end) struct query q = { 0 };
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = query_start(&q, rd.db, Q_BRANCH_BADGE, ARGS(S(repo), S(ref)), err);
	if (!r)
		r = query_next(&q, err);
	if (r < 0)
		return r;
	*ret = (struct badge_facts){ .known = r == 1 };
	if (!ret->known)
		return 0;
	ret->regressions = query_i64(&q, 0);
	ret->unconfirmed = query_i64(&q, 1);
	ret->under_way = query_i64(&q, 2) != 0;
	ret->judged = query_i64(&q, 3) != 0;
	return 0;
}
