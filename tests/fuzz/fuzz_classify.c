/* SPDX-License-Identifier: MIT */
/*
 * Any bytes are a kernel log: they are read to the end, what is found is printable and in order,
 * and it makes no difference in how many pieces the log comes.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/classify.h"
#include "lib/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_splat(const struct splat *s)
{
	if (s->kind == SPLAT_NONE || s->kind >= SPLAT_KIND_COUNT || !s->title || !*s->title)
		abort();
	for (const char *p = s->title; *p; p++)
		if (iscntrl((unsigned char)*p))
			abort();
	if (strlen(s->fingerprint) != 16 || strspn(s->fingerprint, "0123456789abcdef") != 16)
		abort();
	if (strlen(s->excerpt) > PARTS_EXCERPT_BYTES)
		abort();
}

static void check(const struct classify *c)
{
	CLEANUP(json_put_p) struct json_object *o = classify_to_json(c);
	CLEANUP(json_put_p) struct json_object *again = NULL;
	CLEANUP(free_p) char *text = json_text(o);

	for (size_t i = 0; i < c->n_found; i++) {
		check_splat(&c->found[i].splat);
		if (c->found[i].line < 1 || c->found[i].line > c->lines)
			abort();
		if (i && c->found[i].line <= c->found[i - 1].line)
			abort();
	}
	if ((c->traces == 0 && c->n_stacks) || c->n_stacks > (size_t)c->traces)
		abort();
	if (json_parse(text, strlen(text), &again, NULL) < 0)
		abort();
}

static void same(const struct classify *a, const struct classify *b)
{
	if (a->n_found != b->n_found || a->more != b->more || a->lines != b->lines ||
	    a->traces != b->traces || a->n_stacks != b->n_stacks)
		abort();
	for (size_t i = 0; i < a->n_found; i++)
		if (a->found[i].line != b->found[i].line ||
		    strcmp(a->found[i].splat.title, b->found[i].splat.title) != 0 ||
		    strcmp(a->found[i].splat.fingerprint, b->found[i].splat.fingerprint) != 0)
			abort();
}

/* The engine's own way in looks at the first splat only. */
static void check_first(const struct classify *c, const char *log, size_t size)
{
	struct stack *stacks;
	size_t n_stacks;
	struct splat s;

	splat_read_log(log, size, &s, &stacks, &n_stacks);
	if ((s.kind != SPLAT_NONE) != (c->n_found > 0) || n_stacks != c->n_stacks)
		abort();
	if (c->n_found && strcmp(s.fingerprint, c->found[0].splat.fingerprint) != 0)
		abort();
	splat_free(&s);
	stacks_free(stacks, n_stacks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *log = (const char *)data;
	struct classify whole, pieces;
	size_t step = size ? 1 + data[0] % 61 : 1;

	classify_init(&whole, NULL);
	classify_feed(&whole, log, size);
	classify_end(&whole);
	check(&whole);
	classify_init(&pieces, NULL);
	for (size_t at = 0; at < size; at += step)
		classify_feed(&pieces, log + at, size - at < step ? size - at : step);
	classify_end(&pieces);
	same(&whole, &pieces);
	check_first(&whole, log, size);
	classify_free(&whole);
	classify_free(&pieces);
	return 0;
}
