/* SPDX-License-Identifier: MIT */
/* export_doc FORMAT FILE: writes a result document in a format of jobs/export.h, for the tests that
 * hold such documents against their schemas. */
#include <stdio.h>
#include <string.h>

#include "jobs/export.h"
#include "lib/clean.h"
#include "lib/path.h"

#define DOC_MAX (8 << 20)

static int load(const char *path, struct result_doc *ret, struct error *err)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct jval v;
	int r = path_read(path, DOC_MAX, &text, err);

	if (!r)
		r = json_parse(buf_cstr(&text), text.len, &o, err);
	if (r)
		return r;
	v = json_root(o);
	return result_doc_from_json(&v, ret, err);
}

int main(int argc, char **argv)
{
	const struct export_format *format = argc == 3 ? export_format_find(argv[1]) : NULL;
	CLEANUP(result_doc_free) struct result_doc doc = { 0 };
	CLEANUP(export_free) struct export e = { .origin = NULL };
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	struct error err = ERROR_INIT;

	if (!format) {
		fprintf(stderr, "usage: export_doc FORMAT FILE\n");
		return 2;
	}
	if (load(argv[2], &doc, &err)) {
		fprintf(stderr, "%s: %s\n", argv[2], err.msg);
		return 1;
	}
	export_add_doc(&e, &doc);
	format->write(&e, &out);
	return fwrite(out.data, 1, out.len, stdout) == out.len ? 0 : 1;
}
