// SPDX-License-Identifier: MIT
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "lib/buf.h"
#include "version.h"

const struct command cli_commands[] = {
	{ "run", cmd_run, "build and test a kernel here, without a server" },
	{ "submit", cmd_submit, "have a branch tested by the server" },
	{ "watch", cmd_watch, "follow a submission until it ends" },
	{ "status", cmd_status, "one submission, or the newest ones" },
	{ "results", cmd_results,
	  "results of a submission, run or commit: table, json, csv, ktap, junit, kcidb" },
	{ "compare", cmd_compare, "what got worse from one kernel to another" },
	{ "regressions", cmd_regressions,
	  "what got worse and is not mended; of one branch or all" },
	{ "log", cmd_log, "the log of a run: build output or consoles" },
	{ "repro", cmd_repro, "the shell command that replays one result" },
	{ "report", cmd_report, "the report of a regression, as text or as a mail" },
	{ "classify", cmd_classify, "a kernel log: what went wrong in it" },
	{ "scenarios", cmd_scenarios, "the catalogue of scenarios" },
	{ "plans", cmd_plans, "the plans that are installed" },
	{ "doctor", cmd_doctor, "what this machine has and lacks" },
	{ "export-static", cmd_export_static, "the dashboard as files, for a mirror" },
	{ "token", cmd_token, "add, list or revoke tokens" },
};
const size_t cli_n_commands = ARRAY_SIZE(cli_commands);

static void usage(FILE *out)
{
	fputs("Usage: faultline COMMAND [OPTION...]\n"
	      "Makes page-table allocations fail while huge pages are split, and tells what "
	      "breaks.\n\n",
	      out);
	for (size_t i = 0; i < cli_n_commands; i++)
		fprintf(out, "  %-13s %s\n", cli_commands[i].name, cli_commands[i].summary);
	fputs("\n`faultline COMMAND --help` explains a command. Exit status: 0 all passed or "
	      "skipped,\n1 the kernel failed something, 2 trouble of the test or the machine, "
	      "64 usage.\n"
	      "Server and token: --server, --token-file or FAULTLINE_SERVER, "
	      "FAULTLINE_TOKEN_FILE.\n",
	      out);
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	argp_err_exit_status = EXIT_USAGE;
	argp_program_version = "faultline " FAULTLINE_VERSION;
	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help") || !strcmp(argv[1], "-h")) {
		usage(stdout);
		return EXIT_OK;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("%s\n", argp_program_version);
		return EXIT_OK;
	}
	for (size_t i = 0; i < cli_n_commands; i++) {
		char *name;
		int r;

		if (strcmp(cli_commands[i].name, argv[1]))
			continue;
		name = xasprintf("faultline %s", argv[1]);
		argv[1] = name;
		r = cli_commands[i].run(argc - 1, argv + 1);
		free(name);
		return r;
	}
	fprintf(stderr, "faultline: unknown command '%s'; `faultline --help` lists them\n",
		argv[1]);
	return EXIT_USAGE;
}
