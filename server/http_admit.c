// SPDX-License-Identifier: MIT
/* What is decided as soon as the headers are there, and where the body goes. Nothing here blocks
 * but for page-cache writes of uploads: it runs on libmicrohttpd's thread. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/limits.h"
#include "lib/path.h"
#include "server/http_conn.h"
#include "server/server.h"
#include "server/token.h"

static bool refuse_framing(struct http_conn *c, int status, const char *msg)
{
	http_res_problem(&c->res, status, "%s", msg);
	c->close_after = true;
	return false;
}

static void ask_for_token(struct http_conn *c)
{
	bool api = !strncmp(c->raw_path, "/api/", 5);

	http_res_problem(&c->res, 401, "a valid token is needed here");
	/* Browsers and git know how to ask for a password: the token is given as one. */
	http_res_header(&c->res, "WWW-Authenticate",
			api ? "Bearer realm=\"faultline\"" : "Basic realm=\"faultline\"");
}

static bool admit_role(struct http_conn *c)
{
	const char *given = framing_get(&c->framing, "Authorization");
	enum role need = c->route->role;
	struct error err = ERROR_INIT;
	int r = 0;

	if (need == ROLE_NONE && !c->route->open && !c->http->conf.public_read)
		need = ROLE_READER;
	if (given)
		r = tokens_authenticate(c->http->srv->tokens, given, !strcmp(c->req.method, "GET"),
					&c->req.token_id, &c->req.role, &err);
	if (r) {
		http_res_error(&c->res, &err);
		return false;
	}
	/* A token that is not good is refused even where none is needed: its owner should know. */
	if (given && c->req.role == ROLE_NONE && !c->route->open) {
		ask_for_token(c);
		return false;
	}
	if (role_may(c->req.role, need))
		return true;
	if (c->req.role == ROLE_NONE)
		ask_for_token(c);
	else
		http_res_problem(&c->res, 403,
				 "a token with the role '%s' is needed here, this one has '%s'",
				 role_name(need), role_name(c->req.role));
	return false;
}

static bool admit_body(struct http_conn *c, const struct framing_body *b)
{
	int64_t max = c->route->max_body_bytes;

	if (b->length > max || (b->chunked && !max)) {
		if (max)
			http_res_problem(&c->res, 413, "at most %lld bytes are taken here",
					 (long long)max);
		else
			http_res_problem(&c->res, 413, "no body is taken here");
		return false;
	}
	return true;
}

static const char *accepted_format(const struct http_conn *c)
{
	const char *accept = framing_get(&c->framing, "Accept");
	const char *query = http_query(&c->req, "format");

	if (query)
		return query;
	if (!accept)
		return "";
	if (strstr(accept, "text/html"))
		return "html";
	if (strstr(accept, "application/json"))
		return "json";
	if (strstr(accept, "text/csv"))
		return "csv";
	return "";
}

/* A person who followed a link gets a page; programs and git get the problem as it is. */
static void problem_for_people(struct http_conn *c)
{
	if (str_starts(c->raw_path, "/api/") || str_starts(c->raw_path, "/git/") ||
	    strcmp(accepted_format(c), "html"))
		return;
	c->req.path = c->path;
	c->req.query = c->query;
	if (c->http->conf.page_problem)
		c->http->conf.page_problem(&c->req, &c->res);
}

static bool admit(struct http_conn *c, const char *method, const char *version)
{
	struct framing_body body = { 0 };
	struct error err = ERROR_INIT;
	const char *format = NULL;
	char allow[64];
	int status = framing_check(&c->framing, version, &body, &err);
	enum match m;

	c->req.conn = c;
	if (status)
		return refuse_framing(c, status, err.msg);
	if (!c->path)
		return refuse_framing(c, 400, "the address is not valid");
	c->req.head = !strcmp(method, "HEAD");
	c->req.method = c->req.head ? "GET" : method;
	m = http_match(c->http->conf.routes, c->http->conf.n_routes, c->req.method, c->raw_path,
		       &c->route, c->params, &format, allow);
	if (m == MATCH_NONE) {
		http_res_problem(&c->res, 404, "there is nothing at this address");
		return false;
	}
	if (m == MATCH_METHOD) {
		http_res_problem(&c->res, 405, "this address takes %s", allow);
		http_res_header(&c->res, "Allow", allow);
		return false;
	}
	c->req.method = c->route->method;
	c->req.path = c->path;
	c->req.query = c->query;
	for (int i = 0; i < HTTP_MAX_PARAMS; i++)
		c->req.params[i] = c->params[i];
	c->req.format = format ? format : accepted_format(c);
	return admit_role(c) && admit_body(c, &body);
}

static int spool_open(struct http_conn *c, struct error *err)
{
	char *path = xasprintf("%s/upload.XXXXXX", c->http->conf.tmp_dir);
	int fd = mkostemp(path, O_CLOEXEC);

	if (fd < 0) {
		int r = error_errno(err, -errno, "making an upload file");

		free(path);
		return r;
	}
	c->body_fd = fd;
	c->body_path = path;
	crypto_hash_sha256_init(&c->sha);
	return 0;
}

static int spool(struct http_conn *c, const char *data, size_t len, struct error *err)
{
	int r = c->body_path ? 0 : spool_open(c, err);

	if (r)
		return r;
	crypto_hash_sha256_update(&c->sha, (const unsigned char *)data, len);
	r = fd_write_all(c->body_fd, data, len);
	return r ? error_errno(err, r, "writing an upload") : 0;
}

int http_body_piece(struct http_conn *c, const char *data, size_t len)
{
	struct error err = ERROR_INIT;
	int r;

	c->body_bytes += (int64_t)len;
	if (c->body_bytes > c->route->max_body_bytes) {
		http_res_problem(&c->res, 413, "at most %lld bytes are taken here",
				 (long long)c->route->max_body_bytes);
		return -EFBIG;
	}
	if (!c->route->body_to_file) {
		buf_add(&c->body, data, len);
		return 0;
	}
	r = spool(c, data, len, &err);
	if (r)
		http_res_error(&c->res, &err);
	return r;
}

int http_body_end(struct http_conn *c)
{
	unsigned char sum[crypto_hash_sha256_BYTES];
	struct error err = ERROR_INIT;
	int r = 0;

	if (!c->route->body_to_file) {
		c->req.body = c->body.data;
		c->req.body_len = c->body.len;
		return 0;
	}
	r = spool(c, "", 0, &err);
	if (r) {
		http_res_error(&c->res, &err);
		return r;
	}
	crypto_hash_sha256_final(&c->sha, sum);
	sodium_bin2hex(c->req.body_sha256, sizeof(c->req.body_sha256), sum, sizeof(sum));
	close(c->body_fd);
	c->body_fd = -1;
	c->req.body_path = c->body_path;
	c->req.body_len = (size_t)c->body_bytes;
	return 0;
}

bool http_admit(struct http_conn *c, const char *method, const char *version)
{
	if (admit(c, method, version))
		return true;
	if (c->path)
		problem_for_people(c);
	return false;
}
