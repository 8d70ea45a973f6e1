/* SPDX-License-Identifier: MIT */
/* Compiler output: whatever a tree's build prints, whole or in pieces, gives the same lines. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/diag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const roots[] = { "/faultline/src/", "/faultline/obj/", NULL };

static void check_text(const char *s)
{
	if (strlen(s) > 2 * DIAG_LINE_BYTES + 1024)
		abort();
	for (; *s; s++)
		if ((unsigned char)*s < ' ')
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag whole = { .roots = roots }, pieces = { .roots = roots };

	diag_feed(&whole, (const char *)data, size);
	diag_finish(&whole, true);
	for (size_t i = 0; i < size; i++)
		diag_feed(&pieces, (const char *)data + i, 1);
	diag_finish(&pieces, true);
	if (whole.errors.n != pieces.errors.n || whole.warnings.n != pieces.warnings.n ||
	    whole.steps != pieces.steps)
		abort();
	for (size_t i = 0; i < whole.errors.n; i++)
		check_text(whole.errors.items[i].text);
	for (size_t i = 0; i < whole.warnings.n; i++)
		check_text(whole.warnings.items[i].text);
	diag_free(&whole);
	diag_free(&pieces);
	return 0;
}
