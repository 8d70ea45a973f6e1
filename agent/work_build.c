// SPDX-License-Identifier: MIT
#include <errno.h>

#include "agent/work.h"
#include "lib/clean.h"
#include "lib/json.h"

static void kbuild_image_p(struct kbuild_image *i)
{
	kbuild_image_free(i);
}

static void build_result_p(struct build_result *b)
{
	build_result_free(b);
}

static int upload(const struct job *job, struct api_conn *api, const struct kbuild_image *image,
		  struct error *err)
{
	const struct {
		const char *name, *path;
	} files[] = {
		{ "bzImage", image->kernel },
		{ "System.map", image->symbols },
		{ "config", image->config },
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		enum api_lease lease = API_LEASE_OK;
		int r;

		if (!files[i].path)
			continue;
		r = api_artifact(api, job, files[i].name, files[i].path, &lease, err);
		if (r)
			return r;
		if (lease == API_LEASE_LOST)
			return error_set(err, -ECANCELED, "the lease was lost");
	}
	return 0;
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
		r = upload(job, api, &image, err);
		if (r)
			return keeper_lost(k) ? -ECANCELED : r;
	}
	*ret_doc = build_result_to_json(&result);
	return 0;
}
