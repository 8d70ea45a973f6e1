// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "lib/clean.h"
#include "lib/json.h"
#include "lib/path.h"

struct submit_args {
	struct server_args server;
	const char *git, *ref, *base, *plan;
	bool wait, json;
};

static const struct argp_option options[] = {
	{ "git", 'g', "URL", 0, "the repository: a URL, or the name of one that the server follows",
	  0 },
	{ "ref", 'r', "REF", 0, "branch, tag or commit to test", 0 },
	{ "base", 'b', "REV", 0, "where the range begins (default: the merge base)", 0 },
	{ "plan", 'p', "NAME", 0, "the plan (default: the server's)", 0 },
	{ "wait", 'w', NULL, 0, "follow it to its end; exit status by the verdicts", 0 },
	{ "json", 'J', NULL, 0, "print the server's answer as JSON", 0 },
	{ 0 }
};

static error_t on_arg(int key, char *arg, struct argp_state *state)
{
	struct submit_args *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->server;
		return 0;
	case 'g':
		a->git = arg;
		return 0;
	case 'r':
		a->ref = arg;
		return 0;
	case 'b':
		a->base = arg;
		return 0;
	case 'p':
		a->plan = arg;
		return 0;
	case 'w':
		a->wait = true;
		return 0;
	case 'J':
		a->json = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", arg);
		return 0;
	case ARGP_KEY_END:
		if (!a->git || !a->ref)
			argp_error(state, "--git and --ref are needed");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static struct json_object *submission_body(const struct submit_args *a)
{
	struct json_object *o = json_object_new_object();

	/* A bare name is a repository that the server's administrator configured. */
	json_object_object_add(o, path_name_is_safe(a->git) ? "repo" : "git", json_str(a->git));
	json_object_object_add(o, "ref", json_str(a->ref));
	if (a->base)
		json_object_object_add(o, "base", json_str(a->base));
	if (a->plan)
		json_object_object_add(o, "plan", json_str(a->plan));
	return o;
}

static int submit(const struct submit_args *a, struct http_client *c, int *ret_exit,
		  struct error *err)
{
	CLEANUP(json_put_p) struct json_object *body = submission_body(a);
	CLEANUP(json_put_p) struct json_object *answer = NULL;
	struct jval v;
	int64_t id;
	int r = cli_call(c, "POST", "/api/v1/submissions", body, &answer, err);

	if (r)
		return r;
	v = json_root(answer);
	r = json_get_i64(&v, "id", 1, INT64_MAX, &id, err);
	if (r)
		return error_wrap(err, r, "the server's answer");
	if (a->json) {
		CLEANUP(free_p) char *text = json_text_pretty(answer);

		printf("%s\n", text);
	} else {
		printf("%lld\n", (long long)id);
	}
	fflush(stdout);
	*ret_exit = a->wait ? watch_submission(c, id, a->json) : EXIT_OK;
	return 0;
}

int cmd_submit(int argc, char **argv)
{
	const struct argp_child children[] = { { &server_argp, 0, NULL, 0 }, { 0 } };
	const struct argp argp = { options,
				   on_arg,
				   NULL,
				   "Hands a range of commits to the server, which tests every one "
				   "of them. Prints the submission's id.",
				   children,
				   NULL,
				   NULL };
	CLEANUP(http_client_free_p) struct http_client *c = NULL;
	struct submit_args a = { 0 };
	struct error err = ERROR_INIT;
	int code = EXIT_OK;

	cli_parse(&argp, argc, argv, &a);
	if (cli_connect(&a.server, &c, &err) || submit(&a, c, &code, &err))
		return cli_fail(&err);
	return code;
}
