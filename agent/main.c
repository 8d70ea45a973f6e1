// SPDX-License-Identifier: MIT
/*
 * faultline-agent: polls a server for jobs and works on them, in slots.
 *
 * With one slot a thread does builds and tests in turn; with more, the first slot builds (a build
 * uses every CPU) and the others test, so that machines run while the next kernel compiles.
 * SIGTERM: no new jobs, the running ones are finished; a second SIGTERM or SIGINT gives them back.
 */
#include <argp.h>
#include <errno.h>
#include <ini.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "agent/work.h"
#include "lib/clean.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/path.h"
#include "version.h"

#define LONG_POLL_S 25 /* below the minute after which proxies cut idle connections */
#define MAX_SLOTS 64
#define WORK_FREE_BYTES \
	(12LL << 30) /* source 1.7 GB, its objects 1.5 GB, build trees, ccache 5 GB */

static atomic_int stop_level; /* 0 run, 1 drain, 2 give up */

static void on_signal(int sig)
{
	(void)sig;
	atomic_fetch_add(&stop_level, 1);
}

static bool draining(void)
{
	return atomic_load(&stop_level) >= 1;
}

static bool giving_up(void)
{
	return atomic_load(&stop_level) >= 2;
}

static bool draining_cb(void *arg)
{
	(void)arg;
	return draining();
}

struct options {
	char *server, *token_file, *work, *name, *accel;
	int slots, machines;
	bool once;
};

struct slot {
	const struct agent *agent;
	int index;
	bool once;
	int failed;
	pthread_t thread;
};

static void pause_ms(int ms)
{
	while (ms > 0 && !draining()) {
		struct timespec ts = { 0, 100 * 1000000L };

		nanosleep(&ts, NULL);
		ms -= 100;
	}
}

static struct api_identity identity(const struct slot *s)
{
	struct api_identity who = {
		.name = s->agent->name,
		.version = s->agent->version,
		.slots = s->agent->slots,
		.can_build = s->index == 0,
		.can_test = s->index > 0 || s->agent->slots == 1,
	};

	return who;
}

static void slot_work(struct slot *s, struct job *job)
{
	struct error err = ERROR_INIT;

	log_event(LOG_INFO, "job-start", "job=%lld kind=%s attempt=%d commit=%.12s slot=%d",
		  (long long)job->id, job_kind_name(job->kind), job->attempt, job->commit,
		  s->index);
	if (work_job(s->agent, job, &err)) {
		log_event(LOG_ERROR, "job-failed", "job=%lld error=\"%s\"", (long long)job->id,
			  err.msg);
		s->failed++;
	}
	job_free(job);
}

/* One claim and, if it gave a job, the job. False ends the slot. */
static bool slot_turn(struct slot *s, struct api_conn *api, int *attempt)
{
	struct api_identity who = identity(s);
	enum api_claim claim = API_NO_JOB;
	struct error err = ERROR_INIT;
	struct job job = { 0 };
	int r = api_claim(api, &who, s->once ? 1 : LONG_POLL_S, &claim, &job, &err);

	if (r) {
		if (draining())
			return false;
		log_event(LOG_WARN, "claim-failed", "slot=%d error=\"%s\"", s->index, err.msg);
		if (r == -EACCES || (s->once && *attempt >= 5)) {
			s->failed++;
			return false;
		}
		pause_ms(http_retry_delay_ms((*attempt)++));
		return true;
	}
	*attempt = 0;
	if (claim == API_JOB)
		slot_work(s, &job);
	return !(s->once && claim == API_NO_JOB);
}

static void *slot_main(void *arg)
{
	struct slot *s = arg;
	struct error err = ERROR_INIT;
	struct api_conn api = { 0 };
	int attempt = 0;

	if (api_open(s->agent->server, s->agent->token, draining_cb, NULL, &api, &err)) {
		log_event(LOG_ERROR, "slot-failed", "slot=%d error=\"%s\"", s->index, err.msg);
		s->failed++;
		return NULL;
	}
	while (!draining() && slot_turn(s, &api, &attempt))
		;
	api_close(&api);
	return NULL;
}

