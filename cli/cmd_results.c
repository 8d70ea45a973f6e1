// SPDX-License-Identifier: MIT
/* faultline results: of a submission, a run or a commit, in every format. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/json.h"

#define PAGE 500

enum { OPT_STACKS = 256, OPT_ORIGIN, OPT_RUN, OPT_COMMIT, OPT_SCENARIO, OPT_STATUS };

struct args {
	struct server_args server;
	long long submission, run; /* 0 = any */
	const char *commit, *scenario, *status; /* NULL = any */
	enum format format;
	const char *origin;
	bool stacks;
};

static const struct argp_option options[] = {
	{ "run", OPT_RUN, "ID", 0, "of this run", 0 },
	{ "commit", OPT_COMMIT, "SHA", 0, "of all tests of this commit (40 digits)", 0 },
	{ "scenario", OPT_SCENARIO, "NAME", 0, "only this scenario's", 0 },
	{ "status", OPT_STATUS, "STATUS", 0, "only FAIL, ERROR, MISS, PASS, DONE or SKIP", 0 },
	{ "format", 'F', FORMAT_NAMES, 0, "of the results", 0 },
	{ "origin", OPT_ORIGIN, "NAME", 0,
	  "who says so, in kcidb: the server's own (default " EXPORT_ORIGIN ")", 0 },
	{ "stacks", OPT_STACKS, NULL, 0, "show in the table what stacks were injected into", 0 },
	{ 0 }
};

static const char doc[] =
	"Prints every result of a submission (ID), a run or a commit.\v"
	"Exit status: 0 nothing failed, 1 a kernel failed, 2 there was trouble, 64 usage.\n\n"
	"Examples:\n"
	"  faultline results 12 --format ktap\n"
	"  faultline results 12 --status FAIL\n"
	"  faultline results --run 345 --scenario split.mprotect --format csv";

static error_t on_arg(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->server;
		return 0;
	case OPT_RUN:
		cli_id(state, arg, &a->run);
		return 0;
	case OPT_COMMIT:
		a->commit = arg;
		return 0;
	case OPT_SCENARIO:
		a->scenario = arg;
		return 0;
	case OPT_STATUS:
		a->status = arg;
		return 0;
	case 'F':
		if (!format_parse(arg, &a->format))
			argp_error(state, "--format: '%s' is not one of " FORMAT_NAMES, arg);
		return 0;
	case OPT_ORIGIN:
		a->origin = cli_origin(state, arg);
		return 0;
	case OPT_STACKS:
		a->stacks = true;
		return 0;
	case ARGP_KEY_ARG:
		cli_id(state, arg, &a->submission);
		return 0;
	case ARGP_KEY_END:
		/* of all that a server knows nobody wants every result */
		if (!a->submission && !a->run && !a->commit)
			argp_error(state, "a submission's id, --run or --commit is needed");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static int fetch_page(struct http_client *c, const char *path, struct export *e, char **ret_next,
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
		struct jval item = json_arr_at(&arr, i);

		r = export_add_item(e, &item, err);
	}
	if (!r)
		r = json_opt_str(&v, "next", 200, &next, err);
	if (r)
		return error_wrap(err, r, "the server's answer");
	*ret_next = xstrdup(next);
	return 0;
}

static void add_filter(struct buf *path, const char *name, const char *value)
{
	if (!value)
		return;
	buf_printf(path, "&%s=", name);
	cli_query_value(path, value);
}

static int fetch_results(struct http_client *c, const struct args *a, struct export *e,
			 struct error *err)
{
	CLEANUP(free_p) char *next = NULL;
	int r;

	do {
		CLEANUP(free_p) char *cursor = STEAL(next);
		CLEANUP(buf_free) struct buf path = BUF_INIT;

		buf_printf(&path, "/api/v1/results?full=1&limit=%d", PAGE);
		if (a->submission)
			buf_printf(&path, "&submission=%lld", a->submission);
		if (a->run)
			buf_printf(&path, "&run=%lld", a->run);
		add_filter(&path, "commit", a->commit);
		add_filter(&path, "scenario", a->scenario);
		add_filter(&path, "status", a->status);
		add_filter(&path, "cursor", cursor);
		r = fetch_page(c, buf_cstr(&path), e, &next, err);
	} while (!r && next);
	return r;
}

