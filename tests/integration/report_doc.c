/* SPDX-License-Identifier: MIT */
/* report_doc text|mail|mbox new|fixed FILE: writes the report of a regression's view, for the tests
 * that have other programs read it. */
#include <stdio.h>
#include <string.h>

#include "jobs/report.h"
#include "lib/clean.h"
#include "lib/path.h"

#define VIEW_MAX (8 << 20)

int main(int argc, char **argv)
{
	static const char *const to[] = { "\"Doe, J.\" <list@example.org>", "no address" };
	struct report_opts o = { .url = "https://ci.example.org/faultline/",
				 .from = "faultline <ci@example.org>",
				 .to = to,
				 .n_to = ARRAY_SIZE(to),
				 .to_author = true };
	CLEANUP(json_put_p) struct json_object *view = NULL;
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	struct error err = ERROR_INIT;

	if (argc != 4) {
		fprintf(stderr, "usage: report_doc text|mail|mbox new|fixed FILE\n");
		return 2;
	}
	if (path_read(argv[3], VIEW_MAX, &text, &err) ||
	    json_parse(buf_cstr(&text), text.len, &view, &err)) {
		fprintf(stderr, "%s: %s\n", argv[3], err.msg);
		return 1;
	}
	o.kind = strcmp(argv[2], "fixed") == 0 ? REPORT_FIXED : REPORT_NEW;
	if (strcmp(argv[1], "mbox") == 0)
		report_mbox(view, &o, &out);
	else if (strcmp(argv[1], "mail") == 0)
		report_mail(view, &o, &out);
	else
		report_text(view, &o, &out);
	return fwrite(out.data, 1, out.len, stdout) == out.len ? 0 : 1;
}
