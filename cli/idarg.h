/* SPDX-License-Identifier: MIT */
/* idarg: the commands that take one id and the server's address. */
#ifndef FAULTLINE_CLI_IDARG_H
#define FAULTLINE_CLI_IDARG_H

#include "cli/cli.h"

struct id_args {
	struct server_args server;
	long long id; /* 0 = none was given */
	bool need_id;
};

/* Parses; `doc` is what --help says, `what` names the argument ("ID"). */
void id_parse(int argc, char **argv, const char *what, const char *doc, struct id_args *a);

#endif
