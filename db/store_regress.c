/* SPDX-License-Identifier: MIT */
/* Regressions: found, loaded. db/store_probe.c has what is decided about them. */
#include "db/store_regress.h"

#include <errno.h>
#include <string.h>

#include "db/store_internal.h"
#include "lib/buf.h"
#include "lib/clock.h"

int store_compare_due(struct store *s, int64_t *ret_id, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	int r = reader_begin(&rd, s, err);

	return r < 0 ? r : db_find(rd.db, Q_COMPARE_DUE, NO_ARGS, ret_id, err);
}

void case_seen_free(struct case_seen *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(rows[i].config);
		free(rows[i].scenario);
		free(rows[i].fault);
	}
	free(rows);
}

int store_compare_cases(struct store *s, int64_t submission, struct case_seen **ret, size_t *ret_n,
			struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(query_end) struct query q = { 0 };
	struct case_seen *rows = NULL;
	size_t n = 0, cap = 0;
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = query_start(&q, rd.db, Q_COMPARE_CASES, ARGS(I(submission)), err);
	while (!r && (r = query_next(&q, err)) == 1) {
		ARRAY_RESERVE(rows, n, cap);
		rows[n++] = (struct case_seen){ .config = query_dup(&q, 0),
						.scenario = query_dup(&q, 1),
						.fault = query_dup(&q, 2),
						.position = (int)query_i64(&q, 3),
						.commit_id = query_i64(&q, 4),
						.failed = query_i64(&q, 5),
						.held = query_i64(&q, 6),
						.failure = query_i64(&q, 7),
						.duration_us = query_i64(&q, 8) };
		r = 0;
	}
	if (r < 0) {
		case_seen_free(rows, n);
		return r;
	}
	*ret = rows;
	*ret_n = n;
	return 0;
}

int store_compare_failure(struct store *s, int64_t result, char ret_signature[SIGNATURE_MAX],
			  enum reason *ret_reason, char **ret_title, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(query_end) struct query q = { 0 };
	CLEANUP(json_put_p) struct json_object *o = NULL;
	const char *text;
	struct result x;
	struct jval v;
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = query_start(&q, rd.db, Q_COMPARE_FAILURE, ARGS(I(result)), err);
	if (!r)
		r = query_next(&q, err);
	if (r != 1)
		return r < 0 ? r
			     : error_set(err, -ENOENT, "there is no result %lld",
					 (long long)result);
	text = query_text(&q, 2);
	r = json_parse(text, strlen(text), &o, err);
	if (r < 0)
		return r;
	v = json_root(o);
	r = result_from_json(&v, &x, err);
	if (r < 0)
		return r;
	signature_of(&x, ret_signature, ret_title);
	*ret_reason = x.reason;
	result_free(&x);
	return 0;
}

struct found {
	int64_t submission, now;
	const struct regression_new *v;
	size_t n;
	int count; /* out */
};

static int put_cases(struct db *db, int64_t id, const struct regression_new *g, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < g->n_cases && !r; i++) {
		const struct case_seen *c = g->cases[i];

		r = db_run(db, Q_REGRESSION_CASE_PUT,
			   ARGS(I(id), S(c->config), S(c->scenario), S(c->fault), I(c->failure)),
			   NULL, err);
	}
	return r;
}

/* 1 with *ret_id when it is there already, 0 when it is not. */
static int find_same(struct db *db, const struct found *f, const struct regression_new *g,
		     int64_t *ret_id, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < g->n_cases && !r; i++) {
		const struct case_seen *c = g->cases[i];

		r = db_find(db, Q_REGRESSION_SAME,
			    ARGS(I(f->submission), S(g->signature), S(c->config), S(c->scenario),
				 S(c->fault), I(g->bad_id)),
			    ret_id, err);
	}
	return r;
}

static int put_metric(struct db *db, int64_t id, const struct regression_metric *m,
		      struct error *err)
{
	return db_run(db, Q_REGRESSION_METRIC_PUT,
		      ARGS(I(id), S(m->name), S(m->unit), S(metric_worse_name(m->worse)),
			   S(m->accel)),
		      NULL, err);
}

static int put_one(struct db *db, struct found *f, const struct regression_new *g,
		   struct error *err)
{
	const struct case_seen *c = g->cases[0];
	CLEANUP(free_p) char *title = text_utf8(g->title);
	int64_t id = 0;
	int r = find_same(db, f, g, &id, err);

	if (!r) {
		r = db_find(db, Q_REGRESSION_ADD,
			    ARGS(I(f->submission), S(g->signature), S(title), S(g->reason),
				 I(g->good_id), I(g->bad_id), S(c->config), S(c->scenario),
				 S(c->fault), I(c->failure), I(f->now)),
			    &id, err);
		if (r == 1)
			r = db_run(db, Q_REGRESSION_CHANGE_ADD,
				   ARGS(I(id), I(f->now), S("new"), S("{}")), NULL, err);
		else if (!r)
			r = error_set(err, -ENOENT, "there is no result %lld",
				      (long long)c->failure);
		if (!r && g->metric)
			r = put_metric(db, id, g->metric, err);
		f->count += !r;
	}
	return r < 0 ? r : put_cases(db, id, g, err);
}

