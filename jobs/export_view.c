/* SPDX-License-Identifier: MIT */
/* What is exported, out of the API's own views (db/store.h has their members). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/export.h"
#include "jobs/parts.h"
#include "lib/limits.h"

#define ERRORS_MAX 200 /* of a build: jobs/job.h keeps no more */
#define VIEW_TEXT_MAX (1 << 20) /* a commit's subject may have any length */

/* A text that may be null or absent; "" is not known either. An owned copy replaces *slot. */
static int take(const struct jval *v, const char *key, char **slot, struct error *err)
{
	const char *s = NULL;
	int r = json_opt_str(v, key, VIEW_TEXT_MAX, &s, err);

	if (!r && s && *s) {
		free(*slot);
		*slot = xstrdup(s);
	}
	return r;
}

static size_t build_slot(struct export *e, int64_t number)
{
	for (size_t i = e->n_builds; i-- > 0;)
		if (e->builds[i].number == number)
			return i;
	ARRAY_RESERVE(e->builds, e->n_builds, e->cap_builds);
	e->builds[e->n_builds] = (struct export_build){ .number = number, .duration_us = -1 };
	e->builds[e->n_builds].id = xasprintf("build-%lld", (long long)number);
	return e->n_builds++;
}

/* What a result's view and a build's call alike. */
static int take_source(const struct jval *v, struct export_build *b, struct error *err)
{
	int r = take(v, "repo", &b->repo, err);

	if (!r)
		r = take(v, "commit", &b->commit, err);
	if (!r)
		r = take(v, "subject", &b->subject, err);
	if (!r)
		r = take(v, "config", &b->config, err);
	if (!r)
		r = take(v, "arch", &b->arch, err);
	if (!r)
		r = take(v, "compiler", &b->compiler, err);
	return r;
}

static int add_run(struct export *e, const struct jval *item, int64_t number, int64_t build,
		   struct error *err)
{
	struct export_run run = { .number = number, .build = build_slot(e, build) };
	struct jval machine = { .o = NULL };
	int r = take_source(item, &e->builds[run.build], err);

	if (!r)
		r = take(item, "agent", &run.agent, err);
	if (!r)
		r = take(item, "started", &run.started, err);
	if (!r)
		r = take(item, "at", &run.ended, err);
	if (!r)
		r = json_opt_obj(item, "machine", &machine, err);
	if (machine.o)
		run.machine = json_object_get(machine.o);
	ARRAY_RESERVE(e->runs, e->n_runs, e->cap_runs);
	e->runs[e->n_runs++] = run;
	return r;
}

int export_add_item(struct export *e, const struct jval *item, struct error *err)
{
	struct result result;
	struct export_row row = { 0 };
	int64_t run = 0, build = 0;
	int r = json_get_i64(item, "id", 1, INT64_MAX, &row.number, err);

	if (!r)
		r = json_get_i64(item, "run", 1, INT64_MAX, &run, err);
	if (!r)
		r = json_get_i64(item, "build", 1, INT64_MAX, &build, err);
	if (!r)
		r = result_from_json(item, &result, err);
	if (r)
		return r;
	/* A run's results come one after another. */
	if (!e->n_runs || e->runs[e->n_runs - 1].number != run)
		r = add_run(e, item, run, build, err);
	if (r) {
		result_free(&result);
		return r;
	}
	row.run = e->n_runs - 1;
	row.owned = xcalloc(1, sizeof(result));
	*row.owned = result;
	row.result = row.owned;
	ARRAY_RESERVE(e->rows, e->n_rows, e->cap_rows);
	e->rows[e->n_rows++] = row;
	return 0;
}

/* The branch that it was followed on, if it was. */
static int take_branch(const struct jval *v, struct export_build *b, struct error *err)
{
	struct jval list = { .o = NULL };
	int r = json_opt_arr(v, "submissions", &list, err);

	for (size_t i = 0; !r && !b->branch && i < json_arr_len(&list); i++) {
		struct jval s = json_arr_at(&list, i);

		r = take(&s, "branch", &b->branch, err);
	}
	return r;
}

