// SPDX-License-Identifier: MIT
/* What agents say, as jobs/job.h documents it. */
#include <errno.h>
#include <string.h>

#include "jobs/job.h"
#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/path.h"
#include "server/api.h"
#include "server/blob.h"
#include "server/runlog.h"

#define WAIT_MAX_S 60
#define LEASE_BYTES 32

static void lease_hash(const char *token, char ret_hex[HASH_HEX_MAX])
{
	hash_bytes(token, strlen(token), ret_hex);
}

static int64_t ttl_us(const struct server *srv)
{
	return srv->config->lease_s * US_PER_S;
}

/* Job id and hash of the lease token; false when the response is filled. */
static bool leased(const struct http_req *req, struct http_res *res, int64_t *ret_id,
		   char ret_hash[HASH_HEX_MAX])
{
	const char *token = http_header(req, "Faultline-Lease");

	if (!api_id(req, res, 0, ret_id))
		return false;
	if (!token || !*token || strlen(token) > 200) {
		http_res_problem(res, 400, "the header Faultline-Lease is missing");
		return false;
	}
	lease_hash(token, ret_hash);
	return true;
}

/* False when the response is filled. */
static bool lease_ok(const struct http_req *req, struct http_res *res, int r, enum lease lease,
		     const struct error *err)
{
	if (r)
		api_error(req, res, err);
	else if (lease == LEASE_LOST)
		http_res_problem(
			res, 409,
			"the lease is no longer valid: the job is somebody else's or done");
	else if (lease == LEASE_UNKNOWN)
		http_res_problem(res, 404, "there is no such job");
	else
		return true;
	return false;
}

/* --- claim ------------------------------------------------------------------------------------ */

static int parse_agent(const struct jval *v, struct agent_info *a, struct error *err)
{
	static const char *const keys[] = { "name",	 "version",  "slots",
					    "can_build", "can_test", NULL };
	int64_t slots = 1;
	int r = json_only_keys(v, keys, err);

	a->version = "";
	a->can_build = a->can_test = true;
	if (!r)
		r = json_get_str(v, "name", LIMIT_NAME_LEN, &a->name, err);
	if (!r)
		r = json_opt_str(v, "version", LIMIT_NAME_LEN, &a->version, err);
	if (!r)
		r = json_opt_i64(v, "slots", 1, 1024, &slots, err);
	if (!r)
		r = json_opt_bool(v, "can_build", &a->can_build, err);
	if (!r)
		r = json_opt_bool(v, "can_test", &a->can_test, err);
	if (!r && !path_name_is_safe(a->name))
		r = error_set(err, -EINVAL, "$.name: made of letters, digits and ._+-");
	a->slots = (int)slots;
	return r;
}

static int add_urls(struct server *srv, struct job *j, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *run = NULL;
	int64_t build = 0;
	struct jval v;
	int r;

	if (!j->n_artifacts)
		return 0;
	r = view_run(srv->store, j->run_id, &run, err);
	if (r)
		return r;
	v = json_root(run);
	r = json_get_i64(&v, "build", 1, INT64_MAX, &build, err);
	for (size_t i = 0; !r && i < j->n_artifacts; i++)
		if (!j->artifacts[i].url)
			j->artifacts[i].url = xasprintf("/api/v1/builds/%lld/artifacts/%s",
							(long long)build, j->artifacts[i].name);
	return r;
}

static void give_job(struct server *srv, const struct http_req *req, struct http_res *res,
		     struct job *j, const char *lease)
{
	struct error err = ERROR_INIT;

	free(j->lease_token);
	j->lease_token = xstrdup(lease);
	if (add_urls(srv, j, &err)) {
		api_error(req, res, &err); /* the lease runs out and the job comes back */
		return;
	}
	http_res_json(res, 200, job_to_json(j));
	log_event(LOG_INFO, "job-claimed", "job=%lld run=%lld kind=%s attempt=%d", (long long)j->id,
		  (long long)j->run_id, job_kind_name(j->kind), j->attempt);
}

