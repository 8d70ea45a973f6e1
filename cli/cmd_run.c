// SPDX-License-Identifier: MIT
/*
 * faultline run: the whole engine here, without a server.
 *
 *   faultline run --kernel bzImage --scenario 'split.m*' --fault sweep
 *   faultline run ~/linux --plan thp-split --format ktap
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "agent/engine.h"
#include "agent/gdb.h"
#include "cli/cli.h"
#include "cli/kernel.h"
#include "cli/selftests.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/limits.h"
#include "lib/path.h"

#define MAX_FAULTS 32
#define MAX_GLOBS 64

struct run_args {
	char *tree, *kernel, *symbols, *vmlinux, *plan, *config, *work;
	char *selftests, *baseline; /* for selftests.* */
	const char *globs[MAX_GLOBS];
	size_t n_globs;
	struct fault faults[MAX_FAULTS];
	size_t n_faults;
	int repeat, memory, cpus, jobs;
	enum accel accel;
	enum isolation isolation;
	int shuffle;
	enum format format;
	const char *origin;
	bool keep, console, stacks, replay, gdb;
	enum gdb_stop gdb_stop;
};

static atomic_int stop;
static pthread_mutex_t progress_lock = PTHREAD_MUTEX_INITIALIZER;

static void on_signal(int sig)
{
	(void)sig;
	atomic_store(&stop, 1);
}

static bool cancelled(void *arg)
{
	(void)arg;
	return atomic_load(&stop);
}

static void on_progress(void *arg, enum engine_phase phase, int done, int total, const char *what)
{
	(void)arg;
	pthread_mutex_lock(&progress_lock);
	progress_show(engine_phase_name(phase), done, total, what);
	pthread_mutex_unlock(&progress_lock);
}

static void on_result(void *arg, const struct result *r)
{
	(void)arg;
	pthread_mutex_lock(&progress_lock);
	progress_found(r);
	pthread_mutex_unlock(&progress_lock);
}

static void on_log(void *arg, const char *data, size_t len)
{
	const struct run_args *a = arg;

	if (a->console)
		fwrite(data, 1, len, stderr);
}

enum {
	OPT_SYMBOLS = 256,
	OPT_VMLINUX,
	OPT_SELFTESTS,
	OPT_BASELINE,
	OPT_CONFIG,
	OPT_WORK,
	OPT_CONSOLE,
	OPT_STACKS,
	OPT_KEEP,
	OPT_ISOLATION,
	OPT_SHUFFLE,
	OPT_REPLAY,
	OPT_GDB,
	OPT_ORIGIN
};

