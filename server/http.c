// SPDX-License-Identifier: MIT
/*
 * The adapter over libmicrohttpd: one thread polls, nothing in it blocks. A request goes
 * admit (headers) → body → suspend → worker → resume → reply.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "server/http_conn.h"
#include "server/server.h"

#define MHD_MEMORY_BYTES (64 << 10) /* headers, and the window in which bodies arrive */
#define MHD_INACTIVE_S 30 /* a client that takes or gives nothing for so long is gone */
#define STREAM_BLOCK_BYTES (64 << 10)
#define FILE_BLOCK_BYTES (64 << 10)

/* On every response that has no other of the name. Scripts, styles and images only from here, never inline. */
static const char *const fixed_headers[][2] = {
	{ "Content-Security-Policy",
	  "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "Referrer-Policy", "same-origin" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
};

static void set_deadline(struct http_conn *c, int64_t ms)
{
	if (!c->sock)
		return;
	pthread_mutex_lock(&c->http->lock);
	c->sock->deadline_us = ms ? clock_mono_us() + ms * US_PER_MS : 0;
	pthread_mutex_unlock(&c->http->lock);
}

void http_reap(struct http *h, int64_t now_us)
{
	pthread_mutex_lock(&h->lock);
	for (struct http_sock *s = h->socks; s; s = s->next) {
		if (!s->deadline_us || s->deadline_us > now_us)
			continue;
		s->deadline_us = 0;
		shutdown(s->fd, SHUT_RDWR); /* libmicrohttpd sees the end and closes */
	}
	pthread_mutex_unlock(&h->lock);
	linger_reap(h, now_us);
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **ctx,
			  enum MHD_ConnectionNotificationCode code)
{
	struct http *h = cls;
	struct http_sock *s = *ctx;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *info =
			MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);

		s = xcalloc(1, sizeof(*s));
		s->fd = info->connect_fd;
		s->deadline_us = clock_mono_us() + h->conf.request_timeout_ms * US_PER_MS;
		pthread_mutex_lock(&h->lock);
		s->next = h->socks;
		if (s->next)
			s->next->prev = s;
		h->socks = s;
		pthread_mutex_unlock(&h->lock);
		*ctx = s;
		return;
	}
	pthread_mutex_lock(&h->lock);
	if (s->prev)
		s->prev->next = s->next;
	else
		h->socks = s->next;
	if (s->next)
		s->next->prev = s->prev;
	pthread_mutex_unlock(&h->lock);
	free(s);
	*ctx = NULL;
}

static void *on_uri(void *cls, const char *uri, struct MHD_Connection *mhd)
{
	struct http *h = cls;
	struct http_conn *c = xcalloc(1, sizeof(*c));
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	c->http = h;
	c->mhd = mhd;
	c->sock = info ? info->socket_context : NULL;
	c->body_fd = -1;
	http_res_init(&c->res);
	if (!http_parse_uri(c, uri)) {
		free(c->path);
		c->path = NULL;
	}
	pthread_mutex_lock(&h->lock);
	h->n_requests++;
	pthread_mutex_unlock(&h->lock);
	return c;
}

void http_conn_free(struct http_conn *c)
{
	struct http *h = c->http;

	http_res_free(&c->res);
	if (c->body_fd >= 0)
		close(c->body_fd);
	if (c->body_path)
		unlink(c->body_path);
	for (int i = 0; i < HTTP_MAX_PARAMS; i++)
		free(c->params[i]);
	for (int i = 0; i < c->n_args; i++) {
		free(c->args[i].name);
		free(c->args[i].value);
	}
	pthread_mutex_lock(&h->lock);
	h->n_streams -= c->is_stream;
	h->n_requests--;
	if (!h->n_requests)
		pthread_cond_broadcast(&h->idle);
	pthread_mutex_unlock(&h->lock);
	framing_free(&c->framing);
	buf_free(&c->body);
	buf_free(&c->out);
	free(c->body_path);
	free(c->raw_path);
	free(c->path);
	free(c->query);
	free(c);
}

static void on_completed(void *cls, struct MHD_Connection *mhd, void **con_cls,
			 enum MHD_RequestTerminationCode why)
{
	struct http *h = cls;
	struct http_conn *c = *con_cls;

	(void)mhd;
	(void)why;
	if (!c)
		return;
	*con_cls = NULL;
	set_deadline(c, h->conf.request_timeout_ms);
	c->sock = NULL;
	if (c->is_stream)
		pool_submit(h->pool, c, TASK_FREE);
	else
		http_conn_free(c);
}

void http_conn_suspend(struct http_conn *c)
{
	MHD_suspend_connection(c->mhd);
}

