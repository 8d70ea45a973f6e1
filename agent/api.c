// SPDX-License-Identifier: MIT
#include "agent/api.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/clean.h"
#include "lib/limits.h"
#include "lib/path.h"

#define CALL_TIMEOUT_MS 30000
#define TRANSFER_TIMEOUT_MS 600000 /* a 100 MB image over a slow line */
#define RELEASE_TIMEOUT_MS 3000 /* the agent is on its way out */

int api_open(const char *server, const char *token, bool (*cancelled)(void *arg), void *arg,
	     struct api_conn *ret, struct error *err)
{
	struct http_client *http;
	int r = http_client_new(server, token, &http, err);

	if (r)
		return r;
	ret->http = http;
	ret->cancelled = cancelled;
	ret->arg = arg;
	return 0;
}

void api_close(struct api_conn *c)
{
	http_client_free(c->http);
	c->http = NULL;
}

static bool is_cancelled(const struct api_conn *c)
{
	return c->cancelled && c->cancelled(c->arg);
}

/* What a problem+json body says, for messages. */
static void problem_text(const struct http_response *res, char *out, size_t size)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	const char *detail = NULL;
	struct jval v;

	if (!json_parse(buf_cstr(&res->body), res->body.len, &o, NULL)) {
		v = json_root(o);
		if (json_opt_str(&v, "detail", LIMIT_TEXT_LEN, &detail, NULL))
			detail = NULL;
	}
	snprintf(out, size, "%s", detail ? detail : "no explanation given");
}

static int bad_status(const struct http_response *res, const char *what, struct error *err)
{
	int code = res->status == 401 || res->status == 403 ? -EACCES
		   : res->status >= 500			    ? -EAGAIN
							    : -EPROTO;
	char why[160];

	problem_text(res, why, sizeof(why));
	return error_set(err, code, "%s: the server answered %d: %s", what, res->status, why);
}

/* One call with the job's lease. Answers 409 and 404 (the job is unknown) as a lost lease. */
static int leased_call(struct api_conn *c, const struct job *job, struct http_request *req,
		       struct http_response *res, enum api_lease *ret, struct error *err)
{
	CLEANUP(free_p) char *lease = xasprintf("Faultline-Lease: %s", job->lease_token);
	const char *headers[] = { lease, NULL, NULL };
	int r;

	if (req->headers)
		headers[1] = req->headers[0];
	req->headers = headers;
	if (!req->timeout_ms)
		req->timeout_ms = CALL_TIMEOUT_MS;
	req->cancelled = c->cancelled;
	req->arg = c->arg;
	r = http_client_do(c->http, req, res, err);
	req->headers = NULL;
	if (r)
		return r;
	*ret = res->status == 409 || res->status == 404 ? API_LEASE_LOST : API_LEASE_OK;
	return 0;
}

/* Sleeps ms in slices, so that a stop is noticed. */
static void wait_ms(const struct api_conn *c, int ms)
{
	while (ms > 0 && !is_cancelled(c)) {
		int slice = ms < 100 ? ms : 100;
		struct timespec ts = { 0, slice * 1000000L };

		nanosleep(&ts, NULL);
		ms -= slice;
	}
}

/* leased_call() until there is an answer that is not the server's or the network's trouble. */
static int insist(struct api_conn *c, const struct job *job, const struct http_request *req,
		  const char *what, enum api_lease *ret, struct error *err)
{
	for (int attempt = 0;; attempt++) {
		struct http_response res = { 0 };
		struct http_request copy = *req;
		const char *const extra[] = { req->headers ? req->headers[0] : NULL, NULL };
		int r;

		copy.headers = extra[0] ? extra : NULL;
		r = leased_call(c, job, &copy, &res, ret, err);
		if (!r && *ret == API_LEASE_OK && res.status / 100 != 2)
			r = bad_status(&res, what, err);
		http_response_free(&res);
		if (!r)
			return 0;
		if (r == -EPROTO || r == -EACCES || is_cancelled(c))
			return error_wrap(err, r, "job %lld", (long long)job->id);
		wait_ms(c, http_retry_delay_ms(attempt));
	}
}

