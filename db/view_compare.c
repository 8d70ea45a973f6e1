/* SPDX-License-Identifier: MIT */
/*
 * Two commits side by side: what the newest finished run of each of their tests said, gathered for
 * jobs/compare.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db/store_internal.h"
#include "jobs/compare.h"
#include "jobs/parts.h"

#define SHA_LEN 40
#define SHA_MIN 7 /* what git shows at the least */

/* One side with all that it borrows. */
struct gathered {
	struct compare_side side;
	int64_t commit_id;
	char *sha, *subject;
	struct result **results;
	size_t n, cap;
	char **texts; /* architectures and accelerators */
	size_t n_texts, cap_texts;
};

static void gathered_free_p(struct gathered *g)
{
	compare_side_free(&g->side);
	for (size_t i = 0; i < g->n; i++) {
		result_free(g->results[i]);
		free(g->results[i]);
	}
	free(g->results);
	strings_free(g->texts, g->n_texts);
	free(g->sha);
	free(g->subject);
}

static void compare_free_p(struct compare *c)
{
	compare_free(c);
}

static const char *keep_text(struct gathered *g, const char *s)
{
	ARRAY_RESERVE(g->texts, g->n_texts, g->cap_texts);
	g->texts[g->n_texts] = xstrdup(s ? s : "");
	return g->texts[g->n_texts++];
}

/* A new result at the side's end. `item` says where it is from. */
static struct result *add_result(struct gathered *g, const struct compare_item *item)
{
	struct compare_item one = *item;
	struct result *r = xcalloc(1, sizeof(*r));

	result_init(r);
	ARRAY_RESERVE(g->results, g->n, g->cap);
	g->results[g->n++] = r;
	one.result = r;
	compare_side_add(&g->side, &one);
	return r;
}

/* --- which commit is meant ------------------------------------------------------------------------ */

static int find_commit(struct db *db, const char *prefix, struct gathered *g, struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	int r = query_start(&q, db, Q_COMPARE_COMMIT, ARGS(S(prefix)), err);

	if (!r)
		r = query_next(&q, err);
	if (r < 0)
		return r;
	if (r == 0)
		return error_set(err, -ENOENT, "there is no commit %s", prefix);
	g->commit_id = query_i64(&q, 0);
	g->sha = query_dup(&q, 1);
	g->subject = query_dup(&q, 2);
	r = query_next(&q, err);
	if (r == 1)
		return error_set(err, -EINVAL, "%s may be several commits: give more digits",
				 prefix);
	return r;
}

static int find_submission(struct db *db, int64_t id, struct gathered *g, struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	int r = query_start(&q, db, Q_COMPARE_SUBMISSION, ARGS(I(id)), err);

	if (!r)
		r = query_next(&q, err);
	if (r < 0)
		return r;
	if (r == 0)
		return error_set(err, -ENOENT, "there is no submission %lld, or it is not planned",
				 (long long)id);
	g->side.submission = id;
	g->commit_id = query_i64(&q, 0);
	g->sha = query_dup(&q, 1);
	g->subject = query_dup(&q, 2);
	return 0;
}

static int find_branch(struct db *db, const char *name, struct gathered *g, struct error *err)
{
	const char *slash = strchr(name, '/');
	CLEANUP(free_p) char *repo = xstrndup(name, (size_t)(slash - name));
	int64_t id = 0;
	int r = db_find(db, Q_COMPARE_BRANCH, ARGS(S(repo), S(slash + 1)), &id, err);

	if (r == 0)
		return error_set(err, -ENOENT, "nothing of '%s' in repository '%s' was tested",
				 slash + 1, repo);
	return r < 0 ? r : find_submission(db, id, g, err);
}

static int find_side(struct db *db, const char *what, struct gathered *g, struct error *err)
{
	static const char submission[] = "submission:";
	size_t len = strlen(what);
	long long id;

	g->side.what = what;
	if (str_starts(what, submission)) {
		if (!str_to_i64(what + strlen(submission), 1, INT64_MAX, &id))
			return find_submission(db, id, g, err);
	} else if (strchr(what, '/')) {
		return find_branch(db, what, g, err);
	} else if (len >= SHA_MIN && len <= SHA_LEN && strspn(what, "0123456789abcdef") == len) {
		return find_commit(db, what, g, err);
	}
	return error_set(err, -EINVAL,
			 "'%s' is neither a commit (7 to 40 hex digits), nor REPO/BRANCH, nor "
			 "submission:N",
			 what);
}

/* --- its results ---------------------------------------------------------------------------------- */

