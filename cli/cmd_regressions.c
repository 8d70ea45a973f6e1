// SPDX-License-Identifier: MIT
/* faultline regressions: what the server knows to have got worse. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/json.h"
#include "lib/table.h"

#define PAGE 500
#define TITLE_WIDTH 48

struct args {
	struct server_args server;
	enum format format;
	const char *state, *repo, *ref;
};

static const struct argp_option options[] = {
	{ "state", 's', "STATE", 0,
	  "open (not ended yet), new, confirmed, bisected, fixed, flaky, infrastructure, stale",
	  0 },
	{ "repo", 'r', "NAME", 0, "of this repository", 0 },
	{ "ref", 'b', "REF", 0, "of this branch, or what submissions asked for", 0 },
	{ "format", 'F', "table|json|csv", 0, "table is the default", 0 },
	{ 0 }
};

static const char doc[] =
	"Lists regressions, newest first: id, state, the commit that brought it (or - when it is not "
	"known), what it says, and since when.\v"
	"Exit status: 0 none of them is open, 1 one is, 2 there was trouble, 64 usage.\n\n"
	"Examples:\n"
	"  faultline regressions --state open\n"
	"  faultline regressions --repo mm --ref mm-unstable --format csv";

static error_t on_arg(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->server;
		return 0;
	case 's':
		a->state = arg;
		return 0;
	case 'r':
		a->repo = arg;
		return 0;
	case 'b':
		a->ref = arg;
		return 0;
	case 'F':
		a->format = cli_list_format(state, arg);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", arg);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static void add_filter(struct buf *path, const char *name, const char *value)
{
	if (!value)
		return;
	buf_printf(path, "&%s=", name);
	cli_query_value(path, value);
}

/* Adds one page to `items`; *ret_next is owned, NULL after the last one. */
static int fetch_page(struct http_client *c, const struct args *a, const char *cursor,
		      struct json_object *items, char **ret_next, struct error *err)
{
	CLEANUP(buf_free) struct buf path = BUF_INIT;
	CLEANUP(json_put_p) struct json_object *o = NULL;
	const char *next = NULL;
	struct jval v, arr;
	int r;

	buf_printf(&path, "/api/v1/regressions?limit=%d", PAGE);
	add_filter(&path, "state", a->state);
	add_filter(&path, "repo", a->repo);
	add_filter(&path, "ref", a->ref);
	add_filter(&path, "cursor", cursor);
	r = cli_call(c, "GET", buf_cstr(&path), NULL, &o, err);
	if (r)
		return r;
	v = json_root(o);
	r = json_get_arr(&v, "items", &arr, err);
	if (!r)
		r = json_opt_str(&v, "next", 200, &next, err);
	if (r)
		return error_wrap(err, -EPROTO, "the server's answer");
	for (size_t i = 0; i < json_arr_len(&arr); i++)
		json_object_array_add(items, json_object_get(json_arr_at(&arr, i).o));
	*ret_next = xstrdup(next);
	return 0;
}

static int fetch(const struct args *a, struct json_object *items, struct error *err)
{
	CLEANUP(http_client_free_p) struct http_client *c = NULL;
	CLEANUP(free_p) char *next = NULL;
	int r = cli_connect(&a->server, &c, err);

	do {
		CLEANUP(free_p) char *cursor = STEAL(next);

		if (!r)
			r = fetch_page(c, a, cursor, items, &next, err);
	} while (!r && next);
	return r;
}

/* Prints a line unless `quiet`; what is no regression is an error, as the exit status rests on it. */
static int row(struct jval *e, bool quiet, bool *ret_open, struct error *err)
{
	const char *state = "", *culprit = NULL, *title = "", *since = "";
	CLEANUP(free_p) char *shown = NULL;
	int64_t id = 0;
	bool open = false;
	int r = json_get_i64(e, "id", 1, INT64_MAX, &id, err);

	if (!r)
		r = json_get_str(e, "state", 100, &state, err);
	if (!r)
		r = json_get_bool(e, "open", &open, err);
	if (!r)
		r = json_opt_str(e, "culprit_short", 100, &culprit, err);
	if (!r)
		r = json_get_str(e, "title", 65536, &title, err);
	if (!r)
		r = json_get_str(e, "created", 100, &since, err);
	if (r)
		return error_wrap(err, -EPROTO, "the server's answer");
	*ret_open |= open;
	if (quiet)
		return 0;
	shown = str_printable(title, strlen(title));
	printf("%6lld  %-14s  %-12s  %-*.160s  %.10s\n", (long long)id, state,
	       culprit ? culprit : "-", TITLE_WIDTH, shown, since);
	return 0;
}

static int print(const struct args *a, struct json_object *items, bool *ret_open, struct error *err)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	CLEANUP(free_p) char *text = NULL;
	struct jval arr = json_root(items);
	int r = 0;

	if (a->format == FORMAT_TABLE)
		printf("%6s  %-14s  %-12s  %-*s  %s\n", "ID", "STATE", "CULPRIT", TITLE_WIDTH,
		       "TITLE", "SINCE");
	for (size_t i = 0; i < json_arr_len(&arr) && !r; i++) {
		struct jval e = json_arr_at(&arr, i);

		r = row(&e, a->format != FORMAT_TABLE, ret_open, err);
	}
	if (r)
		return r;
	if (a->format == FORMAT_JSON) {
		text = json_text_pretty(items);
		buf_printf(&out, "%s\n", text);
	} else if (a->format == FORMAT_CSV) {
		table_csv(items, &out);
	}
	fwrite(buf_cstr(&out), 1, out.len, stdout);
	return 0;
}

int cmd_regressions(int argc, char **argv)
{
	const struct argp_child children[] = { { &server_argp, 0, NULL, 0 }, { 0 } };
	const struct argp argp = { options, on_arg, NULL, doc, children, NULL, NULL };
	CLEANUP(json_put_p) struct json_object *items = json_object_new_array();
	struct args a = { .format = FORMAT_TABLE };
	struct error err = ERROR_INIT;
	bool open = false;
	int r;

	cli_parse(&argp, argc, argv, &a);
	r = fetch(&a, items, &err);
	if (!r)
		r = print(&a, items, &open, &err);
	if (r)
		return cli_fail(&err);
	return open ? EXIT_FAILED : EXIT_OK;
}
