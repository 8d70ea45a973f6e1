/* SPDX-License-Identifier: MIT */
/*
 * collect: the strict reader of what the guest writes on the results channel
 * (docs/guest-protocol.md): KTAP lines and the JSON records in them.
 *
 * Whatever contradicts the request or itself (a plan that is not the number of cases, a result
 * without its begin, a point out of turn, a second result, an end too early, a line that is too
 * long or no KTAP) is -EPROTO: a stream that is not understood proves nothing.
 * Thread: the machine's. Included by agent/.
 */
#ifndef FAULTLINE_AGENT_COLLECT_H
#define FAULTLINE_AGENT_COLLECT_H

#include "jobs/judge.h"
#include "lib/buf.h"

enum collect_type {
	COLLECT_READY,
	COLLECT_CALIBRATION,
	COLLECT_BEGIN,
	COLLECT_RESULT,
	COLLECT_CASE, /* the case's own "ok" line */
	COLLECT_BAIL, /* unkillable: nothing more comes */
	COLLECT_END
};

struct collect_event {
	enum collect_type type;
	int64_t id;
	int nth;
	struct point *point; /* RESULT: the handler takes the contents and leaves it zeroed */
	const char *release; /* READY; borrowed */
	bool allocates; /* CALIBRATION */
};

typedef void (*collect_fn)(void *arg, const struct collect_event *e);

struct collect_case {
	int64_t id;
	bool sweep;
	int first; /* nth of its first point: `from`, the n of mode nth, else 0 */
	int points; /* of a sweep, at most, in this answer; 0 = as many as come */
	bool only_skip; /* answered only if it does not apply; else it ends without a result */
};

enum collect_state {
	COLLECT_WAIT_READY, /* booting */
	COLLECT_IDLE, /* waits for a request */
	COLLECT_WAIT_HEAD, /* request sent */
	COLLECT_WAIT_PLAN,
	COLLECT_CASES,
	COLLECT_BAILED
};

struct collect {
	struct buf line;
	struct buf output; /* of the open point */
	enum collect_state state;
	struct collect_case *cases; /* owned copy */
	size_t n_cases;
	size_t at; /* the case whose turn it is */
	bool open; /* begin without result */
	bool case_done; /* its last result came, the "ok" line did not */
	int nth; /* of the open or the next point */
	int results; /* of this case */
	bool expecting; /* an answer follows the ready record at once */
	int records;
	collect_fn fn;
	void *arg;
};

void collect_init(struct collect *c, collect_fn fn, void *arg);
void collect_free(struct collect *c);
/* The machine was restored: it has said ready before. */
void collect_restored(struct collect *c);
/* From now on the answer to this request is expected. Only in COLLECT_IDLE, or before the ready
 * record of a machine that brings its request. */
void collect_expect(struct collect *c, const struct collect_case *cases, size_t n);
/* -EPROTO at the first line that is wrong; nothing may be fed after that. */
must_check int collect_feed(struct collect *c, const char *data, size_t len, struct error *err);

#endif
