/* SPDX-License-Identifier: MIT */
/*
 * url: which repository addresses and revisions are taken from outside. Pure functions.
 *
 * An address that passes can be given to git as an argument: its scheme is one of https, http, git
 * and ssh, it holds no password, no control bytes, blanks or dot segments, and host and user do not
 * begin with '-' (CVE-2017-1000117). What a server may be told to connect to is a matter of the
 * administrator's allow-list, by prefix: there is no default, so that nobody reaches hosts behind
 * the firewall.
 * Thread: any.
 */
#ifndef FAULTLINE_SERVER_URL_H
#define FAULTLINE_SERVER_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

/* Form only. -EINVAL. */
must_check int url_check(const char *url, struct error *err);
/* Form of an entry of the allow-list: an address, the path may be empty or "/". */
must_check int url_check_prefix(const char *prefix, struct error *err);
/* True if a prefix ends where a segment of the address ends: "https://h/a" allows "https://h/a/b"
 * and not "https://h/ab". Scheme and host compare without case. */
bool url_allowed(const char *url, char *const *prefixes, size_t n);
/* url_check() and the allow-list. -EINVAL, -EACCES. */
must_check int url_check_allowed(const char *url, char *const *prefixes, size_t n,
				 struct error *err);

/* A branch, tag or full reference name by the rules of git-check-ref-format(1) (one level is
 * enough), not beginning with '-'. -EINVAL. */
must_check int ref_check(const char *ref, struct error *err);
/* A reference name or 40 hex digits. */
must_check int rev_check(const char *rev, struct error *err);
bool sha_is_full(const char *s); /* 40 lower-case hex digits */

#endif
