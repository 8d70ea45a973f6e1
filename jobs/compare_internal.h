/* SPDX-License-Identifier: MIT */
/* compare_internal: what the files of jobs/compare share. May be included by them only. */
#ifndef FAULTLINE_JOBS_COMPARE_INTERNAL_H
#define FAULTLINE_JOBS_COMPARE_INTERNAL_H

#include <string.h>

#include "jobs/compare.h"
#include "lib/json.h"

static inline const char *compare_text(const char *s)
{
	return s ? s : "";
}

static inline bool compare_is_build(const struct compare_row *row)
{
	return strcmp(compare_text(row->item->result->scenario), "build") == 0;
}

/* Of results of one side of one case, which *t goes on pointing to. */
void compare_tally_make(struct compare_tally *t, const struct compare_item **items, size_t n);
void compare_tally_clear(struct compare_tally *t);

/* Class and all that follows from it, for the rows of one configuration and architecture, whose
 * tallies, points and groups are there already; the rows of a group stand together, its whole first. */
void compare_judge(struct compare_row *rows, size_t n);

/* Fills the metrics of a comparison whose rows are in their last place. */
void compare_metrics(struct compare *c);

/* --- reading the view (compare_read.c) ------------------------------------------------------- */

/* One of the view's cases or metrics. Borrowed from the view. */
struct compare_line {
	struct jval v;
	const char *head; /* class or verdict */
	const char *title, *scenario, *config, *arch, *accel;
	int64_t point; /* 0: none */
	struct jval a, b; /* o NULL: the side has nothing */
};

must_check int compare_read_line(const struct jval *v, const char *head_key,
				 struct compare_line *ret, struct error *err);
/* A member that may be null: then ret->o is NULL. */
must_check int compare_read_opt(const struct jval *v, const char *key, struct jval *ret,
				struct error *err);
double compare_number(const struct jval *v, const char *key); /* NaN: null, or no number */

typedef int (*compare_line_fn)(const struct jval *v, struct json_object *items, struct error *err);
/* Calls `fn` with each element of the array `key` of the view. */
must_check int compare_each(const struct jval *view, const char *key, compare_line_fn fn,
			    struct json_object *items, struct error *err);

#endif