static int tx_found(struct db *db, void *arg, struct error *err)
{
	struct found *f = arg;
	int changes = 0, r;

	f->count = 0;
	f->now = clock_now_us();
	r = db_run(db, Q_COMPARE_PUT, ARGS(I(f->submission), I(f->now)), &changes, err);
	for (size_t i = 0; i < f->n && changes && !r; i++)
		r = put_one(db, f, &f->v[i], err);
	return r;
}

int store_compare_done(struct store *s, int64_t submission, const struct regression_new *found,
		       size_t n, int *ret_found, struct error *err)
{
	struct found f = { .submission = submission, .v = found, .n = n };
	int r = store_write(s, tx_found, &f, err);

	if (!r)
		*ret_found = f.count;
	return r;
}

int store_regressions_due(struct store *s, int64_t **ret_ids, size_t *ret_n, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	int r = reader_begin(&rd, s, err);

	return r < 0 ? r : db_ids(rd.db, Q_REGRESSIONS_DUE, NO_ARGS, ret_ids, ret_n, err);
}

int store_regressions_of_line(struct store *s, int64_t submission, int64_t **ret_ids, size_t *ret_n,
			      struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	int r = reader_begin(&rd, s, err);

	return r < 0 ? r
		     : db_ids(rd.db, Q_REGRESSIONS_OF_LINE, ARGS(I(submission)), ret_ids, ret_n,
			      err);
}

void submission_fix_free(struct submission_fix *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(f->texts); i++)
		free(f->texts[i]);
	*f = (struct submission_fix){ 0 };
}

static void fix_take(struct submission_fix *f, const struct query *q)
{
	submission_fix_free(f);
	for (int i = 0; i < (int)ARRAY_SIZE(f->texts); i++)
		f->texts[i] = query_dup(q, 1 + i);
	f->commit = (struct commit_info){ .sha = f->texts[0],
					  .tree = f->texts[1],
					  .parent = f->texts[2],
					  .author = f->texts[3],
					  .subject = f->texts[4],
					  .committed_us = query_i64(q, 6) };
}

static int start_fix(struct query *q, struct db *db, const struct regression_row *row,
		     int64_t submission, struct error *err)
{
	if (row->metric.name)
		return query_start(q, db, Q_METRIC_IN_SUBMISSION,
				   ARGS(I(row->id), I(submission), D(row->metric.threshold)), err);
	return query_start(q, db, Q_REGRESSION_IN_SUBMISSION, ARGS(I(row->id), I(submission)), err);
}

int store_regressions_lost(struct store *s, struct regression_lost **ret, size_t *ret_n,
			   struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(query_end) struct query q = { 0 };
	CLEANUP(free_p) struct regression_lost *rows = NULL;
	size_t n = 0, cap = 0;
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = query_start(&q, rd.db, Q_REGRESSIONS_LOST, NO_ARGS, err);
	while (!r && (r = query_next(&q, err)) == 1) {
		ARRAY_RESERVE(rows, n, cap);
		rows[n++] = (struct regression_lost){ .id = query_i64(&q, 0),
						      .followed = query_i64(&q, 1) != 0,
						      .gone_us = query_i64(&q, 2) };
		r = 0;
	}
	if (r < 0)
		return r;
	*ret = STEAL(rows);
	*ret_n = n;
	return 0;
}

int store_regressions_without(struct store *s, int64_t submission, int count, int64_t **ret_ids,
			      size_t *ret_n, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	int r = reader_begin(&rd, s, err);

	return r < 0 ? r
		     : db_ids(rd.db, Q_REGRESSIONS_WITHOUT, ARGS(I(submission), I(count)), ret_ids,
			      ret_n, err);
}

int store_regression_fix(struct store *s, const struct regression_row *row, int64_t submission,
			 struct submission_fix *ret, struct error *err)
{
	CLEANUP(submission_fix_free) struct submission_fix head = { 0 }, first = { 0 };
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(query_end) struct query q = { 0 };
	bool failed = false;
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = start_fix(&q, rd.db, row, submission, err);
	/* from the head down to its last failure */
	while (!r && !failed && (r = query_next(&q, err)) == 1) {
		bool holds = query_i64(&q, 8) && !query_i64(&q, 7);

		failed = query_i64(&q, 7);
		if (!head.commit.sha && !holds)
			return 0;
		if (holds)
			fix_take(&first, &q);
		if (!head.commit.sha)
			fix_take(&head, &q);
		r = 0;
	}
	if (r < 0 || !head.commit.sha)
		return r < 0 ? r : 0;
	*ret = failed ? first : head;
	*(failed ? &first : &head) = (struct submission_fix){ 0 };
	return 1;
}

static int fault_of_text(const char *text, struct fault *ret, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct jval v;
	int r = json_parse(text, strlen(text), &o, err);

	if (r < 0)
		return r;
	v = json_root(o);
	return fault_from_json(&v, ret, err);
}

