/* SPDX-License-Identifier: MIT */
/*
 * repro: one shell command that replays exactly one result.
 * Thread: any. Included by agent/ and cli/.
 */
#ifndef FAULTLINE_AGENT_REPRO_H
#define FAULTLINE_AGENT_REPRO_H

#include "agent/engine.h"

struct buf;

/* Appends `s` as one word for a POSIX shell: as it is when nothing in it is special, else in single
 * quotes. */
void repro_quote(struct buf *out, const char *s);
/* "faultline run --kernel X --scenario S --fault F --memory M --cpus C --accel A"; a sweep's point
 * becomes mode=nth with its n. What failed is offered to be replayed, in a comment. `accel` is the one that was used. Owned. */
char *repro_command(const struct testrun_opts *opts, enum accel accel, const struct result *r);

#endif