static struct json_object *identity_json(const struct api_identity *who)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "name", json_str(who->name));
	json_object_object_add(o, "version", json_str(who->version));
	json_object_object_add(o, "slots", json_object_new_int(who->slots));
	json_object_object_add(o, "can_build", json_object_new_boolean(who->can_build));
	json_object_object_add(o, "can_test", json_object_new_boolean(who->can_test));
	return o;
}

static int job_from_response(const struct http_response *res, struct job *ret_job,
			     struct error *err)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct jval v;
	int r = json_parse(buf_cstr(&res->body), res->body.len, &o, err);

	if (r)
		return error_wrap(err, r, "claim: the server's job");
	v = json_root(o);
	r = job_from_json(&v, ret_job, err);
	return r ? error_wrap(err, r, "claim: the server's job") : 0;
}

int api_claim(struct api_conn *c, const struct api_identity *who, int wait_s, enum api_claim *ret,
	      struct job *ret_job, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *o = identity_json(who);
	CLEANUP(free_p) char *body = json_text(o);
	CLEANUP(free_p) char *path = xasprintf("/api/v1/jobs/claim?wait=%d", wait_s);
	struct http_request req = HTTP_REQUEST_INIT;
	struct http_response res = { 0 };
	int r;

	req.method = "POST";
	req.path = path;
	req.body = body;
	req.body_len = strlen(body);
	req.timeout_ms = (int64_t)wait_s * 1000 + CALL_TIMEOUT_MS;
	req.cancelled = c->cancelled;
	req.arg = c->arg;
	r = http_client_do(c->http, &req, &res, err);
	if (r)
		return r;
	if (res.status == 204) {
		*ret = API_NO_JOB;
	} else if (res.status == 200) {
		r = job_from_response(&res, ret_job, err);
		if (!r)
			*ret = API_JOB;
	} else {
		r = bad_status(&res, "claim", err);
	}
	http_response_free(&res);
	return r;
}

int api_heartbeat(struct api_conn *c, const struct job *job, struct json_object *progress,
		  enum api_lease *ret, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *o = json_object_new_object();
	CLEANUP(free_p) char *path = xasprintf("/api/v1/jobs/%lld/heartbeat", (long long)job->id);
	CLEANUP(free_p) char *body = NULL;
	struct http_request req = HTTP_REQUEST_INIT;
	struct http_response res = { 0 };
	int r;

	if (progress)
		json_object_object_add(o, "progress", json_object_get(progress));
	body = json_text(o);
	req.method = "POST";
	req.path = path;
	req.body = body;
	req.body_len = strlen(body);
	r = leased_call(c, job, &req, &res, ret, err);
	if (r)
		return r;
	if (*ret == API_LEASE_OK && res.status != 200)
		r = bad_status(&res, "heartbeat", err);
	http_response_free(&res);
	return r;
}

/* {"size":M} from a 200 or from the 416 that tells a gap. */
static int log_size(const struct http_response *res, int64_t *ret_size, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct jval v;
	int r = json_parse(buf_cstr(&res->body), res->body.len, &o, err);

	if (r)
		return error_wrap(err, r, "log: the server's answer");
	v = json_root(o);
	return json_get_i64(&v, "size", 0, INT64_MAX, ret_size, err);
}

int api_log(struct api_conn *c, const struct job *job, int64_t offset, const void *data, size_t len,
	    int64_t *ret_size, enum api_lease *ret, struct error *err)
{
	CLEANUP(free_p)
	char *path = xasprintf("/api/v1/jobs/%lld/log?offset=%lld", (long long)job->id,
			       (long long)offset);
	struct http_request req = HTTP_REQUEST_INIT;
	struct http_response res = { 0 };
	int r;

	req.method = "POST";
	req.path = path;
	req.content_type = "application/octet-stream";
	req.body = data;
	req.body_len = len;
	r = leased_call(c, job, &req, &res, ret, err);
	if (r)
		return r;
	if (*ret == API_LEASE_OK)
		r = res.status == 200 || res.status == 416 ? log_size(&res, ret_size, err)
							   : bad_status(&res, "log", err);
	http_response_free(&res);
	return r;
}

