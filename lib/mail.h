/* SPDX-License-Identifier: MIT */
/*
 * mail: a message of plain text as RFC 5322 wants it, from texts that may hold anything. No text can
 * begin a header of its own: controls, line ends among them, become '?', and marks that reverse what
 * follows U+FFFD. Lines end with "\n"; who sends by SMTP makes them "\r\n".
 * Thread: any.
 */
#ifndef FAULTLINE_LIB_MAIL_H
#define FAULTLINE_LIB_MAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"

#define MAIL_ADDR_MAX 255 /* RFC 5321 4.5.3.1: a path has at most 254 characters */
#define MAIL_NAME_MAX 128 /* of a person; longer ones are cut */
#define MAIL_SUBJECT_MAX 400 /* bytes; longer ones are cut */
#define MAIL_LINE_MAX 998 /* bytes of a line without its end, RFC 5322 2.1.1 */

/* Takes "Name <local@domain>" or "local@domain" apart. False when there is no address of the plain
 * kind (RFC 5322's dot-atom, ASCII) in it: then nothing can be sent there. The name may be "", and is
 * any valid UTF-8 without controls. */
bool mail_address(const char *s, char ret_name[MAIL_NAME_MAX], char ret_addr[MAIL_ADDR_MAX]);

/* Borrowed. Addresses as mail_address() takes them; others are left out. */
struct mail {
	const char *from;
	const char *const *to, *const *cc; /* n_to 0: the message names no recipient */
	size_t n_to, n_cc;
	const char *subject;
	const char *id; /* Message-ID without <>: mail_id_is_valid() */
	const char *parent; /* of the message that this one follows; NULL: none */
	int64_t date_us; /* UTC since the epoch */
	const char *body; /* UTF-8; bytes that are not become U+FFFD */
};

/* Printable ASCII with one '@' and nothing that ends it early: RFC 5322's dot-atom on both sides. */
bool mail_id_is_valid(const char *id);

/* Appends the message. The body is 7bit or 8bit as it stands, quoted-printable when one of its lines
 * is longer than MAIL_LINE_MAX. */
void mail_write(const struct mail *m, struct buf *out);
/* The same as one message of a mailbox: "From " before, an empty line behind, and '>' before each
 * line of the body that a reader would take for the next message (the mboxrd of qmail's mbox(5)). */
void mail_mbox(const struct mail *m, struct buf *out);

/* `len` bytes of text as one line: controls are '?', marks that reverse, hide or end a line and
 * invalid bytes U+FFFD. At most `max` bytes, cut between characters and ended by "...". */
void mail_line(const char *s, size_t len, size_t max, struct buf *out);

#endif
