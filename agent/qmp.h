/* SPDX-License-Identifier: MIT */
/*
 * qmp: QEMU's monitor, as much of it as a snapshot takes (docs/interop/qmp-spec.txt of QEMU).
 *
 * The other end is a process that a guest may have got hold of: every line is capped and parsed
 * strictly, events are capped in number, and every wait has a deadline.
 * Thread: the machine's. Included by agent/.
 */
#ifndef FAULTLINE_AGENT_QMP_H
#define FAULTLINE_AGENT_QMP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/json.h"

struct qmp {
	int fd; /* borrowed; a stream socket */
	int64_t deadline_us; /* monotonic; of everything together */
	bool (*cancelled)(void *arg); /* may be NULL */
	void *arg;
	struct buf in;
	int lines; /* read so far */
};

/* Reads the greeting and leaves the negotiation mode. -EPROTO for anything else than QMP, -EPIPE
 * when nobody is there, -ETIMEDOUT, -ECANCELED. qmp_free() in any case. */
must_check int qmp_open(struct qmp *q, int fd, int timeout_ms, struct error *err);
void qmp_free(struct qmp *q);
/* One command; `arguments` is JSON text or NULL, `send_fd` a descriptor that goes along or -1.
 * *ret (may be NULL) gets a new reference to what "return" holds. -EIO with QEMU's own words when
 * it refuses, else as qmp_open(). */
must_check int qmp_command(struct qmp *q, const char *name, const char *arguments, int send_fd,
			   struct json_object **ret, struct error *err);
/* The same as text, with its line break, for who sends without reading. Appends. */
void qmp_format(struct buf *out, const char *name, const char *arguments);

#endif
