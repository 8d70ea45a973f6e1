/* SPDX-License-Identifier: MIT */
/*
 * sched: what happens by the clock: leases past their deadline are taken back.
 */
#ifndef FAULTLINE_SERVER_SCHED_H
#define FAULTLINE_SERVER_SCHED_H

#include "lib/error.h"

struct sched;
struct store;

must_check int sched_start(struct store *store, struct sched **ret, struct error *err);
void sched_stop(struct sched *s); /* NULL is fine */

#endif
