/* SPDX-License-Identifier: MIT */
/*
 * What ends a job: an agent's answer, or attempt after attempt without one.
 */
#include <errno.h>
#include <string.h>

#include "db/store_internal.h"
#include "lib/clock.h"

static int run_end(struct db *db, int64_t run_id, const char *outcome, enum status status,
		   enum reason reason, const char *detail, struct error *err)
{
	CLEANUP(free_p) char *clean = text_utf8(detail);
	int r = db_run(db, Q_RUN_END,
		       ARGS(I(run_id), I(clock_now_us()), S(outcome), S(status_name(status)),
			    S(reason_name(reason)), S(clean)),
		       NULL, err);

	return r < 0 ? r : event_add(db, Q_EVENT_RUN, run_id, err);
}

int job_end(struct db *db, const struct lease_row *l, const char *state, struct error *err)
{
	int r = db_run(db, Q_JOB_END, ARGS(I(l->job_id), S(state), I(clock_now_us()), I(l->run_id)),
		       NULL, err);

	return r < 0 ? r : event_add(db, Q_EVENT_JOB, l->job_id, err);
}

/* One result about the making of the kernel. */
static int write_build_result(struct db *db, int64_t run_id, enum status status, enum reason reason,
			      const char *detail, int64_t duration_us, struct error *err)
{
	struct result_rows rows;
	struct result x;
	int worst, r;

	result_init(&x);
	x.scenario = xstrdup("build");
	x.repeat = 1;
	x.status = status;
	x.reason = reason;
	x.detail = xstrdup(detail);
	x.duration_us = duration_us;
	result_rows_make(&rows, &x, 1);
	r = result_rows_write(db, run_id, &rows, &worst, err);
	result_rows_free(&rows);
	result_free(&x);
	return r;
}

static int job_cases(struct db *db, int64_t job_id, struct plan_case **ret, size_t *ret_n,
		     struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	CLEANUP(json_put_p) struct json_object *o = NULL;
	const char *text;
	struct jval arr;
	int r = query_start(&q, db, Q_JOB_CASES, ARGS(I(job_id)), err);

	if (!r)
		r = query_next(&q, err);
	if (r != 1)
		return r < 0 ? r
			     : error_set(err, -ENOENT, "job %lld has no cases", (long long)job_id);
	text = query_text(&q, 0);
	r = json_parse(text, strlen(text), &o, err);
	if (r < 0)
		return r;
	arr = json_root(o);
	return plan_cases_from_json(&arr, ret, ret_n, err);
}

/* One MISS for each case of a test that nobody managed to run. */
static int write_missed_cases(struct db *db, const struct lease_row *l, enum reason reason,
			      const char *detail, struct error *err)
{
	struct result_doc doc = { 0 };
	struct result_rows rows;
	struct plan_case *cases = NULL;
	size_t n = 0;
	int worst, r = job_cases(db, l->job_id, &cases, &n, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		struct result *x = result_doc_add(&doc);

		result_init(x);
		x->scenario = xstrdup(cases[i].scenario);
		x->fault = cases[i].fault;
		x->repeat = cases[i].repeat;
		x->status = STATUS_MISS;
		x->reason = reason;
		x->detail = xstrdup(detail);
	}
	result_rows_make(&rows, doc.results, doc.n_results);
	r = result_rows_write(db, l->run_id, &rows, &worst, err);
	result_rows_free(&rows);
	result_doc_free(&doc);
	plan_cases_free(cases, n);
	return r;
}

/* A test whose build was given up: it gets a run of its own, which no agent ever had. */
static int give_up_waiting(struct db *db, int64_t job_id, enum reason reason, const char *detail,
			   struct error *err)
{
	struct lease_row l = { .job_id = job_id };
	int64_t now = clock_now_us();
	int r = db_find(db, Q_RUN_ADD, ARGS(I(job_id), I(1), S(NULL), S(""), I(now)), &l.run_id,
			err);

	if (r == 1)
		r = run_end(db, l.run_id, "miss", STATUS_MISS, reason, detail, err);
	if (!r)
		r = write_missed_cases(db, &l, reason, detail, err);
	if (!r)
		r = job_end(db, &l, "failed", err);
	return r;
}

