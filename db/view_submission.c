/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "db/store_internal.h"

int view_submissions(struct store *s, const char *cursor, int limit, struct json_object **ret,
		     struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(query_end) struct query q = { 0 };
	int64_t before = INT64_MAX;
	int r = cursor_parse(cursor, 's', &before, 1, err);

	if (!r)
		r = limit_check(limit, err);
	if (!r)
		r = reader_begin(&rd, s, err);
	if (!r)
		r = query_start(&q, rd.db, Q_SUBMISSIONS_VIEW,
				ARGS(I(cursor ? before - 1 : before), I(0), I(limit + 1)), err);
	return r < 0 ? r : view_page(&q, 's', limit, ret, err);
}

static int add_matrix(struct db *db, int64_t submission, bool brief, struct json_object *o,
		      struct error *err)
{
	CLEANUP(matrix_free_p) struct matrix *m = matrix_new();
	struct json_object *matrix = NULL;
	int r = matrix_add(m, db, Q_MATRIX_OF_SUBMISSION, submission, INT_MAX, err);

	if (!r)
		r = matrix_finish(m, db, brief, &matrix, err);
	if (!r)
		json_object_object_add(o, "matrix", matrix);
	return r;
}

static int submission(struct store *s, int64_t id, bool brief, struct json_object **ret,
		      struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct json_object *part = NULL;
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = db_row(rd.db, Q_SUBMISSIONS_VIEW, ARGS(I(id), I(id), I(1)), &o, err);
	if (r < 0)
		return r;
	if (r == 0)
		return error_set(err, -ENOENT, "there is no submission %lld", (long long)id);
	r = db_add_rows(rd.db, Q_SUBMISSION_COMMITS_VIEW, id, "commits", o, err);
	if (!r)
		r = db_row(rd.db, Q_SUBMISSION_JOBS_VIEW, ARGS(I(id)), &part, err);
	if (r < 0)
		return r;
	json_object_object_add(o, "jobs", part);
	r = progress_add(rd.db, id, o, err);
	if (!r)
		r = add_matrix(rd.db, id, brief, o, err);
	if (!r)
		*ret = STEAL(o);
	return r;
}

int view_submission(struct store *s, int64_t id, struct json_object **ret, struct error *err)
{
	return submission(s, id, false, ret, err);
}

int view_submission_brief(struct store *s, int64_t id, struct json_object **ret, struct error *err)
{
	return submission(s, id, true, ret, err);
}

int view_branches(struct store *s, struct json_object **ret, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	struct json_object *items = NULL;
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = db_rows(rd.db, Q_BRANCHES_VIEW, ARGS(S(NULL), S(NULL)), &items, err);
	if (!r)
		*ret = view_list(items);
	return r;
}

/* The matrix of the newest commits of a branch, and the submissions that have them. */
static int add_branch_matrix(struct db *db, int64_t branch, int limit, bool brief,
			     struct json_object *o, struct error *err)
{
	CLEANUP(matrix_free_p) struct matrix *m = matrix_new();
	CLEANUP(free_p) int64_t *ids = NULL;
	struct json_object *submissions, *matrix = NULL;
	size_t n = 0;
	int r = db_ids(db, Q_BRANCH_SUBMISSIONS, ARGS(I(branch), I(limit)), &ids, &n, err);

	if (r < 0)
		return r;
	submissions = json_object_new_array();
	json_object_object_add(o, "submissions", submissions);
	for (size_t i = 0; i < n && !r && matrix_commits(m) < limit; i++) {
		struct json_object *one = NULL;

		r = db_row(db, Q_SUBMISSIONS_VIEW, ARGS(I(ids[i]), I(ids[i]), I(1)), &one, err);
		if (r == 1) {
			json_object_array_add(submissions, one);
			r = 0;
		}
		if (!r)
			r = matrix_add(m, db, Q_MATRIX_OF_SUBMISSION, ids[i], limit, err);
	}
	if (!r)
		r = matrix_finish(m, db, brief, &matrix, err);
	if (!r)
		json_object_object_add(o, "matrix", matrix);
	return r;
}

static int branch(struct store *s, const char *repo, const char *ref, int limit, bool brief,
		  struct json_object **ret, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(json_put_p) struct json_object *o = NULL;
	int r = limit_check(limit, err);

	if (!r)
		r = reader_begin(&rd, s, err);
	if (!r)
		r = db_row(rd.db, Q_BRANCHES_VIEW, ARGS(S(repo), S(ref)), &o, err);
	if (r < 0)
		return r;
	if (r == 0)
		return error_set(err, -ENOENT, "there is no branch '%s' of '%s'", ref, repo);
	r = add_branch_matrix(rd.db, json_object_get_int64(json_object_object_get(o, "id")), limit,
			      brief, o, err);
	if (!r)
		*ret = STEAL(o);
	return r;
}

int view_branch(struct store *s, const char *repo, const char *ref, int limit,
		struct json_object **ret, struct error *err)
{
	return branch(s, repo, ref, limit, false, ret, err);
}

int view_branch_brief(struct store *s, const char *repo, const char *ref, int limit,
		      struct json_object **ret, struct error *err)
{
	return branch(s, repo, ref, limit, true, ret, err);
}

static int commit(struct store *s, const char *sha, bool brief, struct json_object **ret,
		  struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(matrix_free_p) struct matrix *m = matrix_new();
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct json_object *part = NULL;
	int64_t id;
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = db_row(rd.db, Q_COMMIT_VIEW, ARGS(S(sha)), &o, err);
	if (r < 0)
		return r;
	if (r == 0)
		return error_set(err, -ENOENT, "there is no commit %s", sha);
	id = json_object_get_int64(json_object_object_get(o, "id"));
	json_object_object_del(o, "id");
	r = db_add_rows(rd.db, Q_COMMIT_SUBMISSIONS, id, "submissions", o, err);
	if (!r)
		r = matrix_add(m, rd.db, Q_MATRIX_OF_COMMIT, id, 1, err);
	if (!r)
		r = matrix_finish(m, rd.db, brief, &part, err);
	if (r < 0)
		return r;
	json_object_object_add(o, "matrix", part);
	*ret = STEAL(o);
	return 0;
}

int view_commit(struct store *s, const char *sha, struct json_object **ret, struct error *err)
{
	return commit(s, sha, false, ret, err);
}

int view_commit_brief(struct store *s, const char *sha, struct json_object **ret, struct error *err)
{
	return commit(s, sha, true, ret, err);
}
