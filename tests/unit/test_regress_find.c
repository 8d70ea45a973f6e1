/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "server/regress_find.h"

/* A history: case names, each with what it came to at the commits 0, 1, 2 …: h held, - nothing can be
 * said, a capital letter the signature of a failure. A number behind is how long it took. */
struct history {
	const char *name, *outcomes;
	int duration;
};

static struct error err;

static struct case_seen *make(const struct history *all, size_t *ret_n)
{
	struct case_seen *rows = NULL;
	size_t n = 0, cap = 0;

	for (; all->name; all++)
		for (int i = 0; all->outcomes[i]; i++) {
			char c = all->outcomes[i];
			bool failed = c >= 'A' && c <= 'Z';

			ARRAY_RESERVE(rows, n, cap);
			rows[n++] = (struct case_seen){ .config = xstrdup("default"),
							.scenario = xstrdup(all->name),
							.fault = xstrdup("{}"),
							.position = i,
							.commit_id = 100 + i,
							.failed = failed,
							.held = c == 'h',
							.failure = failed ? c : 0,
							.duration_us = all->duration };
		}
	*ret_n = n;
	return rows;
}

static int failure(void *arg, int64_t result, char ret_signature[SIGNATURE_MAX],
		   enum reason *ret_reason, char **ret_title, struct error *e)
{
	(void)arg;
	if (result == 'X')
		return error_set(e, -EIO, "no such failure");
	memset(ret_signature, (int)result, SIGNATURE_MAX - 1);
	ret_signature[SIGNATURE_MAX - 1] = '\0';
	*ret_reason = REASON_LEAK;
	*ret_title = xasprintf("leak: %c", (char)result);
	return 0;
}

/* "A 1..2 x,y; B …": signature, good and bad commit, cases. */
static char *find(const struct history *all)
{
	struct buf b = BUF_INIT;
	struct regress_found f;
	struct case_seen *rows;
	size_t n;

	rows = make(all, &n);
	if (regress_find(rows, n, failure, NULL, &f, &err))
		fail_msg("%s", err.msg);
	for (size_t i = 0; i < f.n; i++) {
		const struct regression_new *g = &f.v[i];

		buf_printf(&b, "%s%c %d..%d", i ? "; " : "", g->signature[0], (int)g->good_id - 100,
			   (int)g->bad_id - 100);
		for (size_t k = 0; k < g->n_cases; k++)
			buf_printf(&b, "%c%s", k ? ',' : ' ', g->cases[k]->scenario);
		assert_int_equal(g->title[6], g->signature[0]);
		assert_string_equal(g->reason, "leak");
	}
	regress_found_free(&f);
	case_seen_free(rows, n);
	return buf_steal(&b);
}

#define END                   \
	{                     \
		NULL, NULL, 0 \
	}

static const struct {
	struct history all[5];
	const char *found;
} rows[] = {
	{ { END }, "" },
	/* nothing new: it never held, or always */
	{ { { "a", "hhh", 1 }, { "b", "AAA", 1 }, { "c", "--A", 1 }, END }, "" },
	/* between neighbours, at the end, over a gap */
	{ { { "a", "hAA", 1 }, END }, "A 0..1 a" },
	{ { { "a", "hhA", 1 }, END }, "A 1..2 a" },
	{ { { "a", "h-A", 1 }, END }, "A 0..2 a" },
	{ { { "a", "-hA", 1 }, END }, "A 1..2 a" },
	/* only its beginning, whatever it comes to later */
	{ { { "a", "hAhB", 1 }, END }, "A 0..1 a" },
	/* it failed before: the same case is no news, even if it held in between */
	{ { { "a", "AhA", 1 }, END }, "" },
	/* one signature is one regression, and its quickest case the first of it */
	{ { { "a", "hA", 9 }, { "b", "hA", 2 }, { "c", "hA", 5 }, END }, "A 0..1 b,c,a" },
	/* another signature, another commit, another last good one are others */
	{ { { "a", "hA", 1 }, { "b", "hB", 1 }, END }, "A 0..1 a; B 0..1 b" },
	{ { { "a", "hhA", 1 }, { "b", "hAA", 1 }, END }, "A 0..1 b; A 1..2 a" },
	{ { { "a", "hhA", 1 }, { "b", "h-A", 1 }, END }, "A 0..2 b; A 1..2 a" },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(free_p) char *found = find(rows[i].all);

		if (strcmp(found, rows[i].found) != 0)
			fail_msg("row %zu: '%s', not '%s'", i, found, rows[i].found);
	}
}

