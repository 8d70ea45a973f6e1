/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/shift.h"
#include "lib/buf.h"
#include "lib/clean.h"

#define COMMITS_MAX 40
#define VALUES_MAX 40
#define MORE METRIC_WORSE_MORE
#define LESS METRIC_WORSE_LESS

static const struct rank_rule rule = RANK_RULE_DEFAULT;
static uint64_t seed;

static double uniform(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (double)((seed * UINT64_C(0x2545f4914f6cdd1d)) >> 11) / 9007199254740992.0;
}

/* Normal, by Box and Muller. */
static double noisy(double median, double spread)
{
	double r = sqrt(-2 * log(1 - uniform()));

	return median * (1 + spread * r * cos(2 * M_PI * uniform()));
}

/* --- suspicion -------------------------------------------------------------------------------- */

/* Commits are "1,2,3|4,5": values between commas, commits between bars. */
static size_t parse(const char *text, double v[][VALUES_MAX], struct shift_values *commits)
{
	size_t n = 0;

	for (const char *p = text;; p++) {
		commits[n] = (struct shift_values){ v[n], 0 };
		while (*p && *p != '|') {
			char *end;

			v[n][commits[n].n++] = strtod(p, &end);
			p = end + (*end == ',');
		}
		n++;
		if (!*p)
			return n;
	}
}

static const struct {
	const char *commits;
	enum metric_worse worse;
	int at; /* -1: nothing */
} onsets[] = {
	/* five and five that do not overlap are the least that can be suspected */
	{ "4,4,4,4,4|8,8,8,8,8", MORE, 1 },
	{ "4,4,4,4,4|8,8,8,8,8", LESS, -1 },
	{ "4,4,4,4,4|8,8,8,8,8", METRIC_WORSE_NEITHER, -1 },
	{ "64,64,64,64,64|0,0,0,0,0", LESS, 1 },
	{ "4,4,4,4|8,8,8,8,8", MORE, -1 },
	{ "4,4,4,4,4|8,8,8,8", MORE, -1 },
	{ "0,0,0,0,0|4,4,4,4,4", MORE, 1 }, /* no base to take a share of */
	{ "1,2,3,4,6|5,7,8,9,10", MORE, -1 }, /* one that overlaps */
	/* below the floor, however clear */
	{ "100,100,100,100,100|104,104,104,104,104", MORE, -1 },
	{ "100,100,100,100,100|105,105,105,105,105", MORE, 1 },
	/* nothing to compare */
	{ "", MORE, -1 },
	{ "1,1,1,1,1", MORE, -1 },
	{ "|1,1,1,1,1|", MORE, -1 },
	/* in a series: where it steps, over commits that were not measured too */
	{ "4,4,4,4,4|4,4,4,4,4|8,8,8,8,8|8,8,8,8,8", MORE, 2 },
	{ "4,4,4,4,4||8,8,8,8,8", MORE, 2 },
	{ "|4,4,4,4,4|8,8,8,8,8", MORE, 2 },
	/* with one value a commit, five commits a side make five values a side */
	{ "4|4|4|4|4|8|8|8|8|8", MORE, 5 },
	{ "4|4|4|4|8|8|8|8|8", MORE, -1 },
	/* several places to look at: what one pair of five proves is too little among them */
	{ "1,2,3,4,5|6,7,8,9,10|1,2,3,4,5|6,7,8,9,10", MORE, -1 },
};

static void test_onsets(void **state)
{
	static double v[COMMITS_MAX][VALUES_MAX];
	struct shift_values commits[COMMITS_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(onsets); i++) {
		struct shift_onset o = { .at = 99 };
		size_t n = parse(onsets[i].commits, v, commits);
		bool found = shift_find(onsets[i].worse, &rule, commits, n, &o);

		if (found != (onsets[i].at >= 0) || (found && (int)o.at != onsets[i].at))
			fail_msg("row %zu: %d at %zu", i, found, o.at);
	}
}

