/* SPDX-License-Identifier: MIT */
/* What runs counted and measured, as series over a row of places: commits of a branch, runs of a case. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "db/store_internal.h"
#include "jobs/metric.h"

#define SERIES_MAX 512 /* some dozen counters and metrics × configurations */
#define REGRESSIONS_MAX 100

/* What tells one series from another: all of these. */
enum { KEY_KIND, KEY_SCENARIO, KEY_FAULT, KEY_NAME, KEY_UNIT, KEY_CONFIG, KEY_ACCEL, KEYS };

struct series {
	char *keys[KEYS];
	double *values; /* NAN: none */
	int rank; /* of its chart */
};

struct series_set {
	size_t n_points;
	struct series *all;
	size_t n, cap;
	size_t next; /* the one that is likely asked for next: runs have their values in one order */
};

struct series_set *series_new(size_t n_points)
{
	struct series_set *set = xcalloc(1, sizeof(*set));

	set->n_points = n_points;
	return set;
}

void series_free_p(struct series_set **pset)
{
	struct series_set *set = *pset;

	for (size_t i = 0; set && i < set->n; i++) {
		for (int k = 0; k < KEYS; k++)
			free(set->all[i].keys[k]);
		free(set->all[i].values);
	}
	if (set)
		free(set->all);
	free(set);
}

static bool same_keys(const struct series *s, const char *const *keys)
{
	for (int k = KEYS; k > 0; k--)
		if (strcmp(s->keys[k - 1], keys[k - 1]) != 0)
			return false;
	return true;
}

/* NULL when there are too many. */
static struct series *find(struct series_set *set, const char *const *keys)
{
	struct series *s;

	for (size_t i = 0; i < set->n; i++) {
		size_t at = (set->next + i) % set->n;

		if (same_keys(&set->all[at], keys)) {
			set->next = at + 1;
			return &set->all[at];
		}
	}
	if (set->n == SERIES_MAX)
		return NULL;
	ARRAY_RESERVE(set->all, set->n, set->cap);
	s = &set->all[set->n++];
	s->values = xcalloc(set->n_points, sizeof(*s->values));
	for (size_t i = 0; i < set->n_points; i++)
		s->values[i] = NAN;
	for (int k = 0; k < KEYS; k++)
		s->keys[k] = xstrdup(keys[k]);
	return s;
}

int series_add(struct series_set *set, struct db *db, size_t point, int64_t run, const char *config,
	       const char *accel, const char *metric, const char *scenario, struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	int r = query_start(&q, db, Q_RUN_VALUES, ARGS(I(run), S(metric), S(scenario)), err);

	if (r < 0)
		return r;
	while ((r = query_next(&q, err)) == 1) {
		const char *keys[KEYS] = { [KEY_CONFIG] = config, [KEY_ACCEL] = accel };
		struct series *s;

		for (int k = 0; k < KEY_CONFIG; k++)
			keys[k] = query_text(&q, k);
		s = find(set, keys);
		if (s && isnan(s->values[point]))
			s->values[point] = query_double(&q, KEY_CONFIG);
	}
	return r;
}

void series_put(struct series_set *set, size_t point, const char *scenario, const char *name,
		const char *unit, const char *config, const char *accel, double value)
{
	const char *const keys[KEYS] = { "case", scenario, "", name, unit, config, accel };
	struct series *s = find(set, keys);

	if (s && isnan(s->values[point]))
		s->values[point] = value;
}

/* --- in order, as JSON ------------------------------------------------------------------------- */

static enum metric_worse worse_of(const struct series *s)
{
	if (strcmp(s->keys[KEY_KIND], "metric") != 0)
		return METRIC_WORSE_NEITHER;
	return metric_worse_of(s->keys[KEY_SCENARIO], s->keys[KEY_NAME]);
}

/* What says most comes first: what can get worse, how splits went, what was injected. */
static int rank_of(const struct series *s)
{
	const char *kind = s->keys[KEY_KIND];

	if (worse_of(s) != METRIC_WORSE_NEITHER)
		return 0;
	if (strcmp(kind, "metric") == 0)
		return 4;
	if (strcmp(kind, "counter") != 0)
		return 2;
	return str_starts(s->keys[KEY_NAME], "thp_split_p") ? 1 : 3;
}

#define RANK_STILL 10 /* behind all others: most of the kernel's counters are never moved */

static int by_keys(const void *pa, const void *pb)
{
	const struct series *a = pa, *b = pb;
	int c = 0;

	for (int k = 0; k < KEYS && !c; k++)
		c = strcmp(a->keys[k], b->keys[k]);
	return c;
}

static int by_rank(const void *pa, const void *pb)
{
	const struct series *a = pa, *b = pb;

	return a->rank != b->rank ? a->rank - b->rank : by_keys(pa, pb);
}

