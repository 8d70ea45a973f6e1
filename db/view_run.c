/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "db/store_internal.h"
#include "lib/clock.h"

static int64_t id_of(struct json_object *o, const char *key)
{
	return json_object_get_int64(json_object_object_get(o, key));
}

int view_build(struct store *s, int64_t id, struct json_object **ret, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(json_put_p) struct json_object *o = NULL;
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = db_row(rd.db, Q_BUILD_VIEW, ARGS(I(id)), &o, err);
	if (r < 0)
		return r;
	if (r == 0)
		return error_set(err, -ENOENT, "there is no build %lld", (long long)id);
	r = db_add_rows(rd.db, Q_BUILD_ARTIFACTS_VIEW, id, "artifacts", o, err);
	if (!r)
		r = db_add_rows(rd.db, Q_BUILD_TESTS_VIEW, id, "tests", o, err);
	if (!r)
		r = db_add_rows(rd.db, Q_JOB_RUNS_VIEW, id_of(o, "job"), "runs", o, err);
	if (!r)
		r = db_add_rows(rd.db, Q_RUN_SUBMISSIONS, id_of(o, "job"), "submissions", o, err);
	if (!r)
		*ret = STEAL(o);
	return r;
}

int view_run(struct store *s, int64_t id, struct json_object **ret, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct json_object *rows;
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = db_row(rd.db, Q_RUN_VIEW, ARGS(I(id)), &o, err);
	if (r < 0)
		return r;
	if (r == 0)
		return error_set(err, -ENOENT, "there is no run %lld", (long long)id);
	r = db_add_rows(rd.db, Q_RUN_SUBMISSIONS, id_of(o, "job"), "submissions", o, err);
	if (!r)
		r = db_add_rows(rd.db, Q_RUN_RESULTS_VIEW, id, "results", o, err);
	if (r < 0)
		return r;
	rows = json_object_object_get(o, "results");
	for (size_t i = 0; i < json_object_array_length(rows); i++)
		result_row_tidy(json_object_array_get_idx(rows, i));
	*ret = STEAL(o);
	return 0;
}

int view_agents(struct store *s, struct json_object **ret, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(json_put_p) struct json_object *items = NULL;
	int64_t now = clock_now_us();
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = db_rows(rd.db, Q_AGENTS_VIEW,
			    ARGS(I(now - AGENT_LIVE_US), I(now - AGENT_LATE_US), I(now)), &items,
			    err);
	for (size_t i = 0; !r && i < json_object_array_length(items); i++) {
		struct json_object *agent = json_object_array_get_idx(items, i), *runs = NULL;

		r = db_rows(rd.db, Q_AGENT_RUNS, ARGS(I(id_of(agent, "id")), I(now)), &runs, err);
		if (r < 0)
			break;
		json_object_object_add(agent, "runs", runs);
		json_object_object_add(
			agent, "busy",
			json_object_new_int64((int64_t)json_object_array_length(runs)));
	}
	if (!r)
		*ret = view_list(STEAL(items));
	return r;
}

/* One row as the member `key`. */
static int add_row(struct db *db, enum db_query name, const struct arg *args, int n,
		   const char *key, struct json_object *o, struct error *err)
{
	struct json_object *row = NULL;
	int r = db_row(db, name, args, n, &row, err);

	if (r == 1)
		json_object_object_add(o, key, row);
	return r < 0 ? r : 0;
}

/* How well group commit groups. */
static struct json_object *writer_stats(struct store *s)
{
	struct json_object *o = json_object_new_object();
	int64_t writes, groups;

	store_counts(s, &writes, &groups);
	json_object_object_add(o, "writes", json_object_new_int64(writes));
	json_object_object_add(o, "commits", json_object_new_int64(groups));
	return o;
}

int view_stats(struct store *s, struct json_object **ret, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct json_object *jobs;
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = db_row(rd.db, Q_STATS_COUNTS, NO_ARGS, &o, err);
	if (r < 0)
		return r;
	json_object_object_add(o, "writer", writer_stats(s));
	jobs = json_object_new_object();
	json_object_object_add(o, "jobs", jobs);
	r = add_row(rd.db, Q_STATS_JOBS, ARGS(S("build")), "build", jobs, err);
	if (!r)
		r = add_row(rd.db, Q_STATS_JOBS, ARGS(S("test")), "test", jobs, err);
	if (!r)
		r = add_row(rd.db, Q_STATS_RESULTS, NO_ARGS, "results", o, err);
	if (!r)
		r = add_row(rd.db, Q_STATS_SUBMISSIONS, NO_ARGS, "submissions", o, err);
	if (!r)
		r = add_row(rd.db, Q_STATS_REGRESSIONS, NO_ARGS, "regressions", o, err);
	if (!r)
		r = add_row(rd.db, Q_STATS_PROBES, NO_ARGS, "probes", o, err);
	if (!r)
		r = add_row(rd.db, Q_STATS_OUTBOX, NO_ARGS, "outbox", o, err);
	if (!r)
		r = add_row(rd.db, Q_STATS_AGENTS, ARGS(I(clock_now_us() - AGENT_LIVE_US)),
			    "agents", o, err);
	if (!r)
		*ret = STEAL(o);
	return r;
}

int view_events(struct store *s, int64_t after_id, int limit, struct json_object **ret,
		struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	struct json_object *items = NULL;
	int r = limit_check(limit, err);

	if (!r)
		r = reader_begin(&rd, s, err);
	if (!r)
		r = db_rows(rd.db, Q_EVENTS_VIEW, ARGS(I(after_id), I(limit)), &items, err);
	if (!r)
		*ret = view_list(items);
	return r;
}

int view_event_before(struct store *s, int64_t at_us, int64_t *ret_id, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	int64_t id = 0;
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = db_find(rd.db, Q_EVENT_BEFORE, ARGS(I(at_us), I(EVENTS_KEPT)), &id, err);
	if (r < 0)
		return r;
	*ret_id = id;
	return 0;
}
