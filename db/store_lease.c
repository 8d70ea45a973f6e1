/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "db/store_internal.h"
#include "lib/clock.h"

int lease_find(struct db *db, int64_t job_id, const char *lease_hash, struct lease_row *ret,
	       enum lease *ret_lease, struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	int r = query_start(&q, db, Q_LEASE_FIND, ARGS(I(job_id), S(lease_hash)), err);

	if (!r)
		r = query_next(&q, err);
	if (r < 0)
		return r;
	if (r == 0) {
		*ret_lease = LEASE_UNKNOWN;
		return 0;
	}
	*ret = (struct lease_row){ .job_id = job_id,
				   .build_id = query_i64(&q, 1),
				   .test_id = query_i64(&q, 2),
				   .attempt = (int)query_i64(&q, 3),
				   .run_id = query_i64(&q, 4),
				   .live = query_i64(&q, 5) != 0,
				   .again = query_i64(&q, 7) != 0 };
	snprintf(ret->outcome, sizeof(ret->outcome), "%s",
		 query_text(&q, 6) ? query_text(&q, 6) : "");
	*ret_lease = ret->live ? LEASE_OK : LEASE_LOST;
	return 0;
}

struct beat {
	int64_t job_id;
	const char *lease_hash;
	int64_t ttl_us;
	const char *progress;
	enum lease lease; /* out */
};

static int tx_heartbeat(struct db *db, void *arg, struct error *err)
{
	struct beat *b = arg;
	struct lease_row l;
	int64_t now = clock_now_us();
	int r = lease_find(db, b->job_id, b->lease_hash, &l, &b->lease, err);

	if (r < 0 || b->lease != LEASE_OK)
		return r;
	r = db_run(db, Q_LEASE_EXTEND, ARGS(I(b->job_id), I(now + b->ttl_us)), NULL, err);
	if (!r)
		r = db_run(db, Q_RUN_HEARTBEAT, ARGS(I(l.run_id), I(now), S(b->progress)), NULL,
			   err);
	if (!r)
		r = db_run(db, Q_AGENT_TOUCH, ARGS(I(l.run_id), I(now)), NULL, err);
	if (!r && b->progress)
		r = event_add(db, Q_EVENT_RUN, l.run_id, err);
	return r;
}

int store_heartbeat(struct store *s, int64_t job_id, const char *lease_hash, int64_t ttl_us,
		    struct json_object *progress, enum lease *ret, struct error *err)
{
	CLEANUP(free_p) char *text = progress ? json_text(progress) : NULL;
	struct beat b = {
		.job_id = job_id, .lease_hash = lease_hash, .ttl_us = ttl_us, .progress = text
	};
	int r = store_write(s, tx_heartbeat, &b, err);

	if (r < 0)
		return r;
	*ret = b.lease;
	return 0;
}

int store_lease_check(struct store *s, int64_t job_id, const char *lease_hash, enum lease *ret,
		      int64_t *ret_run, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	struct lease_row l = { 0 };
	enum lease lease;
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = lease_find(rd.db, job_id, lease_hash, &l, &lease, err);
	if (r < 0)
		return r;
	*ret = lease;
	if (lease == LEASE_OK)
		*ret_run = l.run_id;
	return 0;
}

static int expire_job(struct db *db, int64_t id, struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	struct lease_row l = { .job_id = id };
	int r = query_start(&q, db, Q_JOB_LIVE, ARGS(I(id)), err);

	if (!r)
		r = query_next(&q, err);
	if (r != 1)
		return r;
	l.build_id = query_i64(&q, 1);
	l.test_id = query_i64(&q, 2);
	l.attempt = (int)query_i64(&q, 3);
	l.run_id = query_i64(&q, 4);
	query_end(&q);
	return job_missed(db, &l, "lost", REASON_LEASE, "the agent was not heard of in time", err);
}

struct expiring {
	int64_t now_us;
	int n; /* out */
};

static int tx_expire(struct db *db, void *arg, struct error *err)
{
	struct expiring *e = arg;
	CLEANUP(free_p) int64_t *ids = NULL;
	size_t n = 0;
	int r = db_ids(db, Q_LEASES_EXPIRED, ARGS(I(e->now_us)), &ids, &n, err);

	for (size_t i = 0; i < n && !r; i++)
		r = expire_job(db, ids[i], err);
	e->n = (int)n;
	return r;
}

