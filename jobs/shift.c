// SPDX-License-Identifier: MIT
#include "jobs/shift.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/clean.h"

/* A median lies beyond the threshold at most so often where it should not. */
#define GROUP_ERROR 0.1

static double *copy_of(const struct shift_values *v)
{
	double *copy = xcalloc(v->n + 1, sizeof(*copy));

	if (v->n)
		memcpy(copy, v->v, v->n * sizeof(*copy));
	return copy;
}

static struct metric_summary summary_of(const struct shift_values *v)
{
	struct metric_summary s = { .n = 0 };
	CLEANUP(free_p) double *copy = copy_of(v);

	if (v->n)
		metric_summarise_values(copy, v->n, &s);
	return s;
}

static bool is_worse(enum metric_worse worse, double shift)
{
	return (worse == METRIC_WORSE_MORE && shift > 0) ||
	       (worse == METRIC_WORSE_LESS && shift < 0);
}

/* ---- suspicion ------------------------------------------------------------------------------ */

/* All values in one array, and where those of each commit begin: starts[n] is their number. */
struct pooled {
	double *v;
	size_t *starts;
};

static void pooled_p(struct pooled *p)
{
	free(p->v);
	free(p->starts);
}

static struct pooled pool(const struct shift_values *commits, size_t n)
{
	struct pooled p = { .starts = xcalloc(n + 1, sizeof(*p.starts)) };

	for (size_t i = 0; i < n; i++)
		p.starts[i + 1] = p.starts[i] + commits[i].n;
	p.v = xcalloc(p.starts[n] + 1, sizeof(*p.v));
	for (size_t i = 0; i < n; i++)
		if (commits[i].n)
			memcpy(p.v + p.starts[i], commits[i].v, commits[i].n * sizeof(*p.v));
	return p;
}

/* A split before commit `at` that both sides have enough values for. */
static bool is_split(const struct pooled *p, const struct shift_values *commits, size_t n,
		     size_t at, size_t least)
{
	return commits[at].n && p->starts[at] >= least && p->starts[n] - p->starts[at] >= least;
}

bool shift_find(enum metric_worse worse, const struct rank_rule *rule,
		const struct shift_values *commits, size_t n, struct shift_onset *ret)
{
	CLEANUP(pooled_p) struct pooled all = pool(commits, n);
	struct rank_rule strict = *rule;
	size_t splits = 0, at = 0, all_n = all.starts[n];
	double least = 2;

	for (size_t i = 1; i < n && worse != METRIC_WORSE_NEITHER; i++) {
		size_t before = all.starts[i];
		double p;

		if (!is_split(&all, commits, n, i, rule->repeats_min))
			continue;
		splits++;
		p = rank_p_two_sided(all.v, before, all.v + before, all_n - before);
		if (p < least) {
			least = p;
			at = i;
		}
	}
	if (!splits)
		return false;
	strict.p_max /= (double)splits;
	*ret = (struct shift_onset){ .at = at };
	rank_compare(all.v, all.starts[at], all.v + all.starts[at], all_n - all.starts[at], &strict,
		     &ret->rank);
	ret->before = summary_of(&(struct shift_values){ all.v, all.starts[at] });
	ret->after = summary_of(
		&(struct shift_values){ all.v + all.starts[at], all_n - all.starts[at] });
	return ret->rank.verdict == RANK_MOVED && is_worse(worse, ret->rank.shift);
}

char *shift_title(const char *scenario, const char *name, const char *unit,
		  const struct shift_onset *o)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	double was = o->before.median, is = o->after.median;

	buf_printf(&b, "%s: %s %.4g → %.4g%s%s", scenario, name, was, is, *unit ? " " : "", unit);
	if (was != 0)
		buf_printf(&b, " (%+.3g %%)", 100 * (is - was) / fabs(was));
	return buf_steal(&b);
}

/* ---- confirmation --------------------------------------------------------------------------- */

static void decide(struct shift_step *ret, enum confirm_verdict verdict, const char *why)
{
	ret->verdict = verdict;
	ret->why = why;
	ret->bad_runs = ret->good_runs = 0;
}

/* How many looks `n` values have had; what the next one lacks is *ret_more. */
static int looks_of(const struct shift_opts *o, size_t n, size_t have, int *ret_more)
{
	int k = 0;

	while (k < SHIFT_LOOKS && n >= o->looks[k])
		k++;
	*ret_more = k < SHIFT_LOOKS && o->looks[k] > have ? (int)(o->looks[k] - have) : 0;
	return k;
}

/* The looks that there were; what both sides say after the newest is in ret->rank. */
static void look(enum metric_worse worse, const struct shift_opts *o, int looks,
		 struct shift_step *ret)
{
	if (ret->rank.verdict == RANK_MOVED && is_worse(worse, ret->rank.shift))
		decide(ret, CONFIRM_YES, "fresh values of both sides differ the same way");
	else if (!is_worse(worse, ret->rank.shift) || ret->rank.p > o->p_futile)
		decide(ret, CONFIRM_FLAKY, "fresh values do not show it");
	else if (looks == SHIFT_LOOKS)
		decide(ret, CONFIRM_FLAKY, "fresh values of both sides are too much alike");
}

