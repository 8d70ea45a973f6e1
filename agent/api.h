/* SPDX-License-Identifier: MIT */
/*
 * api: the agent's side of /api/v1/jobs, one function a call.
 *
 * Calls that carry what must not get lost (log, artifacts, results) are retried with jittered
 * back-off until the server answers, the lease is gone or `cancelled` says stop.
 * Thread: each thread makes its own api_conn (one HTTP connection); none is shared.
 */
#ifndef FAULTLINE_AGENT_API_H
#define FAULTLINE_AGENT_API_H

#include "jobs/job.h"
#include "lib/http_client.h"

struct api_conn {
	struct http_client *http;
	bool (*cancelled)(void *arg); /* may be NULL */
	void *arg;
};

must_check int api_open(const char *server, const char *token, bool (*cancelled)(void *arg),
			void *arg, struct api_conn *ret, struct error *err);
void api_close(struct api_conn *c);

struct api_identity {
	const char *name, *version;
	int slots;
	bool can_build, can_test;
};

enum api_claim { API_JOB, API_NO_JOB };

/* One long poll of at most wait_s seconds. Not retried. -EACCES for a token that is not good. */
must_check int api_claim(struct api_conn *c, const struct api_identity *who, int wait_s,
			 enum api_claim *ret, struct job *ret_job, struct error *err);

enum api_lease { API_LEASE_OK, API_LEASE_LOST };

/* One heartbeat, not retried. `progress` is borrowed and may be NULL. */
must_check int api_heartbeat(struct api_conn *c, const struct job *job,
			     struct json_object *progress, enum api_lease *ret, struct error *err);
/* Appends at `offset`; *ret_size is what the server has on disk now. Not retried. */
must_check int api_log(struct api_conn *c, const struct job *job, int64_t offset, const void *data,
		       size_t len, int64_t *ret_size, enum api_lease *ret, struct error *err);
must_check int api_artifact(struct api_conn *c, const struct job *job, const char *name,
			    const char *path, enum api_lease *ret, struct error *err);
must_check int api_result(struct api_conn *c, const struct job *job, struct json_object *doc,
			  enum api_lease *ret, struct error *err);
/* Gives the job back, as far as the server can be reached in a few seconds. */
void api_release(struct api_conn *c, const struct job *job);
/* Downloads one artifact of a test job into `path` and verifies its SHA-256 (-EBADMSG). */
must_check int api_download(struct api_conn *c, const struct job_artifact *a, const char *path,
			    struct error *err);

#endif
