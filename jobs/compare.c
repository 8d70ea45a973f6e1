/* SPDX-License-Identifier: MIT */
#include "jobs/compare.h"

#include <stdlib.h>
#include <string.h>

#include "jobs/compare_internal.h"
#include "lib/buf.h"

/* One result on its way to its row. */
struct entry {
	const struct compare_item *item;
	const char *arch, *accel; /* "": not known */
	char *fault; /* canonical text; of a sweep's point without its n */
	int point;
	int side;
	size_t at; /* in its side */
};

static const char *const class_names[COMPARE_CLASS_COUNT] = {
	[COMPARE_REGRESSED] = "regressed",
	[COMPARE_STILL_FAILING] = "still_failing",
	[COMPARE_FIXED] = "fixed",
	[COMPARE_APPEARED] = "appeared",
	[COMPARE_DISAPPEARED] = "disappeared",
	[COMPARE_NOT_COMPARABLE] = "not_comparable",
	[COMPARE_UNCHANGED] = "unchanged",
};

const char *compare_class_name(enum compare_class c)
{
	return (unsigned int)c < COMPARE_CLASS_COUNT ? class_names[c] : "?";
}

void compare_side_add(struct compare_side *s, const struct compare_item *item)
{
	ARRAY_RESERVE(s->items, s->n, s->cap);
	s->items[s->n++] = *item;
}

void compare_side_doc(struct compare_side *s, const struct result_doc *d)
{
	for (size_t i = 0; i < d->n_results; i++) {
		const struct result *r = &d->results[i];
		/* A build runs on the host, whatever the machines are emulated by. */
		bool build = strcmp(compare_text(r->scenario), "build") == 0;
		struct compare_item item = { .result = r,
					     .accel = build ? NULL : d->machine.accel };

		compare_side_add(s, &item);
	}
}

void compare_side_free(struct compare_side *s)
{
	if (!s)
		return;
	free(s->items);
	s->items = NULL;
	s->n = s->cap = 0;
}

/* --- alignment -------------------------------------------------------------------------------- */

static int order_configs(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return strcmp(compare_text(x->item->result->config), compare_text(y->item->result->config));
}

/* Configuration and architecture: what one build serves. */
static int order_places(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int r = order_configs(x, y);

	return r ? r : strcmp(x->arch, y->arch);
}

static int order_cases(const struct entry *x, const struct entry *y)
{
	int r = order_places(x, y);

	if (!r)
		r = strcmp(compare_text(x->item->result->scenario),
			   compare_text(y->item->result->scenario));
	if (!r)
		r = strcmp(x->fault, y->fault);
	return r ? r : strcmp(x->accel, y->accel);
}

static int order_rows(const struct entry *x, const struct entry *y)
{
	int r = order_cases(x, y);

	return r ? r : (x->point > y->point) - (x->point < y->point);
}

/* One result of one document. */
static int order_repeats(const struct entry *x, const struct entry *y)
{
	int r = order_rows(x, y);

	if (!r)
		r = x->side - y->side;
	if (!r)
		r = (x->item->run > y->item->run) - (x->item->run < y->item->run);
	if (!r)
		r = (x->item->result->repeat > y->item->result->repeat) -
		    (x->item->result->repeat < y->item->result->repeat);
	return r;
}

static int order_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int r = order_repeats(x, y);

	if (!r)
		r = (int)x->item->result->status - (int)y->item->result->status;
	return r ? r : (x->at > y->at) - (x->at < y->at);
}

static size_t take_side(struct entry *to, const struct compare_side *s, int side)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct result *r = s->items[i].result;
		struct fault f = r->fault;
		char text[FAULT_TEXT_MAX];

		to[i] = (struct entry){ .item = &s->items[i],
					.arch = compare_text(s->items[i].arch),
					.accel = compare_text(s->items[i].accel),
					.side = side,
					.at = i };
		if (f.mode == FAULT_SWEEP) {
			to[i].point = r->closing ? 0 : f.nth;
			f.nth = 0;
		}
		fault_to_text(&f, text);
		to[i].fault = xstrdup(text);
	}
	return s->n;
}

static bool is_build(const struct entry *e)
{
	return strcmp(compare_text(e->item->result->scenario), "build") == 0;
}

/* What a run that never began could not say, everything beside it may: the one architecture of a
 * configuration, the one accelerator of both. */
static void fill_in_group(struct entry *e, size_t n, bool accel)
{
	const char *known = "";

	for (size_t i = 0; i < n; i++) {
		const char *s = accel ? e[i].accel : e[i].arch;

		if (*known && *s && strcmp(known, s) != 0)
			return;
		if (*s)
			known = s;
	}
	for (size_t i = 0; i < n; i++) {
		const char **s = accel ? &e[i].accel : &e[i].arch;

		if (!**s && !(accel && is_build(&e[i])))
			*s = known;
	}
}

static void fill_in(struct entry *e, size_t n, bool accel)
{
	int (*order)(const void *a, const void *b) = accel ? order_places : order_configs;

	qsort(e, n, sizeof(*e), order);
	for (size_t i = 0, next; i < n; i = next) {
		for (next = i + 1; next < n && !order(&e[i], &e[next]); next++)
			;
		fill_in_group(&e[i], next - i, accel);
	}
}

