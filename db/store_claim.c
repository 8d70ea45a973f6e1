/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "db/store_internal.h"
#include "lib/clock.h"

struct claiming {
	const struct agent_info *agent;
	const char *lease_hash;
	int64_t ttl_us;
	int64_t job_id; /* out; 0: none */
};

static int agent_seen(struct db *db, const struct agent_info *a, int64_t now, int64_t *ret_id,
		      struct error *err)
{
	int64_t last = 0;
	int r = db_find(db, Q_AGENT_LAST_SEEN, ARGS(S(a->name)), &last, err);

	if (r >= 0)
		r = db_find(db, Q_AGENT_SEEN,
			    ARGS(S(a->name), ID(a->token_id), S(a->version ? a->version : ""),
				 I(a->slots), I(a->can_build), I(a->can_test), I(now)),
			    ret_id, err);
	if (r < 0)
		return r;
	return last < now - AGENT_LIVE_US ? event_add(db, Q_EVENT_AGENT, *ret_id, err) : 0;
}

static int tx_claim(struct db *db, void *arg, struct error *err)
{
	struct claiming *c = arg;
	CLEANUP(query_end) struct query q = { 0 };
	int64_t now = clock_now_us(), agent = 0, job, attempt, run = 0;
	int r = agent_seen(db, c->agent, now, &agent, err);

	if (!r)
		r = query_start(&q, db, Q_CLAIM_JOB,
				ARGS(S(c->lease_hash), I(now + c->ttl_us), I(c->agent->can_build),
				     I(c->agent->can_test)),
				err);
	if (!r)
		r = query_next(&q, err);
	if (r != 1)
		return r;
	job = query_i64(&q, 0);
	attempt = query_i64(&q, 1);
	r = query_next(&q, err);
	if (r < 0)
		return r;
	r = db_find(db, Q_RUN_ADD, ARGS(I(job), I(attempt), I(agent), S(c->lease_hash), I(now)),
		    &run, err);
	if (r == 1)
		r = db_run(db, Q_JOB_RUN, ARGS(I(job), I(run)), NULL, err);
	if (!r)
		r = event_add(db, Q_EVENT_JOB, job, err);
	if (!r)
		r = event_add(db, Q_EVENT_RUN, run, err);
	if (!r)
		c->job_id = job;
	return r;
}

static int load_fragments(const char *text, struct plan_config *c, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct jval arr;
	size_t n;
	int r = json_parse(text, strlen(text), &o, err);

	if (r < 0)
		return r;
	arr = json_root(o);
	n = json_arr_len(&arr);
	c->fragments = xcalloc(n + 1, sizeof(*c->fragments));
	for (size_t i = 0; i < n && !r; i++) {
		struct jval v = json_arr_at(&arr, i);
		const char *name = "", *body = "";

		r = json_get_str(&v, "name", SIZE_MAX, &name, err);
		if (!r)
			r = json_get_str(&v, "text", SIZE_MAX, &body, err);
		if (r < 0)
			break;
		c->fragments[i] = (struct plan_fragment){ xstrdup(name), xstrdup(body) };
		c->n_fragments++;
	}
	return r;
}

static int load_artifacts(struct db *db, int64_t build, struct job *j, struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	size_t cap = 0;
	int r = query_start(&q, db, Q_BUILD_ARTIFACTS, ARGS(I(build)), err);

	if (r < 0)
		return r;
	while ((r = query_next(&q, err)) == 1) {
		struct job_artifact *a;

		ARRAY_RESERVE(j->artifacts, j->n_artifacts, cap);
		a = &j->artifacts[j->n_artifacts++];
		*a = (struct job_artifact){ .name = query_dup(&q, 0),
					    .size_bytes = query_i64(&q, 2) };
		snprintf(a->sha256, sizeof(a->sha256), "%s", query_text(&q, 1));
	}
	return r;
}

static int load_cases(const char *text, struct job *j, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct jval arr;
	int r = json_parse(text, strlen(text), &o, err);

	if (r < 0)
		return r;
	arr = json_root(o);
	return plan_cases_from_json(&arr, &j->cases, &j->n_cases, err);
}

/* What the agent must know of a job; columns of the query job_load. */
static int load_job(struct db *db, int64_t id, struct job *j, struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	int r = query_start(&q, db, Q_JOB_LOAD, ARGS(I(id)), err);

	if (!r)
		r = query_next(&q, err);
	if (r != 1)
		return r < 0 ? r : error_set(err, -ENOENT, "there is no job %lld", (long long)id);
	j->id = query_i64(&q, 0);
	j->run_id = query_i64(&q, 1);
	if (!job_kind_parse(query_text(&q, 2), &j->kind))
		return error_set(err, -EBADMSG, "job %lld: kind", (long long)id);
	j->attempt = (int)query_i64(&q, 3);
	j->git_path = xasprintf("/git/%s.git", query_text(&q, 4));
	j->commit = query_dup(&q, 5);
	j->tree = query_dup(&q, 6);
	j->config.name = query_dup(&q, 7);
	j->config.arch = query_dup(&q, 8);
	j->config.compiler = query_dup(&q, 9);
	j->config.boot = query_i64(&q, 10) != 0;
	snprintf(j->config.hash, sizeof(j->config.hash), "%s", query_text(&q, 11));
	if (j->kind == JOB_BUILD)
		return load_fragments(query_text(&q, 12), &j->config, err);
	j->machine.cpus = (int)query_i64(&q, 14);
	j->machine.memory_mib = (int)query_i64(&q, 15);
	r = load_artifacts(db, query_i64(&q, 13), j, err);
	return r < 0 ? r : load_cases(query_text(&q, 16), j, err);
}

/* True when there is nothing to claim and nothing worth writing down. */
static int nothing_to_do(struct store *s, const struct agent_info *a, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	int64_t value = 0;
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = db_find(rd.db, Q_QUEUE_PEEK, ARGS(I(a->can_build), I(a->can_test)), &value,
			    err);
	if (r)
		return r < 0 ? r : 0;
	value = 0;
	r = db_find(rd.db, Q_AGENT_LAST_SEEN, ARGS(S(a->name)), &value, err);
	return r < 0 ? r : value > clock_now_us() - AGENT_SEEN_EVERY_US;
}

int store_claim(struct store *s, const struct agent_info *agent, const char *lease_hash,
		int64_t ttl_us, enum claim *ret, struct job *ret_job, struct error *err)
{
	struct claiming c = { .agent = agent, .lease_hash = lease_hash, .ttl_us = ttl_us };
	CLEANUP(reader_end) struct reader rd = { 0 };
	struct job job = { .lease_ttl_ms = ttl_us / US_PER_MS };
	int r;

	if (!lease_hash || !*lease_hash)
		return error_set(err, -EINVAL, "a lease needs a hash");
	r = nothing_to_do(s, agent, err);
	if (r < 0)
		return r;
	if (!r)
		r = store_write(s, tx_claim, &c, err);
	if (r < 0)
		return r;
	if (!c.job_id) {
		*ret = CLAIM_NONE;
		return 0;
	}
	r = reader_begin(&rd, s, err);
	if (!r)
		r = load_job(rd.db, c.job_id, &job, err);
	if (r < 0) {
		job_free(&job);
		return r;
	}
	*ret = CLAIM_JOB;
	*ret_job = job;
	return 0;
}
