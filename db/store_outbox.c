/* SPDX-License-Identifier: MIT */
#include "db/store_outbox.h"

#include <errno.h>

#include "db/store_internal.h"
#include "lib/clock.h"

int store_outbox_due(struct store *s, int64_t now_us, struct outbox_row *ret, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(query_end) struct query q = { 0 };
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = query_start(&q, rd.db, Q_OUTBOX_DUE, ARGS(I(now_us)), err);
	if (!r)
		r = query_next(&q, err);
	if (r == 1)
		*ret = (struct outbox_row){ .id = query_i64(&q, 0),
					    .regression_id = query_i64(&q, 1),
					    .kind = query_dup(&q, 2),
					    .channel = query_dup(&q, 3),
					    .recipient = query_dup(&q, 4),
					    .attempts = (int)query_i64(&q, 5) };
	return r;
}

void outbox_row_free(struct outbox_row *r)
{
	free(r->kind);
	free(r->channel);
	free(r->recipient);
	*r = (struct outbox_row){ 0 };
}

int store_outbox_begin(struct store *s, int64_t id, struct error *err)
{
	int changes = 0, r = store_run(s, Q_OUTBOX_BEGIN, ARGS(I(id)), &changes, err);

	if (!r && !changes)
		r = error_set(err, -ENOENT, "message %lld does not wait", (long long)id);
	return r;
}

int store_outbox_end(struct store *s, int64_t id, enum outbox_end end, const char *message,
		     int64_t next_us, struct error *err)
{
	static const char *const states[] = { [OUTBOX_SENT] = "sent",
					      [OUTBOX_REFUSED] = "refused",
					      [OUTBOX_DOUBTFUL] = "doubtful",
					      [OUTBOX_AGAIN] = "waiting" };
	CLEANUP(free_p) char *text = text_utf8(message);

	return store_run(s, Q_OUTBOX_END,
			 ARGS(I(id), S(states[end]), S(text), I(next_us), I(clock_now_us()),
			      I(end == OUTBOX_AGAIN)),
			 NULL, err);
}

int store_outbox_recover(struct store *s, int *ret_n, struct error *err)
{
	return store_run(s, Q_OUTBOX_RECOVER, ARGS(I(clock_now_us())), ret_n, err);
}

int view_outbox(struct store *s, const char *state, const char *cursor, int limit,
		struct json_object **ret, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(query_end) struct query q = { 0 };
	int64_t before = INT64_MAX;
	int r = cursor_parse(cursor, 'o', &before, 1, err);

	if (!r)
		r = limit_check(limit, err);
	if (!r)
		r = reader_begin(&rd, s, err);
	if (!r)
		r = query_start(&q, rd.db, Q_OUTBOX_VIEW,
				ARGS(I(cursor ? before - 1 : before), I(limit + 1), S(state)), err);
	return r < 0 ? r : view_page(&q, 'o', limit, ret, err);
}
