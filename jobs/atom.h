/* SPDX-License-Identifier: MIT */
/*
 * atom: regressions as an Atom feed (RFC 4287), for readers that ask again by themselves. An entry is
 * a regression, not a change of one: its id stays, `updated` moves.
 * Pure. Thread: any.
 */
#ifndef FAULTLINE_JOBS_ATOM_H
#define FAULTLINE_JOBS_ATOM_H

#include "lib/buf.h"
#include "lib/json.h"

/* All borrowed. */
struct atom_feed {
	const char *origin; /* part of every id (RFC 4151): export_origin_is_valid() */
	const char *url; /* where others reach the server; NULL: not known,
			  * then links are paths of the server that was asked */
	const char *query; /* what the feed was asked with, percent-encoded; "" for everything */
	const char *what; /* what it is about, for its title: "mm mm-stable" */
};

/* Appends the document. `view` is that of view_regressions() (db/store_regress.h), borrowed. -EINVAL
 * naming the path of what it lacks. */
must_check int atom_regressions(const struct atom_feed *f, struct json_object *view,
				struct buf *out, struct error *err);

#endif
