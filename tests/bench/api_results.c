/* SPDX-License-Identifier: MIT */
/*
 * api_results: durable results a second through the HTTP API, beside plain SQLite.
 *
 *   api_results SERVER DIR [CLIENTS [ROUNDS]]
 *
 * Starts SERVER (a faultline-server) on a free loopback port with its data below DIR, and a small
 * git repository for it. A round submits COMMITS commits with two plans; CLIENTS (16) threads
 * answer the builds and claim the tests; then, timed, they post one result document for each test:
 * what was acknowledged is durable. In the same round plain SQLite (WAL, synchronous=FULL, one
 * writer, 100 rows a commit) stores the same documents as rows of one table. At least
 * ROUNDS (5) rounds, and until TIMED_S seconds were spent posting; the ratio is the rounds' median.
 *
 * DIR should be on the disk that counts. Links libagent, libjobs, liblib and SQLite.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/api.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/path.h"
#include "lib/proc.h"
#include "tests/bench/api_doc.h"
#include "tests/bench/api_raw.h"

#define COMMITS 200 /* a round; a submission may have 256 */
#define ROUNDS_MAX 24
#define TIMED_S 5.0
#define RESULTS 34 /* what thp-split yields on a kernel that passes */
#define DOCS 16 /* different documents */
#define START_TIMEOUT_MS 20000
#define STEP_TIMEOUT_US (120 * US_PER_S) /* a step that takes longer will never end */

static struct error err;

