// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/decode.h"
#include "agent/selftests.h"
#include "agent/work.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/json.h"
#include "lib/limits.h"

/* A configuration with this fragment is there to run the tree's own tests on. */
#define SELFTESTS_FRAGMENT "selftests"

static void kbuild_image_p(struct kbuild_image *i)
{
	kbuild_image_free(i);
}

static void build_result_p(struct build_result *b)
{
	build_result_free(b);
}

static int upload_file(const struct job *job, struct api_conn *api, const char *name,
		       const char *path, struct error *err)
{
	enum api_lease lease = API_LEASE_OK;
	int r = api_artifact(api, job, name, path, &lease, err);

	if (!r && lease == API_LEASE_LOST)
		r = error_set(err, -ECANCELED, "the lease was lost");
	return r;
}

/* Without it the kernel is tested as well, and its traces stay without lines. */
static bool may_upload_debug(const char *path, const struct engine_watch *watch)
{
	static const char too_large[] = "faultline: " DECODE_ARTIFACT
					" is too large to be kept: traces stay without lines\n";
	struct stat st;

	if (!path || stat(path, &st) < 0)
		return false;
	if (st.st_size <= LIMIT_ARTIFACT_BYTES)
		return true;
	watch->log(watch->arg, too_large, strlen(too_large));
	return false;
}

static int upload(const struct job *job, struct api_conn *api, const struct kbuild_image *image,
		  const struct engine_watch *watch, struct error *err)
{
	const struct {
		const char *name, *path;
	} files[] = {
		{ "bzImage", image->kernel },
		{ "System.map", image->symbols },
		{ "config", image->config },
		{ DECODE_ARTIFACT, may_upload_debug(image->debug, watch) ? image->debug : NULL },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(files) && !r; i++)
		if (files[i].path)
			r = upload_file(job, api, files[i].name, files[i].path, err);
	return r;
}

static bool wants_selftests(const struct job *job)
{
	for (size_t i = 0; i < job->config.n_fragments; i++)
		if (strcmp(job->config.fragments[i].name, SELFTESTS_FRAGMENT) == 0)
			return true;
	return false;
}

static int upload_selftests(const struct job *job, struct api_conn *api, const struct selftests *s,
			    struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < s->n && !r; i++) {
		CLEANUP(free_p) char *name = NULL;
		CLEANUP(free_p) char *path = NULL;

		if (s->programs[i].why)
			continue;
		name = xasprintf(WORK_SELFTEST "%s", s->programs[i].name);
		path = xasprintf("%s/%s", s->dir, s->programs[i].name);
		r = upload_file(job, api, name, path, err);
	}
	return r;
}

/* Here and not in the test: the source tree is the building slot's. */
static int build_selftests(const struct agent *a, const struct job *job, struct api_conn *api,
			   const char *source, const struct engine_watch *watch, struct error *err)
{
	struct selftests s = { 0 };
	int r = selftests_build(a->work, source, 0, watch, &s, err);

	if (r == -EINVAL) { /* the tree's doing: the kernel can be tested without */
		watch->log(watch->arg, err->msg, strlen(err->msg));
		watch->log(watch->arg, "\n", 1);
		return 0;
	}
	if (!r)
		r = upload_selftests(job, api, &s, err);
	selftests_free(&s);
	return r;
}

int work_build(const struct agent *a, const struct job *job, struct keeper *k, struct api_conn *api,
	       const struct engine_watch *watch, struct json_object **ret_doc, struct error *err)
{
	CLEANUP(free_p) char *url = xasprintf("%s%s", a->server, job->git_path);
	CLEANUP(free_p) char *source = NULL;
	CLEANUP(kbuild_image_p) struct kbuild_image image = { 0 };
	CLEANUP(build_result_p) struct build_result result = { 0 };
	struct kbuild_opts opts = {
		.work = a->work,
		.commit = job->commit,
		.config = &job->config,
		.watch = watch,
	};
	int r;

	r = source_checkout(a->work, url, a->token, false, job->commit, watch, &source, err);
	if (r)
		return r;
	opts.source = source;
	r = kbuild_run(&opts, &result, &image, err);
	if (r)
		return r;
	if (result.status == STATUS_PASS) {
		r = upload(job, api, &image, watch, err);
		if (!r && wants_selftests(job))
			r = build_selftests(a, job, api, source, watch, err);
		if (r)
			return keeper_lost(k) ? -ECANCELED : r;
	}
	*ret_doc = build_result_to_json(&result);
	return 0;
}