static void test_titles(void **state)
{
	static double v[2][VALUES_MAX];
	struct shift_values commits[2];
	struct shift_onset o;
	CLEANUP(free_p) char *to_nothing = NULL, *from_nothing = NULL;

	(void)state;
	parse("64,64,64,64,64|0,0,0,0,0", v, commits);
	assert_true(shift_find(LESS, &rule, commits, 2, &o));
	assert_int_equal(o.before.n, 5);
	assert_int_equal(o.rank.n_b, 5);
	to_nothing = shift_title("zeropage.remap", "rss.freed", "pages", &o);
	assert_string_equal(to_nothing, "zeropage.remap: rss.freed 64 → 0 pages (-100 %)");
	parse("0,0,0,0,0|2.5,2.5,2.5,2.5,2.5", v, commits);
	assert_true(shift_find(MORE, &rule, commits, 2, &o));
	from_nothing = shift_title("a.b", "c", "", &o);
	assert_string_equal(from_nothing, "a.b: c 0 → 2.5");
}

/* --- confirmation ------------------------------------------------------------------------------ */

static struct shift_side fill(double *v, size_t n, double median, double spread)
{
	for (size_t i = 0; i < n; i++)
		v[i] = noisy(median, spread);
	return (struct shift_side){ { v, n }, 0 };
}

static void test_steps(void **state)
{
	const struct shift_opts o = SHIFT_DEFAULTS;
	double b[VALUES_MAX], g[VALUES_MAX];
	struct shift_side bad = { { b, 0 }, 0 }, good = { { g, 0 }, 0 };
	struct shift_step s;

	(void)state;
	shift_confirm(MORE, &o, &bad, &good, &s);
	assert_int_equal(s.verdict, CONFIRM_OPEN);
	assert_int_equal(s.bad_runs, 10);
	assert_int_equal(s.good_runs, 10);
	/* what was lost is asked for again, until nothing comes */
	bad = fill(b, 7, 8, 0);
	good = fill(g, 10, 4, 0);
	bad.lost = 3;
	shift_confirm(MORE, &o, &bad, &good, &s);
	assert_int_equal(s.verdict, CONFIRM_OPEN);
	assert_int_equal(s.bad_runs, 3);
	assert_int_equal(s.good_runs, 0);
	bad.lost = 10;
	shift_confirm(MORE, &o, &bad, &good, &s);
	assert_int_equal(s.verdict, CONFIRM_INFRASTRUCTURE);
	assert_int_equal(s.bad_runs, 0);
	bad = fill(b, 10, 8, 0);
	shift_confirm(MORE, &o, &bad, &good, &s);
	assert_int_equal(s.verdict, CONFIRM_YES);
	shift_confirm(LESS, &o, &bad, &good, &s);
	assert_int_equal(s.verdict, CONFIRM_FLAKY);
	/* clear, and below the floor: more of it is asked for, and then it is given up */
	for (size_t n = 10; n <= 40; n *= 2) {
		bad = fill(b, n, 104, 0);
		good = fill(g, n, 100, 0);
		shift_confirm(MORE, &o, &bad, &good, &s);
		assert_int_equal(s.verdict, n < 40 ? CONFIRM_OPEN : CONFIRM_FLAKY);
		assert_int_equal(s.bad_runs, n < 40 ? (int)n : 0);
		assert_int_equal(s.good_runs, n < 40 ? (int)n : 0);
	}
	good = fill(g, 10, 104, 0);
	bad = fill(b, 10, 104, 0);
	shift_confirm(MORE, &o, &bad, &good, &s);
	assert_int_equal(s.verdict, CONFIRM_FLAKY);
	assert_string_equal(s.why, "fresh values do not show it");
}

