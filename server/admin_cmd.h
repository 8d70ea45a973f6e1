/* SPDX-License-Identifier: MIT */
/*
 * admin_cmd: sub-commands of faultline-server that work on the data folder while no server runs:
 * `token add NAME ROLE`, `token list`, `token revoke NAME`, `backup FILE`.
 */
#ifndef FAULTLINE_SERVER_ADMIN_CMD_H
#define FAULTLINE_SERVER_ADMIN_CMD_H

#include "server/config.h"

/* Exit code: 0, 1 (failed; said why on stderr), 64 (usage). */
int admin_cmd_run(const struct config *c, int argc, char **argv);

#endif
