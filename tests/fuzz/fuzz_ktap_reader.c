/* SPDX-License-Identifier: MIT */
/* Any bytes as a program's output: nothing is read beyond them, and the caps hold. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/ktap_reader.h"
#include "lib/buf.h"
#include "lib/clean.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(free_p) char *text = xstrndup((const char *)data, size);
	struct ktap whole, cut;

	ktap_read(text, true, &whole);
	ktap_read(text, false, &cut);
	/* What is missing can make a plan broken, never anything else. */
	if (whole.n != cut.n || whole.found != cut.found || (cut.broken && !whole.broken))
		abort();
	if (whole.n > KTAP_TESTS_MAX)
		abort();
	for (size_t i = 0; i < whole.n; i++)
		if (!*whole.tests[i].name || strlen(whole.tests[i].name) > 4 * KTAP_NAME_LEN)
			abort();
	ktap_free(&whole);
	ktap_free(&cut);
	return 0;
}