static int run_slots(const struct agent *a, bool once)
{
	struct slot slots[MAX_SLOTS] = { 0 };
	int failed = 0;

	for (int i = 0; i < a->slots; i++) {
		slots[i] = (struct slot){ .agent = a, .index = i, .once = once };
		if (pthread_create(&slots[i].thread, NULL, slot_main, &slots[i]))
			abort();
	}
	for (int i = 0; i < a->slots; i++) {
		pthread_join(slots[i].thread, NULL);
		failed += slots[i].failed;
	}
	log_event(LOG_INFO, "stopped", "failed=%d", failed);
	return failed ? 2 : 0;
}

static const struct argp_option argp_options[] = {
	{ "config", 'c', "FILE", 0,
	  "ini file with [agent] server, token_file, work, name, slots, "
	  "machines, accel",
	  0 },
	{ "server", 's', "URL", 0, "server to poll (else $FAULTLINE_SERVER)", 0 },
	{ "token-file", 't', "FILE", 0, "agent token (else $FAULTLINE_TOKEN_FILE)", 0 },
	{ "work", 'w', "DIR", 0,
	  "folder for sources, builds and images (default "
	  "/var/tmp/faultline-agent)",
	  0 },
	{ "name", 'n', "NAME", 0, "this agent's name (default the host's)", 0 },
	{ "slots", 'j', "N", 0, "jobs at once (default 2: one builds, one tests)", 0 },
	{ "machines", 'm', "N", 0, "virtual machines at once in a test (default: CPUs)", 0 },
	{ "accel", 'a', "auto|kvm|tcg", 0, "acceleration (default auto)", 0 },
	{ "once", 'o', NULL, 0, "end when the server has no more jobs", 0 },
	{ 0 }
};

static int option_number(const char *s, const char *what, int max, int *ret, struct error *err)
{
	long long v;

	if (str_to_i64(s, 1, max, &v))
		return error_set(err, -EINVAL, "%s: '%s' is not a number from 1 to %d", what, s,
				 max);
	*ret = (int)v;
	return 0;
}

static int set_option(struct options *o, const char *name, const char *value, struct error *err)
{
	const struct {
		const char *name;
		char **dest;
	} texts[] = { { "server", &o->server },
		      { "token_file", &o->token_file },
		      { "work", &o->work },
		      { "name", &o->name },
		      { "accel", &o->accel } };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (strcmp(texts[i].name, name))
			continue;
		free(*texts[i].dest);
		*texts[i].dest = xstrdup(value);
		return 0;
	}
	if (!strcmp(name, "slots"))
		return option_number(value, "slots", MAX_SLOTS, &o->slots, err);
	if (!strcmp(name, "machines"))
		return option_number(value, "machines", 256, &o->machines, err);
	return error_set(err, -EINVAL, "unknown key '%s'", name);
}

struct ini_ctx {
	struct options *o;
	struct error *err;
};

static int on_ini(void *user, const char *section, const char *name, const char *value)
{
	struct ini_ctx *ctx = user;

	if (strcmp(section, "agent")) {
		error_set(ctx->err, -EINVAL, "unknown section [%s]", section);
		return 0;
	}
	return set_option(ctx->o, name, value, ctx->err) == 0;
}

static int read_config(struct options *o, const char *path, struct error *err)
{
	struct ini_ctx ctx = { o, err };
	int line;

	err->code = 0;
	line = ini_parse(path, on_ini, &ctx);
	if (line == 0)
		return 0;
	if (line < 0)
		return error_errno(err, -errno, "cannot read '%s'", path);
	if (!err->code)
		error_set(err, -EINVAL, "not a line of an ini file");
	return error_wrap(err, -EINVAL, "%s:%d", path, line);
}

static void options_free(struct options *o)
{
	free(o->server);
	free(o->token_file);
	free(o->work);
	free(o->name);
	free(o->accel);
}

static error_t on_arg(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	struct error err = ERROR_INIT;
	const char *name = NULL;

	switch (key) {
	case 'c':
		/* Before the other options, whatever their order: see main(). */
		return 0;
	case 'o':
		o->once = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", arg);
		return EINVAL;
	}
	for (const struct argp_option *a = argp_options; a->name; a++)
		if (a->key == key)
			name = key == 't' ? "token_file" : a->name;
	if (!name)
		return ARGP_ERR_UNKNOWN;
	if (set_option(o, name, arg, &err))
		argp_error(state, "%s", err.msg);
	return 0;
}