static int give_up_build(struct db *db, const struct lease_row *l, enum reason reason,
			 const char *detail, struct error *err)
{
	CLEANUP(free_p) int64_t *tests = NULL;
	size_t n = 0;
	int r = db_run(db, Q_BUILD_END,
		       ARGS(I(l->build_id), S("MISS"), S(reason_name(reason)), S(NULL), S(detail),
			    S(NULL), S(NULL), I(0), S(NULL)),
		       NULL, err);

	if (!r)
		r = write_build_result(db, l->run_id, STATUS_MISS, reason, detail, 0, err);
	if (!r)
		r = db_ids(db, Q_TESTS_WAITING, ARGS(I(l->build_id)), &tests, &n, err);
	for (size_t i = 0; i < n && !r; i++)
		r = give_up_waiting(db, tests[i], reason, "its kernel could not be built here",
				    err);
	return r;
}

int job_missed(struct db *db, const struct lease_row *l, const char *outcome, enum reason reason,
	       const char *detail, struct error *err)
{
	int r = run_end(db, l->run_id, outcome, STATUS_MISS, reason, detail, err);

	if (r < 0)
		return r;
	if (l->attempt < JOB_MAX_ATTEMPTS) {
		r = db_run(db, Q_JOB_REQUEUE, ARGS(I(l->job_id), I(0)), NULL, err);
		db->queued = true;
		return r < 0 ? r : event_add(db, Q_EVENT_JOB, l->job_id, err);
	}
	if (l->test_id)
		r = write_missed_cases(db, l, reason, detail, err);
	else
		r = give_up_build(db, l, reason, detail, err);
	if (!r)
		r = job_end(db, l, "failed", err);
	return r < 0 ? r : job_refresh(db, l->job_id, err);
}

/* The lease of an answer: true when the answer is to be taken. The same answer again is
 * LEASE_OK and changes nothing. */
static int answerable(struct db *db, int64_t job_id, const char *lease_hash, bool test,
		      struct lease_row *l, enum lease *ret_lease, bool *ret_take, struct error *err)
{
	int r = lease_find(db, job_id, lease_hash, l, ret_lease, err);

	*ret_take = false;
	if (r < 0 || *ret_lease == LEASE_UNKNOWN)
		return r;
	if (test != (l->test_id != 0))
		return error_set(err, -EINVAL, "job %lld is a %s", (long long)job_id,
				 job_kind_name(l->test_id ? JOB_TEST : JOB_BUILD));
	*ret_take = l->live;
	if (!l->live && (strcmp(l->outcome, "done") == 0 || strcmp(l->outcome, "miss") == 0))
		*ret_lease = LEASE_OK;
	return 0;
}

struct build_answer {
	int64_t job_id;
	const char *lease_hash;
	const struct build_result *b;
	char *warnings, *errors, *detail, *release;
	enum lease lease; /* out */
};

static int refresh(struct db *db, const struct lease_row *l, bool alone, struct error *err)
{
	if (alone && !l->again)
		return job_ended(db, l->job_id, l->run_id, err);
	return job_refresh(db, l->job_id, err);
}

static int end_build(struct db *db, const struct build_answer *a, const struct lease_row *l,
		     struct error *err)
{
	const struct build_result *b = a->b;
	bool pass = b->status == STATUS_PASS;
	int tests = 0, r;

	r = db_run(db, Q_BUILD_END,
		   ARGS(I(l->build_id), S(pass ? "PASS" : "FAIL"),
			S(pass ? "" : reason_name(b->reason)), S(a->release), S(a->detail),
			S(a->warnings), S(a->errors), I(pass && b->image), I(b->duration_us)),
		   NULL, err);
	if (!r)
		r = run_end(db, l->run_id, "done", b->status, b->reason, a->detail, err);
	if (!r && pass && b->image) {
		r = db_run(db, Q_TESTS_QUEUE, ARGS(I(l->build_id)), &tests, err);
		db->queued |= tests > 0;
	} else if (!r) {
		r = db_run(db, Q_TESTS_CANCEL, ARGS(I(l->build_id), I(clock_now_us())), &tests,
			   err);
	}
	if (!r && !pass)
		r = write_build_result(db, l->run_id, STATUS_FAIL, b->reason, a->detail,
				       b->duration_us, err);
	else if (!r && !b->image && tests)
		/* Nothing was tested, so nothing may look as if it had passed. */
		r = write_build_result(db, l->run_id, STATUS_ERROR, REASON_HARNESS,
				       "the build passed but made no image to boot", b->duration_us,
				       err);
	if (!r)
		r = job_end(db, l, "done", err);
	/* Cancelled tests ended too. */
	return r < 0 ? r : refresh(db, l, pass && b->image, err);
}

