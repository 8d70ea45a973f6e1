/* SPDX-License-Identifier: MIT */
/* report_internal: what the parts of a report share. Included by jobs/report*.c only. */
#ifndef FAULTLINE_JOBS_REPORT_INTERNAL_H
#define FAULTLINE_JOBS_REPORT_INTERNAL_H

#include "jobs/fault.h"
#include "jobs/report.h"

/* Members of an object that may be NULL; "" , 0 and NULL for what is absent or of another type. */
const char *report_str(struct json_object *o, const char *key);
long long report_num(struct json_object *o, const char *key);
struct json_object *report_get(struct json_object *o, const char *key, enum json_type type);

/* Of a fault's JSON as people write it; "" without one. */
void report_fault(struct json_object *o, char ret[FAULT_TEXT_MAX]);
/* One line of text, cleaned and cut at 200 bytes. */
void report_line(struct buf *out, const char *s);
/* Words, wrapped, and an empty line behind. */
void report_prose(struct buf *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The two sides that are compared: the first bad commit and its parent when both were run, else the
 * ends between which it was found. */
struct report_side {
	const char *sha; /* "" = not known */
	int fails, runs, control_fails, control_runs;
};
void report_sides(struct json_object *view, struct report_side *ret_good,
		  struct report_side *ret_bad);
/* Of a commit in the view's "commits"; NULL = not known. */
struct json_object *report_commit(struct json_object *view, const char *sha);
/* The evidence of the newest change to `state` that has the member `key`; NULL = none. */
struct json_object *report_evidence(struct json_object *view, const char *state, const char *key);

/* fail:runs of both sides, and the runs without a fault. */
void report_table(struct json_object *view, struct buf *out);
/* What a regression is of, when that is a metric; NULL = it is of failures. */
struct json_object *report_metric(struct json_object *view);
/* What its submission measured at a commit between the ends; NULL = nothing. */
struct json_object *report_metric_between(struct json_object *view, const char *sha);
/* Median and spread of both sides, and what the rank test says. */
void report_metric_table(struct json_object *view, struct buf *out);
/* How much it is where it is back. */
void report_metric_fixed(struct json_object *view, struct buf *out);
/* Where it shows, when that is more than one case. */
void report_cases(struct json_object *view, struct buf *out);
/* What the kernel counted in the run that is shown, and in the same run where it was good. */
void report_counters(struct json_object *view, struct buf *out);
/* Errors and warnings of the build; those that the good commit's build does not have are marked. */
void report_build(struct json_object *view, struct buf *out);
/* Checks that broke, the stack of the injection, the kernel's own report. */
void report_failure(struct json_object *view, struct buf *out);

#endif