/* The config file gives defaults that the command line overrides, so it is read first. */
static error_t on_arg_config(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	struct error err = ERROR_INIT;

	(void)state;
	if (key == 'c' && read_config(o, arg, &err)) {
		fprintf(stderr, "faultline-agent: %s\n", err.msg);
		exit(64);
	}
	return 0;
}

static int read_token(const char *path, char **ret, struct error *err)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	int r = path_read(path, 4096, &b, err);

	if (r)
		return error_wrap(err, r, "token");
	while (b.len && strchr("\r\n \t", b.data[b.len - 1]))
		b.data[--b.len] = '\0';
	if (!b.len || strpbrk(b.data, "\r\n \t"))
		return error_set(err, -EINVAL, "token file '%s' does not hold one token", path);
	*ret = buf_steal(&b);
	return 0;
}

static void defaults(struct options *o)
{
	char host[256] = "agent";

	if (!o->server)
		o->server = xstrdup(getenv("FAULTLINE_SERVER"));
	if (!o->token_file)
		o->token_file = xstrdup(getenv("FAULTLINE_TOKEN_FILE"));
	if (!o->work)
		o->work = xstrdup("/var/tmp/faultline-agent");
	if (!o->slots)
		o->slots = 2;
	if (!o->name) {
		gethostname(host, sizeof(host) - 1);
		o->name = xstrdup(path_name_is_safe(host) ? host : "agent");
	}
}

static int start(struct options *o, struct agent *a, char **ret_token, struct error *err)
{
	int64_t room;
	int r;

	if (!o->server || !o->token_file)
		return error_set(err, -EINVAL, "needs --server and --token-file");
	if (!path_name_is_safe(o->name))
		return error_set(err, -EINVAL, "name '%s': letters, digits, '.', '_', '-' only",
				 o->name);
	if (o->accel && !accel_parse(o->accel, &a->accel))
		return error_set(err, -EINVAL, "accel '%s': auto, kvm or tcg", o->accel);
	r = read_token(o->token_file, ret_token, err);
	if (!r)
		r = path_mkdirs(o->work, 0700, err);
	if (r)
		return r;
	room = path_free_bytes(o->work);
	if (room >= 0 && room < WORK_FREE_BYTES)
		log_event(LOG_WARN, "little-disk", "work=%s free_mib=%lld wanted_mib=%lld", o->work,
			  (long long)(room >> 20), WORK_FREE_BYTES >> 20);
	a->server = o->server;
	a->token = *ret_token;
	a->name = o->name;
	a->version = FAULTLINE_VERSION;
	a->work = o->work;
	a->slots = o->slots;
	a->machines = o->machines;
	a->draining = draining;
	a->giving_up = giving_up;
	return 0;
}

static void install_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int main(int argc, char **argv)
{
	const struct argp first = { argp_options, on_arg_config, NULL, NULL, NULL, NULL, NULL };
	const struct argp argp = {
		argp_options, on_arg,
		NULL,	      "Polls a faultline server, builds kernels and runs their tests.",
		NULL,	      NULL,
		NULL
	};
	CLEANUP(free_p) char *token = NULL;
	CLEANUP(options_free) struct options o = { 0 };
	struct error err = ERROR_INIT;
	struct agent a = { 0 };

	argp_program_version = "faultline-agent " FAULTLINE_VERSION;
	argp_err_exit_status = 64;
	argp_parse(&first, argc, argv, ARGP_SILENT | ARGP_NO_HELP, NULL, &o);
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	defaults(&o);
	if (start(&o, &a, &token, &err)) {
		fprintf(stderr, "faultline-agent: %s\n", err.msg);
		return 64;
	}
	install_signals();
	log_event(LOG_INFO, "start", "server=%s name=%s slots=%d work=%s", a.server, a.name,
		  a.slots, a.work);
	return run_slots(&a, o.once);
}