static bool same_chart(const struct series *a, const struct series *b)
{
	for (int k = 0; k < KEY_CONFIG; k++)
		if (strcmp(a->keys[k], b->keys[k]) != 0)
			return false;
	return true;
}

/* That no split of a PMD fails is worth seeing. */
static bool is_still(const struct series_set *set, const struct series *s)
{
	if (str_starts(s->keys[KEY_NAME], "thp_split_pmd"))
		return false;
	for (size_t i = 0; i < set->n_points; i++)
		if (!isnan(s->values[i]) && s->values[i] != 0)
			return false;
	return true;
}

/* All lines of a chart have one rank, so that they stay together. */
static void put_in_order(struct series_set *set)
{
	if (set->n)
		qsort(set->all, set->n, sizeof(*set->all), by_keys);
	for (size_t i = 0, next; i < set->n; i = next) {
		bool still = true;

		for (next = i; next < set->n && same_chart(&set->all[i], &set->all[next]); next++)
			still = still && is_still(set, &set->all[next]);
		for (size_t k = i; k < next; k++)
			set->all[k].rank = rank_of(&set->all[k]) + (still ? RANK_STILL : 0);
	}
	if (set->n)
		qsort(set->all, set->n, sizeof(*set->all), by_rank);
}

static struct json_object *fault_object(const char *text)
{
	struct json_object *o = NULL;

	/* "": of all; what this program wrote can be read */
	if (*text && json_parse(text, strlen(text), &o, NULL) < 0)
		return NULL;
	return o;
}

static struct json_object *values_array(const struct series_set *set, const struct series *s)
{
	struct json_object *a = json_object_new_array_ext((int)set->n_points);

	for (size_t i = 0; i < set->n_points; i++) {
		double v = s->values[i];

		if (isnan(v))
			json_object_array_add(a, NULL);
		else if (v == floor(v) && fabs(v) < 1e15)
			json_object_array_add(a, json_object_new_int64((int64_t)v));
		else
			json_object_array_add(a, json_object_new_double(v));
	}
	return a;
}

struct json_object *series_finish(struct series_set *set)
{
	static const char *const names[KEYS] = { "kind", "scenario", NULL,   "name",
						 "unit", "config",   "accel" };
	struct json_object *list = json_object_new_array();

	put_in_order(set);
	for (size_t i = 0; i < set->n; i++) {
		const struct series *s = &set->all[i];
		struct json_object *o = json_object_new_object();
		CLEANUP(buf_free) struct buf chart = BUF_INIT;

		for (int k = 0; k < KEY_CONFIG; k++)
			buf_printf(&chart, "%s%s", k ? " " : "", s->keys[k]);
		json_object_object_add(o, "chart", json_str(buf_cstr(&chart)));
		for (int k = 0; k < KEYS; k++)
			json_object_object_add(o, names[k] ? names[k] : "fault",
					       names[k] ? json_str(s->keys[k])
							: fault_object(s->keys[k]));
		json_object_object_add(o, "worse", json_str(metric_worse_name(worse_of(s))));
		json_object_object_add(o, "values", values_array(set, s));
		json_object_array_add(list, o);
	}
	return list;
}

/* --- of a branch ------------------------------------------------------------------------------- */

struct tested {
	size_t point; /* newest first */
	int64_t run;
	char *config, *accel;
};

/* Commits of a branch and what tested them. */
struct line {
	struct db *db;
	int limit;
	struct json_object *points; /* newest first */
	struct json_object *index; /* sha → its place in points */
	struct tested *runs;
	size_t n_runs, cap_runs;
};

static void line_free(struct line *l)
{
	json_object_put(l->points);
	json_object_put(l->index);
	for (size_t i = 0; i < l->n_runs; i++) {
		free(l->runs[i].config);
		free(l->runs[i].accel);
	}
	free(l->runs);
}

/* Where the commit is, or is put; -1: there are enough. */
static int64_t point_of(struct line *l, const char *sha, const char *subject)
{
	size_t n = json_object_array_length(l->points);
	struct json_object *at, *o;

	if (json_object_object_get_ex(l->index, sha, &at))
		return json_object_get_int64(at);
	if (n >= (size_t)l->limit)
		return -1;
	o = json_object_new_object();
	json_object_object_add(o, "sha", json_str(sha));
	json_object_object_add(o, "short", json_strn(sha, 12));
	json_object_object_add(o, "subject", json_str(subject));
	json_object_object_add(o, "regressions", json_object_new_array());
	json_object_array_add(l->points, o);
	json_object_object_add(l->index, sha, json_object_new_int64((int64_t)n));
	return (int64_t)n;
}