/* Leaves one of the results that say they are the same; they are sorted, so it is the worst. */
static size_t drop_duplicates(struct entry *e, size_t n, int dropped[COMPARE_SIDES])
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (kept && order_repeats(&e[kept - 1], &e[i]) == 0) {
			dropped[e[i].side]++;
			free(e[i].fault);
			continue;
		}
		e[kept++] = e[i];
	}
	return kept;
}

/* --- rows ------------------------------------------------------------------------------------------ */

static void make_row(const struct entry *e, size_t n, const struct compare_item **items,
		     struct compare_row *ret)
{
	size_t n_a = 0;

	while (n_a < n && e[n_a].side == COMPARE_A)
		n_a++;
	*ret = (struct compare_row){ .item = e[n_a < n ? n_a : 0].item,
				     .arch = e[0].arch,
				     .accel = e[0].accel,
				     .point = e[0].point };
	compare_tally_make(&ret->side[COMPARE_A], items, n_a);
	compare_tally_make(&ret->side[COMPARE_B], items + n_a, n - n_a);
}

/* What is only in A comes behind what B has, wherever that is. */
static size_t first_at(const struct entry *e, size_t n, size_t n_b)
{
	size_t at = SIZE_MAX;

	for (size_t i = 0; i < n; i++) {
		size_t place = e[i].side == COMPARE_B ? e[i].at : n_b + e[i].at;

		if (place < at)
			at = place;
	}
	return at;
}

static void make_rows(struct compare *c, const struct entry *e, size_t n)
{
	size_t group = 0, place = 0;

	c->rows = xcalloc(n, sizeof(*c->rows));
	for (size_t i = 0, next; i < n; i = next) {
		struct compare_row *row = &c->rows[c->n_rows];

		for (next = i + 1; next < n && !order_rows(&e[i], &e[next]); next++)
			;
		make_row(&e[i], next - i, &c->items[i], row);
		row->at = first_at(&e[i], next - i, c->side[COMPARE_B]->n);
		if (i && order_cases(&e[i - 1], &e[i]))
			group++;
		row->group = group;
		if (i && order_places(&e[i - 1], &e[i])) {
			compare_judge(&c->rows[place], c->n_rows - place);
			place = c->n_rows;
		}
		c->n_rows++;
	}
	compare_judge(c->rows + place, c->n_rows - place);
}

/* Where a row is shown, by what its case came to. */
struct rank {
	struct compare_row row;
	enum compare_class class; /* of the case */
	bool passes; /* nothing of the case fails in B */
	size_t at; /* of the case */
};

static int order_ranks(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;

	if (x->class != y->class)
		return x->class < y->class ? -1 : 1;
	if (x->passes != y->passes)
		return x->passes ? 1 : -1;
	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	if (x->row.group != y->row.group)
		return x->row.group < y->row.group ? -1 : 1;
	return (x->row.point > y->row.point) - (x->row.point < y->row.point);
}

static void sort_rows(struct compare *c)
{
	struct rank *ranks = xcalloc(c->n_rows, sizeof(*ranks));
	const struct rank *head = NULL;

	for (size_t i = 0; i < c->n_rows; i++) {
		const struct compare_row *row = &c->rows[i];
		struct rank *rank = &ranks[i];

		rank->row = *row;
		if (row->counted || !head)
			head = rank;
		rank->class = head == rank ? row->class : head->class;
		rank->passes = head == rank ? !row->side[COMPARE_B].fails : head->passes;
		rank->at = head == rank ? row->at : head->at;
		if (row->counted)
			c->counts[row->class]++;
	}
	qsort(ranks, c->n_rows, sizeof(*ranks), order_ranks);
	for (size_t i = 0; i < c->n_rows; i++)
		c->rows[i] = ranks[i].row;
	free(ranks);
}

void compare_sides(const struct compare_side *a, const struct compare_side *b, struct compare *ret)
{
	size_t n = a->n + b->n;
	struct entry *e;

	*ret = (struct compare){ .side = { a, b } };
	if (!n)
		return;
	e = xcalloc(n, sizeof(*e));
	take_side(e + take_side(e, a, COMPARE_A), b, COMPARE_B);
	fill_in(e, n, false);
	fill_in(e, n, true);
	qsort(e, n, sizeof(*e), order_entries);
	n = drop_duplicates(e, n, ret->duplicates);
	ret->items = xcalloc(n, sizeof(struct compare_item *));
	for (size_t i = 0; i < n; i++)
		ret->items[i] = e[i].item;
	make_rows(ret, e, n);
	sort_rows(ret);
	compare_metrics(ret);
	for (size_t i = 0; i < n; i++)
		free(e[i].fault);
	free(e);
}

void compare_free(struct compare *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_rows; i++)
		for (int s = 0; s < COMPARE_SIDES; s++)
			compare_tally_clear(&c->rows[i].side[s]);
	free(c->rows);
	free(c->metrics);
	free(c->items);
	*c = (struct compare){ .n_rows = 0 };
}
