/* SPDX-License-Identifier: MIT */
/* idarg: the commands that take one id, the server's address and perhaps a format. */
#ifndef FAULTLINE_CLI_IDARG_H
#define FAULTLINE_CLI_IDARG_H

#include "cli/cli.h"

struct id_args {
	struct server_args server;
	long long id; /* 0 = none was given */
	bool need_id;
	bool has_format;
	enum format format;
	const char *origin; /* NULL: the default */
	bool stacks; /* in a table, --stacks */
};

/* Parses; `doc` is what --help says, `what` names the argument ("ID"). */
void id_parse(int argc, char **argv, const char *what, const char *doc, struct id_args *a);

#endif
