/* SPDX-License-Identifier: MIT */
/*
 * A stored search, and a list of commits, on anything. A search that is accepted must be written and
 * read again as the same, and must know what to do next.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/bisect.h"
#include "lib/buf.h"

#define GOOD "0000000000000000000000000000000000000001"
#define BAD "0000000000000000000000000000000000000002"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_next(struct bisect *b)
{
	struct bisect_next next, again;
	struct bisect_known known;

	bisect_next(b, &next);
	bisect_next(b, &again);
	if (next.kind != again.kind || next.commit != again.commit || next.runs != again.runs)
		abort();
	if (!(next.confidence >= 0 && next.confidence <= 1))
		abort();
	if (next.kind == BISECT_ASK &&
	    (next.runs < 1 || bisect_known(b, next.commit, &known, NULL)))
		abort();
	if (next.kind == BISECT_SUSPECTS && !next.n_suspects)
		abort();
	if (next.kind == BISECT_REFUSED && !next.reason[0])
		abort();
}

static char *text_of(const struct bisect *b)
{
	CLEANUP(json_put_p) struct json_object *o = bisect_to_json(b);

	return json_text(o);
}

static void check(struct bisect *b)
{
	CLEANUP(json_put_p) struct json_object *o = bisect_to_json(b);
	CLEANUP(free_p) char *text = text_of(b);
	CLEANUP(free_p) char *text_again = NULL;
	CLEANUP(bisect_p) struct bisect *again = NULL;
	struct jval v = json_root(o);

	if (bisect_from_json(&v, &again, NULL))
		abort();
	text_again = text_of(again);
	if (strcmp(text, text_again) != 0)
		abort();
	check_next(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(free_p) char *text = xstrndup((const char *)data, size);
	CLEANUP(json_put_p) struct json_object *o = NULL;
	CLEANUP(bisect_p) struct bisect *listed = NULL;
	CLEANUP(bisect_p) struct bisect *stored = NULL;
	struct error err = ERROR_INIT;
	struct jval v;

	if (bisect_new(NULL, GOOD, BAD, "x", text, &listed, &err) == 0)
		check(listed);
	if (json_parse((const char *)data, size, &o, &err) < 0)
		return 0;
	v = json_root(o);
	if (bisect_from_json(&v, &stored, &err) == 0)
		check(stored);
	return 0;
}
