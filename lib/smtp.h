/* SPDX-License-Identifier: MIT */
/*
 * smtp: sends one message, over libcurl. Thread: any; one call at a time and thread.
 */
#ifndef FAULTLINE_LIB_SMTP_H
#define FAULTLINE_LIB_SMTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

struct smtp {
	const char *url; /* "smtp://host:25", "smtps://host" */
	const char *user, *password; /* NULL: no authentication, and TLS only where it is offered */
	int64_t timeout_ms; /* 0 = 60 s */
	bool (*cancelled)(void *arg); /* may be NULL */
	/* Called once before the first byte of the message leaves, when sender and recipients have
	 * been accepted; an error ends it there. May be NULL. */
	int (*begin)(void *arg, struct error *err);
	void *arg;
};

/* Addresses are bare and valid: mail_address() of lib/mail.h. `data` is the whole message (RFC 5322),
 * with lines ended by "\n" or "\r\n". 0: the server took
 * it. -EAGAIN: it did not, and may later (nobody there, a 4xx answer); -EPERM: it never will (5xx);
 * -EIO: it broke after begin(), so nobody knows; -ECANCELED, or what begin() said. The message
 * quotes the server. */
must_check int smtp_send(const struct smtp *s, const char *from, const char *const *to, size_t n_to,
			 const char *data, size_t len, struct error *err);

#endif
