/* SPDX-License-Identifier: MIT */
#include "agent/testrun.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/initramfs.h"
#include "agent/selftests.h"
#include "agent/symbols.h"
#include "jobs/parts.h"
#include "jobs/selftest.h"
#include "lib/clean.h"
#include "lib/limits.h"
#include "lib/path.h"

/* A kernel image and what a run writes at most are far below. */
#define FREE_BYTES_MIN (64LL << 20)
/* Machines a case may cost besides one a point: retries for infrastructure and strikes. */
#define SPARE_MACHINES 4

/* Why this selftest cannot be run, NULL when it can. Owned. */
static char *selftest_missing(const struct testrun_opts *o, const struct plan_case *pcase)
{
	const char *name = selftest_program(pcase->scenario);
	const char *why = selftest_left_out(name);
	const struct selftests_program *p;

	if (why)
		return xasprintf("%s is not run: it %s", name, why);
	if (!o->selftests)
		return xstrdup("the kernel's selftests were not built here");
	p = selftests_find(o->selftests, name);
	if (!p)
		return xasprintf("the tree has no program %s", name);
	return p->why ? xasprintf("%s %s", name, p->why) : NULL;
}

/* The same case's result, in the baseline. */
static const struct result *find_baseline(const struct testrun_opts *o,
					  const struct plan_case *pcase)
{
	char want[FAULT_TEXT_MAX], have[FAULT_TEXT_MAX];

	fault_to_text(&pcase->fault, want);
	for (size_t i = 0; o->baseline && i < o->baseline->n_results; i++) {
		const struct result *r = &o->baseline->results[i];

		if (strcmp(r->scenario, pcase->scenario) != 0)
			continue;
		fault_to_text(&r->fault, have);
		if (strcmp(want, have) == 0)
			return r;
	}
	return NULL;
}

static bool selftest_setup(struct testrun *run, struct tcase *c)
{
	CLEANUP(free_p) char *why = selftest_missing(run->opts, c->pcase);

	if (why)
		case_verdict(run, c, REASON_KCONFIG, why, NULL, -1, 0);
	else
		c->baseline = find_baseline(run->opts, c->pcase);
	return !why;
}

/* The programs that the cases need, once each, in the order of the list. */
static int make_initramfs(struct testrun *run, const char *guest, const char *cache,
			  struct error *err)
{
	const struct testrun_opts *o = run->opts;
	size_t most = o->selftests ? o->selftests->n : 0, n = 0;
	struct initramfs_file *files = xcalloc(most + 1, sizeof(*files));
	int r;

	for (size_t i = 0; i < most; i++) {
		const struct selftests_program *p = &o->selftests->programs[i];
		bool wanted = false;

		for (size_t k = 0; !p->why && !wanted && k < o->n_cases; k++) {
			const char *name = selftest_program(o->cases[k].scenario);

			wanted = name && strcmp(name, p->name) == 0;
		}
		if (wanted)
			files[n++] = (struct initramfs_file){
				"selftests", p->name, xasprintf("%s/%s", o->selftests->dir, p->name)
			};
	}
	r = initramfs_make(guest, files, n, cache, &run->initramfs, err);
	for (size_t i = 0; i < n; i++)
		free((char *)files[i].host);
	free(files);
	return r;
}

static void cases_setup(struct testrun *run)
{
	const struct testrun_opts *o = run->opts;

	run->n_cases = o->n_cases;
	run->cases = xcalloc(o->n_cases, sizeof(*run->cases));
	run->waiting = xcalloc(o->n_cases, sizeof(*run->waiting));
	run->machines_left = SPARE_MACHINES;
	for (size_t i = 0; i < o->n_cases; i++) {
		struct tcase *c = &run->cases[i];

		c->pcase = &o->cases[i];
		c->scenario = scenario_find(c->pcase->scenario);
		c->id = (int64_t)i + 1;
		c->next_nth = c->pcase->fault.mode == FAULT_SWEEP ? 1 : 0;
		run->machines_left +=
			SPARE_MACHINES +
			(c->pcase->fault.mode == FAULT_SWEEP ? LIMIT_SWEEP_POINTS : 1);
		if (!c->scenario) {
			case_verdict(run, c, REASON_HARNESS,
				     "this version does not know the scenario", NULL, -1, 0);
			continue;
		}
		if (c->scenario->kind == SCENARIO_KIND_SELFTEST && !selftest_setup(run, c))
			continue;
		run->waiting[i] = true;
		run->n_waiting++;
	}
}

static int default_workers(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? (int)n : 1;
}

