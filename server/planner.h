/* SPDX-License-Identifier: MIT */
/*
 * planner: turns accepted submissions into commits and jobs. One thread; after a restart it goes on
 * with what was not planned yet.
 */
#ifndef FAULTLINE_SERVER_PLANNER_H
#define FAULTLINE_SERVER_PLANNER_H

#include "server/gitcmd.h"
#include "server/tracker_range.h"

struct planner;
struct server;

must_check int planner_start(struct server *srv, struct planner **ret, struct error *err);
void planner_poke(struct planner *p); /* there is work; any thread; NULL is fine */
void planner_stop(struct planner *p);

struct range_request {
	int64_t id; /* of the submission: its commits are kept by references of that number */
	const char *url;
	const char *ref; /* branch, tag, full name or hash */
	const char *head; /* hash that is there already; NULL = the ref is to be fetched */
	const char *base; /* as asked for; may be NULL */
	const char *default_base; /* branch; NULL = first parent */
	size_t every_max; /* a range of more commits gives only its two ends, between which a
			   * regression is searched for; 0 = it is refused above LIMIT_COMMITS */
};

/* Fetches what is missing and lists base and base..head. Every error is something to tell the
 * submitter, but for -ECANCELED. */
must_check int planner_range(const struct gitcmd *g, const char *dir,
			     const struct range_request *req, struct commit_list *ret,
			     struct error *err);

#endif
