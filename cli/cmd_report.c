// SPDX-License-Identifier: MIT
/* faultline report: what a mail would tell of a regression. */
#include <stdio.h>

#include "cli/cli.h"
#include "lib/clean.h"

struct args {
	struct server_args server;
	long long id;
	bool mbox;
};

static const struct argp_option options[] = {
	{ "mbox", 'm', NULL, 0, "as a mailbox with the mail, for mutt and the like", 0 }, { 0 }
};

static error_t on_arg(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->server;
		return 0;
	case 'm':
		a->mbox = true;
		return 0;
	case ARGP_KEY_ARG:
		cli_id(state, arg, &a->id);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "an id is needed");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

int cmd_report(int argc, char **argv)
{
	static const struct argp_child children[] = { { &server_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = { options,	on_arg,
					  "REGRESSION", "Prints the report of a regression.",
					  children,	NULL,
					  NULL };
	CLEANUP(http_client_free_p) struct http_client *c = NULL;
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(free_p) char *path = NULL;
	struct error err = ERROR_INIT;
	struct args a = { 0 };
	int r;

	cli_parse(&argp, argc, argv, &a);
	path = xasprintf("/api/v1/regressions/%lld.%s", a.id, a.mbox ? "mbox" : "txt");
	r = cli_connect(&a.server, &c, &err);
	if (!r)
		r = cli_text(c, path, &text, &err);
	if (r)
		return cli_fail(&err);
	fwrite(buf_cstr(&text), 1, text.len, stdout);
	return EXIT_OK;
}
