/* SPDX-License-Identifier: MIT */
/*
 * outbox: a thread that sends what the store has to be told (db/store_outbox.h): mail by SMTP, hooks
 * by HTTP. What is not taken is tried again, later and later; nothing is sent twice, not even when
 * the server dies in the middle of it.
 */
#ifndef FAULTLINE_SERVER_OUTBOX_H
#define FAULTLINE_SERVER_OUTBOX_H

#include "db/store_regress.h"
#include "lib/error.h"
#include "server/config.h"

struct outbox;
struct server;

must_check int outbox_start(struct server *srv, struct outbox **ret, struct error *err);
/* Something was put in. NULL is fine. */
void outbox_poke(struct outbox *o);
void outbox_stop(struct outbox *o); /* in two parts, as regress.h has it; NULL is fine */
void outbox_free(struct outbox *o);

/* How long what was not taken waits after so many attempts (0: the first). µs. */
int64_t outbox_wait_us(const struct config *c, int attempts);

/* Who is told of a regression of this line of history: what its branch says, the author of the first
 * bad commit (may be NULL) in the place of "author". At most two; their texts are in ret_texts, which
 * the caller frees. */
size_t outbox_recipients(const struct config *c, const char *repo, const char *ref,
			 const char *author, struct recipient_new ret[2], char *ret_texts[2]);

#endif
