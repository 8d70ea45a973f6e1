// SPDX-License-Identifier: MIT
#include <ctype.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/path.h"
#include "server/api.h"
#include "version.h"

#define DISK_LOW_BYTES (256LL << 20) /* one artifact more might not fit */

void api_healthz(struct server *srv, const struct http_req *req, struct http_res *res)
{
	(void)srv;
	(void)req;
	res->content_type = "text/plain; charset=utf-8";
	http_res_header(res, "Cache-Control", "no-store");
	buf_str(&res->body, "ok\n");
}

void api_readyz(struct server *srv, const struct http_req *req, struct http_res *res)
{
	int64_t free_bytes = path_free_bytes(srv->config->data);
	struct error err = ERROR_INIT;

	if (req->draining)
		http_res_problem(res, 503, "the server is about to stop");
	else if (store_check(srv->store, &err))
		http_res_problem(res, 503, "the database: %s", err.msg);
	else if (free_bytes >= 0 && free_bytes < DISK_LOW_BYTES)
		http_res_problem(res, 503, "the disk is nearly full");
	else
		api_healthz(srv, req, res);
}

/* [a-z0-9_] of a member's name. */
static void metric_word(struct buf *out, const char *s)
{
	for (; *s; s++)
		buf_char(out, isalnum((unsigned char)*s) ? (char)tolower((unsigned char)*s) : '_');
}

static void label_text(struct buf *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '\\' || *s == '"')
			buf_char(out, '\\');
		buf_char(out, *s == '\n' ? ' ' : *s);
	}
}

static void sample(struct buf *out, const char *name, const char *labels, struct json_object *v)
{
	buf_str(out, "faultline_");
	metric_word(out, name);
	if (*labels)
		buf_printf(out, "{%s}", labels);
	buf_printf(out, " %s\n", json_object_to_json_string(v));
}

static bool is_number(struct json_object *v)
{
	return json_object_is_type(v, json_type_int) || json_object_is_type(v, json_type_double);
}

/* {"jobs":{"build":{"queued":1}}} → faultline_jobs{kind="build",state="queued"} 1 */
static void group(struct buf *out, const char *name, struct json_object *o, const char *labels)
{
	json_object_object_foreach(o, key, v)
	{
		CLEANUP(buf_free) struct buf l = BUF_INIT;
		bool deeper = json_object_is_type(v, json_type_object);

		if (!deeper && !is_number(v))
			continue;
		buf_str(&l, labels);
		buf_printf(&l, "%s%s=\"", *labels ? "," : "", deeper ? "kind" : "state");
		label_text(&l, key);
		buf_char(&l, '"');
		if (deeper)
			group(out, name, v, buf_cstr(&l));
		else
			sample(out, name, buf_cstr(&l), v);
	}
}

static void metric_type(struct buf *out, const char *name)
{
	buf_str(out, "# TYPE faultline_");
	metric_word(out, name);
	buf_str(out, " gauge\n");
}

static void number(struct buf *out, const char *name, long long v)
{
	buf_printf(out, "# TYPE faultline_%s gauge\nfaultline_%s %lld\n", name, name, v);
}

void api_metrics(struct server *srv, const struct http_req *req, struct http_res *res)
{
	CLEANUP(json_put_p) struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	int requests = 0, streams = 0;

	if (view_stats(srv->store, &view, &err)) {
		api_error(req, res, &err);
		return;
	}
	res->content_type = "text/plain; version=0.0.4; charset=utf-8";
	buf_printf(&res->body,
		   "# TYPE faultline_build_info gauge\nfaultline_build_info{version=\"%s\"} 1\n",
		   FAULTLINE_VERSION);
	json_object_object_foreach(view, key, v)
	{
		if (!is_number(v) && !json_object_is_type(v, json_type_object))
			continue;
		metric_type(&res->body, key);
		if (is_number(v))
			sample(&res->body, key, "", v);
		else
			group(&res->body, key, v, "");
	}
	http_counts(srv->http, &requests, &streams);
	number(&res->body, "http_requests_in_flight", requests);
	number(&res->body, "http_streams_open", streams);
	number(&res->body, "uptime_seconds", (clock_mono_us() - srv->started_mono_us) / US_PER_S);
	number(&res->body, "disk_free_bytes", path_free_bytes(srv->config->data));
}