void http_conn_resume(struct http_conn *c)
{
	MHD_resume_connection(c->mhd);
}

static ssize_t on_read(void *cls, uint64_t pos, char *buf, size_t max)
{
	ssize_t n = http_stream_read(cls, buf, max);

	(void)pos;
	return n < 0 ? MHD_CONTENT_READER_END_OF_STREAM : n;
}

static struct MHD_Response *make_response(struct http_conn *c)
{
	struct http_res *res = &c->res;
	size_t len = res->body.len;

	if (res->stream && !c->req.head)
		return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES,
							 on_read, c, NULL);
	if (res->file_fd >= 0)
		return MHD_create_response_from_fd_at_offset64((uint64_t)res->file_len,
							       steal_fd(&res->file_fd),
							       (uint64_t)res->file_offset);
	return MHD_create_response_from_buffer(len, buf_steal(&res->body), MHD_RESPMEM_MUST_FREE);
}

static bool has_header(const struct http_res *res, const char *name)
{
	for (int i = 0; i < res->n_extra; i++)
		if (!strcasecmp(res->extra[i][0], name))
			return true;
	return false;
}

static enum MHD_Result reply(struct http_conn *c)
{
	struct http_res *res = &c->res;
	struct MHD_Response *r = make_response(c);
	enum MHD_Result ok;

	if (!r)
		return MHD_NO;
	for (size_t i = 0; i < ARRAY_SIZE(fixed_headers); i++)
		if (!has_header(res, fixed_headers[i][0]))
			MHD_add_response_header(r, fixed_headers[i][0], fixed_headers[i][1]);
	if (res->content_type)
		MHD_add_response_header(r, "Content-Type", res->content_type);
	if (!has_header(res, "Cache-Control"))
		MHD_add_response_header(r, "Cache-Control", "no-cache");
	for (int i = 0; i < res->n_extra; i++)
		MHD_add_response_header(r, res->extra[i][0], res->extra[i][1]);
	if (c->close_after) {
		MHD_add_response_header(r, "Connection", "close");
		if (c->sock)
			linger_add(c->http, c->sock->fd);
	}
	c->phase = CONN_REPLIED;
	set_deadline(c, 0);
	ok = MHD_queue_response(c->mhd, (unsigned)res->status, r);
	MHD_destroy_response(r);
	return ok;
}

static enum MHD_Result collect_header(void *cls, enum MHD_ValueKind kind, const char *name,
				      size_t name_len, const char *value, size_t value_len)
{
	struct http_conn *c = cls;

	(void)kind;
	framing_add(&c->framing, name, name_len, value ? value : "", value ? value_len : 0);
	return MHD_YES;
}

static enum MHD_Result on_headers(struct http_conn *c, const char *method, const char *version)
{
	struct framing_body body = { 0 };
	int64_t announced;

	MHD_get_connection_values_n(c->mhd, MHD_HEADER_KIND, collect_header, c);
	c->phase = CONN_BODY;
	if (!http_admit(c, method, version))
		c->phase = CONN_DRAIN;
	if (c->close_after)
		return reply(c);
	if (framing_check(&c->framing, version, &body, NULL))
		return reply(c);
	/* Whoever asked first, or announces more than will be read, is answered now. */
	if (c->phase == CONN_DRAIN && (body.expect_continue || body.length > HTTP_DRAIN_BYTES)) {
		c->close_after = true;
		return reply(c);
	}
	announced = body.chunked ? c->route ? c->route->max_body_bytes : 0 : body.length;
	set_deadline(c, c->http->conf.body_timeout_ms + announced / 64);
	return MHD_YES;
}

static enum MHD_Result on_body(struct http_conn *c, const char *data, size_t *len)
{
	if (c->phase == CONN_BODY) {
		if (http_body_piece(c, data, *len))
			c->phase = CONN_DRAIN;
	} else {
		c->body_bytes += (int64_t)*len;
		if (c->body_bytes > HTTP_DRAIN_BYTES + (c->route ? c->route->max_body_bytes : 0))
			return MHD_NO; /* no answer can be queued in mid-upload */
	}
	*len = 0;
	return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *mhd, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *len, void **con_cls)
{
	struct http_conn *c = *con_cls;

	(void)cls;
	(void)mhd;
	(void)url;
	if (!c || c->aborted)
		return MHD_NO;
	if (c->phase == CONN_NEW)
		return on_headers(c, method, version);
	if (c->phase == CONN_READY)
		return reply(c);
	if (*len)
		return on_body(c, data, len);
	if (c->phase == CONN_BODY && http_body_end(c))
		c->phase = CONN_DRAIN;
	if (c->phase == CONN_DRAIN)
		return reply(c);
	if (c->phase != CONN_BODY)
		return MHD_NO;
	c->phase = CONN_WORK;
	set_deadline(c, 0);
	http_conn_suspend(c);
	pool_submit(c->http->pool, c, TASK_HANDLE);
	return MHD_YES;
}

