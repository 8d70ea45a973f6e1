// SPDX-License-Identifier: MIT
/* faultline-server: brings the parts up in order, waits for SIGTERM, takes them down again. */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/path.h"
#include "server/admin_cmd.h"
#include "server/blob.h"
#include "server/git_http.h"
#include "server/gitcmd.h"
#include "server/http.h"
#include "server/outbox.h"
#include "server/pages.h"
#include "server/planner.h"
#include "server/regress.h"
#include "server/runlog.h"
#include "server/sched.h"
#include "server/server.h"
#include "server/token.h"
#include "server/tracker.h"
#include "server/tracker_range.h"
#include "version.h"

#define EXIT_USAGE 64
#define KEPT_BYTES (32 << 20)

static const char usage[] =
	"Usage: faultline-server [OPTION]...               run the server\n"
	"       faultline-server [OPTION]... token add NAME ROLE | token list | token revoke NAME\n"
	"       faultline-server [OPTION]... backup FILE\n"
	"\n"
	"  -c, --config FILE     configuration (docs/server.conf.example)\n"
	"  -l, --listen ADDR:PORT  where to listen; port 0 takes a free one\n"
	"  -d, --data DIR        database, logs, artifacts and repositories\n"
	"  -v, --verbose         more lines in the log\n"
	"  -h, --help            this text\n"
	"  -V, --version         version\n"
	"\n"
	"Roles: admin, maintainer (submits), agent (works), reader. Commands work while no server\n"
	"runs on DIR. SIGTERM and SIGINT let requests finish, then end the server.\n";

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "listen", required_argument, NULL, 'l' },
	{ "data", required_argument, NULL, 'd' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static void on_events(void *arg)
{
	struct server *srv = arg;

	http_wake_streams(srv);
	regress_poke(srv->regress);
	outbox_poke(srv->outbox);
}

static void wake_parked(void *arg)
{
	http_wake_parked(arg);
}

static int open_tmp(struct server *srv, struct error *err)
{
	int r = path_remove_tree(srv->tmp_dir, err); /* uploads that a crash left */

	return r ? r : path_mkdirs(srv->tmp_dir, 0700, err);
}

static int open_parts(struct server *srv, const struct config *c, struct error *err)
{
	CLEANUP(free_p) char *blobs = xasprintf("%s/blobs", c->data);
	CLEANUP(free_p) char *logs = xasprintf("%s/logs", c->data);
	int r = path_mkdirs(c->data, 0700, err);

	/* First the database: its lock keeps a second server off the folder. */
	if (!r)
		r = store_open(c->data, &srv->store, err);
	if (!r)
		r = open_tmp(srv, err);
	if (!r)
		r = gitcmd_setup(srv->git_dir, err);
	if (!r)
		r = blob_open_dir(blobs, &srv->blobs, err);
	if (!r)
		r = runlog_open(srv->store, logs, &srv->runlog, err);
	if (!r)
		r = tokens_open(srv->store, c->data, &srv->tokens, err);
	if (r)
		return r;
	srv->git_serve = git_serve_new(c->max_serves);
	r = tokens_first(srv->tokens, c->data, err);
	if (r == 1)
		log_event(LOG_INFO, "admin-token-written", "file=%s/admin.token", c->data);
	return r < 0 ? r : 0;
}

static int start_http(struct server *srv, const struct config *c, struct error *err)
{
	struct http_conf conf = { .address = c->address,
				  .port = c->port,
				  .routes = http_routes,
				  .n_routes = http_n_routes,
				  .workers = c->workers,
				  .max_connections = c->max_connections,
				  .max_per_ip = c->max_per_ip,
				  .max_streams = c->max_streams,
				  .request_timeout_ms = c->request_timeout_s * 1000,
				  .body_timeout_ms = c->body_timeout_s * 1000,
				  .public_read = c->public_read,
				  .page_problem = page_problem,
				  .tmp_dir = srv->tmp_dir };

	return http_start(srv, &conf, &srv->http, err);
}

static int start_parts(struct server *srv, const struct config *c, struct error *err)
{
	int r = planner_start(srv, &srv->planner, err);

	if (!r)
		r = tracker_start(srv, &srv->tracker, err);
	if (!r)
		r = outbox_start(srv, &srv->outbox, err);
	if (!r)
		r = regress_start(srv, &srv->regress, err);
	if (!r)
		r = start_http(srv, c, err);
	if (r)
		return r;
	store_on_events(srv->store, on_events, srv);
	store_on_queued(srv->store, wake_parked, srv);
	return sched_start(srv->store, &srv->sched, err);
}

static void stop(struct server *srv)
{
	http_stop(srv->http, srv->config->drain_s * 1000);
	sched_stop(srv->sched);
	regress_stop(srv->regress);
	outbox_stop(srv->outbox);
	tracker_stop(srv->tracker);
	planner_stop(srv->planner);
	store_close(srv->store); /* its thread wakes others until here */
	regress_free(srv->regress);
	outbox_free(srv->outbox);
	http_free(srv->http);
	git_serve_free(srv->git_serve);
	tokens_free(srv->tokens);
	runlog_close(srv->runlog);
	blob_close(srv->blobs);
	free(srv->git_dir);
	free(srv->tmp_dir);
	free(srv->jobs_dir);
}

static int run(struct server *srv, const struct config *c, const sigset_t *signals,
	       struct error *err)
{
	bool v6 = strchr(c->address, ':') != NULL;
	int sig = 0, r = range_init(err);

	if (!r)
		r = open_parts(srv, c, err);
	if (!r)
		r = start_parts(srv, c, err);
	if (r)
		return r;
	printf("listening on http://%s%s%s:%d\n", v6 ? "[" : "", c->address, v6 ? "]" : "",
	       http_port(srv->http));
	fflush(stdout);
	log_event(LOG_INFO, "started", "version=%s port=%d", FAULTLINE_VERSION,
		  http_port(srv->http));
	while (sigwait(signals, &sig) || (sig != SIGTERM && sig != SIGINT))
		;
	log_event(LOG_INFO, "stopping", "signal=%d", sig);
	return 0;
}

static char *absolute(const char *path)
{
	CLEANUP(free_p) char *cwd = path[0] == '/' ? NULL : realpath(".", NULL);

	return cwd ? xasprintf("%s/%s", cwd, path) : xstrdup(path);
}

/* A large page takes some MB for a moment: asked of the kernel and given back each time, every page
 * of them is cleared anew, which costs a fifth of the answer. */
static void keep_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
	mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
}