/* Everything without which no case can run. */
static int run_setup(struct testrun *run, char **ret_qemu, struct error *err)
{
	const struct testrun_opts *o = run->opts;
	CLEANUP(free_p) char *guest = initramfs_guest_program();
	CLEANUP(free_p) char *cache = xasprintf("%s/cache", o->work);
	CLEANUP(free_p) char *version = NULL;
	int64_t space;
	int r;

	if (access(o->kernel, R_OK) < 0)
		return error_errno(err, -errno, "kernel image '%s'", o->kernel);
	r = qemu_version(&version, err);
	if (r < 0)
		return r;
	r = path_mkdirs(cache, 0755, err);
	if (r < 0)
		return r;
	space = path_free_bytes(o->work);
	if (space >= 0 && space < FREE_BYTES_MIN)
		return error_set(err, -ENOSPC, "'%s' has only %lld bytes left", o->work,
				 (long long)space);
	r = make_initramfs(run, guest, cache, err);
	if (!r)
		r = accel_resolve(o->accel, o->kernel, cache, &run->accel, err);
	if (r < 0)
		return r;
	if (o->replay && run->accel != ACCEL_TCG)
		return error_set(err, -EINVAL, "a replay needs emulated CPUs (tcg)");
	if (o->keep) {
		run->keep_dir = xasprintf("%s/run-XXXXXX", o->work);
		if (!mkdtemp(run->keep_dir))
			return error_errno(err, -errno, "cannot create '%s'", run->keep_dir);
	}
	*ret_qemu = STEAL(version);
	return 0;
}

static void run_free(struct testrun *run)
{
	for (size_t i = 0; i < run->n_cases; i++) {
		struct tcase *c = &run->cases[i];

		for (size_t k = 0; k < c->n_points; k++)
			result_free(&c->points[k]);
		free(c->points);
		free(c->line);
		if (c->done)
			result_free(&c->final);
	}
	free(run->cases);
	free(run->waiting);
	free(run->order);
	history_free(&run->history);
	free(run->boot_us.v);
	free(run->result_us.v);
	template_unref(run->template);
	free(run->release);
	free(run->initramfs);
	free(run->keep_dir);
	pthread_mutex_destroy(&run->lock);
	pthread_cond_destroy(&run->wake);
}

/* The calling thread only waits, so that every machine belongs to a thread that outlives it. */
static int workers_run(struct testrun *run, struct error *err)
{
	struct worker *workers = xcalloc((size_t)run->workers, sizeof(*workers));
	int started = 0, r = 0;

	for (; started < run->workers; started++) {
		struct worker *w = &workers[started];

		w->run = run;
		w->batch = xcalloc(run->n_cases, sizeof(struct tcase *));
		r = pthread_create(&w->thread, NULL, worker_main, w);
		if (r) {
			free(w->batch);
			break;
		}
	}
	for (int i = 0; i < started; i++) {
		pthread_join(workers[i].thread, NULL);
		free(workers[i].batch);
	}
	free(workers);
	/* Fewer threads than wanted are enough. */
	return started ? 0 : error_errno(err, -r, "cannot start a thread");
}

/* The results move from the cases into the document. */
static void document(struct testrun *run, char *qemu, struct result_doc *doc)
{
	const struct testrun_opts *o = run->opts;

	*doc = (struct result_doc){
		.kernel = { .release = STEAL(run->release),
			    .commit = xstrdup(o->commit),
			    .tree = xstrdup(o->tree),
			    .config_hash = xstrdup(o->config_hash),
			    .symbols = xstrdup(o->symbols) },
		.machine = { .accel = xstrdup(accel_name(run->accel)),
			     .qemu = qemu,
			     .cpus = o->machine.cpus,
			     .memory_mib = o->machine.memory_mib,
			     .isolation = xstrdup(isolation_name(run->isolation)),
			     .shuffle_seed = (int64_t)o->shuffle_seed,
			     .boots = run->boots,
			     .restores = run->restores,
			     .boot_us = samples_median(&run->boot_us),
			     .result_us = samples_median(&run->result_us) },
	};
	for (size_t i = 0; i < run->n_cases; i++) {
		struct tcase *c = &run->cases[i];

		for (size_t k = 0; k < c->n_points; k++)
			*result_doc_add(doc) = c->points[k];
		c->n_points = 0;
		*result_doc_add(doc) = c->final;
		c->done = false;
	}
}

int testrun_run(const struct testrun_opts *opts, struct result_doc *ret_doc, struct error *err)
{
	struct testrun run = { .opts = opts, .isolation = opts->isolation, .calibrating = true };
	CLEANUP(free_p) char *qemu = NULL;
	char **lacks = NULL;
	size_t n_lacks = 0;
	int r;

	if (!opts->n_cases || opts->n_cases > LIMIT_CASES)
		return error_set(err, -EINVAL, "%zu cases; 1 to %d can be run", opts->n_cases,
				 LIMIT_CASES);
	pthread_mutex_init(&run.lock, NULL);
	pthread_cond_init(&run.wake, NULL);
	r = run_setup(&run, &qemu, err);
	if (!r && opts->symbols)
		r = symbols_lacking_file(opts->symbols, &lacks, &n_lacks, err);
	if (!r) {
		cases_setup(&run);
		order_setup(&run);
		if (opts->replay || opts->gdb_fd)
			run.isolation = ISOLATION_COLD;
		run.workers = opts->jobs > 0 ? opts->jobs : default_workers();
		if ((size_t)run.workers > run.n_cases)
			run.workers = (int)run.n_cases;
		r = workers_run(&run, err);
		order_learn(&run);
	}
	if (!r && run.cancelled)
		r = error_set(err, -ECANCELED, "the run was stopped");
	if (!r) {
		document(&run, STEAL(qemu), ret_doc);
		ret_doc->kernel.lacks = lacks;
		ret_doc->kernel.n_lacks = n_lacks;
	} else {
		strings_free(lacks, n_lacks);
	}
	run_free(&run);
	return r;
}