static int any_expired(struct store *s, int64_t now_us, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	int64_t id;
	int r = reader_begin(&rd, s, err);

	return r < 0 ? r : db_find(rd.db, Q_LEASES_EXPIRED, ARGS(I(now_us)), &id, err);
}

int store_expire(struct store *s, int64_t now_us, int *ret_expired, struct error *err)
{
	struct expiring e = { .now_us = now_us };
	int r = any_expired(s, now_us, err);

	/* Most often there is nothing to do, and then nothing is written. */
	if (r == 1)
		r = store_write(s, tx_expire, &e, err);
	if (r < 0)
		return r;
	*ret_expired = e.n;
	return 0;
}

static int tx_release(struct db *db, void *arg, struct error *err)
{
	struct beat *b = arg;
	struct lease_row l;
	int64_t now = clock_now_us();
	int r = lease_find(db, b->job_id, b->lease_hash, &l, &b->lease, err);

	if (r < 0 || b->lease == LEASE_UNKNOWN)
		return r;
	if (b->lease == LEASE_LOST) {
		if (strcmp(l.outcome, "released") == 0)
			b->lease = LEASE_OK;
		return 0;
	}
	r = db_run(db, Q_RUN_END,
		   ARGS(I(l.run_id), I(now), S("released"), S(NULL), S(NULL), S(NULL)), NULL, err);
	if (!r)
		r = db_run(db, Q_JOB_REQUEUE, ARGS(I(b->job_id), I(1)), NULL, err);
	if (!r)
		r = event_add(db, Q_EVENT_RUN, l.run_id, err);
	if (!r)
		r = event_add(db, Q_EVENT_JOB, b->job_id, err);
	db->queued = true;
	return r;
}

int store_release(struct store *s, int64_t job_id, const char *lease_hash, enum lease *ret,
		  struct error *err)
{
	struct beat b = { .job_id = job_id, .lease_hash = lease_hash };
	int r = store_write(s, tx_release, &b, err);

	if (r < 0)
		return r;
	*ret = b.lease;
	return 0;
}

int store_log_size(struct store *s, int64_t run_id, int64_t size_bytes, struct error *err)
{
	int changes = 0;
	int r = store_run(s, Q_LOG_SIZE, ARGS(I(run_id), I(size_bytes)), &changes, err);

	if (!r && !changes)
		return error_set(err, -ENOENT, "there is no run %lld", (long long)run_id);
	return r;
}

struct adding {
	int64_t job_id;
	const char *lease_hash, *name, *sha256;
	int64_t size_bytes;
	enum lease lease; /* out */
};

static int tx_artifact(struct db *db, void *arg, struct error *err)
{
	struct adding *a = arg;
	struct lease_row l;
	int r = lease_find(db, a->job_id, a->lease_hash, &l, &a->lease, err);

	if (r < 0 || a->lease != LEASE_OK)
		return r;
	return db_run(db, Q_ARTIFACT_PUT,
		      ARGS(I(a->job_id), S(a->name), S(a->sha256), I(a->size_bytes),
			   I(clock_now_us())),
		      NULL, err);
}

int store_artifact_add(struct store *s, int64_t job_id, const char *lease_hash, const char *name,
		       const char *sha256, int64_t size_bytes, enum lease *ret, struct error *err)
{
	struct adding a = { .job_id = job_id,
			    .lease_hash = lease_hash,
			    .name = name,
			    .sha256 = sha256,
			    .size_bytes = size_bytes };
	int r = store_write(s, tx_artifact, &a, err);

	if (r < 0)
		return r;
	*ret = a.lease;
	return 0;
}

int store_artifact_get(struct store *s, int64_t build_id, const char *name,
		       struct artifact_row *ret, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(query_end) struct query q = { 0 };
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = query_start(&q, rd.db, Q_ARTIFACT_GET, ARGS(I(build_id), S(name)), err);
	if (!r)
		r = query_next(&q, err);
	if (r < 0)
		return r;
	if (r == 0)
		return error_set(err, -ENOENT, "build %lld has no artifact '%s'",
				 (long long)build_id, name);
	*ret = (struct artifact_row){ .name = query_dup(&q, 0), .size_bytes = query_i64(&q, 2) };
	snprintf(ret->sha256, sizeof(ret->sha256), "%s", query_text(&q, 1));
	return 0;
}

void artifact_row_free(struct artifact_row *a)
{
	free(a->name);
	*a = (struct artifact_row){ 0 };
}
