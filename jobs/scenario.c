/* SPDX-License-Identifier: MIT */
#include "jobs/scenario.h"

#include <fnmatch.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/limits.h"

static const struct scenario scenarios[] = {
#define SCENARIO(ident_, name_, kind_, errnos_, deadline_ms_, needs_, summary_, path_) \
	{ .name = (name_),                                                             \
	  .kind = SCENARIO_KIND_##kind_,                                               \
	  .allowed_errnos = (errnos_),                                                 \
	  .deadline_ms = (deadline_ms_),                                               \
	  .needs = (needs_),                                                           \
	  .summary = (summary_),                                                       \
	  .path = (path_) },
#include "jobs/guest/scenarios.def"
#undef SCENARIO
#define SELFTEST(name_, program_, arguments_, huge_mib_, deadline_s_)  \
	{ .name = "selftests." name_,                                  \
	  .kind = SCENARIO_KIND_SELFTEST,                              \
	  .allowed_errnos = "",                                        \
	  .deadline_ms = (deadline_s_)*1000,                           \
	  .needs = "",                                                 \
	  .summary = "the kernel's own test " program_ " " arguments_, \
	  .path = "tools/testing/selftests/mm/" program_ },
#include "jobs/guest/selftests.def"
};

/* A program that this table does not know. */
static const struct scenario any_selftest = {
	.name = "selftests.any",
	.kind = SCENARIO_KIND_SELFTEST,
	.allowed_errnos = "",
	.deadline_ms = 120000, /* as in jobs/guest/selftest.c */
	.needs = "",
	.summary = "a program of the kernel's own tests",
	.path = "tools/testing/selftests/mm",
};

const struct scenario *scenario_table(size_t *ret_n)
{
	*ret_n = sizeof(scenarios) / sizeof(scenarios[0]);
	return scenarios;
}

const struct scenario *scenario_find(const char *name)
{
	size_t n;
	const struct scenario *table = scenario_table(&n);

	for (size_t i = 0; name && i < n; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	if (name && str_starts(name, "selftests.") && scenario_name_is_valid(name))
		return &any_selftest;
	return NULL;
}

bool scenario_name_is_valid(const char *name)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
	size_t len = strlen(name);

	return len > 0 && len <= SCENARIO_NAME_LEN && name[0] != '.' && name[0] != '-' &&
	       name[len - 1] != '.' && !strstr(name, "..") && strspn(name, letters) == len;
}

bool scenario_matches(const struct scenario *s, const char *glob)
{
	return fnmatch(glob, s->name, 0) == 0;
}
