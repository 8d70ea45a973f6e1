/* SPDX-License-Identifier: MIT */
/*
 * How far an open submission is: what of each kind has ended, what runs right now, and how long the
 * rest may take (jobs/estimate.h). From this submission's own jobs when some have ended, else from
 * others of the same configurations.
 */
#include <string.h>

#include "db/store_internal.h"
#include "jobs/estimate.h"
#include "jobs/job.h"
#include "lib/clock.h"

struct kind {
	struct estimate_jobs jobs;
	int64_t *running, *known; /* owned; what `jobs` points to */
	int64_t total, ended;
	bool others; /* known from other submissions */
};

struct progress {
	struct kind kinds[2]; /* by enum job_kind */
	struct json_object *running; /* owned */
	int64_t now_us;
};

static const enum job_kind kinds[] = { JOB_BUILD, JOB_TEST };

static int64_t int_of(struct json_object *o, const char *key)
{
	return json_object_get_int64(json_object_object_get(o, key));
}

static const char *word_of(struct json_object *o, const char *key)
{
	const char *s = json_object_get_string(json_object_object_get(o, key));

	return s ? s : "";
}

static struct kind *kind_of(struct progress *p, const char *name)
{
	return &p->kinds[strcmp(name, job_kind_name(JOB_TEST)) == 0];
}

static int count_jobs(struct progress *p, struct db *db, int64_t submission, struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	int r = query_start(&q, db, Q_PROGRESS_JOBS, ARGS(I(submission)), err);

	if (r < 0)
		return r;
	while ((r = query_next(&q, err)) == 1) {
		struct kind *k = kind_of(p, query_text(&q, 0));

		k->total = query_i64(&q, 1);
		k->ended = query_i64(&q, 2);
		k->jobs.waiting = (int)query_i64(&q, 4);
	}
	return r;
}

/* Those that run, and since when; the list is the view's, too. */
static int read_running(struct progress *p, struct db *db, int64_t submission, struct error *err)
{
	int r = db_rows(db, Q_PROGRESS_RUNNING, ARGS(I(submission), I(p->now_us)), &p->running,
			err);
	size_t n;

	if (r < 0)
		return r;
	n = json_object_array_length(p->running);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		p->kinds[i].running = xcalloc(n ? n : 1, sizeof(int64_t));
		p->kinds[i].jobs.running_us = p->kinds[i].running;
	}
	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(p->running, i);
		struct kind *k = kind_of(p, word_of(o, "kind"));

		k->running[k->jobs.n_running++] = int_of(o, "for_us");
	}
	return 0;
}

/* What is known of one kind, when there is something left of it. */
static int read_known(struct progress *p, struct db *db, enum job_kind kind, int64_t submission,
		      struct error *err)
{
	struct kind *k = &p->kinds[kind == JOB_TEST];
	struct json_object *stats = NULL;
	int64_t slots = 0;
	int r;

	if (k->total == k->ended)
		return 0;
	r = db_ids(db, Q_PROGRESS_TOOK, ARGS(I(submission), S(job_kind_name(kind))), &k->known,
		   &k->jobs.n_known, err);
	if (!r && !k->jobs.n_known) {
		free(k->known);
		k->known = NULL;
		k->others = true;
		r = db_ids(db, Q_PROGRESS_TOOK_LATELY, ARGS(I(submission), S(job_kind_name(kind))),
			   &k->known, &k->jobs.n_known, err);
	}
	if (r < 0)
		return r;
	k->jobs.known_us = k->known;
	r = db_find(db, Q_PROGRESS_SLOTS,
		    ARGS(I(p->now_us - AGENT_LIVE_US), S(job_kind_name(kind))), &slots, err);
	if (r < 0)
		return r;
	k->jobs.slots = (int)slots;
	r = db_row(db, Q_STATS_JOBS, ARGS(S(job_kind_name(kind))), &stats, err);
	if (r == 1)
		k->jobs.others = (int)(int_of(stats, "queued") + int_of(stats, "waiting") +
				       int_of(stats, "leased") - (k->total - k->ended));
	json_object_put(stats);
	return r < 0 ? r : 0;
}

