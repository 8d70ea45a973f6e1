/* SPDX-License-Identifier: MIT */
#include "jobs/signature.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/hash.h"

/* Of a build error: "mm/rmap.c:12:3: error: 'x' undeclared" and the same in line 13 are one. */
static char *without_numbers(const char *s)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;

	for (; *s; s++) {
		if (isdigit((unsigned char)*s) && b.len && b.data[b.len - 1] == '0')
			continue;
		buf_char(&b, isdigit((unsigned char)*s) ? '0' : *s);
	}
	return buf_steal(&b);
}

static const struct check *first_broken(const struct result *r)
{
	for (size_t i = 0; i < r->n_checks; i++)
		if (!r->checks[i].ok)
			return &r->checks[i];
	return NULL;
}

static void sign(const char *kind, const char *reason, const char *what, char ret[SIGNATURE_MAX])
{
	char hex[HASH_HEX_MAX];

	hash_strings((const char *const[]){ kind, reason, what, NULL }, hex);
	memcpy(ret, hex, SIGNATURE_MAX - 1);
	ret[SIGNATURE_MAX - 1] = '\0';
}

void signature_of(const struct result *r, char ret[SIGNATURE_MAX], char **ret_title)
{
	const char *reason = reason_name(r->reason);
	const struct check *check = first_broken(r);

	ret[0] = '\0';
	*ret_title = NULL;
	if (r->status != STATUS_FAIL)
		return;
	if (r->splat.kind != SPLAT_NONE && *r->splat.fingerprint) {
		memcpy(ret, r->splat.fingerprint, SIGNATURE_MAX);
		*ret_title = xstrdup(r->splat.title ? r->splat.title : reason);
	} else if (r->reason == REASON_BUILD) {
		const char *detail = r->detail ? r->detail : "";
		CLEANUP(free_p) char *text = without_numbers(detail);

		sign("build", reason, text, ret);
		*ret_title = xasprintf("build: %s", detail);
	} else if (check) {
		sign("check", reason, check->name, ret);
		*ret_title = xasprintf("%s: %s", reason, check->name);
	} else {
		sign("case", reason, r->scenario, ret);
		*ret_title = xasprintf("%s in %s", reason, r->scenario);
	}
}

void signature_of_metric(const char *scenario, const char *name, enum metric_worse worse,
			 char ret[SIGNATURE_MAX])
{
	CLEANUP(free_p) char *what = xasprintf("%s %s", scenario, name);

	sign("metric", metric_worse_name(worse), what, ret);
}