static void test_trouble(void **state)
{
	static const struct history all[] = { { "a", "hA", 1 }, { "b", "hX", 1 }, END };
	struct regress_found f;
	struct case_seen *seen;
	size_t n;

	(void)state;
	seen = make(all, &n);
	assert_int_equal(regress_find(seen, n, failure, NULL, &f, &err), -EIO);
	assert_int_equal(f.n, 0);
	regress_found_free(&f);
	case_seen_free(seen, n);
}

/* --- metrics ------------------------------------------------------------------------------------ */

/* `commits` × `repeats` values: 4 below position `step`, 8 from it on. */
static struct metric_series series(const char *config, const char *accel, const char *name,
				   int commits, int repeats, int step)
{
	struct metric_series m = { .config = xstrdup(config),
				   .scenario = xstrdup("memory.pgtables"),
				   .fault = xstrdup("{\"mode\":\"none\"}"),
				   .accel = xstrdup(accel),
				   .name = xstrdup(name),
				   .unit = xstrdup("kB"),
				   .values = xcalloc((size_t)(commits * repeats),
						     sizeof(struct metric_value)) };

	for (int i = 0; i < commits; i++)
		for (int k = 0; k < repeats; k++)
			m.values[m.n++] = (struct metric_value){ .position = i,
								 .commit_id = 100 + i,
								 .result = 1000 + 10 * i + k,
								 .value = i < step ? 4 : 8 };
	return m;
}

static void test_metrics(void **state)
{
	struct metric_series *all = xcalloc(6, sizeof(*all));
	struct regress_found f;
	size_t n = 0;

	(void)state;
	all[n++] = series("default", "kvm", "pgtables.per_thp", 4, 5, 2);
	all[n++] = series("default", "kvm", "thps", 4, 5, 2); /* neither way is worse */
	all[n++] = series("lockdep", "kvm", "pgtables.per_thp", 4, 10, 2); /* clearer */
	all[n++] = series("default", "kvm", "pgtables.per_split_thp", 2, 5, 2); /* not yet there */
	all[n++] = series("default", "tcg", "pgtables.machine_per_thp", 4, 2, 2); /* too few */
	regress_find_metrics(all, n, &f);
	assert_int_equal(f.n, 1);
	assert_string_equal(f.v[0].reason, "metric");
	assert_string_equal(f.v[0].title, "memory.pgtables: pgtables.per_thp 4 → 8 kB (+100 %)");
	assert_string_equal(f.v[0].metric->name, "pgtables.per_thp");
	assert_string_equal(f.v[0].metric->accel, "kvm");
	assert_int_equal(f.v[0].metric->worse, METRIC_WORSE_MORE);
	assert_int_equal(f.v[0].good_id, 100);
	assert_int_equal(f.v[0].bad_id, 103);
	assert_int_equal(f.v[0].n_cases, 2);
	assert_string_equal(f.v[0].cases[0]->config, "lockdep");
	assert_int_equal(f.v[0].cases[0]->failure, 1030);
	assert_string_equal(f.v[0].cases[1]->config, "default");
	regress_found_free(&f);
	regress_find_metrics(all, 0, &f);
	assert_int_equal(f.n, 0);
	regress_found_free(&f);
	metric_series_free(all, n);
}

/* Values of one accelerator never meet those of another. */
static void test_accelerators(void **state)
{
	struct metric_series *all = xcalloc(2, sizeof(*all));
	struct regress_found f;

	(void)state;
	all[0] = series("default", "kvm", "pgtables.per_thp", 1, 5, 1);
	all[1] = series("default", "tcg", "pgtables.per_thp", 1, 5, 0);
	for (size_t i = 0; i < all[1].n; i++)
		all[1].values[i].position = 1;
	regress_find_metrics(all, 2, &f);
	assert_int_equal(f.n, 0);
	regress_found_free(&f);
	metric_series_free(all, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_trouble),
		cmocka_unit_test(test_metrics),
		cmocka_unit_test(test_accelerators),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
