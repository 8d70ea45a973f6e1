// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "lib/clean.h"
#include "lib/json.h"
#include "lib/path.h"

struct token_args {
	struct server_args server;
	const char *words[3]; /* verb, name, role */
	int n;
};

static error_t on_arg(int key, char *arg, struct argp_state *state)
{
	struct token_args *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->server;
		return 0;
	case ARGP_KEY_ARG:
		if (a->n == 3)
			argp_error(state, "unexpected argument '%s'", arg);
		a->words[a->n++] = arg;
		return 0;
	case ARGP_KEY_END: {
		const char *verb = a->n ? a->words[0] : "";
		int want = !strcmp(verb, "add")	     ? 3
			   : !strcmp(verb, "revoke") ? 2
			   : !strcmp(verb, "list")   ? 1
						     : 0;

		if (!want || a->n != want)
			argp_error(state, "add NAME ROLE, list, or revoke NAME");
		if (want > 1 && !path_name_is_safe(a->words[1]))
			argp_error(state, "name '%s': letters, digits, '.', '_', '-' only",
				   a->words[1]);
		return 0;
	}
	}
	return ARGP_ERR_UNKNOWN;
}

static int token_add(struct http_client *c, const char *name, const char *role, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *body = json_object_new_object();
	CLEANUP(json_put_p) struct json_object *o = NULL;
	const char *token;
	struct jval v;
	int r;

	json_object_object_add(body, "name", json_str(name));
	json_object_object_add(body, "role", json_str(role));
	r = cli_call(c, "POST", "/api/v1/tokens", body, &o, err);
	if (r)
		return r;
	v = json_root(o);
	r = json_get_str(&v, "token", 200, &token, err);
	if (r)
		return error_wrap(err, r, "the server's answer");
	printf("%s\n", token);
	fprintf(stderr, "faultline: this is the only time that the token is shown\n");
	return 0;
}

static int token_list(struct http_client *c, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct jval v, items;
	int r = cli_call(c, "GET", "/api/v1/tokens", NULL, &o, err);

	if (r)
		return r;
	v = json_root(o);
	r = json_get_arr(&v, "items", &items, err);
	for (size_t i = 0; !r && i < json_arr_len(&items); i++) {
		struct jval e = json_arr_at(&items, i);
		const char *name = "", *role = "", *created = "", *revoked = NULL;

		r = json_get_str(&e, "name", 300, &name, err);
		if (!r)
			r = json_get_str(&e, "role", 100, &role, err);
		if (!r)
			r = json_get_str(&e, "created", 100, &created, err);
		if (!r && json_object_object_get(e.o, "revoked"))
			r = json_opt_str(&e, "revoked", 100, &revoked, err);
		if (!r)
			printf("%-24s %-10s %.19s%s%s\n", name, role, created,
			       revoked ? "  revoked " : "", revoked ? revoked : "");
	}
	return r ? error_wrap(err, r, "the server's answer") : 0;
}

static int token_revoke(struct http_client *c, const char *name, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *body = json_object_new_object();
	CLEANUP(free_p) char *path = xasprintf("/api/v1/tokens/%s/revoke", name);

	return cli_call(c, "POST", path, body, NULL, err);
}

int cmd_token(int argc, char **argv)
{
	const struct argp_child children[] = { { &server_argp, 0, NULL, 0 }, { 0 } };
	const struct argp argp = { NULL,
				   on_arg,
				   "add NAME ROLE\nlist\nrevoke NAME",
				   "Tokens of the server (needs an admin token). Roles: admin, "
				   "maintainer, agent, reader.",
				   children,
				   NULL,
				   NULL };
	CLEANUP(http_client_free_p) struct http_client *c = NULL;
	struct token_args a = { 0 };
	struct error err = ERROR_INIT;
	int r;

	cli_parse(&argp, argc, argv, &a);
	r = cli_connect(&a.server, &c, &err);
	if (r)
		return cli_fail(&err);
	if (!strcmp(a.words[0], "add"))
		r = token_add(c, a.words[1], a.words[2], &err);
	else if (!strcmp(a.words[0], "revoke"))
		r = token_revoke(c, a.words[1], &err);
	else
		r = token_list(c, &err);
	return r ? cli_fail(&err) : EXIT_OK;
}
