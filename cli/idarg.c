// SPDX-License-Identifier: MIT
#include "cli/idarg.h"

#include "lib/buf.h"

enum { OPT_STACKS = 256, OPT_ORIGIN };

static const struct argp_option format_options[] = {
	{ "format", 'F', FORMAT_NAMES, 0, "of the results", 0 },
	{ "origin", OPT_ORIGIN, "NAME", 0,
	  "who says so, in kcidb: the server's own (default " EXPORT_ORIGIN ")", 0 },
	{ "stacks", OPT_STACKS, NULL, 0, "show in the table what stacks were injected into", 0 },
	{ 0 }
};

static error_t on_arg(int key, char *arg, struct argp_state *state)
{
	struct id_args *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->server;
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
		cli_id(state, arg, &a->id);
		return 0;
	case ARGP_KEY_END:
		if (a->need_id && !a->id)
			argp_error(state, "an id is needed");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

void id_parse(int argc, char **argv, const char *what, const char *doc, struct id_args *a)
{
	const struct argp_child children[] = { { &server_argp, 0, NULL, 0 }, { 0 } };
	const struct argp argp = {
		a->has_format ? format_options : NULL, on_arg, what, doc, children, NULL, NULL
	};

	cli_parse(&argp, argc, argv, a);
}