static int serve(struct config *c)
{
	struct server srv = { .config = c, .started_mono_us = clock_mono_us() };
	CLEANUP(free_p) char *data = absolute(c->data);
	struct error err = ERROR_INIT;
	struct rlimit files;
	sigset_t signals;
	int r;

	free(c->data);
	c->data = STEAL(data);
	/* Threads inherit the mask: signals are taken by sigwait() alone. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	keep_memory();
	srv.git_dir = xasprintf("%s/git", c->data);
	srv.tmp_dir = xasprintf("%s/tmp", c->data);
	srv.jobs_dir = path_share("jobs");
	r = run(&srv, c, &signals, &err);
	stop(&srv);
	if (r) {
		fprintf(stderr, "faultline-server: %s\n", err.msg);
		return 1;
	}
	log_event(LOG_INFO, "stopped", "clean=1");
	return 0;
}

struct given {
	const char *config, *listen, *data;
};

static int configure(const struct given *g, struct config *c, struct error *err)
{
	int r = g->config ? config_read(c, g->config, err) : 0;

	if (!r && g->listen)
		r = config_set_listen(c, g->listen, err);
	if (!r && g->data) {
		free(c->data);
		c->data = xstrdup(g->data);
	}
	return r;
}

int main(int argc, char **argv)
{
	CLEANUP(config_free_p) struct config *c = config_new();
	struct error err = ERROR_INIT;
	struct given g = { 0 };
	int opt;

	while ((opt = getopt_long(argc, argv, "+c:l:d:vhV", options, NULL)) != -1) {
		if (opt == 'c') {
			g.config = optarg;
		} else if (opt == 'l') {
			g.listen = optarg;
		} else if (opt == 'd') {
			g.data = optarg;
		} else if (opt == 'v') {
			log_set_level(LOG_DEBUG);
		} else if (opt == 'h') {
			fputs(usage, stdout);
			return 0;
		} else if (opt == 'V') {
			printf("faultline-server %s\n", FAULTLINE_VERSION);
			return 0;
		} else {
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (configure(&g, c, &err)) {
		fprintf(stderr, "faultline-server: %s\n", err.msg);
		return EXIT_USAGE;
	}
	return optind < argc ? admin_cmd_run(c, argc - optind, argv + optind) : serve(c);
}