static void test_mended(void **state)
{
	static const struct {
		double fix;
		enum confirm_verdict verdict;
	} rows[] = {
		{ 4, CONFIRM_YES },   { 5, CONFIRM_YES },
		{ 7, CONFIRM_FLAKY }, /* better, and nearer to the bad side */
		{ 8, CONFIRM_FLAKY }, { 9, CONFIRM_FLAKY },
	};
	const struct shift_opts o = SHIFT_DEFAULTS;
	double b[VALUES_MAX], f[VALUES_MAX];
	struct shift_side bad = fill(b, 10, 8, 0), fix = { { f, 0 }, 0 };
	struct shift_step s;

	(void)state;
	shift_mended(MORE, &o, &bad, &fix, 6, &s);
	assert_int_equal(s.verdict, CONFIRM_OPEN);
	assert_int_equal(s.good_runs, 10);
	assert_int_equal(s.bad_runs, 0);
	fix.lost = 10;
	shift_mended(MORE, &o, &bad, &fix, 6, &s);
	assert_int_equal(s.verdict, CONFIRM_INFRASTRUCTURE);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fix = fill(f, 10, rows[i].fix, 0);
		shift_mended(MORE, &o, &bad, &fix, 6, &s);
		assert_int_equal(s.verdict, rows[i].verdict);
	}
}

static const char *text_of(struct json_object *o, const char *side, const char *key)
{
	if (side)
		o = json_object_object_get(o, side);
	assert_true(json_object_object_get_ex(o, key, NULL));
	return json_object_get_string(json_object_object_get(o, key));
}

static void test_evidence(void **state)
{
	const struct shift_opts o = SHIFT_DEFAULTS;
	double b[VALUES_MAX], g[VALUES_MAX];
	struct shift_side bad = fill(b, 10, 4, 0), good = fill(g, 10, 0, 0);
	CLEANUP(json_put_p) struct json_object *e = NULL, *none = NULL;
	struct shift_step s;

	(void)state;
	shift_confirm(MORE, &o, &bad, &good, &s);
	e = shift_evidence(&o, &bad, &good, &s);
	assert_string_equal(text_of(e, "bad", "n"), "10");
	assert_string_equal(text_of(e, "bad", "median"), "4.0");
	assert_string_equal(text_of(e, "good", "spread"), "0.0");
	assert_string_equal(text_of(e, NULL, "shift"), "4.0");
	assert_null(text_of(e, NULL, "effect")); /* of nothing */
	assert_string_equal(text_of(e, NULL, "values_max"), "40");
	none = shift_side_to_json(&(struct shift_values){ NULL, 0 });
	assert_null(text_of(none, NULL, "median"));
	assert_string_equal(text_of(none, NULL, "n"), "0");
}

/* --- which side a value is on ------------------------------------------------------------------ */

static void test_threshold(void **state)
{
	static const struct {
		const char *bad_good;
		int group;
	} rows[] = {
		{ "8,8,8,8,8,8,8,8,8,8|4,4,4,4,4,4,4,4,4,4", 1 },
		{ "8,8,8,8,8,8,8,8,8,3|4,4,4,4,4,4,4,4,4,4", 3 },
		{ "8,8,8,8,8,8,8,8,8,8|4,4,4,4,4,4,4,4,9,9", 7 },
		{ "8,8,8,8,8,8,8,3,3,3|4,4,4,4,4,4,4,4,4,4", 0 },
	};
	static double v[2][VALUES_MAX];
	struct shift_values side[2];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		parse(rows[i].bad_good, v, side);
		assert_float_equal(shift_threshold(&side[0], &side[1]), 6, 1e-9);
		assert_int_equal(shift_group(MORE, &side[0], &side[1]), rows[i].group);
	}
	/* the middle itself is not beyond */
	assert_true(shift_is_beyond(MORE, 6, 6.1));
	assert_false(shift_is_beyond(MORE, 6, 6));
	assert_false(shift_is_beyond(LESS, 6, 6));
	assert_true(shift_is_beyond(LESS, 6, 5.9));
	assert_int_equal(shift_count_beyond(LESS, 6, &(struct shift_values){ v[1], 10 }), 10);
}

/* --- false alarms and power --------------------------------------------------------------------- */

/* Fresh values until it is decided. */
static enum confirm_verdict measure(double bad_median, double good_median, double spread,
				    int *ret_values)
{
	const struct shift_opts o = SHIFT_DEFAULTS;
	double b[VALUES_MAX], g[VALUES_MAX];
	struct shift_side bad = { { b, 0 }, 0 }, good = { { g, 0 }, 0 };
	struct shift_step s;

	for (;;) {
		shift_confirm(MORE, &o, &bad, &good, &s);
		if (s.verdict != CONFIRM_OPEN)
			break;
		assert_true(s.bad_runs > 0 && s.bad_runs == s.good_runs);
		for (int i = 0; i < s.bad_runs; i++) {
			b[bad.values.n++] = noisy(bad_median, spread);
			g[good.values.n++] = noisy(good_median, spread);
		}
	}
	*ret_values += (int)(bad.values.n + good.values.n);
	return s.verdict;
}