static const struct argp_option options[] = {
	{ "kernel", 'k', "IMAGE", 0, "test this bzImage instead of building TREE", 0 },
	{ "symbols", OPT_SYMBOLS, "MAP", 0, "its System.map", 0 },
	{ "vmlinux", OPT_VMLINUX, "FILE", 0,
	  "its vmlinux or vmlinux.debug: call traces of failures get files and lines (default: "
	  "the one beside IMAGE or MAP)",
	  0 },
	{ "plan", 'p', "NAME", 0, "the plan (default thp-split; `faultline plans`)", 0 },
	{ "config", OPT_CONFIG, "NAME", 0,
	  "the plan's configuration to build for TREE "
	  "(default: the first that boots)",
	  0 },
	{ "selftests", OPT_SELFTESTS, "DIR", 0,
	  "programs of the kernel's own selftests (default: those of TREE, built)", 0 },
	{ "baseline", OPT_BASELINE, "FILE", 0,
	  "a result document (--format json) of the same configuration: selftests that fail "
	  "there too are not held against the kernel",
	  0 },
	{ "scenario", 's', "GLOB", 0, "only these scenarios; may be repeated", 0 },
	{ "fault", 'f', "SPEC", 0,
	  "these faults instead of the plan's: none, sweep, "
	  "mode=nth,nth=2, mode=burst,times=3 …; may be repeated",
	  0 },
	{ "repeat", 'n', "N", 0, "each case N times", 0 },
	{ "shuffle", OPT_SHUFFLE, "SEED", 0,
	  "start the cases in an order drawn from SEED (default: the longest first)", 0 },
	{ "replay", OPT_REPLAY, NULL, 0,
	  "run so that a case repeats to the instruction: TCG, a boot for every injection, time "
	  "counted in instructions, one thread for all CPUs (takes about ten times as long)",
	  0 },
	{ "gdb", OPT_GDB, "injection|splat", OPTION_ARG_OPTIONAL,
	  "run one case that stops for gdb where the allocation fails (default), or where the "
	  "kernel's report begins; says which command to run",
	  0 },
	{ "accel", 'a', "auto|kvm|tcg", 0, "acceleration (default auto)", 0 },
	{ "isolation", OPT_ISOLATION, "snapshot|cold|shared", 0,
	  "a machine for every injection, restored (default) or booted; or one for many", 0 },
	{ "memory", 'm', "MIB", 0, "memory of a machine", 0 },
	{ "cpus", 'c', "N", 0, "CPUs of a machine", 0 },
	{ "jobs", 'j', "N", 0, "machines at once (default: this machine's CPUs)", 0 },
	{ "keep", OPT_KEEP, NULL, 0, "keep the run's folder and say where it is", 0 },
	{ "console", OPT_CONSOLE, NULL, 0, "show build output and consoles on stderr", 0 },
	{ "work", OPT_WORK, "DIR", 0, "folder for build trees (default ~/.cache/faultline)", 0 },
	{ "stacks", OPT_STACKS, NULL, 0, "show in the table what stacks were injected into", 0 },
	{ "format", 'F', FORMAT_NAMES, 0, "of the results on stdout", 0 },
	{ "origin", OPT_ORIGIN, "NAME", 0, "who says so, in kcidb (default " EXPORT_ORIGIN ")", 0 },
	{ 0 }
};

static void set_path(char **dest, const char *arg, struct argp_state *state)
{
	free(*dest);
	*dest = realpath(arg, NULL);
	if (!*dest)
		argp_error(state, "'%s': %s", arg, strerror(errno));
}

static void add_fault(struct run_args *a, const char *arg, struct argp_state *state)
{
	struct error err = ERROR_INIT;

	if (a->n_faults == MAX_FAULTS)
		argp_error(state, "more than %d faults", MAX_FAULTS);
	if (fault_from_text(arg, &a->faults[a->n_faults], &err))
		argp_error(state, "--fault: %s", err.msg);
	a->n_faults++;
}

