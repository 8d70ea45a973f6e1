/* SPDX-License-Identifier: MIT */
#include "server/regress_find.h"

#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"

/* A case at the commit at which it began to fail. */
struct onset {
	const struct case_seen *at;
	int64_t good_id;
	char signature[SIGNATURE_MAX];
	enum reason reason;
	char *title;
};

struct onsets {
	struct onset *v;
	size_t n, cap;
};

static void onsets_free(struct onsets *all)
{
	for (size_t i = 0; i < all->n; i++)
		free(all->v[i].title);
	free(all->v);
}

static bool same_case(const struct case_seen *a, const struct case_seen *b)
{
	return strcmp(a->config, b->config) == 0 && strcmp(a->scenario, b->scenario) == 0 &&
	       strcmp(a->fault, b->fault) == 0;
}

/* What fails already at the first commit that says something is no news of this submission. */
static void add_case(struct onsets *all, const struct case_seen *rows, size_t n)
{
	const struct case_seen *good = NULL;

	for (size_t i = 0; i < n; i++) {
		if (rows[i].held)
			good = &rows[i];
		if (!rows[i].failed)
			continue;
		if (good) {
			ARRAY_RESERVE(all->v, all->n, all->cap);
			all->v[all->n++] =
				(struct onset){ .at = &rows[i], .good_id = good->commit_id };
		}
		return;
	}
}

/* What belongs together comes together; in it the quickest case first. */
static int onset_cmp(const void *pa, const void *pb)
{
	const struct onset *a = pa, *b = pb;
	int c = strcmp(a->signature, b->signature);

	if (!c)
		c = (a->at->position > b->at->position) - (a->at->position < b->at->position);
	if (!c)
		c = (a->good_id > b->good_id) - (a->good_id < b->good_id);
	if (!c)
		c = (a->at->duration_us > b->at->duration_us) -
		    (a->at->duration_us < b->at->duration_us);
	return c ? c : (a->at > b->at) - (a->at < b->at);
}

static bool same_regression(const struct onset *a, const struct onset *b)
{
	return strcmp(a->signature, b->signature) == 0 && a->good_id == b->good_id &&
	       a->at->commit_id == b->at->commit_id;
}

static void group(struct onsets *all, struct regress_found *ret)
{
	size_t next;

	ret->v = xcalloc(all->n + 1, sizeof(*ret->v));
	ret->cases = xcalloc(all->n + 1, sizeof(*ret->cases));
	ret->texts = xcalloc(2 * all->n + 1, sizeof(*ret->texts));
	for (size_t i = 0; i < all->n; i++)
		ret->cases[i] = all->v[i].at;
	for (size_t i = 0; i < all->n; i = next) {
		struct onset *o = &all->v[i];
		char *signature = xstrdup(o->signature);

		for (next = i + 1; next < all->n && same_regression(o, &all->v[next]);)
			next++;
		ret->texts[ret->n_texts++] = signature;
		ret->texts[ret->n_texts++] = o->title;
		ret->v[ret->n++] = (struct regression_new){ .signature = signature,
							    .title = o->title,
							    .reason = reason_name(o->reason),
							    .good_id = o->good_id,
							    .bad_id = o->at->commit_id,
							    .cases = &ret->cases[i],
							    .n_cases = next - i };
		o->title = NULL;
	}
}

int regress_find(const struct case_seen *rows, size_t n, regress_failure_fn failure, void *arg,
		 struct regress_found *ret, struct error *err)
{
	struct onsets all = { 0 };
	size_t next;
	int r = 0;

	*ret = (struct regress_found){ 0 };
	for (size_t i = 0; i < n; i = next) {
		for (next = i + 1; next < n && same_case(&rows[i], &rows[next]);)
			next++;
		add_case(&all, &rows[i], next - i);
	}
	for (size_t i = 0; i < all.n && !r; i++)
		r = failure(arg, all.v[i].at->failure, all.v[i].signature, &all.v[i].reason,
			    &all.v[i].title, err);
	if (!r) {
		if (all.n)
			qsort(all.v, all.n, sizeof(*all.v), onset_cmp);
		group(&all, ret);
	}
	onsets_free(&all);
	return r;
}

void regress_found_free(struct regress_found *f)
{
	for (size_t i = 0; i < f->n_texts; i++)
		free(f->texts[i]);
	free(f->texts);
	free(f->cases);
	free(f->seen);
	free(f->metrics);
	free(f->v);
	*f = (struct regress_found){ 0 };
}