static int take_artifacts(const struct jval *v, struct export_build *b, struct error *err)
{
	struct jval list = { .o = NULL };
	int r = json_opt_arr(v, "artifacts", &list, err);

	strings_free(b->artifacts, b->n_artifacts);
	b->artifacts = xcalloc(json_arr_len(&list) + 1, sizeof(*b->artifacts));
	b->n_artifacts = 0;
	for (size_t i = 0; !r && i < json_arr_len(&list); i++) {
		struct jval a = json_arr_at(&list, i);
		const char *name;

		r = json_get_str(&a, "name", LIMIT_TEXT_LEN, &name, err);
		if (!r)
			b->artifacts[b->n_artifacts++] = xstrdup(name);
	}
	return r;
}

static int take_errors(const struct jval *v, struct export_build *b, struct error *err)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct jval list = { .o = NULL };
	int r = json_opt_arr(v, "errors", &list, err);

	for (size_t i = 0; !r && i < json_arr_len(&list) && i < ERRORS_MAX; i++) {
		struct jval line = json_arr_at(&list, i);
		const char *s;

		r = json_as_str(&line, VIEW_TEXT_MAX, &s, err);
		if (!r)
			buf_printf(&text, "%s\n", s);
	}
	free(b->errors);
	b->errors = text.len ? buf_steal(&text) : NULL;
	return r;
}

/* When the newest attempt began. */
static int take_started(const struct jval *v, struct export_build *b, struct error *err)
{
	struct jval list = { .o = NULL };
	int r = json_opt_arr(v, "runs", &list, err);

	if (!r && json_arr_len(&list)) {
		struct jval newest = json_arr_at(&list, 0);

		r = take(&newest, "started", &b->started, err);
	}
	return r;
}

int export_add_build(struct export *e, const struct jval *build, struct error *err)
{
	struct export_build *b;
	int64_t number;
	size_t slot;
	int r = json_get_i64(build, "id", 1, INT64_MAX, &number, err);

	if (r)
		return r;
	/* In two steps: the array may move. */
	slot = build_slot(e, number);
	b = &e->builds[slot];
	r = take_source(build, b, err);
	if (!r)
		r = take(build, "repo_url", &b->repo_url, err);
	if (!r)
		r = take(build, "tree", &b->tree, err);
	if (!r)
		r = take(build, "config_hash", &b->config_hash, err);
	if (!r)
		r = take(build, "release", &b->release, err);
	if (!r)
		r = take(build, "status", &b->status, err);
	if (!r)
		r = take(build, "reason", &b->reason, err);
	if (!r)
		r = take(build, "detail", &b->detail, err);
	if (!r)
		r = json_opt_i64(build, "duration_us", 0, INT64_MAX, &b->duration_us, err);
	if (!r)
		r = json_opt_i64(build, "run", 1, INT64_MAX, &b->run, err);
	if (!r)
		r = take_branch(build, b, err);
	if (!r)
		r = take_started(build, b, err);
	if (!r)
		r = take_errors(build, b, err);
	return r ? r : take_artifacts(build, b, err);
}

int export_build_numbers(const struct jval *submission, int64_t **ret, size_t *ret_n,
			 struct error *err)
{
	CLEANUP(free_p) int64_t *list = NULL;
	struct jval matrix, rows, build;
	size_t n = 0;
	int r = json_get_obj(submission, "matrix", &matrix, err);

	if (!r)
		r = json_get_arr(&matrix, "rows", &rows, err);
	if (r)
		return r;
	list = xcalloc(json_arr_len(&rows) + 1, sizeof(*list));
	for (size_t i = 0; !r && i < json_arr_len(&rows); i++) {
		struct jval row = json_arr_at(&rows, i);

		build.o = NULL;
		r = json_opt_obj(&row, "build", &build, err);
		if (!r && build.o)
			r = json_get_i64(&build, "id", 1, INT64_MAX, &list[n++], err);
	}
	if (r)
		return r;
	*ret = STEAL(list);
	*ret_n = n;
	return 0;
}