static void on_log(void *cls, const char *fmt, va_list ap)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	CLEANUP(free_p) char *quoted = NULL;

	(void)cls;
	buf_vprintf(&b, fmt, ap);
	quoted = log_quote(buf_cstr(&b));
	log_event(LOG_DEBUG, "http", "message=%s", quoted);
}

/* Paths are taken raw from the request line; libmicrohttpd need not decode anything. */
static size_t no_unescape(void *cls, struct MHD_Connection *mhd, char *s)
{
	(void)cls;
	(void)mhd;
	return strlen(s);
}

static int parse_address(const char *host, int port, struct sockaddr_storage *ret,
			 struct error *err)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		return 0;
	}
	if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		return 0;
	}
	return error_set(err, -EINVAL, "listen address '%s' is not an IPv4 or IPv6 address", host);
}

static int start_daemon(struct http *h, struct error *err)
{
	const struct http_conf *conf = &h->conf;
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
			 MHD_USE_ERROR_LOG;
	struct sockaddr_storage addr;
	const union MHD_DaemonInfo *info;
	int r = parse_address(conf->address, conf->port, &addr, err);

	if (r)
		return r;
	if (addr.ss_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	errno = 0;
	h->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, h,
				     MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_SOCK_ADDR,
				     &addr, MHD_OPTION_URI_LOG_CALLBACK, on_uri, h,
				     MHD_OPTION_UNESCAPE_CALLBACK, no_unescape, NULL,
				     MHD_OPTION_NOTIFY_COMPLETED, on_completed, h,
				     MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
				     MHD_OPTION_CONNECTION_LIMIT, (unsigned)conf->max_connections,
				     MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)conf->max_per_ip,
				     MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)MHD_INACTIVE_S,
				     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MHD_MEMORY_BYTES,
				     MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	if (!h->daemon)
		return error_errno(err, errno ? -errno : -EIO, "listening on %s port %d",
				   conf->address, conf->port);
	info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT);
	h->port = info ? info->port : conf->port;
	return 0;
}

int http_start(struct server *srv, const struct http_conf *conf, struct http **ret,
	       struct error *err)
{
	struct http *h = xcalloc(1, sizeof(*h));
	pthread_condattr_t attr;
	int r;

	h->srv = srv;
	h->conf = *conf;
	h->conf.address = h->address = xstrdup(conf->address);
	pthread_mutex_init(&h->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&h->idle, &attr);
	pthread_condattr_destroy(&attr);
	r = pool_start(h, conf->workers, &h->pool, err);
	if (!r) {
		*ret = h; /* handlers and store callbacks may look before this function returns */
		r = start_daemon(h, err);
	}
	if (r) {
		*ret = NULL;
		http_stop(h, 0);
		http_free(h);
	}
	return r;
}

int http_port(const struct http *h)
{
	return h->port;
}

void http_counts(struct http *h, int *ret_requests, int *ret_streams)
{
	pthread_mutex_lock(&h->lock);
	*ret_requests = h->n_requests;
	*ret_streams = h->n_streams;
	pthread_mutex_unlock(&h->lock);
}

static void wait_idle(struct http *h, int64_t ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += ms / 1000;
	ts.tv_nsec += ms % 1000 * 1000000L;
	ts.tv_sec += ts.tv_nsec / 1000000000L;
	ts.tv_nsec %= 1000000000L;
	pthread_mutex_lock(&h->lock);
	while (h->n_requests && !pthread_cond_timedwait(&h->idle, &h->lock, &ts))
		;
	pthread_mutex_unlock(&h->lock);
}

void http_stop(struct http *h, int64_t drain_ms)
{
	MHD_socket listen_fd = MHD_INVALID_SOCKET;

	if (!h)
		return;
	if (h->daemon) {
		listen_fd = MHD_quiesce_daemon(h->daemon);
		pool_drain(h->pool);
		wait_idle(h, drain_ms);
	}
	if (h->pool)
		pool_stop(h->pool);
	if (h->daemon)
		MHD_stop_daemon(h->daemon);
	if (listen_fd != MHD_INVALID_SOCKET)
		close(listen_fd);
	h->daemon = NULL;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	linger_reap(h, INT64_MAX);
	pool_free(h->pool);
	pthread_mutex_destroy(&h->lock);
	pthread_cond_destroy(&h->idle);
	free(h->address);
	free(h);
}
