/* SPDX-License-Identifier: MIT */
#include "jobs/confirm.h"

#include "jobs/stat.h"

/* Rates that a test of the good side looks for: so rare takes the whole budget to see, and more
 * frequent than that it need not be to be seen in a batch. */
#define RATE_MIN 0.1
#define RATE_MAX 0.9

static int at_least(int runs, int batch, int left)
{
	if (runs < batch)
		runs = batch;
	return runs < left ? runs : left;
}

/* The test of one side: its verdict, and how many more runs decide at the earliest. */
static enum sprt_verdict test_side(const struct confirm_opts *o, const struct confirm_side *side,
				   double p1, bool expect_fails, int *ret_runs)
{
	struct sprt s = {
		.p0 = o->p0, .p1 = p1, .alpha = o->alpha, .beta = o->beta, .max_runs = o->max_runs
	};
	enum sprt_verdict v;

	sprt_add(&s, side->fails, side->runs);
	v = sprt_verdict(&s);
	*ret_runs = v == SPRT_OPEN ? at_least(sprt_shortest(&s, expect_fails), o->batch,
					      o->max_runs - side->runs)
				   : 0;
	return v;
}

/* What the good side would fail at if it were as bad: as rarely as the bad side's runs allow. */
static double rate_to_exclude(const struct confirm_side *bad)
{
	double low, high;

	stat_rate_interval(bad->fails, bad->runs, 0.9, &low, &high);
	return low < RATE_MIN ? RATE_MIN : low > RATE_MAX ? RATE_MAX : low;
}

enum sprt_verdict confirm_good(const struct confirm_opts *o, const struct confirm_side *bad,
			       const struct confirm_side *side, int *ret_runs)
{
	return test_side(o, side, rate_to_exclude(bad), false, ret_runs);
}

static void decide(struct confirm_step *ret, enum confirm_verdict verdict, const char *why)
{
	ret->verdict = verdict;
	ret->why = why;
	ret->bad_runs = ret->good_runs = 0;
}

/* It is real, and older than the good side. */
static void decide_old(struct confirm_step *ret, const char *why)
{
	decide(ret, CONFIRM_FLAKY, why);
	ret->old = true;
}

/* A test between two rates takes the nearer one: that the rate is p0 is another question. */
static bool fails_too_often(const struct confirm_opts *o, const struct confirm_side *good)
{
	double low, high;

	stat_rate_interval(good->fails, good->runs, 1 - 2 * o->alpha, &low, &high);
	return low > o->p0;
}

/* Both sides are decided as a regression wants it. */
static void weigh(const struct confirm_opts *o, const struct confirm_side *bad,
		  const struct confirm_side *good, struct confirm_step *ret)
{
	if (fails_too_often(o, good))
		decide_old(ret, "where it was good it fails now and then");
	else if (ret->p <= o->alpha)
		decide(ret, CONFIRM_YES, "it fails where it is new, and not where it was good");
	else if (good->runs < o->max_runs)
		ret->good_runs = at_least(good->runs, o->batch, o->max_runs - good->runs);
	else if (bad->runs < o->max_runs)
		ret->bad_runs = at_least(bad->runs, o->batch, o->max_runs - bad->runs);
	else
		decide_old(ret, "both sides fail too much alike");
}

void confirm_next(const struct confirm_opts *o, const struct confirm_side *bad,
		  const struct confirm_side *good, struct confirm_step *ret)
{
	enum sprt_verdict b, g;

	*ret = (struct confirm_step){
		.verdict = CONFIRM_OPEN,
		.p = stat_fisher_greater(bad->fails, bad->runs, good->fails, good->runs),
		.why = "",
	};
	b = test_side(o, bad, o->p1, true, &ret->bad_runs);
	g = confirm_good(o, bad, good, &ret->good_runs);
	if (b == SPRT_H0)
		decide(ret, CONFIRM_FLAKY, "it did not happen again");
	else if (b == SPRT_EXHAUSTED)
		decide(ret, CONFIRM_FLAKY, "it happens too rarely to be searched for");
	else if (bad->lost >= o->max_lost || good->lost >= o->max_lost)
		decide(ret, CONFIRM_INFRASTRUCTURE, "it could not be run again");
	else if (b == SPRT_OPEN)
		/* how good the good side has to be is known once the bad one is */
		ret->good_runs = good->runs ? 0 : o->batch;
	else if (g == SPRT_H1)
		decide_old(ret, "it fails where it was good as well");
	else if (g == SPRT_EXHAUSTED)
		decide_old(ret, "where it was good it fails now and then");
	else if (g == SPRT_H0)
		weigh(o, bad, good, ret);
}

static struct json_object *side_to_json(const struct confirm_side *side)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "fails", json_object_new_int(side->fails));
	json_object_object_add(o, "runs", json_object_new_int(side->runs));
	json_object_object_add(o, "others", json_object_new_int(side->others));
	json_object_object_add(o, "control_fails", json_object_new_int(side->control_fails));
	json_object_object_add(o, "control_runs", json_object_new_int(side->control_runs));
	return o;
}

struct json_object *confirm_evidence(const struct confirm_opts *o, const struct confirm_side *bad,
				     const struct confirm_side *good,
				     const struct confirm_step *step)
{
	struct json_object *e = json_object_new_object();

	json_object_object_add(e, "bad", side_to_json(bad));
	json_object_object_add(e, "good", side_to_json(good));
	json_object_object_add(e, "p", json_object_new_double(step->p));
	json_object_object_add(e, "why", json_str(step->why));
	json_object_object_add(e, "p0", json_object_new_double(o->p0));
	json_object_object_add(e, "p1", json_object_new_double(o->p1));
	json_object_object_add(e, "alpha", json_object_new_double(o->alpha));
	json_object_object_add(e, "beta", json_object_new_double(o->beta));
	json_object_object_add(e, "max_runs", json_object_new_int(o->max_runs));
	return e;
}
