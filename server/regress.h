/* SPDX-License-Identifier: MIT */
/*
 * regress: from results to regressions. A thread that compares every submission that is done, and
 * takes every open regression one step further whenever a test that was asked for has ended.
 *
 *   submission done → regress_find.c → rows "new" → regress_step.c → probes → agents → results →
 *   regress_step.c → … → fixed, flaky, infrastructure or stale
 */
#ifndef FAULTLINE_SERVER_REGRESS_H
#define FAULTLINE_SERVER_REGRESS_H

#include "lib/error.h"

struct regress;
struct server;

must_check int regress_start(struct server *srv, struct regress **ret, struct error *err);
/* Something ended. NULL is fine. */
void regress_poke(struct regress *r);
/* In two parts, since the store's thread pokes until it has ended. NULL is fine. */
void regress_stop(struct regress *r);
void regress_free(struct regress *r);

#endif
