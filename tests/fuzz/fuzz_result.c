/* SPDX-License-Identifier: MIT */
/* The result document's reader on anything; what it accepts must read back as the same document. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/result.h"

/* Longer texts are cut on their way out, so that the second way out may cut once more. */
#define SAME_MAX_BYTES 4000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The document as this program writes it; NULL when it was refused. Owned. */
static char *again(const char *text, size_t len)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	CLEANUP(json_put_p) struct json_object *out = NULL;
	struct error err = ERROR_INIT;
	struct result_doc doc;
	struct jval v;

	if (json_parse(text, len, &o, &err) < 0)
		return NULL;
	v = json_root(o);
	if (result_doc_from_json(&v, &doc, &err) < 0)
		return NULL;
	out = result_doc_to_json(&doc);
	result_doc_free(&doc);
	return json_text(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(free_p) char *first = again((const char *)data, size);
	CLEANUP(free_p) char *second = NULL;

	if (!first)
		return 0;
	second = again(first, strlen(first));
	if (!second || (size < SAME_MAX_BYTES && strcmp(first, second) != 0))
		abort();
	return 0;
}
