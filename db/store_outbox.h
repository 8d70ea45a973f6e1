/* SPDX-License-Identifier: MIT */
/*
 * store_outbox: what is to be told about regressions to people (mail) and programs (hooks). Entries
 * are made in the transaction of the state that they tell of (store_regression_step()), so none is
 * forgotten and none is made twice.
 *
 * waiting → sending → sent. "sending" is on disk before the first byte of a message leaves: after a
 * crash in between nobody knows whether it arrived, and it becomes "doubtful" instead of being sent
 * twice. What the other side refuses for good is "refused".
 */
#ifndef FAULTLINE_DB_STORE_OUTBOX_H
#define FAULTLINE_DB_STORE_OUTBOX_H

#include "db/store.h"

struct outbox_row {
	int64_t id, regression_id;
	char *kind; /* report, fixed */
	char *channel; /* mail, hook */
	char *recipient; /* addresses with commas between; an URL */
	int attempts; /* that failed so far */
};

/* The next one that is due at `now_us`: 1 with *ret (outbox_row_free()), 0 = none. */
must_check int store_outbox_due(struct store *s, int64_t now_us, struct outbox_row *ret,
				struct error *err);
void outbox_row_free(struct outbox_row *r);
/* The first byte is about to leave. -ENOENT when it is not waiting. */
must_check int store_outbox_begin(struct store *s, int64_t id, struct error *err);

enum outbox_end {
	OUTBOX_SENT,
	OUTBOX_REFUSED, /* for good */
	OUTBOX_DOUBTFUL, /* nobody knows: it is not sent again */
	OUTBOX_AGAIN /* nothing left this machine, or the other side said "later" */
};

/* How an attempt ended; `message` may be NULL, next_us is for OUTBOX_AGAIN. */
must_check int store_outbox_end(struct store *s, int64_t id, enum outbox_end end,
				const char *message, int64_t next_us, struct error *err);
/* Once at the start: what was being sent when the server ended is doubtful. */
must_check int store_outbox_recover(struct store *s, int *ret_n, struct error *err);

/* Newest first: {"items":[{"id","state","kind","channel","recipient","regression","title",
 * "attempts","message","created","due","ended"}],"next"}; state NULL: any. New reference. */
must_check int view_outbox(struct store *s, const char *state, const char *cursor, int limit,
			   struct json_object **ret, struct error *err);

#endif