void api_job_claim(struct server *srv, const struct http_req *req, struct http_res *res)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	CLEANUP(free_p) char *lease = NULL;
	struct agent_info agent = { .token_id = req->token_id };
	struct error err = ERROR_INIT;
	char hash[HASH_HEX_MAX];
	int64_t wait_s = 0, left_ms;
	enum claim claim = CLAIM_NONE;
	struct job job = { 0 };
	struct jval v;
	int r;

	if (!api_query_i64(req, res, "wait", 0, WAIT_MAX_S, &wait_s) || !api_body(req, res, &o))
		return;
	v = json_root(o);
	r = parse_agent(&v, &agent, &err);
	/* A job must not be given to somebody who hung up while waiting. */
	if (!r && !req->draining && !http_client_gone(req)) {
		lease = hash_random_hex(LEASE_BYTES);
		lease_hash(lease, hash);
		r = store_claim(srv->store, &agent, hash, ttl_us(srv), &claim, &job, &err);
	}
	if (r) {
		api_error(req, res, &err);
		return;
	}
	if (claim == CLAIM_JOB) {
		give_job(srv, req, res, &job, lease);
		job_free(&job);
		return;
	}
	left_ms = wait_s * 1000 - (clock_mono_us() - req->started_mono_us) / US_PER_MS;
	if (left_ms > 0 && !req->draining && !http_client_gone(req))
		res->park_ms = left_ms;
	else
		res->status = 204;
}

/* --- while it runs ------------------------------------------------------------------------------ */

void api_job_heartbeat(struct server *srv, const struct http_req *req, struct http_res *res)
{
	static const char *const keys[] = { "progress", NULL };
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct json_object *answer;
	struct error err = ERROR_INIT;
	struct jval v, progress = { 0 };
	enum lease lease = LEASE_OK;
	char hash[HASH_HEX_MAX];
	int64_t id;
	int r;

	if (!leased(req, res, &id, hash) || !api_body(req, res, &o))
		return;
	v = json_root(o);
	r = json_only_keys(&v, keys, &err);
	if (!r)
		r = json_opt_obj(&v, "progress", &progress, &err);
	if (!r)
		r = store_heartbeat(srv->store, id, hash, ttl_us(srv), progress.o, &lease, &err);
	if (!lease_ok(req, res, r, lease, &err))
		return;
	answer = json_object_new_object();
	json_object_object_add(answer, "ttl_ms", json_object_new_int64(ttl_us(srv) / US_PER_MS));
	http_res_json(res, 200, answer);
}

/* A problem document that also tells the size. */
static void size_problem(struct http_res *res, int status, int64_t size, const char *detail)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "type", json_str("about:blank"));
	json_object_object_add(o, "title", json_str(http_status_text(status)));
	json_object_object_add(o, "status", json_object_new_int(status));
	json_object_object_add(o, "detail", json_str(detail));
	json_object_object_add(o, "size", json_object_new_int64(size));
	http_res_json(res, status, o);
	res->content_type = "application/problem+json";
}

void api_job_log(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *answer;
	struct error err = ERROR_INIT;
	enum lease lease = LEASE_OK;
	enum runlog_append outcome = RUNLOG_OK;
	int64_t id, run = 0, offset = -1, size = 0;
	char hash[HASH_HEX_MAX];
	int r;

	if (!leased(req, res, &id, hash) ||
	    !api_query_i64(req, res, "offset", 0, INT64_MAX / 2, &offset))
		return;
	if (offset < 0) {
		http_res_problem(res, 400, "?offset= is missing");
		return;
	}
	r = store_lease_check(srv->store, id, hash, &lease, &run, &err);
	if (!lease_ok(req, res, r, lease, &err))
		return;
	r = runlog_append(srv->runlog, run, offset, req->body, req->body_len, &outcome, &size,
			  &err);
	if (r) {
		api_error(req, res, &err);
	} else if (outcome == RUNLOG_GAP) {
		size_problem(res, 416, size, "the offset is beyond the end of the log");
	} else if (outcome == RUNLOG_FULL) {
		size_problem(res, 413, size, "the log is full; what follows is not kept");
	} else {
		answer = json_object_new_object();
		json_object_object_add(answer, "size", json_object_new_int64(size));
		http_res_json(res, 200, answer);
		http_wake_streams(srv);
	}
}

void api_job_artifact(struct server *srv, const struct http_req *req, struct http_res *res)
{
	const char *sum = http_header(req, "Faultline-SHA256"), *name = req->params[1];
	struct error err = ERROR_INIT;
	enum lease lease = LEASE_OK;
	char hash[HASH_HEX_MAX];
	int64_t id, run;
	int r;

	if (!leased(req, res, &id, hash))
		return;
	if (!path_name_is_safe(name) || strlen(name) > LIMIT_NAME_LEN) {
		http_res_problem(res, 422, "the name is made of letters, digits and ._+-");
		return;
	}
	if (!sum || strcmp(sum, req->body_sha256)) {
		http_res_problem(
			res, sum ? 422 : 400,
			sum ? "the body does not have the hash that Faultline-SHA256 announced"
			    : "the header Faultline-SHA256 is missing");
		return;
	}
	r = store_lease_check(srv->store, id, hash, &lease, &run, &err);
	if (!lease_ok(req, res, r, lease, &err))
		return;
	r = blob_put(srv->blobs, req->body_path, sum, &err);
	if (!r)
		r = store_artifact_add(srv->store, id, hash, name, sum, (int64_t)req->body_len,
				       &lease, &err);
	if (!lease_ok(req, res, r, lease, &err))
		return;
	res->status = 201;
}

