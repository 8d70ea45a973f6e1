/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "jobs/judge.h"
#include "lib/buf.h"
#include "lib/limits.h"

/* The first of the earliest status; NULL without points. */
static const struct result *worst_point(const struct result *const *points, int n)
{
	const struct result *worst = NULL;

	for (int i = 0; i < n; i++)
		if (!worst || points[i]->status < worst->status)
			worst = points[i];
	return worst;
}

static void sum_points(const struct result *const *points, int n, struct result *ret)
{
	for (int i = 0; i < n; i++) {
		ret->injected_on += points[i]->injected_on;
		ret->injected_off += points[i]->injected_off;
		ret->injected_unclassified += points[i]->injected_unclassified;
		ret->duration_us += points[i]->duration_us;
	}
}

/* Takes a verdict; `why` follows the count of points. */
static void close_with(struct result *ret, enum status status, enum reason reason, const char *why)
{
	ret->status = status;
	ret->reason = reason;
	ret->detail = xasprintf("swept %d point%s%s%s", ret->points, ret->points == 1 ? "" : "s",
				*why ? ": " : "", why);
}

/* An ended sweep in which no point failed. */
static void close_ended(const struct judge_input *in, const struct result *worst,
			const struct result *const *points, int n, struct result *ret)
{
	bool control = in->scenario->kind == SCENARIO_KIND_CONTROL;

	if (!worst && control) {
		close_with(ret, STATUS_PASS, REASON_NONE, "nothing to inject, as it must be");
		return;
	}
	if (!worst) {
		close_with(ret, STATUS_ERROR, REASON_INEFFECTIVE, "nothing was hit");
		return;
	}
	for (int i = 0; i < n; i++) {
		if (points[i]->status != worst->status) {
			close_with(ret, STATUS_ERROR, REASON_HARNESS,
				   "the points contradict each other");
			return;
		}
	}
	close_with(ret, worst->status, worst->reason, "");
}

void judge_sweep(const struct judge_input *in, const struct result *const *points, int n_points,
		 bool ended, bool capped, struct result *ret)
{
	const struct result *worst = worst_point(points, n_points);

	result_init(ret);
	ret->scenario = xstrdup(in->pcase->scenario);
	ret->fault = in->pcase->fault;
	ret->fault.nth = 0;
	ret->repeat = in->pcase->repeat;
	ret->closing = true;
	ret->points = n_points;
	sum_points(points, n_points, ret);
	if (n_points == 1 && worst->status == STATUS_SKIP) {
		ret->points = 0;
		ret->status = STATUS_SKIP;
		ret->reason = worst->reason;
		ret->detail = xstrdup(worst->detail);
	} else if (worst && (worst->status == STATUS_FAIL ||
			     (worst->status == STATUS_ERROR && ended && !capped) ||
			     (worst->status == STATUS_MISS && !capped))) {
		CLEANUP(free_p)
		char *why = xasprintf("point %d: %s", worst->fault.nth,
				      worst->detail ? worst->detail : reason_name(worst->reason));

		close_with(ret, worst->status, worst->reason, why);
	} else if (capped) {
		close_with(ret, STATUS_ERROR, REASON_TRUNCATED,
			   "stopped there, more was to inject");
	} else if (!ended) {
		close_with(ret, STATUS_ERROR, REASON_TRUNCATED, "the sweep could not be finished");
	} else {
		close_ended(in, worst, points, n_points, ret);
	}
}