int api_artifact(struct api_conn *c, const struct job *job, const char *name, const char *path,
		 enum api_lease *ret, struct error *err)
{
	CLEANUP(free_p)
	char *url = xasprintf("/api/v1/jobs/%lld/artifacts/%s", (long long)job->id, name);
	CLEANUP(close_p) int fd = open(path, O_RDONLY | O_CLOEXEC);
	CLEANUP(free_p) char *sum = NULL;
	char hex[HASH_HEX_MAX];
	struct http_request req = HTTP_REQUEST_INIT;
	const char *headers[] = { NULL, NULL };
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st))
		return error_errno(err, -errno, "artifact '%s'", path);
	r = hash_file(path, hex, err);
	if (r)
		return r;
	sum = xasprintf("Faultline-SHA256: %s", hex);
	headers[0] = sum;
	req.method = "PUT";
	req.path = url;
	req.content_type = "application/octet-stream";
	req.headers = headers;
	req.body_fd = fd;
	req.body_len = (size_t)st.st_size;
	req.timeout_ms = TRANSFER_TIMEOUT_MS;
	return insist(c, job, &req, name, ret, err);
}

int api_result(struct api_conn *c, const struct job *job, struct json_object *doc,
	       enum api_lease *ret, struct error *err)
{
	CLEANUP(free_p) char *url = xasprintf("/api/v1/jobs/%lld/result", (long long)job->id);
	CLEANUP(free_p) char *body = json_text(doc);
	struct http_request req = HTTP_REQUEST_INIT;

	req.method = "POST";
	req.path = url;
	req.body = body;
	req.body_len = strlen(body);
	req.timeout_ms = 2 * CALL_TIMEOUT_MS;
	return insist(c, job, &req, "result", ret, err);
}

void api_release(struct api_conn *c, const struct job *job)
{
	CLEANUP(free_p) char *url = xasprintf("/api/v1/jobs/%lld/release", (long long)job->id);
	CLEANUP(free_p) char *lease = xasprintf("Faultline-Lease: %s", job->lease_token);
	const char *const headers[] = { lease, NULL };
	struct http_request req = HTTP_REQUEST_INIT;
	struct http_response res = { 0 };

	req.method = "POST";
	req.path = url;
	req.headers = headers;
	req.body = "{}";
	req.body_len = 2;
	req.timeout_ms = RELEASE_TIMEOUT_MS;
	/* Not reached: the lease runs out and the job is requeued all the same. */
	if (!http_client_do(c->http, &req, &res, NULL))
		http_response_free(&res);
}

struct download {
	int fd;
	int64_t left;
};

static int on_download(void *arg, const char *data, size_t len)
{
	struct download *d = arg;

	if ((int64_t)len > d->left)
		return -EFBIG;
	d->left -= (int64_t)len;
	return fd_write_all(d->fd, data, len);
}

int api_download(struct api_conn *c, const struct job_artifact *a, const char *path,
		 struct error *err)
{
	CLEANUP(close_p) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct download d = { .fd = fd, .left = a->size_bytes };
	struct http_request req = HTTP_REQUEST_INIT;
	struct http_response res = { 0 };
	char hex[HASH_HEX_MAX];
	int r;

	if (fd < 0)
		return error_errno(err, -errno, "cannot write '%s'", path);
	req.method = "GET";
	req.path = a->url;
	req.timeout_ms = TRANSFER_TIMEOUT_MS;
	req.on_data = on_download;
	req.arg = &d;
	r = http_client_do(c->http, &req, &res, err);
	if (r)
		return error_wrap(err, r, "artifact '%s'", a->name);
	if (res.status != 200)
		r = bad_status(&res, a->name, err);
	http_response_free(&res);
	if (r)
		return r;
	r = hash_file(path, hex, err);
	if (r)
		return r;
	if (d.left || strcmp(hex, a->sha256))
		return error_set(err, -EBADMSG, "artifact '%s': its contents do not match its hash",
				 a->name);
	return 0;
}
