// SPDX-License-Identifier: MIT
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/json.h"
#include "lib/limits.h"
#include "lib/path.h"

#define DEFAULT_SERVER "http://127.0.0.1:8080"

void cli_parse(const struct argp *argp, int argc, char **argv, void *input)
{
	error_t r = argp_parse(argp, argc, argv, 0, NULL, input);

	if (r) {
		fprintf(stderr, "%s: %s\n", argv[0], strerror(r));
		exit(EXIT_USAGE);
	}
}

int cli_fail(const struct error *err)
{
	progress_end();
	fprintf(stderr, "faultline: %s\n", err->msg);
	return err->code == EINVAL ? EXIT_USAGE : EXIT_TROUBLE;
}

void cli_id(const struct argp_state *state, const char *arg, long long *id)
{
	if (*id)
		argp_error(state, "more than one id");
	if (str_to_i64(arg, 1, LLONG_MAX, id))
		argp_error(state, "'%s' is not an id: a number above 0", arg);
}

int cli_number(const struct argp_state *state, const char *what, const char *arg, int max)
{
	long long v;

	if (str_to_i64(arg, 1, max, &v))
		argp_error(state, "%s: '%s' is not a number from 1 to %d", what, arg, max);
	return (int)v;
}

bool cli_colour(void)
{
	return isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
}

static const struct argp_option server_options[] = {
	{ "server", 'S', "URL", 0, "the server (else $FAULTLINE_SERVER, else " DEFAULT_SERVER ")",
	  90 },
	{ "token-file", 'T', "FILE", 0, "file with a token (else $FAULTLINE_TOKEN_FILE)", 90 },
	{ 0 }
};

static error_t on_server_arg(int key, char *arg, struct argp_state *state)
{
	struct server_args *a = state->input;

	switch (key) {
	case 'S':
		a->server = arg;
		return 0;
	case 'T':
		a->token_file = arg;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

const struct argp server_argp = { server_options, on_server_arg, NULL, NULL, NULL, NULL, NULL };

char *cli_url(const struct server_args *a)
{
	const char *server = a->server ? a->server : getenv("FAULTLINE_SERVER");

	return xstrdup(server && *server ? server : DEFAULT_SERVER);
}

int cli_connect(const struct server_args *a, struct http_client **ret, struct error *err)
{
	CLEANUP(free_p) char *server = cli_url(a);
	const char *file = a->token_file ? a->token_file : getenv("FAULTLINE_TOKEN_FILE");
	CLEANUP(buf_free) struct buf token = BUF_INIT;
	int r;

	if (file && *file) {
		r = path_read(file, 4096, &token, err);
		if (r)
			return error_wrap(err, r, "token");
		while (token.len && strchr("\r\n\t ", token.data[token.len - 1]))
			token.data[--token.len] = '\0';
	}
	return http_client_new(server, token.len ? token.data : NULL, ret, err);
}

const char *cli_public_url(const struct server_args *a)
{
	const char *server = a->server ? a->server : getenv("FAULTLINE_SERVER");

	return server && str_starts(server, "https://") ? server : NULL;
}

/* The detail of an application/problem+json answer. */
static int problem(const struct http_response *res, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	const char *detail = NULL;
	struct jval v;
	int code = res->status == 404			      ? -ENOENT
		   : res->status == 401 || res->status == 403 ? -EACCES
							      : -EIO;

	if (!json_parse(buf_cstr(&res->body), res->body.len, &o, NULL)) {
		v = json_root(o);
		if (json_opt_str(&v, "detail", LIMIT_TEXT_LEN, &detail, NULL))
			detail = NULL;
	}
	return error_set(err, code, "the server answered %d: %s", res->status,
			 detail ? detail : "no explanation given");
}

int cli_call(struct http_client *c, const char *method, const char *path, struct json_object *body,
	     struct json_object **ret, struct error *err)
{
	CLEANUP(free_p) char *text = body ? json_text(body) : NULL;
	struct http_request req = HTTP_REQUEST_INIT;
	struct http_response res = { 0 };
	int r;

	req.method = method;
	req.path = path;
	req.body = text;
	req.body_len = text ? strlen(text) : 0;
	r = http_client_do(c, &req, &res, err);
	if (r)
		return r;
	if (res.status / 100 != 2)
		r = problem(&res, err);
	else if (ret)
		r = json_parse(buf_cstr(&res.body), res.body.len, ret, err);
	http_response_free(&res);
	return r;
}

int cli_text(struct http_client *c, const char *path, struct buf *out, struct error *err)
{
	struct http_request req = HTTP_REQUEST_INIT;
	struct http_response res = { 0 };
	int r;

	req.method = "GET";
	req.path = path;
	req.timeout_ms = 600000;
	req.response_max_bytes = LIMIT_LOG_BYTES;
	r = http_client_do(c, &req, &res, err);
	if (r)
		return r;
	if (res.status / 100 != 2)
		r = problem(&res, err);
	else
		buf_add(out, buf_cstr(&res.body), res.body.len);
	http_response_free(&res);
	return r;
}

void cli_query_value(struct buf *b, const char *s)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (; *s; s++) {
		if (strchr(plain, *s))
			buf_char(b, *s);
		else
			buf_printf(b, "%%%02X", (unsigned char)*s);
	}
}
