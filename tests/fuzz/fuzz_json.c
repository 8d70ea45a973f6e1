/* SPDX-License-Identifier: MIT */
/* json_parse() on anything; what it accepts must come back equal from its own text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	CLEANUP(json_put_p) struct json_object *back = NULL;
	CLEANUP(free_p) char *text = NULL;
	struct error err = ERROR_INIT;

	if (json_parse((const char *)data, size, &o, &err) < 0)
		return 0;
	text = json_text(o);
	if (json_parse(text, strlen(text), &back, &err) < 0 || !json_object_equal(o, back))
		abort();
	return 0;
}