static error_t on_arg(int key, char *arg, struct argp_state *state)
{
	struct run_args *a = state->input;

	switch (key) {
	case 'k':
		set_path(&a->kernel, arg, state);
		break;
	case OPT_SYMBOLS:
		set_path(&a->symbols, arg, state);
		break;
	case OPT_VMLINUX:
		set_path(&a->vmlinux, arg, state);
		break;
	case 'p':
		a->plan = arg;
		break;
	case OPT_SELFTESTS:
		set_path(&a->selftests, arg, state);
		break;
	case OPT_BASELINE:
		set_path(&a->baseline, arg, state);
		break;
	case OPT_CONFIG:
		a->config = arg;
		break;
	case OPT_WORK:
		free(a->work);
		a->work = xstrdup(arg);
		break;
	case 's':
		if (a->n_globs == ARRAY_SIZE(a->globs))
			argp_error(state, "more than %zu patterns", ARRAY_SIZE(a->globs));
		a->globs[a->n_globs++] = arg;
		break;
	case 'f':
		add_fault(a, arg, state);
		break;
	case 'n':
		a->repeat = cli_number(state, "--repeat", arg, LIMIT_CASES);
		break;
	case 'm':
		a->memory = cli_number(state, "--memory", arg, 65536);
		break;
	case 'c':
		a->cpus = cli_number(state, "--cpus", arg, 64);
		break;
	case 'j':
		a->jobs = cli_number(state, "--jobs", arg, 256);
		break;
	case 'a':
		if (!accel_parse(arg, &a->accel))
			argp_error(state, "--accel: '%s' is not auto, kvm or tcg", arg);
		break;
	case OPT_GDB:
		a->gdb = true;
		if (arg && !gdb_stop_parse(arg, &a->gdb_stop))
			argp_error(state, "--gdb: '%s' is not injection or splat", arg);
		break;
	case OPT_REPLAY:
		a->replay = true;
		break;
	case OPT_SHUFFLE:
		a->shuffle = cli_number(state, "--shuffle", arg, INT_MAX);
		break;
	case OPT_ISOLATION:
		if (!isolation_parse(arg, &a->isolation))
			argp_error(state, "--isolation: '%s' is not snapshot, cold or shared", arg);
		break;
	case 'F':
		if (!format_parse(arg, &a->format))
			argp_error(state, "--format: '%s' is not one of " FORMAT_NAMES, arg);
		break;
	case OPT_ORIGIN:
		a->origin = cli_origin(state, arg);
		break;
	case OPT_KEEP:
		a->keep = true;
		break;
	case OPT_STACKS:
		a->stacks = true;
		break;
	case OPT_CONSOLE:
		a->console = true;
		break;
	case ARGP_KEY_ARG:
		if (a->tree)
			argp_error(state, "more than one tree");
		set_path(&a->tree, arg, state);
		break;
	case ARGP_KEY_END:
		if (a->replay && a->accel == ACCEL_AUTO)
			a->accel = ACCEL_TCG;
		if (!a->tree == !a->kernel)
			argp_error(state, "give either a kernel TREE or --kernel IMAGE");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static char *default_work(void)
{
	const char *cache = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");

	if (cache && *cache)
		return xasprintf("%s/faultline", cache);
	return xasprintf("%s/.cache/faultline", home && *home ? home : "/var/tmp");
}

static int pick_config(const struct plan *plan, const char *name, const struct plan_config **ret,
		       struct error *err)
{
	for (size_t i = 0; i < plan->n_configs; i++) {
		const struct plan_config *c = &plan->configs[i];

		if (name ? strcmp(c->name, name) : !c->boot)
			continue;
		if (!c->boot)
			return error_set(err, -EINVAL, "configuration '%s' is not booted", name);
		*ret = c;
		return 0;
	}
	return error_set(err, -EINVAL, "plan '%s' has no configuration '%s'", plan->name,
			 name ? name : "that boots");
}

static void print_machines(const struct run_args *a, const struct result_doc *doc)
{
	const struct result_machine *m = &doc->machine;
	const char *shared = "";
	int64_t injections = 0;
	size_t cases = 0;

	for (size_t i = 0; i < doc->n_results; i++) {
		const struct result *r = &doc->results[i];

		cases += r->closing || r->fault.mode != FAULT_SWEEP;
		if (!r->closing)
			injections += r->injected_on + r->injected_off + r->injected_unclassified;
	}
	fprintf(stderr, "%zu cases, %lld injections; %s, boot %.1f s; ", cases,
		(long long)injections, m->accel ? m->accel : "-", (double)m->boot_us / 1e6);
	if (a->isolation == ISOLATION_SNAPSHOT && m->isolation && !strcmp(m->isolation, "shared"))
		shared = " and shared: no snapshots here (--console says why)";
	if (m->shuffle_seed)
		fprintf(stderr, "shuffled with seed %lld; ", (long long)m->shuffle_seed);
	if (m->restores)
		fprintf(stderr, "%d machines restored, restore to result %.0f ms (median)\n",
			m->restores, (double)m->result_us / 1e3);
	else
		fprintf(stderr, "%d machines booted%s\n", m->boots, shared);
}

static int finish(const struct run_args *a, const struct result_doc *doc)
{
	int counts[STATUS_COUNT] = { 0 };

	progress_end();
	print_doc(a->format, a->stacks, a->origin, doc);
	result_doc_summary(doc, counts);
	print_machines(a, doc);
	if (a->format == FORMAT_TABLE)
		print_summary(stderr, counts);
	return status_exit_code(counts);
}

static void result_doc_p(struct result_doc *d)
{
	result_doc_free(d);
}

static void image_p(struct kbuild_image *i)
{
	kbuild_image_free(i);
}

static int prepare_gdb(const struct run_args *a, struct testrun_opts *t, struct gdb_session *gdb,
		       struct error *err)
{
	int r;

	if (t->n_cases != 1 || t->cases[0].fault.mode == FAULT_SWEEP)
		return error_set(err, -EINVAL,
				 "--gdb takes one case with one injection: --scenario NAME "
				 "--fault mode=nth,nth=1");
	r = gdb_prepare(t->kernel, t->symbols, a->gdb_stop, a->work, gdb, err);
	if (r)
		return r;
	t->gdb_fd = gdb->listen_fd;
	fprintf(stderr, "faultline: the machine waits for gdb:\n  %s\n", gdb->command);
	return 0;
}

static int run(struct run_args *a, struct error *err, int *ret_exit)
{
	const struct engine_watch watch = {
		.progress = on_progress, .log = on_log, .cancelled = cancelled, .arg = a
	};
	CLEANUP(free_p) char *share = path_share("jobs");
	CLEANUP(plan_free_p) struct plan *plan = NULL;
	CLEANUP(free_p) char *commit = NULL;
	CLEANUP(image_p) struct kbuild_image image = { 0 };
	CLEANUP(result_doc_p) struct result_doc doc = { 0 };
	CLEANUP(gdb_free) struct gdb_session gdb = { 0 };
	CLEANUP(run_selftests_free) struct run_selftests programs = { 0 };
	const struct plan_config *config = NULL;
	struct testrun_opts t = { .watch = &watch,
				  .on_result = on_result,
				  .jobs = a->jobs,
				  .keep = a->keep,
				  .isolation = a->isolation,
				  .replay = a->replay,
				  .shuffle_seed = (uint64_t)a->shuffle };
	int r;

	r = plan_load(share, a->plan ? a->plan : "thp-split", &plan, err);
	if (!r)
		r = plan_select(plan, a->globs, a->n_globs, a->faults, a->n_faults, a->repeat, err);
	if (!r)
		r = pick_config(plan, a->config, &config, err);
	if (!r)
		r = path_mkdirs(a->work, 0700, err);
	if (r)
		return r;
	if (a->tree) {
		commit = kernel_commit(a->tree);
		r = kernel_build(a->work, a->tree, commit, config, &watch, &image, err);
		if (r > 0) {
			*ret_exit = EXIT_FAILED;
			return 0;
		}
		if (r)
			return r;
		t.config_name = config->name;
		t.config_hash = config->hash;
	}
	t.kernel = a->tree ? image.kernel : a->kernel;
	t.symbols = a->tree ? image.symbols : a->symbols;
	t.commit = commit;
	t.work = a->work;
	r = run_selftests_prepare(&programs, plan, a->n_globs == 0, a->tree, a->selftests,
				  a->baseline, &t, err);
	if (r)
		return r;
	t.cases = plan->cases;
	t.n_cases = plan->n_cases;
	t.machine = plan->machine;
	if (a->memory)
		t.machine.memory_mib = a->memory;
	if (a->cpus)
		t.machine.cpus = a->cpus;
	r = accel_resolve(a->accel, t.kernel, a->work, &t.accel, err);
	if (!r && a->gdb)
		r = prepare_gdb(a, &t, &gdb, err);
	if (!r)
		progress_start();
	if (!r)
		r = testrun_run(&t, &doc, err);
	if (!r) {
		kernel_decode(&doc, a->vmlinux ? a->vmlinux : image.debug, t.kernel, t.symbols,
			      &watch);
		*ret_exit = finish(a, &doc);
	}
	return r;
}

int cmd_run(int argc, char **argv)
{
	const struct argp argp = { options,
				   on_arg,
				   "[TREE]",
				   "Builds (or takes) a kernel, boots it, makes allocations fail "
				   "and judges what happens.",
				   NULL,
				   NULL,
				   NULL };
	struct run_args a = { .work = default_work() };
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
	struct error err = ERROR_INIT;
	int code = EXIT_TROUBLE;

	cli_parse(&argp, argc, argv, &a);
	/* The first signal ends machines and removes their files; the second one ends us. */
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	if (run(&a, &err, &code))
		code = cli_fail(&err);
	free(a.tree);
	free(a.kernel);
	free(a.symbols);
	free(a.vmlinux);
	free(a.selftests);
	free(a.baseline);
	free(a.work);
	return code;
}
