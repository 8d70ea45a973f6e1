// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/decode.h"
#include "agent/selftests.h"
#include "agent/work.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/log.h"
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

/* Fetches one program and gives it its own name in `dir`. */
static int fetch_program(const struct agent *a, const struct job *job, struct api_conn *api,
			 const char *artifact, const char *dir, struct error *err)
{
	CLEANUP(free_p) char *cached = NULL;
	CLEANUP(free_p) char *path = xasprintf("%s/%s", dir, artifact + strlen(WORK_SELFTEST));
	int r = fetch_artifact(a, job, api, artifact, &cached, err);

	if (!r && (chmod(cached, 0755) || link(cached, path)))
		r = error_errno(err, -errno, "cannot make '%s'", path);
	return r;
}

/* The programs of the tree's selftests that came with the build, in a folder of this run. Without
 * any, *ret stays empty. */
static int fetch_selftests(const struct agent *a, const struct job *job, struct api_conn *api,
			   const char *dir, struct selftests *ret, struct error *err)
{
	size_t n = 0;
	int r = path_exists(dir) ? path_remove_tree(dir, err) : 0;

	if (!r)
		r = path_mkdirs(dir, 0700, err);
	for (size_t i = 0; i < job->n_artifacts && !r; i++) {
		const char *name = job->artifacts[i].name;

		if (!str_starts(name, WORK_SELFTEST) || !name[strlen(WORK_SELFTEST)])
			continue;
		r = fetch_program(a, job, api, name, dir, err);
		n++;
	}
	return r || n == 0 ? r : selftests_open(dir, ret, err);
}

static struct json_object *test_json(const struct result_doc *doc)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "version", json_object_new_int(1));
	json_object_object_add(o, "kind", json_str(job_kind_name(JOB_TEST)));
	json_object_object_add(o, "document", result_doc_to_json(doc));
	return o;
}

/* The build's lines are fetched only when something failed. A verdict does not depend on them. */
static void decode(const struct agent *a, const struct job *job, struct api_conn *api,
		   const struct engine_watch *watch, struct result_doc *doc)
{
	CLEANUP(free_p) char *path = NULL;
	struct error err = ERROR_INIT;
	struct decode_opts opts = { .cancelled = watch->cancelled, .arg = watch->arg };
	int r = 0;

	if (decode_is_wanted(doc))
		r = fetch_artifact(a, job, api, DECODE_ARTIFACT, &path, &err);
	opts.vmlinux = path;
	decode_doc(doc, path ? &opts : NULL, r < 0 ? err.msg : "the build has no " DECODE_ARTIFACT);
}

static int run_test(const struct agent *a, const struct job *job, struct api_conn *api,
		    const struct engine_watch *watch, const char *programs,
		    struct json_object **ret_doc, struct error *err)
{
	CLEANUP(free_p) char *kernel = NULL;
	CLEANUP(free_p) char *symbols = NULL;
	CLEANUP(free_p) char *prefix = NULL;
	CLEANUP(selftests_free) struct selftests selftests = { 0 };
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
	if (!r)
		r = fetch_selftests(a, job, api, programs, &selftests, err);
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
	opts.selftests = selftests.n ? &selftests : NULL;
	r = testrun_run(&opts, &doc, err);
	if (r)
		return r;
	decode(a, job, api, watch, &doc);
	*ret_doc = test_json(&doc);
	return 0;
}

int work_test(const struct agent *a, const struct job *job, struct api_conn *api,
	      const struct engine_watch *watch, struct json_object **ret_doc, struct error *err)
{
	/* The job's, not the run's: the next attempt removes what a killed one left. */
	CLEANUP(free_p) char *programs = xasprintf("%s/programs-%lld", a->work, (long long)job->id);
	struct error ignored = ERROR_INIT;
	int r = run_test(a, job, api, watch, programs, ret_doc, err);

	if (path_exists(programs) && path_remove_tree(programs, &ignored))
		log_event(LOG_WARN, "left-behind", "error=\"%s\"", ignored.msg);
	return r;
}
