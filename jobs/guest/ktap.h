/* SPDX-License-Identifier: MIT */
/*
 * KTAP lines and the JSON records in them (docs/guest-protocol.md, "Reply").
 *
 * A record is put together in one buffer and leaves in one write, so that a machine that dies
 * never leaves half a record in front of a whole one. Owner: any one thread.
 */
#ifndef FAULTLINE_GUEST_KTAP_H
#define FAULTLINE_GUEST_KTAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_MAX 32768 /* the protocol's cap on one line, its line break included */

struct record {
	char text[RECORD_MAX];
	size_t length;
	bool comma; /* a member was written before, at this level */
	bool overflow; /* something did not fit: the record must not be sent */
};

/* Starts `# faultline {"type":"TYPE"`. */
void record_begin(struct record *record, const char *type);

/*
 * Members. `key` is NULL inside an array. Strings may hold any bytes: control characters are
 * escaped, and what is not UTF-8 (RFC 3629) becomes U+FFFD.
 */
void record_string(struct record *record, const char *key, const char *value);
void record_int(struct record *record, const char *key, int64_t value);
void record_bool(struct record *record, const char *key, bool value);
void record_double(struct record *record, const char *key, double value);
void record_open(struct record *record, const char *key, char bracket); /* '{' or '[' */
void record_close(struct record *record, char bracket); /* '}' or ']' */

/* Ends the object and writes the line. -EMSGSIZE if it did not fit; nothing is written then. */
int record_send(struct record *record, int fd) __attribute__((warn_unused_result));

/* One plain KTAP line; the line break is added. Returns 0 or -errno. */
int ktap_line(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
