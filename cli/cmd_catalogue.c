// SPDX-License-Identifier: MIT
/* faultline scenarios, faultline plans: what can be run. */
#include <stdio.h>

#include "cli/cli.h"
#include "jobs/scenario.h"
#include "lib/clean.h"
#include "lib/path.h"

static error_t no_args(int key, char *arg, struct argp_state *state)
{
	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	argp_error(state, "unexpected argument '%s'", arg);
	return 0;
}

int cmd_scenarios(int argc, char **argv)
{
	static const char *const kinds[] = { "split", "control", "metric" };
	const struct argp argp = { NULL, no_args, NULL, "Lists the catalogue of scenarios.",
				   NULL, NULL,	  NULL };
	const struct scenario *table;
	size_t n;

	cli_parse(&argp, argc, argv, NULL);
	table = scenario_table(&n);
	printf("%-20s %-8s %-14s %s\n", "SCENARIO", "KIND", "MAY RETURN", "SUMMARY");
	for (size_t i = 0; i < n; i++) {
		const struct scenario *s = &table[i];

		printf("%-20s %-8s %-14s %s\n%-44s by %s\n", s->name, kinds[s->kind],
		       *s->allowed_errnos ? s->allowed_errnos : "-", s->summary, "", s->path);
	}
	return EXIT_OK;
}

static int print_plan(const char *share, const char *name, struct error *err)
{
	CLEANUP(plan_free_p) struct plan *p = NULL;
	int r = plan_load(share, name, &p, err);

	if (r)
		return r;
	printf("%-16s %3zu cases  %s\n", p->name, p->n_cases, p->summary);
	for (size_t i = 0; i < p->n_configs; i++) {
		const struct plan_config *c = &p->configs[i];

		printf("  %-14s %s, %s, %s:", c->name, c->arch, c->compiler,
		       c->boot ? "booted" : "built only");
		for (size_t k = 0; k < c->n_fragments; k++)
			printf(" %s", c->fragments[k].name);
		printf("\n");
	}
	return 0;
}

int cmd_plans(int argc, char **argv)
{
	const struct argp argp = { NULL, no_args, NULL, "Lists the plans that are installed.",
				   NULL, NULL,	  NULL };
	CLEANUP(free_p) char *share = path_share("jobs");
	struct error err = ERROR_INIT;
	char **names = NULL;
	size_t n = 0;
	int r;

	cli_parse(&argp, argc, argv, NULL);
	r = plan_list(share, &names, &n, &err);
	for (size_t i = 0; i < n; i++) {
		if (!r)
			r = print_plan(share, names[i], &err);
		free(names[i]);
	}
	free(names);
	return r ? cli_fail(&err) : EXIT_OK;
}
