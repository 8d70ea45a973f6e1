/* SPDX-License-Identifier: MIT */
/*
 * What `faultline run` needs for the kernel's own selftests: the programs, built or given, and the
 * baseline that their results are compared with. Thread: the main one.
 */
#ifndef FAULTLINE_CLI_SELFTESTS_H
#define FAULTLINE_CLI_SELFTESTS_H

#include "agent/engine.h"
#include "agent/selftests.h"

struct run_selftests {
	struct selftests programs; /* valid when `found` */
	bool found;
	struct result_doc baseline; /* valid when `compared` */
	bool compared;
};

/* When the plan has cases selftests.*: takes the programs of the folder `dir`, or builds those of
 * `tree` (either may be NULL), and adds cases for programs that the catalogue does not know when
 * `all` is wanted. `baseline` (NULL: none) is a result document; `config_hash` (may be NULL) has to be
 * that of the baseline. Fills in t->selftests and t->baseline, which point into *s. */
must_check int run_selftests_prepare(struct run_selftests *s, struct plan *plan, bool all,
				     const char *tree, const char *dir, const char *baseline,
				     struct testrun_opts *t, struct error *err);
void run_selftests_free(struct run_selftests *s);

#endif