/* --- the end ------------------------------------------------------------------------------------ */

static int build_done(struct server *srv, const struct jval *v, int64_t id, const char *hash,
		      enum lease *ret, struct error *err)
{
	struct build_result b = { 0 };
	int r = build_result_from_json(v, &b, err);

	if (r)
		return r;
	r = store_build_done(srv->store, id, hash, &b, ret, err);
	build_result_free(&b);
	return r;
}

static int parse_miss(const struct jval *v, enum reason *ret_reason, const char **ret_detail,
		      struct error *err)
{
	static const char *const keys[] = { "version", "kind", "status", "reason", "detail", NULL };
	const char *status = NULL, *reason = NULL;
	int r = json_only_keys(v, keys, err);

	if (!r)
		r = json_get_str(v, "status", LIMIT_NAME_LEN, &status, err);
	if (!r)
		r = json_get_str(v, "reason", LIMIT_NAME_LEN, &reason, err);
	if (!r)
		r = json_opt_str(v, "detail", LIMIT_TEXT_LEN, ret_detail, err);
	if (r)
		return r;
	if (strcmp(status, "MISS"))
		return error_set(err, -EINVAL,
				 "$.status: without a document only MISS is possible");
	if (!reason_parse(reason, ret_reason) || reason_status(*ret_reason) != STATUS_MISS)
		return error_set(err, -EINVAL, "$.reason: this is not a reason for MISS");
	return 0;
}

static int test_done(struct server *srv, const struct jval *v, int64_t id, const char *hash,
		     enum lease *ret, struct error *err)
{
	static const char *const keys[] = { "version", "kind", "document", NULL };
	enum reason reason = REASON_NONE;
	struct jval doc = { 0 };
	struct result_doc d = { 0 };
	const char *detail = NULL;
	int r = json_opt_obj(v, "document", &doc, err);

	if (r)
		return r;
	if (!doc.o) {
		r = parse_miss(v, &reason, &detail, err);
		return r ? r
			 : store_test_done(srv->store, id, hash, NULL, reason, detail, ret, err);
	}
	r = json_only_keys(v, keys, err);
	if (!r)
		r = result_doc_from_json(&doc, &d, err);
	if (!r)
		r = store_test_done(srv->store, id, hash, &d, REASON_NONE, NULL, ret, err);
	result_doc_free(&d);
	return r;
}

void api_job_result(struct server *srv, const struct http_req *req, struct http_res *res)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct error err = ERROR_INIT;
	enum lease lease = LEASE_OK;
	char hash[HASH_HEX_MAX];
	const char *kind = NULL;
	int64_t id, version = 0;
	struct jval v;
	int r;

	if (!leased(req, res, &id, hash) || !api_body(req, res, &o))
		return;
	v = json_root(o);
	r = json_get_i64(&v, "version", 1, 1, &version, &err);
	if (!r)
		r = json_get_str(&v, "kind", LIMIT_NAME_LEN, &kind, &err);
	if (!r && !strcmp(kind, "build"))
		r = build_done(srv, &v, id, hash, &lease, &err);
	else if (!r && !strcmp(kind, "test"))
		r = test_done(srv, &v, id, hash, &lease, &err);
	else if (!r)
		r = error_set(&err, -EINVAL, "$.kind: neither 'build' nor 'test'");
	if (!lease_ok(req, res, r, lease, &err))
		return;
	log_event(LOG_INFO, "job-ended", "job=%lld kind=%s", (long long)id, kind);
	http_res_json(res, 200, json_object_new_object());
}

void api_job_release(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct error err = ERROR_INIT;
	enum lease lease = LEASE_OK;
	char hash[HASH_HEX_MAX];
	int64_t id;
	int r;

	if (!leased(req, res, &id, hash))
		return;
	r = store_release(srv->store, id, hash, &lease, &err);
	if (lease_ok(req, res, r, lease, &err))
		res->status = 204;
}
