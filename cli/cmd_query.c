// SPDX-License-Identifier: MIT
/* faultline status, log, repro: what the server knows. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/idarg.h"
#include "cli/matrix.h"
#include "lib/clean.h"
#include "lib/json.h"

static int print_newest(struct http_client *c, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct jval v, items;
	int r = cli_call(c, "GET", "/api/v1/submissions?limit=20", NULL, &o, err);

	if (r)
		return r;
	v = json_root(o);
	r = json_get_arr(&v, "items", &items, err);
	for (size_t i = 0; !r && i < json_arr_len(&items); i++) {
		struct jval e = json_arr_at(&items, i);
		const char *state = "", *repo = "", *ref = "", *created = "";
		int64_t id = 0;

		r = json_get_i64(&e, "id", 1, INT64_MAX, &id, err);
		if (!r)
			r = json_get_str(&e, "state", 100, &state, err);
		if (!r)
			r = json_get_str(&e, "repo", 300, &repo, err);
		if (!r)
			r = json_get_str(&e, "ref", 300, &ref, err);
		if (!r)
			r = json_get_str(&e, "created", 100, &created, err);
		if (!r)
			printf("%6lld  %-9s %.19s  %s %s\n", (long long)id, state, created, repo,
			       ref);
	}
	return r ? error_wrap(err, r, "the server's answer") : 0;
}

static int print_status(struct http_client *c, long long id, struct error *err)
{
	CLEANUP(free_p) char *path = xasprintf("/api/v1/submissions/%lld", id);
	CLEANUP(json_put_p) struct json_object *o = NULL;
	const char *state = "", *message = NULL;
	struct jval v;
	int r = cli_call(c, "GET", path, NULL, &o, err);

	if (r)
		return r;
	v = json_root(o);
	r = json_get_str(&v, "state", 100, &state, err);
	if (r)
		return error_wrap(err, r, "the server's answer");
	if (json_object_object_get(o, "message") &&
	    json_opt_str(&v, "message", 4096, &message, err))
		return -err->code;
	printf("submission %lld: %s%s%s\n", id, state, message && *message ? ": " : "",
	       message ? message : "");
	print_matrix(o);
	return 0;
}

int cmd_status(int argc, char **argv)
{
	CLEANUP(http_client_free_p) struct http_client *c = NULL;
	struct id_args a = { 0 };
	struct error err = ERROR_INIT;
	int r;

	id_parse(argc, argv, "[ID]", "Shows one submission, or the newest ones.", &a);
	r = cli_connect(&a.server, &c, &err);
	if (!r)
		r = a.id ? print_status(c, a.id, &err) : print_newest(c, &err);
	return r ? cli_fail(&err) : EXIT_OK;
}

int cmd_log(int argc, char **argv)
{
	CLEANUP(http_client_free_p) struct http_client *c = NULL;
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(free_p) char *path = NULL;
	struct id_args a = { .need_id = true };
	struct error err = ERROR_INIT;
	int r;

	id_parse(argc, argv, "RUN", "Prints a run's log: build output, or the machines' consoles.",
		 &a);
	path = xasprintf("/api/v1/runs/%lld/log", a.id);
	r = cli_connect(&a.server, &c, &err);
	if (!r)
		r = cli_text(c, path, &text, &err);
	if (r)
		return cli_fail(&err);
	fwrite(buf_cstr(&text), 1, text.len, stdout);
	return EXIT_OK;
}

/* The stored command replays on a bzImage; the server has that very file. */
static int print_repro(struct http_client *c, const struct id_args *a, struct error *err)
{
	CLEANUP(free_p) char *path = xasprintf("/api/v1/results/%lld", a->id);
	const char *server = a->server.server ? a->server.server : getenv("FAULTLINE_SERVER");
	CLEANUP(json_put_p) struct json_object *o = NULL;
	const char *repro = NULL;
	struct jval v;
	int64_t build = 0;
	int r = cli_call(c, "GET", path, NULL, &o, err);

	if (r)
		return r;
	v = json_root(o);
	r = json_get_str(&v, "repro", 8192, &repro, err);
	if (!r)
		r = json_opt_i64(&v, "build", 1, INT64_MAX, &build, err);
	if (r)
		return error_wrap(err, r, "the server's answer");
	if (build)
		printf("curl -fsSo bzImage '%s/api/v1/builds/%lld/artifacts/bzImage' && ",
		       server && *server ? server : "http://127.0.0.1:8080", (long long)build);
	printf("%s\n", repro);
	return 0;
}

int cmd_repro(int argc, char **argv)
{
	CLEANUP(http_client_free_p) struct http_client *c = NULL;
	struct id_args a = { .need_id = true };
	struct error err = ERROR_INIT;
	int r;

	id_parse(argc, argv, "RESULT",
		 "Prints a shell command that replays exactly that case, on the kernel that was "
		 "tested.",
		 &a);
	r = cli_connect(&a.server, &c, &err);
	if (!r)
		r = print_repro(c, &a, &err);
	return r ? cli_fail(&err) : EXIT_OK;
}