static int parse_text(const char *text, struct json_object **ret, struct error *err)
{
	return json_parse(text ? text : "{}", text ? strlen(text) : 2, ret, err);
}

static int read_verdict(const struct query *q, int col, struct result *r, struct error *err)
{
	const char *status = query_text(q, col), *reason = query_text(q, col + 1);

	if (!status || !status_parse(status, &r->status) || !reason_parse(reason, &r->reason))
		return error_set(err, -EBADMSG, "'%s %s' is no verdict", status ? status : "",
				 reason ? reason : "");
	return 0;
}

static int read_document(const char *text, struct result *r, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct jval v;
	int e = parse_text(text, &o, err);

	if (e < 0)
		return e;
	v = json_root(o);
	e = checks_from_json(&v, "checks", &r->checks, &r->n_checks, err);
	return e < 0 ? e : metrics_from_json(&v, "metrics", &r->metrics, &r->n_metrics, err);
}

static void read_splat(const struct query *q, int col, struct splat *s)
{
	const char *kind = query_text(q, col), *print = query_text(q, col + 2);

	if (!kind || !splat_kind_parse(kind, &s->kind))
		return;
	s->title = query_dup(q, col + 1);
	if (print)
		snprintf(s->fingerprint, sizeof(s->fingerprint), "%s", print);
}

static int read_result(const struct query *q, struct result *r, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *fault = NULL;
	struct jval v;
	int e = parse_text(query_text(q, 2), &fault, err);

	if (e < 0)
		return e;
	v = json_root(fault);
	e = fault_from_json(&v, &r->fault, err);
	if (!e)
		e = read_verdict(q, 5, r, err);
	if (e < 0)
		return e;
	r->scenario = query_dup(q, 1);
	r->repeat = (int)query_i64(q, 3);
	r->closing = query_i64(q, 4) != 0;
	read_splat(q, 7, &r->splat);
	return read_document(query_text(q, 10), r, err);
}

static int gather_run(struct db *db, const char *config, struct compare_item *item,
		      struct gathered *g, struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	int r = query_start(&q, db, Q_COMPARE_RESULTS, ARGS(I(item->run)), err);

	while (r >= 0 && (r = query_next(&q, err)) == 1) {
		struct result *result;

		item->id = query_i64(&q, 0);
		result = add_result(g, item);
		result->config = xstrdup(config);
		r = read_result(&q, result, err);
		if (r < 0)
			return error_wrap(err, r, "result %lld", (long long)item->id);
	}
	return r;
}

static int gather_builds(struct db *db, struct gathered *g, struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	int r = query_start(&q, db, Q_COMPARE_BUILDS, ARGS(I(g->commit_id), ID(g->side.submission)),
			    err);

	while (r >= 0 && (r = query_next(&q, err)) == 1) {
		struct compare_item item = { .arch = keep_text(g, query_text(&q, 1)),
					     .run = query_i64(&q, 2),
					     .id = query_i64(&q, 3) };
		struct result *result = add_result(g, &item);

		result->scenario = xstrdup("build");
		result->config = query_dup(&q, 0);
		result->detail = query_dup(&q, 4);
		r = read_verdict(&q, 5, result, err);
	}
	return r;
}

static int gather(struct db *db, const char *what, struct gathered *g, struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	int r = find_side(db, what, g, err);

	if (r < 0)
		return r;
	g->side.commit = g->sha;
	g->side.subject = g->subject;
	r = gather_builds(db, g, err);
	if (!r)
		r = query_start(&q, db, Q_COMPARE_RUNS,
				ARGS(I(g->commit_id), ID(g->side.submission)), err);
	while (r >= 0 && (r = query_next(&q, err)) == 1) {
		struct compare_item item = { .arch = keep_text(g, query_text(&q, 1)),
					     .run = query_i64(&q, 2),
					     .accel = keep_text(g, query_text(&q, 3)) };

		r = gather_run(db, query_text(&q, 0), &item, g, err);
	}
	return r;
}

int view_compare(struct store *s, const char *a, const char *b, struct json_object **ret,
		 struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(gathered_free_p) struct gathered side_a = { 0 }, side_b = { 0 };
	CLEANUP(compare_free_p) struct compare c = { .n_rows = 0 };
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = gather(rd.db, a, &side_a, err);
	if (!r)
		r = gather(rd.db, b, &side_b, err);
	if (r < 0)
		return r;
	compare_sides(&side_a.side, &side_b.side, &c);
	*ret = compare_to_json(&c);
	return 0;
}
