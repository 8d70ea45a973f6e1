/* SPDX-License-Identifier: MIT */
#include "lib/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *err, int r, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return r;
	err->code = -r;
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	return r;
}

/* Writes "<msg>: <tail>"; when that is too long the end of the tail is what is lost. */
static void append(char msg[256], const char *tail)
{
	size_t n = strlen(msg);

	snprintf(msg + n, 256 - n, ": %s", tail);
}

int error_errno(struct error *err, int r, const char *fmt, ...)
{
	char text[128];
	va_list ap;

	if (!err)
		return r;
	err->code = -r;
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	/* The GNU variant, which is safe in threads and always returns a string. */
	append(err->msg, strerror_r(-r, text, sizeof(text)));
	return r;
}

int error_wrap(struct error *err, int r, const char *fmt, ...)
{
	char inner[sizeof(err->msg)];
	va_list ap;

	if (!err)
		return r;
	memcpy(inner, err->msg, sizeof(inner));
	err->code = -r;
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	if (inner[0])
		append(err->msg, inner);
	return r;
}
