// SPDX-License-Identifier: MIT
#include "agent/work.h"

#include <errno.h>

#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/log.h"

static void watch_progress(void *arg, enum engine_phase phase, int done, int total,
			   const char *what)
{
	keeper_progress(arg, phase, done, total, what);
}

static void watch_log(void *arg, const char *data, size_t len)
{
	keeper_log(arg, data, len);
}

static bool watch_cancelled(void *arg)
{
	return keeper_cancelled(arg);
}

static bool agent_gives_up(void *arg)
{
	const struct agent *a = arg;

	return a->giving_up && a->giving_up();
}

/* What the host's trouble is called: it is never the kernel's failure. */
static enum reason miss_reason(const struct job *job, int r)
{
	if (r == -ENOSPC)
		return REASON_DISK;
	if (r == -ETIMEDOUT)
		return REASON_TIMEOUT_HOST;
	return job->kind == JOB_TEST && r == -ENOENT ? REASON_QEMU : REASON_AGENT;
}

static struct json_object *miss_json(const struct job *job, int r, char *detail)
{
	const struct build_result build = { .status = STATUS_MISS,
					    .reason = miss_reason(job, r),
					    .detail = detail };
	struct json_object *o;

	if (job->kind == JOB_BUILD)
		return build_result_to_json(&build);
	o = json_object_new_object();
	json_object_object_add(o, "version", json_object_new_int(1));
	json_object_object_add(o, "kind", json_str(job_kind_name(job->kind)));
	json_object_object_add(o, "status", json_str(status_name(STATUS_MISS)));
	json_object_object_add(o, "reason", json_str(reason_name(build.reason)));
	json_object_object_add(o, "detail", json_str(detail));
	return o;
}

static int post_result(struct api_conn *api, const struct job *job, struct json_object *doc,
		       struct error *err)
{
	enum api_lease lease = API_LEASE_OK;
	int r = api_result(api, job, doc, &lease, err);

	if (r)
		return r;
	log_event(lease == API_LEASE_OK ? LOG_INFO : LOG_WARN,
		  lease == API_LEASE_OK ? "job-done" : "lease-lost", "job=%lld kind=%s",
		  (long long)job->id, job_kind_name(job->kind));
	return 0;
}

static int run_job(const struct agent *a, const struct job *job, struct keeper *k,
		   struct api_conn *api, struct json_object **ret_doc, struct error *err)
{
	const struct engine_watch watch = {
		.progress = watch_progress,
		.log = watch_log,
		.cancelled = watch_cancelled,
		.arg = k,
	};

	if (job->kind == JOB_BUILD)
		return work_build(a, job, k, api, &watch, ret_doc, err);
	return work_test(a, job, api, &watch, ret_doc, err);
}

int work_job(const struct agent *a, const struct job *job, struct error *err)
{
	CLEANUP(free_p) char *spool = xasprintf("%s/spool", a->work);
	CLEANUP(json_put_p) struct json_object *doc = NULL;
	const struct keeper_opts ko = { .server = a->server,
					.token = a->token,
					.spool_dir = spool,
					.job = job,
					.stopping = agent_gives_up,
					.arg = (void *)a };
	struct api_conn api = { 0 };
	struct keeper *k = NULL;
	bool lost, gave_up;
	int r;

	r = api_open(a->server, a->token, agent_gives_up, (void *)a, &api, err);
	if (r)
		return r;
	r = keeper_start(&ko, &k, err);
	if (!r) {
		r = run_job(a, job, k, &api, &doc, err);
		lost = keeper_lost(k);
		gave_up = agent_gives_up((void *)a);
		if (r && !lost && !gave_up) {
			log_event(LOG_ERROR, "job-trouble", "job=%lld error=\"%s\"",
				  (long long)job->id, err->msg);
			doc = miss_json(job, r, err->msg);
			r = 0;
		}
		keeper_stop(k);
		if (gave_up)
			api_release(&api, job);
		else if (!r && !lost)
			r = post_result(&api, job, doc, err);
		if (lost || gave_up)
			r = 0;
	}
	api_close(&api);
	return r;
}
