/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "db/store_internal.h"
#include "lib/clock.h"

static const char *const state_names[] = {
	[SUBMISSION_NEW] = "new",	  [SUBMISSION_FETCHING] = "fetching",
	[SUBMISSION_PLANNED] = "planned", [SUBMISSION_DONE] = "done",
	[SUBMISSION_REFUSED] = "refused",
};

const char *submission_state_name(int state)
{
	return (size_t)state < ARRAY_SIZE(state_names) ? state_names[state] : "?";
}

static int state_parse(const char *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(state_names); i++)
		if (strcmp(s, state_names[i]) == 0)
			return (int)i;
	return -1;
}

struct add {
	int64_t repo_id, token_id;
	const char *ref, *base, *plan;
	int64_t id; /* out */
};

static int tx_add(struct db *db, void *arg, struct error *err)
{
	struct add *a = arg;
	int r = db_find(db, Q_SUBMISSION_ADD,
			ARGS(I(a->repo_id), S(a->ref), S(a->base), S(a->plan), ID(a->token_id),
			     I(clock_now_us())),
			&a->id, err);

	return r < 0 ? r : event_add(db, Q_EVENT_SUBMISSION, a->id, err);
}

int store_submission_add(struct store *s, int64_t repo_id, const char *ref, const char *base,
			 const char *plan, int64_t token_id, int64_t *ret_id, struct error *err)
{
	struct add a = {
		.repo_id = repo_id, .token_id = token_id, .ref = ref, .base = base, .plan = plan
	};
	int r = store_write(s, tx_add, &a, err);

	if (r < 0)
		return r;
	*ret_id = a.id;
	return 0;
}

int store_submission_get(struct store *s, int64_t id, struct submission_row *ret, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(query_end) struct query q = { 0 };
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = query_start(&q, rd.db, Q_SUBMISSION_GET, ARGS(I(id)), err);
	if (!r)
		r = query_next(&q, err);
	if (r < 0)
		return r;
	if (r == 0)
		return error_set(err, -ENOENT, "there is no submission %lld", (long long)id);
	*ret = (struct submission_row){ .id = query_i64(&q, 0),
					.repo_id = query_i64(&q, 1),
					.branch_id = query_i64(&q, 2),
					.ref = query_dup(&q, 3),
					.base = query_dup(&q, 4),
					.plan = query_dup(&q, 5),
					.head_sha = query_dup(&q, 6),
					.base_sha = query_dup(&q, 7),
					.state = state_parse(query_text(&q, 8)) };
	return 0;
}

void submission_row_free(struct submission_row *r)
{
	free(r->ref);
	free(r->base);
	free(r->plan);
	free(r->head_sha);
	free(r->base_sha);
	*r = (struct submission_row){ 0 };
}

int store_submissions_open(struct store *s, int64_t **ret_ids, size_t *ret_n, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	int r = reader_begin(&rd, s, err);

	return r < 0 ? r : db_ids(rd.db, Q_SUBMISSIONS_OPEN, NO_ARGS, ret_ids, ret_n, err);
}

struct change {
	int64_t id;
	const char *state, *message;
};

static int tx_state(struct db *db, void *arg, struct error *err)
{
	const struct change *c = arg;
	int changes = 0;
	int r = db_run(db, Q_SUBMISSION_STATE,
		       ARGS(I(c->id), S(c->state), S(c->message), I(clock_now_us())), &changes,
		       err);

	if (!r && !changes)
		return error_set(err, -ENOENT, "there is no submission %lld that may become %s",
				 (long long)c->id, c->state);
	return r < 0 ? r : event_add(db, Q_EVENT_SUBMISSION, c->id, err);
}

int store_submission_state(struct store *s, int64_t id, enum submission_state state,
			   const char *message, struct error *err)
{
	CLEANUP(free_p) char *clean = text_utf8(message);
	struct change c = { .id = id,
			    .state = submission_state_name((int)state),
			    .message = clean };

	return store_write(s, tx_state, &c, err);
}

int submission_refresh(struct db *db, int64_t id, struct error *err)
{
	int changes = 0;
	int r = db_run(db, Q_SUBMISSION_REFRESH, ARGS(I(id)), NULL, err);

	if (!r)
		r = db_run(db, Q_SUBMISSION_FINISH, ARGS(I(id), I(clock_now_us())), &changes, err);
	if (!r && changes)
		r = event_add(db, Q_EVENT_SUBMISSION, id, err);
	return r;
}

int job_ended(struct db *db, int64_t job_id, int64_t run_id, struct error *err)
{
	CLEANUP(free_p) int64_t *ids = NULL;
	size_t n = 0;
	int r = db_run(db, Q_SUBMISSION_JOB_ENDED, ARGS(I(job_id), I(run_id)), NULL, err);

	if (!r)
		r = db_ids(db, Q_SUBMISSIONS_FINISHED, ARGS(I(job_id), I(clock_now_us())), &ids, &n,
			   err);
	for (size_t i = 0; i < n && !r; i++)
		r = event_add(db, Q_EVENT_SUBMISSION, ids[i], err);
	return r;
}

int job_refresh(struct db *db, int64_t job_id, struct error *err)
{
	CLEANUP(free_p) int64_t *ids = NULL;
	size_t n = 0;
	int r = db_ids(db, Q_SUBMISSIONS_OF_JOB, ARGS(I(job_id)), &ids, &n, err);

	for (size_t i = 0; i < n && !r; i++)
		r = submission_refresh(db, ids[i], err);
	return r;
}