static void compare(const struct shift_opts *o, const struct shift_side *bad,
		    const struct shift_side *good, struct shift_step *ret)
{
	*ret = (struct shift_step){ .verdict = CONFIRM_OPEN, .why = "" };
	rank_compare(good->values.v, good->values.n, bad->values.v, bad->values.n, &o->rule,
		     &ret->rank);
}

void shift_confirm(enum metric_worse worse, const struct shift_opts *o,
		   const struct shift_side *bad, const struct shift_side *good,
		   struct shift_step *ret)
{
	size_t n = bad->values.n < good->values.n ? bad->values.n : good->values.n;
	int looks;

	compare(o, bad, good, ret);
	looks = looks_of(o, n, bad->values.n, &ret->bad_runs);
	(void)looks_of(o, n, good->values.n, &ret->good_runs);
	if (looks)
		look(worse, o, looks, ret);
	if (ret->verdict == CONFIRM_OPEN && (bad->lost >= o->max_lost || good->lost >= o->max_lost))
		decide(ret, CONFIRM_INFRASTRUCTURE, "it could not be measured again");
}

void shift_mended(enum metric_worse worse, const struct shift_opts *o, const struct shift_side *bad,
		  const struct shift_side *fix, double threshold, struct shift_step *ret)
{
	int looks;

	compare(o, bad, fix, ret);
	looks = looks_of(o, fix->values.n, fix->values.n, &ret->good_runs);
	if (looks)
		look(worse, o, looks, ret);
	if (ret->verdict == CONFIRM_YES &&
	    2 * (size_t)shift_count_beyond(worse, threshold, &fix->values) >= fix->values.n)
		decide(ret, CONFIRM_FLAKY, "it is better, and not back to where it was");
	if (ret->verdict == CONFIRM_OPEN && fix->lost >= o->max_lost)
		decide(ret, CONFIRM_INFRASTRUCTURE, "it could not be measured again");
}

static struct json_object *number(double x)
{
	return isfinite(x) ? json_object_new_double(x) : NULL;
}

struct json_object *shift_side_to_json(const struct shift_values *v)
{
	struct json_object *o = json_object_new_object();
	struct metric_summary s = summary_of(v);

	json_object_object_add(o, "n", json_object_new_int64((int64_t)s.n));
	json_object_object_add(o, "median", s.n ? number(s.median) : NULL);
	json_object_object_add(o, "min", s.n ? number(s.min) : NULL);
	json_object_object_add(o, "max", s.n ? number(s.max) : NULL);
	json_object_object_add(o, "spread", s.n ? number(s.spread) : NULL);
	return o;
}

struct json_object *shift_evidence(const struct shift_opts *o, const struct shift_side *bad,
				   const struct shift_side *good, const struct shift_step *step)
{
	struct json_object *e = json_object_new_object();

	json_object_object_add(e, "bad", shift_side_to_json(&bad->values));
	json_object_object_add(e, "good", shift_side_to_json(&good->values));
	json_object_object_add(e, "p", number(step->rank.p));
	json_object_object_add(e, "shift", number(step->rank.shift));
	json_object_object_add(e, "effect", number(step->rank.effect));
	json_object_object_add(e, "why", json_str(step->why));
	json_object_object_add(e, "p_max", number(o->rule.p_max));
	json_object_object_add(e, "effect_min", number(o->rule.effect_min));
	json_object_object_add(e, "values_max",
			       json_object_new_int64((int64_t)o->looks[SHIFT_LOOKS - 1]));
	return e;
}

/* ---- which side a value is on --------------------------------------------------------------- */

double shift_threshold(const struct shift_values *bad, const struct shift_values *good)
{
	return summary_of(bad).median / 2 + summary_of(good).median / 2;
}

bool shift_is_beyond(enum metric_worse worse, double threshold, double value)
{
	return worse == METRIC_WORSE_MORE ? value > threshold : value < threshold;
}

int shift_count_beyond(enum metric_worse worse, double threshold, const struct shift_values *v)
{
	int n = 0;

	for (size_t i = 0; i < v->n; i++)
		n += shift_is_beyond(worse, threshold, v->v[i]);
	return n;
}

/* The rate of what was seen `k` times in `n`, with one time more each way: a sample that shows none
 * is no proof that there is none. */
static double rate(int k, size_t n)
{
	return (k + 1.0) / ((double)n + 2);
}

/* The probability that most of `g` values lie on the wrong side when one does with `q`. */
static double median_error(int g, double q)
{
	double sum = 0, ways = 1;

	for (int k = 0; k <= g; k++) {
		if (2 * k > g)
			sum += ways * pow(q, k) * pow(1 - q, g - k);
		ways = ways * (g - k) / (k + 1);
	}
	return sum;
}

int shift_group(enum metric_worse worse, const struct shift_values *bad,
		const struct shift_values *good)
{
	double threshold = shift_threshold(bad, good);
	double q = fmax(rate((int)bad->n - shift_count_beyond(worse, threshold, bad), bad->n),
			rate(shift_count_beyond(worse, threshold, good), good->n));

	for (int g = 1; g <= SHIFT_GROUP_MAX; g += 2)
		if (median_error(g, q) <= GROUP_ERROR)
			return g;
	return 0;
}
