/* SPDX-License-Identifier: MIT */
/*
 * report: a regression as a mail tells of it, laid out like the kernel test robot's, which
 * maintainers know (lore.kernel.org, "[tree:branch] [prefix]  sha10: …").
 *
 * Pure: made from the view of view_report() (db/store_regress.h) alone. What the view does not know is
 * left out, and its texts may hold anything: what a kernel printed is indented and cleaned, so it can
 * neither begin a header, a tag or a command to a robot, nor move a reader's terminal.
 * Thread: any.
 */
#ifndef FAULTLINE_JOBS_REPORT_H
#define FAULTLINE_JOBS_REPORT_H

#include <stdint.h>

#include "lib/buf.h"
#include "lib/json.h"

enum report_kind {
	REPORT_NEW, /* what was noticed */
	REPORT_FIXED, /* follows the first: it does not happen any more */
};

/* Borrowed. */
struct report_opts {
	enum report_kind kind;
	const char *url; /* where others reach the server, for links; NULL: no links */
	const char *from; /* who reports: "faultline <ci@example.org>", mail_address() */
	const char *const *to; /* of a mail, besides the author of the culprit */
	size_t n_to;
	bool to_author; /* of the culprit, when one commit is known to be it */
};

#define REPORT_FROM "faultline <faultline@localhost>" /* of those who set no other */
#define REPORT_ID_MAX 400

/* The Message-ID of a kind of report without <>: the same whenever it is written. */
void report_id(struct json_object *view, const struct report_opts *o, enum report_kind kind,
	       char ret[REPORT_ID_MAX]);
/* "[repo:ref] [config]  sha10: title", with "Re: " in what follows. Suspects that are several are
 * named by their interval, good10..bad10. */
void report_subject(struct json_object *view, const struct report_opts *o, struct buf *out);
/* Append; cannot fail. Prose is wrapped at 72 columns, what the kernel or the compiler said is not. */
void report_text(struct json_object *view, const struct report_opts *o, struct buf *out);
/* One RFC 5322 message (lib/mail.h), and one message of a mailbox. Its date is that of the state that
 * it tells of, so it is the same whenever it is written. */
void report_mail(struct json_object *view, const struct report_opts *o, struct buf *out);
void report_mbox(struct json_object *view, const struct report_opts *o, struct buf *out);

#endif
