/* SPDX-License-Identifier: MIT */
/*
 * poked: a thread that works when it is poked: once at the start for what a restart left, then
 * whenever there may be something new, and after a while again when its work asks for that.
 */
#ifndef FAULTLINE_SERVER_POKED_H
#define FAULTLINE_SERVER_POKED_H

#include <stdbool.h>

#include "lib/error.h"

struct poked;

struct poked_conf {
	const char *name; /* for messages */
	/* Does all there is to do, in the thread. True: something went wrong on our side and is to be
	 * tried again. */
	bool (*work)(void *arg);
	void *arg;
	int retry_ms; /* after work() returned true */
	int pause_ms; /* at least so long from the end of one work() to the next; 0 = none */
};

must_check int poked_start(const struct poked_conf *conf, struct poked **ret, struct error *err);
void poked_poke(struct poked *p); /* NULL is fine; never blocks for long */
/* Long work() asks in between. `arg` is the struct poked. */
bool poked_stopping(void *arg);
/* Waits for work() to return; after it poked_poke() does nothing. NULL is fine. */
void poked_stop(struct poked *p);
void poked_free(struct poked *p); /* stops it first; NULL is fine */

#endif
