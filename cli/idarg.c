// SPDX-License-Identifier: MIT
#include "cli/idarg.h"

static error_t on_arg(int key, char *arg, struct argp_state *state)
{
	struct id_args *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->server;
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
	const struct argp argp = { NULL, on_arg, what, doc, children, NULL, NULL };

	cli_parse(&argp, argc, argv, a);
}
