// SPDX-License-Identifier: MIT
/* /metrics: what there is to watch, for Prometheus. Families are listed in docs/api.md. */
#include <string.h>

#include "lib/clock.h"
#include "lib/path.h"
#include "lib/prom.h"
#include "server/api.h"
#include "version.h"

/* A member of the view of view_stats(): a number, or numbers by what the labels say. */
static const struct family {
	const char *path; /* "jobs", "writer.writes" */
	const char *name;
	enum prom_type type;
	const char *labels[2]; /* of the members, and of theirs; NULL: there are none */
	const char *help;
} families[] = {
	{ "jobs",
	  "faultline_jobs",
	  PROM_GAUGE,
	  { "kind", "state" },
	  "The queue: builds and tests, by state." },
	{ "results",
	  "faultline_results_total",
	  PROM_COUNTER,
	  { "status" },
	  "Results of cases, by status; MISS is infrastructure, ERROR a test that broke." },
	{ "runs", "faultline_runs_total", PROM_COUNTER, { NULL }, "Attempts at jobs." },
	{ "builds",
	  "faultline_builds_total",
	  PROM_COUNTER,
	  { NULL },
	  "Different kernels asked for." },
	{ "commits", "faultline_commits_total", PROM_COUNTER, { NULL }, "Commits known." },
	{ "submissions",
	  "faultline_submissions",
	  PROM_GAUGE,
	  { "state" },
	  "Submissions, by state." },
	{ "regressions",
	  "faultline_regressions",
	  PROM_GAUGE,
	  { "state" },
	  "Regressions, by state." },
	{ "probes.under_way",
	  "faultline_probes_under_way",
	  PROM_GAUGE,
	  { NULL },
	  "Tests that open regressions wait for." },
	{ "outbox",
	  "faultline_outbox_messages",
	  PROM_GAUGE,
	  { "state" },
	  "Mails and hooks about regressions, by state; doubtful ones may not have arrived." },
	{ "writer.writes",
	  "faultline_database_writes_total",
	  PROM_COUNTER,
	  { NULL },
	  "Changes asked of the database since the start." },
	{ "writer.commits",
	  "faultline_database_commits_total",
	  PROM_COUNTER,
	  { NULL },
	  "Transactions that they took." },
	{ "database_bytes",
	  "faultline_database_size_bytes",
	  PROM_GAUGE,
	  { NULL },
	  "Size of the database." },
};

static struct json_object *member(struct json_object *view, const char *path)
{
	char key[64];

	for (const char *p = path; *p; p += strcspn(p, ".") + (strchr(p, '.') != NULL)) {
		snprintf(key, sizeof(key), "%.*s", (int)strcspn(p, "."), p);
		view = json_object_object_get(view, key);
	}
	return view;
}

/* Numbers, or objects of numbers; `labels` has room for two pairs. */
static void add_samples(struct buf *out, const struct family *f, struct json_object *v, int depth,
			const char *labels[5])
{
	if (!json_object_is_type(v, json_type_object) || depth == (int)ARRAY_SIZE(f->labels)) {
		prom_sample(out, f->name, labels, json_object_get_int64(v));
		return;
	}
	json_object_object_foreach(v, key, inner)
	{
		labels[2 * depth] = f->labels[depth];
		labels[2 * depth + 1] = key;
		add_samples(out, f, inner, depth + 1, labels);
	}
}

static void add_family(struct buf *out, const struct family *f, struct json_object *view)
{
	const char *labels[5] = { NULL };

	prom_family(out, f->name, f->type, f->help);
	add_samples(out, f, member(view, f->path), 0, labels);
}

static void add_agents(struct buf *out, struct json_object *view)
{
	int64_t live = json_object_get_int64(member(view, "agents.live"));
	int64_t known = json_object_get_int64(member(view, "agents.known"));
	static const char name[] = "faultline_agents";

	prom_family(out, name, PROM_GAUGE,
		    "Agents, by health; nothing was heard of silent ones for two minutes.");
	prom_sample(out, name, (const char *const[]){ "health", "live", NULL }, live);
	prom_sample(out, name, (const char *const[]){ "health", "silent", NULL }, known - live);
}

static void gauge(struct buf *out, const char *name, int64_t v, const char *help)
{
	prom_family(out, name, PROM_GAUGE, help);
	prom_sample(out, name, NULL, v);
}

/* What the process knows of itself. */
static void add_process(struct server *srv, struct buf *out)
{
	static const char *const version[] = { "version", FAULTLINE_VERSION, NULL };
	int64_t up_us = clock_mono_us() - srv->started_mono_us;
	int requests = 0, streams = 0;

	prom_family(out, "faultline_build_info", PROM_GAUGE,
		    "Always 1; the label says the version.");
	prom_sample(out, "faultline_build_info", version, 1);
	http_counts(srv->http, &requests, &streams);
	gauge(out, "faultline_http_requests_in_flight", requests, "HTTP requests being answered.");
	gauge(out, "faultline_http_streams_open", streams, "Event streams and log tails open.");
	gauge(out, "faultline_uptime_seconds", up_us / US_PER_S, "Time since the server started.");
	gauge(out, "faultline_disk_free_bytes", path_free_bytes(srv->config->data),
	      "Space left where the server keeps its data.");
}

void api_metrics(struct server *srv, const struct http_req *req, struct http_res *res)
{
	CLEANUP(json_put_p) struct json_object *view = NULL;
	struct error err = ERROR_INIT;

	if (view_stats(srv->store, &view, &err)) {
		api_error(req, res, &err);
		return;
	}
	res->content_type = "text/plain; version=0.0.4; charset=utf-8";
	http_res_header(res, "Cache-Control", "no-store");
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		add_family(&res->body, &families[i], view);
	add_agents(&res->body, view);
	add_process(srv, &res->body);
}