#define MUST(call)                                                   \
	do {                                                         \
		if ((call) < 0) {                                    \
			fprintf(stderr, "%s: %s\n", #call, err.msg); \
			stop_server();                               \
			exit(2);                                     \
		}                                                    \
	} while (0)

/* One posted answer: the job and its lease. */
struct claimed {
	int64_t job;
	char *lease;
};

static struct proc server;
static char *dir, *image_path, *config_path;
static char *bodies[DOCS], *rows[DOCS * RESULTS];
static struct claimed *claimed; /* of this round */
static int claimed_n, claimed_cap;
static pthread_mutex_t claimed_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int done, next_claimed;
static int wanted;

static void stop_server(void)
{
	if (server.pid)
		proc_end(&server, 20000);
}

/* --- the stage: repository, configuration, server ------------------------------------------- */

/* One line of history; branch round-K points at commit (K + 1) × COMMITS. */
static void make_repository(int rounds)
{
	CLEANUP(free_p) char *repo = xasprintf("%s/toy.git", dir);
	CLEANUP(buf_free) struct buf in = BUF_INIT;
	const char *const init[] = { "git", "init", "-q", "--bare", repo, NULL };
	const char *const import[] = { "git", "-C", repo, "fast-import", "--quiet", NULL };
	struct proc_spec spec = { .argv = init };
	struct proc_run_opts opts = { .timeout_ms = 60000 };

	MUST(proc_check(&spec, &opts, &err));
	for (int i = 0; i <= rounds * COMMITS; i++) {
		CLEANUP(free_p) char *text = xasprintf("int answer(void) { return %d; }\n", i);
		CLEANUP(free_p) char *subject = xasprintf("mm: change number %d", i);

		buf_printf(&in,
			   "commit refs/heads/main\nmark :%d\n"
			   "committer Bench <bench@localhost> %d +0000\ndata %zu\n%s\n"
			   "M 100644 inline mm/toy.c\ndata %zu\n%s\n",
			   i + 1, 1700000000 + i, strlen(subject), subject, strlen(text), text);
		if (i % COMMITS == 0)
			buf_printf(&in, "reset refs/heads/round-%d\nfrom :%d\n\n", i / COMMITS,
				   i + 1);
	}
	spec.argv = import;
	opts.input = in.data;
	opts.input_len = in.len;
	MUST(proc_check(&spec, &opts, &err));
}

static void make_files(void)
{
	CLEANUP(free_p)
	char *conf =
		xasprintf("[server]\ndata = %s/data\npoll_seconds = 0\nlease_seconds = 3600\n\n"
			  "[repo toy]\nurl = %s/toy.git\nlocal = yes\nbase = main\n",
			  dir, dir);

	config_path = xasprintf("%s/server.conf", dir);
	image_path = xasprintf("%s/bzImage", dir);
	MUST(path_write_atomic(config_path, conf, strlen(conf), 0600, &err));
	MUST(path_write_atomic(image_path, "image\n", 6, 0600, &err));
}

static char *make_token(const char *program, const char *name, const char *role)
{
	const char *const argv[] = { program, "--config", config_path, "token",
				     "add",   name,	  role,	       NULL };
	const struct proc_spec spec = { .argv = argv };
	CLEANUP(buf_free) struct buf out = BUF_INIT, log = BUF_INIT;
	const struct proc_run_opts opts = { .timeout_ms = 20000, .out = &out, .err_out = &log };

	MUST(proc_check(&spec, &opts, &err));
	return xstrndup(buf_cstr(&out), strcspn(buf_cstr(&out), "\n"));
}

/* Its address, as it says itself on its first line. */
static char *start_server(const char *program)
{
	const char *const argv[] = { program,	 "--config",	config_path,
				     "--listen", "127.0.0.1:0", NULL };
	CLEANUP(free_p) char *log_path = xasprintf("%s/server.log", dir);
	CLEANUP(fclose_p) FILE *log = fopen(log_path, "we");
	CLEANUP(fclose_p) FILE *in = NULL;
	struct proc_spec spec = { .argv = argv, .stdin_fd = -1 };
	struct pollfd ready = { .events = POLLIN };
	char line[200], url[100];
	int fds[2];

	MUST(fd_pipe(fds));
	spec.stdout_fd = fds[1];
	spec.stderr_fd = log ? fileno(log) : -1;
	MUST(proc_spawn(&spec, &server, &err));
	close(fds[1]);
	in = fdopen(fds[0], "r");
	ready.fd = fds[0];
	if (poll(&ready, 1, START_TIMEOUT_MS) != 1 || !fgets(line, sizeof(line), in) ||
	    sscanf(line, "listening on %99s", url) != 1) {
		fprintf(stderr, "the server did not start; see %s\n", log_path);
		stop_server();
		exit(2);
	}
	return xstrdup(url);
}

static void make_documents(void)
{
	for (int d = 0; d < DOCS; d++) {
		struct json_object *o = json_object_new_object();
		struct result_doc doc;

		api_doc_make(&doc, RESULTS, d);
		json_object_object_add(o, "version", json_object_new_int(1));
		json_object_object_add(o, "kind", json_str("test"));
		json_object_object_add(o, "document", result_doc_to_json(&doc));
		bodies[d] = json_text(o);
		for (int i = 0; i < RESULTS; i++) {
			CLEANUP(json_put_p)
			struct json_object *row = result_to_json(&doc.results[i]);

			rows[d * RESULTS + i] = json_text(row);
		}
		json_object_put(o);
		result_doc_free(&doc);
	}
}

/* --- clients ---------------------------------------------------------------------------------- */

struct client {
	pthread_t thread;
	struct api_conn conn;
	struct api_identity who;
	const char *failed; /* what; then `e` says why */
	struct error e;
};

static bool build_one(struct client *c, const struct job *job)
{
	struct build_result b = { .status = STATUS_PASS,
				  .image = true,
				  .release = (char *)"6.12.117",
				  .duration_us = 1 };
	CLEANUP(json_put_p) struct json_object *o = build_result_to_json(&b);
	enum api_lease lease = API_LEASE_OK;

	return api_artifact(&c->conn, job, "bzImage", image_path, &lease, &c->e) == 0 &&
	       lease == API_LEASE_OK && api_result(&c->conn, job, o, &lease, &c->e) == 0 &&
	       lease == API_LEASE_OK;
}

static void keep_claim(const struct job *job)
{
	pthread_mutex_lock(&claimed_lock);
	ARRAY_RESERVE(claimed, claimed_n, claimed_cap);
	claimed[claimed_n++] =
		(struct claimed){ .job = job->id, .lease = xstrdup(job->lease_token) };
	pthread_mutex_unlock(&claimed_lock);
}

/* Claims until `wanted` jobs are done by all: builds are answered, tests are kept. */
static void *claim_jobs(void *arg)
{
	struct client *c = arg;
	int64_t until = clock_mono_us() + STEP_TIMEOUT_US;

	while (!c->failed && atomic_load(&done) < wanted) {
		enum api_claim got = API_NO_JOB;
		struct job job = { 0 };

		if (clock_mono_us() > until)
			c->failed = "no job came";
		else if (api_claim(&c->conn, &c->who, 1, &got, &job, &c->e) < 0)
			c->failed = "claim";
		if (c->failed || got != API_JOB)
			continue;
		if (job.kind == JOB_TEST)
			keep_claim(&job);
		else if (!build_one(c, &job))
			c->failed = "build result";
		atomic_fetch_add(&done, 1);
		job_free(&job);
	}
	return NULL;
}

/* The timed part: posts what is left of the claimed jobs. */
static void *post_results(void *arg)
{
	struct client *c = arg;
	int i;

	while (!c->failed && (i = atomic_fetch_add(&next_claimed, 1)) < claimed_n) {
		CLEANUP(free_p)
		char *path = xasprintf("/api/v1/jobs/%lld/result", (long long)claimed[i].job);
		CLEANUP(free_p) char *lease = xasprintf("Faultline-Lease: %s", claimed[i].lease);
		const char *const headers[] = { lease, NULL };
		struct http_request req = HTTP_REQUEST_INIT;
		struct http_response res = { 0 };

		req.method = "POST";
		req.path = path;
		req.headers = headers;
		req.body = bodies[i % DOCS];
		req.body_len = strlen(bodies[i % DOCS]);
		if (http_client_do(c->conn.http, &req, &res, &c->e) < 0) {
			c->failed = "post";
		} else if (res.status != 200) {
			c->failed = "post";
			error_set(&c->e, -EPROTO, "%d %.200s", res.status, buf_cstr(&res.body));
		}
		http_response_free(&res);
	}
	return NULL;
}

/* Runs `fn` in every client; seconds. */
static double in_all(struct client *clients, int n, void *(*fn)(void *arg))
{
	int64_t start = clock_mono_us();
	const struct client *bad = NULL;

	for (int i = 0; i < n; i++)
		if (pthread_create(&clients[i].thread, NULL, fn, &clients[i]))
			abort();
	for (int i = 0; i < n; i++) {
		pthread_join(clients[i].thread, NULL);
		if (clients[i].failed)
			bad = &clients[i];
	}
	if (bad) {
		fprintf(stderr, "%s: %s\n", bad->failed, bad->e.msg);
		stop_server();
		exit(2);
	}
	return (double)(clock_mono_us() - start) / US_PER_S;
}

/* --- rounds ------------------------------------------------------------------------------------- */

static void submit(struct http_client *http, int round, const char *plan)
{
	CLEANUP(free_p)
	char *body = xasprintf("{\"repo\":\"toy\",\"ref\":\"round-%d\",\"base\":\"round-%d\","
			       "\"plan\":\"%s\"}",
			       round + 1, round, plan);
	struct http_request req = HTTP_REQUEST_INIT;
	struct http_response res = { 0 };

	req.method = "POST";
	req.path = "/api/v1/submissions";
	req.body = body;
	req.body_len = strlen(body);
	MUST(http_client_do(http, &req, &res, &err));
	if (res.status != 201)
		MUST(error_set(&err, -EPROTO, "%d %.200s", res.status, buf_cstr(&res.body)));
	http_response_free(&res);
}

static void do_jobs(struct client *clients, int n, bool build, int jobs)
{
	for (int i = 0; i < n; i++) {
		clients[i].who.can_build = build;
		clients[i].who.can_test = !build;
	}
	wanted = jobs;
	atomic_store(&done, 0);
	(void)in_all(clients, n, claim_jobs);
}

/* Seconds of CPU that a finished request cost: of the server, from its own account. */
static double server_cpu_s(void)
{
	CLEANUP(free_p) char *path = xasprintf("/proc/%d/stat", (int)server.pid);
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	unsigned long user = 0, system = 0;
	const char *end;

	MUST(path_read(path, 4096, &text, &err));
	end = strrchr(buf_cstr(&text), ')');
	if (!end || sscanf(end, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
			   &system) != 2)
		return 0;
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

struct round {
	double ours, raw; /* results/s */
	double ratio;
};

static struct round run_round(struct http_client *http, struct client *clients, int n,
			      struct raw *raw, int number, double *timed_s)
{
	int base = number == 0; /* later rounds find their base built */
	double results, spent, cpu, raw_cpu;
	struct round r;

	submit(http, number, "thp-split");
	submit(http, number, "quick");
	do_jobs(clients, n, true, COMMITS + base);
	claimed_n = 0;
	do_jobs(clients, n, false, 2 * (COMMITS + base));
	atomic_store(&next_claimed, 0);
	results = (double)claimed_n * RESULTS;
	cpu = server_cpu_s();
	spent = in_all(clients, n, post_results);
	cpu = server_cpu_s() - cpu;
	*timed_s += spent;
	r.ours = results / spent;
	r.raw = results /
		raw_store(raw, (const char *const *)rows, DOCS * RESULTS, (int)results, &raw_cpu);
	r.ratio = r.ours / r.raw;
	printf("round %d: API %.0f results/s (server CPU %.0f us a result), plain SQLite %.0f"
	       " results/s (CPU %.0f us), %.0f %%\n",
	       number + 1, r.ours, cpu * 1e6 / results, r.raw, raw_cpu * 1e6 / results,
	       100 * r.ratio);
	fflush(stdout);
	for (int i = 0; i < claimed_n; i++)
		free(claimed[i].lease);
	return r;
}

/* What was acknowledged must be there. */
static void check_stored(struct http_client *http, int64_t posted)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct http_request req = HTTP_REQUEST_INIT;
	struct http_response res = { 0 };
	int64_t pass = 0;
	struct jval v, results;

	req.method = "GET";
	req.path = "/api/v1/stats";
	MUST(http_client_do(http, &req, &res, &err));
	MUST(json_parse(buf_cstr(&res.body), res.body.len, &o, &err));
	http_response_free(&res);
	v = json_root(o);
	MUST(json_get_obj(&v, "results", &results, &err));
	MUST(json_get_i64(&results, "PASS", 0, INT64_MAX, &pass, &err));
	if (pass != posted)
		MUST(error_set(&err, -EIO, "%lld results were acknowledged, %lld are there",
			       (long long)posted, (long long)pass));
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const struct round *rounds, int n, size_t member)
{
	double v[ROUNDS_MAX];

	for (int i = 0; i < n; i++)
		memcpy(&v[i], (const char *)&rounds[i] + member, sizeof(v[i]));
	qsort(v, (size_t)n, sizeof(v[0]), by_value);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static void run(const char *program, int n_clients, int rounds)
{
	struct client *clients = xcalloc((size_t)n_clients, sizeof(*clients));
	CLEANUP(free_p) char *agent = make_token(program, "bench-agent", "agent");
	CLEANUP(free_p) char *dev = make_token(program, "bench-dev", "maintainer");
	CLEANUP(free_p) char *url = start_server(program);
	struct round all[ROUNDS_MAX];
	struct http_client *http;
	CLEANUP(free_p) char *raw_path = xasprintf("%s/raw.db", dir);
	struct raw *raw = raw_open(raw_path);
	double timed_s = 0;
	int n = 0;

	MUST(http_client_new(url, dev, &http, &err));
	for (int i = 0; i < n_clients; i++) {
		clients[i].who = (struct api_identity){ .name = "bench",
							.version = "1",
							.slots = n_clients };
		MUST(api_open(url, agent, NULL, NULL, &clients[i].conn, &err));
	}
	for (; n < ROUNDS_MAX && (n < rounds || timed_s < TIMED_S); n++)
		all[n] = run_round(http, clients, n_clients, raw, n, &timed_s);
	check_stored(http, (int64_t)RESULTS * 2 * (COMMITS * n + 1));
	printf("median of %d rounds, %.1f s of posting, %d clients, %zu bytes a document\n", n,
	       timed_s, n_clients, strlen(bodies[0]));
	printf("ours=%.0f bare=%.0f ratio=%.3f\n", median(all, n, offsetof(struct round, ours)),
	       median(all, n, offsetof(struct round, raw)),
	       median(all, n, offsetof(struct round, ratio)));
	for (int i = 0; i < n_clients; i++)
		api_close(&clients[i].conn);
	http_client_free(http);
	raw_close(raw);
	free(clients);
}

int main(int argc, char **argv)
{
	int n_clients = argc > 3 ? atoi(argv[3]) : 16, rounds = argc > 4 ? atoi(argv[4]) : 5;

	if (argc < 3 || n_clients < 1 || n_clients > 200 || rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: api_results SERVER DIR [CLIENTS [ROUNDS]]\n");
		return 64;
	}
	MUST(path_mkdirs(argv[2], 0700, &err));
	dir = realpath(argv[2], NULL);
	signal(SIGPIPE, SIG_IGN);
	make_repository(ROUNDS_MAX);
	make_files();
	make_documents();
	run(argv[1], n_clients, rounds);
	stop_server();
	return 0;
}
