/* SPDX-License-Identifier: MIT */
/*
 * metric: what repeated measurements come to. Pure functions.
 *
 * Only results that are DONE are measurements: a point that failed measured a broken kernel, and
 * the metrics of a scenario that is judged are there to explain its verdict.
 * Thread: any.
 */
#ifndef FAULTLINE_JOBS_METRIC_H
#define FAULTLINE_JOBS_METRIC_H

#include <stdbool.h>
#include <stddef.h>

#include "jobs/result.h"

/* Which way a metric gets worse. The names are "", "more" and "less". */
enum metric_worse {
	METRIC_WORSE_NEITHER, /* it moves, and that is neither good nor bad */
	METRIC_WORSE_MORE,
	METRIC_WORSE_LESS,
	METRIC_WORSE_COUNT
};

/* By the table of docs/results.md; what that does not have is METRIC_WORSE_NEITHER. */
enum metric_worse metric_worse_of(const char *scenario, const char *name);
const char *metric_worse_name(enum metric_worse w);
bool metric_worse_parse(const char *name, enum metric_worse *ret); /* NULL: false */

/* One metric of one case over its repeats. The pointers belong to the document. */
struct metric_summary {
	const struct result *first; /* scenario, configuration and fault are this one's */
	const char *name, *unit;
	size_t n; /* values; the smallest and the largest of them are min and max */
	double median, min, max;
	/* Standard deviation of a sample over the mean's absolute value, in percent: how far one
	 * run is from another. NaN when it is not defined: one value only, or different values
	 * with a mean of zero. */
	double spread;
};

/* Of n > 0 values, which it sorts. `first`, `name` and `unit` are left alone. */
void metric_summarise_values(double *values, size_t n, struct metric_summary *ret);

/* In the order of the document's results and of their metrics. *ret is the caller's, free() it;
 * NULL when nothing was measured. It lasts as long as the document. */
void metric_summarise(const struct result_doc *d, struct metric_summary **ret, size_t *ret_n);

/* "rss.freed 64 pages, pages.one_byte_set 4096 pages": the first few of them in one line, owned by
 * the caller; NULL when there is none. */
char *metric_line(const struct metric *m, size_t n);

/* The array "metric_summary" of docs/results.md. */
struct json_object *metric_summaries_to_json(const struct metric_summary *m, size_t n);

#endif