/* 1: there is no place for more commits. */
static int add_submission(struct line *l, int64_t id, struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	int r = query_start(&q, l->db, Q_SERIES_RUNS, ARGS(I(id)), err);

	if (r < 0)
		return r;
	while ((r = query_next(&q, err)) == 1) {
		int64_t point = point_of(l, query_text(&q, 0), query_text(&q, 1));

		if (point < 0)
			return 1;
		if (!query_i64(&q, 3))
			continue;
		ARRAY_RESERVE(l->runs, l->n_runs, l->cap_runs);
		l->runs[l->n_runs++] = (struct tested){ .point = (size_t)point,
							.run = query_i64(&q, 3),
							.config = query_dup(&q, 2),
							.accel = query_dup(&q, 4) };
	}
	return r;
}

static int newer(const void *pa, const void *pb)
{
	const struct tested *a = pa, *b = pb;

	return (a->run < b->run) - (a->run > b->run);
}

/* The newest run of a commit gives its values, so it comes first. */
static int add_values(struct line *l, const char *metric, struct series_set *set, struct error *err)
{
	int r = 0;

	if (l->n_runs)
		qsort(l->runs, l->n_runs, sizeof(*l->runs), newer);
	for (size_t i = 0; i < l->n_runs && !r; i++) {
		const struct tested *t = &l->runs[i];

		/* branches that never move have one job in many submissions */
		if (i && t->run == t[-1].run && t->point == t[-1].point)
			continue;
		r = series_add(set, l->db, json_object_array_length(l->points) - 1 - t->point,
			       t->run, t->config, t->accel, metric, NULL, err);
	}
	return r;
}

static int add_regressions(struct line *l, int64_t repo, const char *ref, struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	int r = query_start(&q, l->db, Q_SERIES_REGRESSIONS,
			    ARGS(I(repo), S(ref), I(REGRESSIONS_MAX)), err);

	if (r < 0)
		return r;
	while ((r = query_next(&q, err)) == 1) {
		struct json_object *at, *point, *o;

		if (!json_object_object_get_ex(l->index, query_text(&q, 1), &at))
			continue;
		point = json_object_array_get_idx(l->points, (size_t)json_object_get_int64(at));
		o = json_object_new_object();
		json_object_object_add(o, "id", json_object_new_int64(query_i64(&q, 0)));
		json_object_object_add(o, "title", json_str(query_text(&q, 2)));
		json_object_array_add(json_object_object_get(point, "regressions"), o);
	}
	return r;
}

static int read_line(struct line *l, int64_t branch, struct error *err)
{
	CLEANUP(free_p) int64_t *ids = NULL;
	size_t n = 0;
	int r = db_ids(l->db, Q_BRANCH_SUBMISSIONS, ARGS(I(branch), I(l->limit)), &ids, &n, err);

	for (size_t i = 0; i < n && !r; i++) {
		if (json_object_array_length(l->points) >= (size_t)l->limit)
			break;
		r = add_submission(l, ids[i], err);
	}
	return r < 0 ? r : 0;
}

static struct json_object *oldest_first(struct json_object *points)
{
	size_t n = json_object_array_length(points);
	struct json_object *a = json_object_new_array_ext((int)n);

	for (size_t i = n; i > 0; i--)
		json_object_array_add(a, json_object_get(json_object_array_get_idx(points, i - 1)));
	return a;
}

static int fill(struct line *l, struct json_object *o, const struct series_filter *f,
		struct error *err)
{
	CLEANUP(series_free_p) struct series_set *set = NULL;
	int64_t repo = json_object_get_int64(json_object_object_get(o, "repo_id"));
	int r = read_line(l, json_object_get_int64(json_object_object_get(o, "id")), err);

	if (!r)
		r = add_regressions(l, repo, f->ref, err);
	if (r)
		return r;
	set = series_new(json_object_array_length(l->points));
	r = add_values(l, f->metric, set, err);
	if (r)
		return r;
	json_object_object_del(o, "id");
	json_object_object_del(o, "repo_id");
	json_object_object_add(o, "metric", json_str(f->metric));
	json_object_object_add(o, "points", oldest_first(l->points));
	json_object_object_add(o, "series", series_finish(set));
	return 0;
}

int view_series(struct store *s, const struct series_filter *f, struct json_object **ret,
		struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(json_put_p) struct json_object *o = NULL;
	CLEANUP(line_free)
	struct line l = { .limit = f->limit,
			  .points = json_object_new_array(),
			  .index = json_object_new_object() };
	int r = limit_check(f->limit, err);

	if (!r)
		r = reader_begin(&rd, s, err);
	if (!r)
		r = db_row(rd.db, Q_SERIES_BRANCH, ARGS(S(f->repo), S(f->ref)), &o, err);
	if (r < 0)
		return r;
	if (r == 0)
		return error_set(err, -ENOENT, "there is no branch '%s' of '%s'", f->ref, f->repo);
	l.db = rd.db;
	r = fill(&l, o, f, err);
	if (!r)
		*ret = STEAL(o);
	return r;
}