static int fetch_build(struct http_client *c, int64_t number, struct export *e, struct error *err)
{
	CLEANUP(free_p) char *at = xasprintf("/api/v1/builds/%lld", (long long)number);
	CLEANUP(json_put_p) struct json_object *build = NULL;
	struct jval v;
	int r = cli_call(c, "GET", at, NULL, &build, err);

	if (r)
		return r;
	v = json_root(build);
	r = export_add_build(e, &v, err);
	return r ? error_wrap(err, r, "the server's answer") : 0;
}

/* Of a whole submission: also the builds that have no results because they were only built. */
static int submission_builds(struct http_client *c, long long id, int64_t **ret, size_t *ret_n,
			     struct error *err)
{
	CLEANUP(free_p) char *path = xasprintf("/api/v1/submissions/%lld", id);
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct jval v;
	int r = cli_call(c, "GET", path, NULL, &o, err);

	if (r)
		return r;
	v = json_root(o);
	r = export_build_numbers(&v, ret, ret_n, err);
	return r ? error_wrap(err, r, "the server's answer") : 0;
}

static int fetch_builds(struct http_client *c, const struct args *a, struct export *e,
			struct error *err)
{
	bool whole = a->submission && !a->run && !a->commit && !a->scenario && !a->status;
	CLEANUP(free_p) int64_t *numbers = NULL;
	size_t n = e->n_builds;
	int r = 0;

	for (size_t i = 0; !r && i < n; i++)
		r = fetch_build(c, e->builds[i].number, e, err);
	if (r || !whole)
		return r;
	r = submission_builds(c, a->submission, &numbers, &n, err);
	for (size_t i = 0; !r && i < n; i++)
		r = fetch_build(c, numbers[i], e, err);
	return r;
}

static void print_rows_json(const struct export *e)
{
	CLEANUP(json_put_p) struct json_object *o = json_object_new_object();
	struct json_object *arr = json_object_new_array();
	CLEANUP(free_p) char *text = NULL;

	for (size_t i = 0; i < e->n_rows; i++) {
		const struct export_row *row = &e->rows[i];
		struct json_object *r = result_to_json(row->result);

		json_object_object_add(r, "id", json_object_new_int64(row->number));
		json_object_object_add(r, "commit", json_str(export_row_build(e, row)->commit));
		json_object_array_add(arr, r);
	}
	json_object_object_add(o, "version", json_object_new_int(1));
	json_object_object_add(o, "results", arr);
	text = json_text_pretty(o);
	printf("%s\n", text);
}

static int print_results(const struct export *e, enum format f, bool stacks)
{
	int counts[STATUS_COUNT] = { 0 };

	for (size_t i = 0; i < e->n_rows; i++)
		counts[e->rows[i].result->status]++;
	if (f == FORMAT_JSON)
		print_rows_json(e);
	else
		print_rows(f, e);
	if (f == FORMAT_TABLE && stacks)
		print_stacks(e);
	if (f == FORMAT_TABLE)
		print_summary(stderr, counts);
	return status_exit_code(counts);
}

int cmd_results(int argc, char **argv)
{
	const struct argp_child children[] = { { &server_argp, 0, NULL, 0 }, { 0 } };
	const struct argp argp = { options, on_arg, "[ID]", doc, children, NULL, NULL };
	CLEANUP(http_client_free_p) struct http_client *c = NULL;
	CLEANUP(export_free) struct export e = { 0 };
	const struct export_format *format;
	struct error err = ERROR_INIT;
	struct args a = { 0 };
	int r;

	cli_parse(&argp, argc, argv, &a);
	format = format_export(a.format);
	e.origin = a.origin;
	e.url = cli_public_url(&a.server);
	r = cli_connect(&a.server, &c, &err);
	if (!r)
		r = fetch_results(c, &a, &e, &err);
	if (!r && format && format->needs_builds)
		r = fetch_builds(c, &a, &e, &err);
	return r ? cli_fail(&err) : print_results(&e, a.format, a.stacks);
}
