// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "agent/work.h"
#include "lib/clean.h"
#include "lib/path.h"

static void result_doc_p(struct result_doc *d)
{
	result_doc_free(d);
}

/* Fetches an artifact into the agent's cache, which is addressed by content, so that the repeated
 * test of a kernel downloads nothing. *ret_path stays NULL when the job has no such artifact. */
static int fetch_artifact(const struct agent *a, const struct job *job, struct api_conn *api,
			  const char *name, char **ret_path, struct error *err)
{
	CLEANUP(free_p) char *dir = xasprintf("%s/images", a->work);
	const struct job_artifact *art = NULL;
	CLEANUP(free_p) char *path = NULL;
	CLEANUP(free_p) char *tmp = NULL;
	int r;

	for (size_t i = 0; i < job->n_artifacts; i++)
		if (!strcmp(job->artifacts[i].name, name))
			art = &job->artifacts[i];
	if (!art)
		return 0;
	r = path_mkdirs(dir, 0700, err);
	if (r)
		return r;
	path = xasprintf("%s/%s-%s", dir, art->sha256, name);
	if (!path_exists(path)) {
		tmp = xasprintf("%s.%lld.part", path, (long long)job->run_id);
		r = api_download(api, art, tmp, err);
		if (!r && rename(tmp, path))
			r = error_errno(err, -errno, "cannot name '%s'", path);
		if (r) {
			unlink(tmp);
			return r;
		}
	}
	*ret_path = STEAL(path);
	return 0;
}

static struct json_object *test_json(const struct result_doc *doc)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "version", json_object_new_int(1));
	json_object_object_add(o, "kind", json_str(job_kind_name(JOB_TEST)));
	json_object_object_add(o, "document", result_doc_to_json(doc));
	return o;
}

int work_test(const struct agent *a, const struct job *job, struct api_conn *api,
	      const struct engine_watch *watch, struct json_object **ret_doc, struct error *err)
{
	CLEANUP(free_p) char *kernel = NULL;
	CLEANUP(free_p) char *symbols = NULL;
	CLEANUP(free_p) char *prefix = NULL;
	CLEANUP(result_doc_p) struct result_doc doc = { 0 };
	struct testrun_opts opts = {
		.commit = job->commit,
		.tree = job->tree,
		.config_hash = job->config.hash,
		.config_name = job->config.name,
		.cases = job->cases,
		.n_cases = job->n_cases,
		.machine = job->machine,
		.jobs = a->machines,
		.work = a->work,
		.watch = watch,
	};
	int r;

	r = fetch_artifact(a, job, api, "bzImage", &kernel, err);
	if (!r)
		r = fetch_artifact(a, job, api, "System.map", &symbols, err);
	if (r)
		return r;
	if (!kernel)
		return error_set(err, -EPROTO, "job %lld: its build has no bzImage",
				 (long long)job->id);
	r = accel_resolve(a->accel, kernel, a->work, &opts.accel, err);
	if (r)
		return r;
	/* Whoever replays this has the build's files, not this agent's folders. */
	prefix = xstrdup("faultline run --kernel bzImage");
	opts.repro_prefix = prefix;
	opts.kernel = kernel;
	opts.symbols = symbols;
	r = testrun_run(&opts, &doc, err);
	if (r)
		return r;
	*ret_doc = test_json(&doc);
	return 0;
}