static int tx_build(struct db *db, void *arg, struct error *err)
{
	struct build_answer *a = arg;
	struct lease_row l;
	bool go;
	int r = answerable(db, a->job_id, a->lease_hash, false, &l, &a->lease, &go, err);

	if (r < 0 || !go)
		return r;
	if (a->b->status == STATUS_MISS)
		return job_missed(db, &l, "miss", a->b->reason, a->detail, err);
	return end_build(db, a, &l, err);
}

static char *lines_text(char *const *lines, size_t n)
{
	CLEANUP(json_put_p) struct json_object *a = json_object_new_array();

	for (size_t i = 0; i < n; i++)
		json_object_array_add(a, json_str(lines[i]));
	return json_text(a);
}

int store_build_done(struct store *s, int64_t job_id, const char *lease_hash,
		     const struct build_result *b, enum lease *ret, struct error *err)
{
	struct build_answer a = { .job_id = job_id, .lease_hash = lease_hash, .b = b };
	int r;

	if (b->status != STATUS_PASS && b->status != STATUS_FAIL && b->status != STATUS_MISS)
		return error_set(err, -EINVAL, "a build ends PASS, FAIL or MISS, not %s",
				 status_name(b->status));
	a.warnings = lines_text(b->warnings, b->n_warnings);
	a.errors = lines_text(b->errors, b->n_errors);
	a.detail = text_utf8(b->detail);
	a.release = text_utf8(b->release);
	r = store_write(s, tx_build, &a, err);
	free(a.warnings);
	free(a.errors);
	free(a.detail);
	free(a.release);
	if (!r)
		*ret = a.lease;
	return r;
}

struct test_answer {
	int64_t job_id;
	const char *lease_hash;
	struct result_rows rows;
	char *kernel, *machine; /* JSON; NULL: missed */
	enum reason reason;
	const char *detail;
	enum lease lease; /* out */
};

static int end_test(struct db *db, struct test_answer *a, const struct lease_row *l,
		    struct error *err)
{
	const struct result *worst = NULL;
	int at = -1;
	int r = result_rows_write(db, l->run_id, &a->rows, &at, err);

	if (r < 0)
		return r;
	if (at >= 0)
		worst = &a->rows.results[at];
	r = db_run(db, Q_RUN_HEADER, ARGS(I(l->run_id), S(a->kernel), S(a->machine)), NULL, err);
	if (!r && worst)
		r = run_end(db, l->run_id, "done", worst->status, worst->reason, worst->detail,
			    err);
	if (!r)
		r = job_end(db, l, "done", err);
	return r < 0 ? r : refresh(db, l, true, err);
}

static int tx_test(struct db *db, void *arg, struct error *err)
{
	struct test_answer *a = arg;
	struct lease_row l;
	bool go;
	int r = answerable(db, a->job_id, a->lease_hash, true, &l, &a->lease, &go, err);

	if (r < 0 || !go)
		return r;
	if (!a->kernel)
		return job_missed(db, &l, "miss", a->reason, a->detail, err);
	return end_test(db, a, &l, err);
}

static char *member_text(struct json_object *doc, const char *key)
{
	struct json_object *o = NULL;

	return json_object_object_get_ex(doc, key, &o) ? json_text(o) : xstrdup("{}");
}

int store_test_done(struct store *s, int64_t job_id, const char *lease_hash,
		    const struct result_doc *doc, enum reason miss_reason, const char *miss_detail,
		    enum lease *ret, struct error *err)
{
	struct test_answer a = { .job_id = job_id,
				 .lease_hash = lease_hash,
				 .reason = miss_reason,
				 .detail = miss_detail };
	int r;

	if (doc) {
		struct result_doc header = { .kernel = doc->kernel, .machine = doc->machine };
		CLEANUP(json_put_p) struct json_object *o = result_doc_to_json(&header);

		if (!doc->n_results)
			return error_set(err, -EINVAL, "a document without results says nothing");
		a.kernel = member_text(o, "kernel");
		a.machine = member_text(o, "machine");
		result_rows_make(&a.rows, doc->results, doc->n_results);
	} else if (reason_status(miss_reason) != STATUS_MISS) {
		return error_set(err, -EINVAL, "'%s' is not a reason for MISS",
				 reason_name(miss_reason));
	}
	r = store_write(s, tx_test, &a, err);
	result_rows_free(&a.rows);
	free(a.kernel);
	free(a.machine);
	if (!r)
		*ret = a.lease;
	return r;
}