/* A submission of `n` commits, five values each, that got `shift` worse at its middle. */
static bool suspected(size_t n, double shift, double spread)
{
	static double v[COMMITS_MAX][VALUES_MAX];
	struct shift_values commits[COMMITS_MAX];
	struct shift_onset o;

	for (size_t i = 0; i < n; i++) {
		commits[i] = (struct shift_values){ v[i], 5 };
		for (size_t k = 0; k < 5; k++)
			v[i][k] = noisy(2 * i < n ? 100 : 100 * (1 + shift), spread);
	}
	return shift_find(MORE, &rule, commits, n, &o);
}

/* Nothing changed, and it is noisy enough for the floor to be no help: how often it is suspected, and
 * how often that is then confirmed. Both are asked apart, since one after the other nothing is left
 * to count. */
static void test_false_alarms(void **state)
{
	enum { METRICS = 10000 };
	static const size_t lengths[] = { 2, 3, 9 };
	int confirmed = 0, values = 0;

	(void)state;
	seed = 20261121;
	for (size_t k = 0; k < ARRAY_SIZE(lengths); k++) {
		int n = k ? METRICS / 3 : METRICS, found = 0;

		for (int i = 0; i < n; i++)
			found += suspected(lengths[k], 0, 0.2);
		print_message("unchanged, %zu commits: %d of %d metrics suspected (%.2f %%)\n",
			      lengths[k], found, n, 100.0 * found / n);
		assert_true(found <= n / 100);
	}
	for (int i = 0; i < METRICS; i++)
		confirmed += measure(100, 100, 0.2, &values) == CONFIRM_YES;
	print_message("unchanged: %d of %d suspicions confirmed (%.3f %%), %.1f values each\n",
		      confirmed, METRICS, 100.0 * confirmed / METRICS, (double)values / METRICS);
	assert_true(confirmed <= METRICS * 3 / 1000);
	assert_true(values / METRICS <= 40);
}

static void test_power(void **state)
{
	enum { METRICS = 500 };
	static const struct {
		double shift, spread;
		int found, confirmed; /* at least, per cent */
	} rows[] = {
		{ 0.1, 0.02, 95, 99 }, { 0.1, 0.04, 45, 99 }, { 0.1, 0.05, 25, 95 },
		{ 0.2, 0.1, 25, 95 },  { 0.5, 0.1, 90, 99 },
	};

	(void)state;
	seed = 10;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int found = 0, in_series = 0, confirmed = 0, values = 0;

		for (int k = 0; k < METRICS; k++) {
			found += suspected(2, rows[i].shift, rows[i].spread);
			in_series += suspected(6, rows[i].shift, rows[i].spread);
			confirmed += measure(100 * (1 + rows[i].shift), 100, rows[i].spread,
					     &values) == CONFIRM_YES;
		}
		print_message("%g %% worse, spread %g %%: suspected %.0f %%, in a series of five "
			      "%.0f %%; then confirmed %.0f %% with %.0f values\n",
			      100 * rows[i].shift, 100 * rows[i].spread, 100.0 * found / METRICS,
			      100.0 * in_series / METRICS, 100.0 * confirmed / METRICS,
			      (double)values / METRICS);
		assert_true(found >= rows[i].found * METRICS / 100);
		assert_true(in_series >= found);
		assert_true(confirmed >= rows[i].confirmed * METRICS / 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_onsets),	     cmocka_unit_test(test_titles),
		cmocka_unit_test(test_steps),	     cmocka_unit_test(test_mended),
		cmocka_unit_test(test_evidence),     cmocka_unit_test(test_threshold),
		cmocka_unit_test(test_false_alarms), cmocka_unit_test(test_power),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
