/* SPDX-License-Identifier: MIT */
#include "jobs/ktap_writer.h"

#include <string.h>

#include "lib/clean.h"

/* A skipped or missed test is not a failed one. */
static const char *directive_of(const struct result *r)
{
	switch (r->status) {
	case STATUS_SKIP:
		return " # SKIP";
	case STATUS_ERROR:
	case STATUS_MISS:
		return " # ERROR";
	case STATUS_FAIL:
		if (r->reason == REASON_HANG || r->reason == REASON_LIVELOCK ||
		    r->reason == REASON_UNKILLABLE)
			return " # TIMEOUT";
		return "";
	default:
		return "";
	}
}

/* A title in which nothing begins a directive or a line. */
static char *title_of(const struct result *r)
{
	char raw[200], *title;

	result_title(r, raw, sizeof(raw));
	title = str_printable(raw, strlen(raw));
	for (char *s = title; *s; s++)
		if (*s == '#')
			*s = '?';
	return title;
}

void ktap_write(const struct export *e, struct buf *out)
{
	buf_printf(out, "KTAP version 1\n1..%zu\n", e->n_rows);
	for (size_t i = 0; i < e->n_rows; i++) {
		const struct result *r = e->rows[i].result;
		bool ok = r->status == STATUS_PASS || r->status == STATUS_DONE ||
			  r->status == STATUS_SKIP;
		CLEANUP(free_p)
		char *why = str_printable(result_explain(r), strlen(result_explain(r)));
		const char *directive = directive_of(r);
		CLEANUP(free_p) char *title = title_of(r);
		char prefix[16];

		export_row_prefix(e, &e->rows[i], prefix);
		if (*why && !*directive)
			buf_printf(out, "# %s\n", why);
		buf_printf(out, "%s %zu %s%s%s", ok ? "ok" : "not ok", i + 1, prefix, title,
			   directive);
		if (*directive && *reason_name(r->reason))
			buf_printf(out, " %s", reason_name(r->reason));
		buf_char(out, '\n');
	}
}
