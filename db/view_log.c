/* SPDX-License-Identifier: MIT */
/*
 * What the pages and streams of a log ask again and again while it is looked at: little, so that a log
 * of 100 MB with hundreds of results costs no more than a short one.
 */
#include <errno.h>

#include "db/store_internal.h"

int store_run_log(struct store *s, int64_t run, int64_t *ret_size, bool *ret_ended,
		  struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(query_end) struct query q = { 0 };
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = query_start(&q, rd.db, Q_RUN_LOG, ARGS(I(run)), err);
	if (!r)
		r = query_next(&q, err);
	if (r < 0)
		return r;
	if (r == 0)
		return error_set(err, -ENOENT, "there is no run %lld", (long long)run);
	*ret_size = query_i64(&q, 0);
	*ret_ended = query_i64(&q, 1);
	return 0;
}

int store_result_part(struct store *s, int64_t run, int64_t result, int64_t *ret_offset,
		      int64_t *ret_len, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(query_end) struct query q = { 0 };
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = query_start(&q, rd.db, Q_RESULT_PART, ARGS(I(result), I(run)), err);
	if (!r)
		r = query_next(&q, err);
	if (r < 0)
		return r;
	if (r == 0)
		return error_set(err, -ENOENT, "run %lld has no result %lld in its log",
				 (long long)run, (long long)result);
	*ret_offset = query_i64(&q, 0);
	*ret_len = query_i64(&q, 1);
	return 0;
}

int view_run_head(struct store *s, int64_t id, struct json_object **ret, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = db_row(rd.db, Q_RUN_VIEW, ARGS(I(id)), ret, err);
	if (r == 0)
		r = error_set(err, -ENOENT, "there is no run %lld", (long long)id);
	return r < 0 ? r : 0;
}

int view_run_results_at(struct store *s, int64_t run, int64_t from, int64_t to,
			struct json_object **ret, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = db_rows(rd.db, Q_RUN_RESULTS_AT, ARGS(I(run), I(from), I(to)), ret, err);
	return r;
}