static int load_row(struct db *db, int64_t id, struct regression_row *ret, struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	const char *signature;
	int r = query_start(&q, db, Q_REGRESSION_GET, ARGS(I(id)), err);

	if (!r)
		r = query_next(&q, err);
	if (r != 1)
		return r < 0 ? r
			     : error_set(err, -ENOENT, "there is no regression %lld",
					 (long long)id);
	signature = query_text(&q, 4);
	*ret = (struct regression_row){
		.id = id,
		.repo_id = query_i64(&q, 1),
		.submission_id = query_i64(&q, 2),
		.ref = query_dup(&q, 3),
		.title = query_dup(&q, 5),
		.reason = query_dup(&q, 6),
		.state = query_dup(&q, 7),
		.good = query_dup(&q, 8),
		.bad = query_dup(&q, 9),
		.culprit = query_dup(&q, 10),
		.config = query_dup(&q, 11),
		.arch = query_dup(&q, 12),
		.compiler = query_dup(&q, 13),
		.machine = { .cpus = (int)query_i64(&q, 14), .memory_mib = (int)query_i64(&q, 15) },
		.scenario = query_dup(&q, 16),
		.search = query_dup(&q, 18),
		.config_hash = query_dup(&q, 19),
		.repo = query_dup(&q, 20),
		.metric = { .name = query_dup(&q, 21),
			    .unit = query_dup(&q, 22),
			    .accel = query_dup(&q, 24) },
	};
	(void)metric_worse_parse(query_text(&q, 23), &ret->metric.worse);
	snprintf(ret->signature, sizeof(ret->signature), "%s", signature);
	fault_defaults(&ret->fault);
	/* a build has no fault */
	return strcmp(query_text(&q, 17), "{}") == 0
		       ? 0
		       : fault_of_text(query_text(&q, 17), &ret->fault, err);
}

static bool state_ended(const char *state)
{
	return strcmp(state, "done") == 0 || strcmp(state, "failed") == 0 ||
	       strcmp(state, "cancelled") == 0;
}

static int load_probes(struct db *db, struct regression_state *ret, struct error *err)
{
	bool faulty = ret->row.fault.mode != FAULT_NONE;
	CLEANUP(query_end) struct query q = { 0 };
	size_t cap = 0;
	int r = query_start(&q, db, Q_PROBES_OF,
			    ARGS(I(ret->row.id), S(ret->row.signature), I(faulty)), err);

	while (!r && (r = query_next(&q, err)) == 1) {
		const char *build = query_text(&q, 4);

		ARRAY_RESERVE(ret->probes, ret->n_probes, cap);
		ret->probes[ret->n_probes++] =
			(struct probe_row){ .id = query_i64(&q, 0),
					    .purpose = query_dup(&q, 1),
					    .sha = query_dup(&q, 2),
					    .ended = state_ended(query_text(&q, 3)),
					    .built = build && strcmp(build, "PASS") == 0,
					    .fails = (int)query_i64(&q, 5),
					    .runs = (int)query_i64(&q, 6),
					    .others = (int)query_i64(&q, 7),
					    .control_fails = (int)query_i64(&q, 8),
					    .control_runs = (int)query_i64(&q, 9),
					    .other = query_dup(&q, 10),
					    .image = query_dup(&q, 11) };
		r = 0;
	}
	return r < 0 ? r : 0;
}

int store_regression_load(struct store *s, int64_t id, struct regression_state *ret,
			  struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	int r = reader_begin(&rd, s, err);

	*ret = (struct regression_state){ 0 };
	if (!r)
		r = load_row(rd.db, id, &ret->row, err);
	if (!r)
		r = load_probes(rd.db, ret, err);
	if (!r && ret->row.metric.name)
		r = metric_load(rd.db, ret, err);
	if (r < 0)
		regression_state_free(ret);
	return r;
}

int store_regression_older(struct store *s, int64_t id, char **ret, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(query_end) struct query q = { 0 };
	struct buf b = BUF_INIT;
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = query_start(&q, rd.db, Q_REGRESSION_OLDER, ARGS(I(id)), err);
	while (!r && (r = query_next(&q, err)) == 1) {
		buf_printf(&b, "%s\n", query_text(&q, 0));
		r = 0;
	}
	*ret = buf_steal(&b);
	return r < 0 ? r : 0;
}

void regression_state_free(struct regression_state *r)
{
	struct regression_row *g = &r->row;
	char *all[] = { g->repo,	g->ref,		g->title,    g->reason, g->state,
			g->good,	g->bad,		g->culprit,  g->config, g->config_hash,
			g->arch,	g->compiler,	g->scenario, g->search, g->metric.name,
			g->metric.unit, g->metric.accel };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		free(all[i]);
	for (size_t i = 0; i < r->n_probes; i++) {
		free(r->probes[i].purpose);
		free(r->probes[i].sha);
		free(r->probes[i].other);
		free(r->probes[i].image);
		free(r->probes[i].values);
	}
	for (size_t i = 0; i < r->n_between; i++) {
		free(r->between[i].sha);
		free(r->between[i].values);
	}
	free(r->between);
	free(r->probes);
	*r = (struct regression_state){ 0 };
}
