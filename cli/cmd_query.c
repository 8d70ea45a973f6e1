// SPDX-License-Identifier: MIT
/* faultline status, results, log, repro: what the server knows. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/idarg.h"
#include "cli/matrix.h"
#include "lib/clean.h"
#include "lib/json.h"

#define PAGE 500

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

/* One item of /results?full=1, parsed: the document and where it belongs. */
struct item {
	struct result result;
	char *commit, *id;
};

static int parse_item(const struct jval *e, struct item *ret, struct error *err)
{
	const char *commit = NULL;
	int64_t id;
	int r = json_get_i64(e, "id", 1, INT64_MAX, &id, err);

	if (!r)
		r = json_get_str(e, "commit", 64, &commit, err);
	if (!r)
		r = result_from_json(e, &ret->result, err);
	if (r)
		return r;
	ret->commit = xstrdup(commit);
	ret->id = xasprintf("%lld", (long long)id);
	return 0;
}

struct items {
	struct item *v;
	size_t n, cap;
};

static void items_free(struct items *it)
{
	for (size_t i = 0; i < it->n; i++) {
		result_free(&it->v[i].result);
		free(it->v[i].commit);
		free(it->v[i].id);
	}
	free(it->v);
}

static int fetch_page(struct http_client *c, const char *path, struct items *it, char **ret_next,
		      struct error *err)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	const char *next = NULL;
	struct jval v, arr;
	int r = cli_call(c, "GET", path, NULL, &o, err);

	if (r)
		return r;
	v = json_root(o);
	r = json_get_arr(&v, "items", &arr, err);
	for (size_t i = 0; !r && i < json_arr_len(&arr); i++) {
		struct jval e = json_arr_at(&arr, i);

		ARRAY_RESERVE(it->v, it->n, it->cap);
		memset(&it->v[it->n], 0, sizeof(it->v[it->n]));
		r = parse_item(&e, &it->v[it->n], err);
		if (!r)
			it->n++;
	}
	if (!r)
		r = json_opt_str(&v, "next", 200, &next, err);
	if (r)
		return error_wrap(err, r, "the server's answer");
	*ret_next = xstrdup(next);
	return 0;
}

static int fetch_results(struct http_client *c, long long id, struct items *it, struct error *err)
{
	CLEANUP(free_p) char *next = NULL;
	int r;

	do {
		CLEANUP(free_p)
		char *path = xasprintf("/api/v1/results?submission=%lld&full=1&limit=%d%s%s", id,
				       PAGE, next ? "&cursor=" : "", next ? next : "");

		free(next);
		next = NULL;
		r = fetch_page(c, path, it, &next, err);
	} while (!r && next);
	return r;
}

static void print_items_json(const struct items *it)
{
	CLEANUP(json_put_p) struct json_object *o = json_object_new_object();
	struct json_object *arr = json_object_new_array();
	CLEANUP(free_p) char *text = NULL;

	for (size_t i = 0; i < it->n; i++) {
		struct json_object *r = result_to_json(&it->v[i].result);

		json_object_object_add(r, "id", json_object_new_int64(atoll(it->v[i].id)));
		json_object_object_add(r, "commit", json_str(it->v[i].commit));
		json_object_array_add(arr, r);
	}
	json_object_object_add(o, "version", json_object_new_int(1));
	json_object_object_add(o, "results", arr);
	text = json_text_pretty(o);
	printf("%s\n", text);
}

static int print_items(const struct items *it, enum format f, bool stacks)
{
	CLEANUP(free_p) struct row *rows = xcalloc(it->n + 1, sizeof(*rows));
	int counts[STATUS_COUNT] = { 0 };

	for (size_t i = 0; i < it->n; i++) {
		rows[i].result = &it->v[i].result;
		rows[i].commit = it->v[i].commit;
		rows[i].id = it->v[i].id;
		counts[it->v[i].result.status]++;
	}
	if (f == FORMAT_JSON)
		print_items_json(it);
	else
		print_rows(f, rows, it->n);
	if (f == FORMAT_TABLE && stacks)
		print_stacks(rows, it->n);
	if (f == FORMAT_TABLE)
		print_summary(stderr, counts);
	return status_exit_code(counts);
}

int cmd_results(int argc, char **argv)
{
	CLEANUP(http_client_free_p) struct http_client *c = NULL;
	struct id_args a = { .need_id = true, .has_format = true };
	struct items it = { 0 };
	struct error err = ERROR_INIT;
	int r, code = EXIT_TROUBLE;

	id_parse(argc, argv, "ID", "Prints every result of a submission.", &a);
	r = cli_connect(&a.server, &c, &err);
	if (!r)
		r = fetch_results(c, a.id, &it, &err);
	code = r ? cli_fail(&err) : print_items(&it, a.format, a.stacks);
	items_free(&it);
	return code;
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