/* {"low_us","high_us","text","others"}, or {"why"}. */
static struct json_object *left_json(const struct progress *p)
{
	static const char *const why[] = {
		[ESTIMATE_NO_SLOTS] = "no agent is there that could go on",
		[ESTIMATE_UNKNOWN] = "nothing like it has ended yet",
		[ESTIMATE_NOTHING_LEFT] = "nothing is left to do",
	};
	struct json_object *o = json_object_new_object();
	CLEANUP(free_p) char *text = NULL;
	int64_t low = 0, high = 0;
	enum estimate e = estimate_left(&p->kinds[0].jobs, &p->kinds[1].jobs, &low, &high);

	if (e != ESTIMATE_RANGE) {
		json_object_object_add(o, "why", json_str(why[e]));
		return o;
	}
	text = estimate_text(low, high);
	json_object_object_add(o, "low_us", json_object_new_int64(low));
	json_object_object_add(o, "high_us", json_object_new_int64(high));
	json_object_object_add(o, "text", json_str(text));
	json_object_object_add(o, "others",
			       json_object_new_boolean(p->kinds[0].others || p->kinds[1].others));
	return o;
}

static struct json_object *stage(const char *name, int64_t total, int64_t ended, size_t running,
				 int64_t waiting)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "name", json_str(name));
	json_object_object_add(o, "total", json_object_new_int64(total));
	json_object_object_add(o, "ended", json_object_new_int64(ended));
	json_object_object_add(o, "running", json_object_new_int64((int64_t)running));
	json_object_object_add(o, "waiting", json_object_new_int64(waiting));
	return o;
}

static int64_t results_of(struct json_object *submission)
{
	int64_t n = 0;

	json_object_object_foreach(json_object_object_get(submission, "summary"), key, value)
	{
		(void)key;
		n += json_object_get_int64(value);
	}
	return n;
}

static struct json_object *progress_json(const struct progress *p, struct json_object *submission)
{
	static const char *const names[] = { "builds", "tests" };
	struct json_object *o = json_object_new_object(), *stages = json_object_new_array();
	size_t commits = json_object_array_length(json_object_object_get(submission, "commits"));
	bool imported = !strcmp(word_of(submission, "state"), "planned");

	json_object_array_add(stages, stage("import", (int64_t)commits, (int64_t)commits,
					    imported ? 0 : 1, 0));
	for (size_t i = 0; i < ARRAY_SIZE(kinds) && imported; i++) {
		const struct kind *k = &p->kinds[i];

		json_object_array_add(stages, stage(names[i], k->total, k->ended, k->jobs.n_running,
						    k->jobs.waiting));
	}
	json_object_object_add(o, "imported", json_object_new_boolean(imported));
	json_object_object_add(o, "stages", stages);
	json_object_object_add(o, "results", json_object_new_int64(results_of(submission)));
	json_object_object_add(o, "running",
			       p->running ? json_object_get(p->running) : json_object_new_array());
	json_object_object_add(o, "left", imported ? left_json(p) : NULL);
	return o;
}

static void progress_free(struct progress *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		free(p->kinds[i].running);
		free(p->kinds[i].known);
	}
	json_object_put(p->running);
}

int progress_add(struct db *db, int64_t submission, struct json_object *o, struct error *err)
{
	CLEANUP(progress_free) struct progress p = { .now_us = clock_now_us() };
	const char *state = word_of(o, "state");
	int r = 0;

	json_object_object_add(o, "progress", NULL);
	if (!strcmp(state, "done") || !strcmp(state, "refused"))
		return 0;
	if (!strcmp(word_of(o, "state"), "planned")) {
		r = count_jobs(&p, db, submission, err);
		if (!r)
			r = read_running(&p, db, submission, err);
		for (size_t i = 0; !r && i < ARRAY_SIZE(kinds); i++)
			r = read_known(&p, db, kinds[i], submission, err);
	}
	if (!r)
		json_object_object_add(o, "progress", progress_json(&p, o));
	return r;
}
