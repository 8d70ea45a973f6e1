/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "db/store_internal.h"
#include "lib/clock.h"

int store_repo_put(struct store *s, const char *name, const char *url, bool configured,
		   int64_t *ret_id, struct error *err)
{
	int r = store_insert(s, Q_REPO_PUT, ARGS(S(name), S(url), I(configured), I(clock_now_us())),
			     ret_id, err);

	if (r == 0)
		return error_set(err, -EEXIST, "repository '%s' is the administrator's", name);
	return r < 0 ? r : 0;
}

static int repo_read(struct store *s, enum db_query name, struct arg key, struct repo_row *ret,
		     struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(query_end) struct query q = { 0 };
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = query_start(&q, rd.db, name, &key, 1, err);
	if (!r)
		r = query_next(&q, err);
	if (r < 0)
		return r;
	if (r == 0)
		return key.s ? error_set(err, -ENOENT, "there is no repository '%s'", key.s)
			     : error_set(err, -ENOENT, "there is no repository %lld",
					 (long long)key.i);
	*ret = (struct repo_row){ .id = query_i64(&q, 0),
				  .name = query_dup(&q, 1),
				  .url = query_dup(&q, 2),
				  .configured = query_i64(&q, 3) != 0 };
	return 0;
}

int store_repo_get(struct store *s, int64_t id, struct repo_row *ret, struct error *err)
{
	return repo_read(s, Q_REPO_GET, I(id), ret, err);
}

int store_repo_by_name(struct store *s, const char *name, struct repo_row *ret, struct error *err)
{
	return repo_read(s, Q_REPO_BY_NAME, S(name), ret, err);
}

void repo_row_free(struct repo_row *r)
{
	free(r->name);
	free(r->url);
	*r = (struct repo_row){ 0 };
}

int store_branch_put(struct store *s, int64_t repo_id, const char *ref, const char *base_ref,
		     const char *plan, int64_t *ret_id, struct error *err)
{
	int r = store_insert(s, Q_BRANCH_PUT, ARGS(I(repo_id), S(ref), S(base_ref), S(plan)),
			     ret_id, err);

	return r < 0 ? r : 0;
}

int store_branches_unfollow(struct store *s, struct error *err)
{
	return store_run(s, Q_BRANCHES_UNFOLLOW, NO_ARGS, NULL, err);
}

int store_branches(struct store *s, struct branch_row **ret, size_t *ret_n, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(query_end) struct query q = { 0 };
	struct branch_row *rows = NULL;
	size_t n = 0, cap = 0;
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = query_start(&q, rd.db, Q_BRANCHES, NO_ARGS, err);
	if (r < 0)
		return r;
	while ((r = query_next(&q, err)) == 1) {
		ARRAY_RESERVE(rows, n, cap);
		rows[n++] = (struct branch_row){ .id = query_i64(&q, 0),
						 .repo_id = query_i64(&q, 1),
						 .ref = query_dup(&q, 2),
						 .base_ref = query_dup(&q, 3),
						 .plan = query_dup(&q, 4),
						 .tip = query_dup(&q, 5) };
	}
	if (r < 0) {
		branch_rows_free(rows, n);
		return r;
	}
	*ret = rows;
	*ret_n = n;
	return 0;
}

void branch_rows_free(struct branch_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(rows[i].ref);
		free(rows[i].base_ref);
		free(rows[i].plan);
		free(rows[i].tip);
	}
	free(rows);
}

struct moved {
	int64_t branch_id;
	const char *old_tip, *new_tip;
	int64_t submission; /* out */
};

static int tx_moved(struct db *db, void *arg, struct error *err)
{
	struct moved *m = arg;
	int changes = 0;
	int r = db_run(db, Q_BRANCH_TIP, ARGS(I(m->branch_id), S(m->new_tip)), &changes, err);

	if (!r && !changes)
		return error_set(err, -ENOENT, "there is no branch %lld", (long long)m->branch_id);
	if (!r)
		r = db_find(db, Q_BRANCH_SUBMISSION, ARGS(I(m->branch_id), S(m->new_tip)),
			    &m->submission, err);
	if (r)
		return r;
	r = db_find(db, Q_BRANCH_SUBMIT,
		    ARGS(I(m->branch_id), S(m->old_tip), S(m->new_tip), I(clock_now_us())),
		    &m->submission, err);
	if (r == 1)
		r = event_add(db, Q_EVENT_BRANCH, m->branch_id, err);
	if (!r)
		r = event_add(db, Q_EVENT_SUBMISSION, m->submission, err);
	return r;
}

int store_branch_moved(struct store *s, int64_t branch_id, const char *old_tip, const char *new_tip,
		       int64_t *ret_submission, struct error *err)
{
	struct moved m = { .branch_id = branch_id, .old_tip = old_tip, .new_tip = new_tip };
	int r = store_write(s, tx_moved, &m, err);

	if (r < 0)
		return r;
	*ret_submission = m.submission;
	return 0;
}

struct checked {
	int64_t branch_id;
	const char *message;
	bool gone;
};

static int tx_checked(struct db *db, void *arg, struct error *err)
{
	const struct checked *c = arg;
	int64_t now = clock_now_us();
	int changes = 0;
	int r = db_run(db, Q_EVENT_BRANCH_MESSAGE, ARGS(I(c->branch_id), I(now), S(c->message)),
		       &changes, err);

	if (!r && changes)
		db->events = true;
	if (!r)
		r = db_run(db, Q_BRANCH_CHECKED,
			   ARGS(I(c->branch_id), S(c->message), I(now), I(c->gone)), &changes, err);
	if (!r && !changes)
		return error_set(err, -ENOENT, "there is no branch %lld", (long long)c->branch_id);
	return r;
}

int store_branch_checked(struct store *s, int64_t branch_id, const char *message, bool gone,
			 struct error *err)
{
	CLEANUP(free_p) char *clean = text_utf8(message);
	struct checked c = { .branch_id = branch_id, .message = clean, .gone = gone };

	return store_write(s, tx_checked, &c, err);
}
