// SPDX-License-Identifier: MIT
/* What handlers ask of a request and say in a response. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "server/http_conn.h"
#include "server/server.h"

const char *http_query(const struct http_req *req, const char *name)
{
	const struct http_conn *c = req->conn;

	for (int i = 0; i < c->n_args; i++)
		if (!strcmp(c->args[i].name, name))
			return c->args[i].value;
	return NULL;
}

const char *http_field(const struct http_req *req, const char *name)
{
	const char *s = http_query(req, name);

	return s && *s ? s : NULL;
}

const char *http_header(const struct http_req *req, const char *name)
{
	const struct http_conn *c = req->conn;

	return framing_get(&c->framing, name);
}

int http_query_i64(const struct http_req *req, const char *name, int64_t min, int64_t max,
		   int64_t *ret, struct error *err)
{
	const char *s = http_query(req, name);
	long long v;

	if (!s)
		return 0;
	if (str_to_i64(s, min, max, &v))
		return error_set(err, -EINVAL, "?%s= must be an integer from %lld to %lld", name,
				 (long long)min, (long long)max);
	*ret = v;
	return 0;
}

bool http_client_gone(const struct http_req *req)
{
	const struct http_conn *c = req->conn;
	char byte;
	ssize_t n;

	if (!c->sock)
		return false;
	n = recv(c->sock->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

void http_res_init(struct http_res *res)
{
	memset(res, 0, sizeof(*res));
	res->status = 200;
	res->file_fd = -1;
}

void http_res_free(struct http_res *res)
{
	buf_free(&res->body);
	if (res->file_fd >= 0)
		close(res->file_fd);
	for (int i = 0; i < res->n_extra; i++) {
		free(res->extra[i][0]);
		free(res->extra[i][1]);
	}
	if (res->stream_free)
		res->stream_free(res->stream_arg);
	http_res_init(res);
}

void http_res_header(struct http_res *res, const char *name, const char *value)
{
	int i = 0;

	while (i < res->n_extra && strcasecmp(res->extra[i][0], name))
		i++;
	if (i == (int)ARRAY_SIZE(res->extra))
		return;
	if (i == res->n_extra)
		res->extra[res->n_extra++][0] = xstrdup(name);
	free(res->extra[i][1]);
	res->extra[i][1] = xstrdup(value);
}

void http_res_json(struct http_res *res, int status, struct json_object *o)
{
	CLEANUP(free_p) char *text = json_text(o);

	res->status = status;
	res->content_type = "application/json";
	buf_reset(&res->body);
	buf_str(&res->body, text);
	buf_char(&res->body, '\n');
	json_object_put(o);
}

static const struct {
	int status;
	const char *text;
} statuses[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 206, "Partial Content" },
	{ 304, "Not Modified" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 409, "Conflict" },
	{ 411, "Length Required" },
	{ 413, "Content Too Large" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Range Not Satisfiable" },
	{ 417, "Expectation Failed" },
	{ 422, "Unprocessable Content" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 507, "Insufficient Storage" },
};

const char *http_status_text(int status)
{
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		if (statuses[i].status == status)
			return statuses[i].text;
	return "Error";
}

void http_res_problem(struct http_res *res, int status, const char *fmt, ...)
{
	CLEANUP(buf_free) struct buf detail = BUF_INIT;
	struct json_object *o = json_object_new_object();
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&detail, fmt, ap);
	va_end(ap);
	json_object_object_add(o, "type", json_str("about:blank"));
	json_object_object_add(o, "title", json_str(http_status_text(status)));
	json_object_object_add(o, "status", json_object_new_int(status));
	json_object_object_add(o, "detail", json_strn(buf_cstr(&detail), detail.len));
	http_res_json(res, status, o);
	res->content_type = "application/problem+json";
}

static const struct {
	int code, status;
} errnos[] = {
	{ ENOENT, 404 }, { EINVAL, 422 }, { ERANGE, 422 }, { EPROTO, 422 },    { EEXIST, 409 },
	{ EFBIG, 413 },	 { ENOSPC, 507 }, { EDQUOT, 507 }, { EBUSY, 503 },     { EAGAIN, 503 },
	{ EACCES, 403 }, { EPERM, 403 },  { ESTALE, 409 }, { ETIMEDOUT, 504 },
};

int http_status_of(const struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(errnos); i++)
		if (errnos[i].code == err->code)
			return errnos[i].status;
	return 500;
}

void http_res_error(struct http_res *res, const struct error *err)
{
	int status = http_status_of(err);

	if (status == 500)
		http_res_problem(res, status, "the server could not do this; its log says why");
	else
		http_res_problem(res, status, "%s", err->msg);
}

void http_wake_streams(struct server *srv)
{
	if (srv->http)
		pool_wake_streams(srv->http->pool);
}

void http_wake_parked(struct server *srv)
{
	if (srv->http)
		pool_wake_parked(srv->http->pool);
}

void http_wake_stream(void *conn)
{
	struct http_conn *c = conn;

	pool_wake_one(c->http->pool, c);
}
