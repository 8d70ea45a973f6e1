/* SPDX-License-Identifier: MIT */
/*
 * Fault specs, as text and as JSON, on anything; what is accepted must have one canonical text and
 * come back equal on both ways.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/fault.h"
#include "lib/buf.h"
#include "lib/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct fault *f)
{
	CLEANUP(json_put_p) struct json_object *o = fault_to_json(f);
	char text[FAULT_TEXT_MAX], back_text[FAULT_TEXT_MAX];
	struct jval v = json_root(o);
	struct error err = ERROR_INIT;
	struct fault back;

	if (!f->site[0] || strlen(f->site) >= FAULT_SITE_MAX || f->times < 1 ||
	    f->times > LIMIT_TIMES || f->nth < 0 || f->nth > FAULT_NTH_MAX || f->probability < 0 ||
	    f->probability > 100)
		abort();
	fault_to_text(f, text);
	if (fault_from_text(text, &back, &err) < 0)
		abort();
	fault_to_text(&back, back_text);
	if (strcmp(text, back_text) != 0 || fault_from_json(&v, &back, &err) < 0)
		abort();
	fault_to_text(&back, back_text);
	if (strcmp(text, back_text) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(free_p) char *text = xstrndup((const char *)data, size);
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct error err = ERROR_INIT;
	struct fault f;
	struct jval v;

	if (fault_from_text(text, &f, &err) == 0)
		check(&f);
	if (json_parse((const char *)data, size, &o, &err) < 0)
		return 0;
	v = json_root(o);
	if (fault_from_json(&v, &f, &err) == 0)
		check(&f);
	return 0;
}
