/* SPDX-License-Identifier: MIT */
/*
 * plan: which configurations to build, which to boot, which cases to run how often.
 * JSON in jobs/plans/NAME.json; see docs/plans.md.
 *
 * {"version":1, "name":"thp-split", "summary":"…",
 *  "configs":[{"name":"default","arch":"x86_64","compiler":"gcc",
 *              "fragments":["base","fault","debug"],"boot":true}],
 *  "machine":{"cpus":2,"memory_mib":512},
 *  "cases":[{"scenarios":["split.*"],"faults":[{"mode":"sweep"}],"repeat":1}]}
 * Thread: any.
 */
#ifndef FAULTLINE_JOBS_PLAN_H
#define FAULTLINE_JOBS_PLAN_H

#include "jobs/fault.h"
#include "lib/hash.h"

struct plan_fragment {
	char *name; /* "base" */
	char *text; /* the file's contents */
};

struct plan_config {
	char *name; /* "default" */
	char *arch; /* "x86_64" */
	char *compiler; /* "gcc" or "clang" */
	bool boot;
	struct plan_fragment *fragments;
	size_t n_fragments;
	char hash[HASH_HEX_MAX]; /* of arch and the fragments' names and texts */
};

/* One case: scenario × fault × repeat number, expanded from the plan. */
struct plan_case {
	char *scenario;
	struct fault fault;
	int repeat; /* 1.. */
};

struct plan_machine {
	int cpus; /* 1..64 */
	int memory_mib; /* 128..65536 */
};

struct plan {
	char *name;
	char *summary;
	struct plan_config *configs;
	size_t n_configs;
	struct plan_machine machine;
	struct plan_case *cases;
	size_t n_cases;
	char cases_hash[HASH_HEX_MAX]; /* of machine and cases: with a build key the test's key */
};

/* Reads `<dir>/plans/<name>.json` and its fragments `<dir>/kconfig/<fragment>.config`; `dir` is
 * path_share("jobs"). -ENOENT for an unknown plan (message lists the known ones), -EINVAL with
 * file and JSON path otherwise. */
must_check int plan_load(const char *dir, const char *name, struct plan **ret, struct error *err);
void plan_free(struct plan *p);
static inline void plan_free_p(struct plan **p)
{
	plan_free(*p);
}
/* Names below `<dir>/plans`, sorted; owned array of owned strings. */
must_check int plan_list(const char *dir, char ***ret_names, size_t *ret_n, struct error *err);

/* Replaces the cases by those whose scenario matches a glob (none given: all of the plan's) and,
 * if faults are given, by exactly these faults; repeated `repeat` times when > 0. A glob that
 * matches nothing in the plan selects from the whole catalogue (with the fault `none` when no
 * faults are given): who names a scenario wants it run. An empty outcome is -EINVAL. Globs that
 * match no scenario at all are -EINVAL naming the glob. */
must_check int plan_select(struct plan *p, const char *const *globs, size_t n_globs,
			   const struct fault *faults, size_t n_faults, int repeat,
			   struct error *err);

/* Adds a case for scenario `name` with the faults and repeats of the plan's first case that matches
 * `like`, unless the plan has the scenario or nothing matches. -EINVAL: too many cases. */
must_check int plan_add_like(struct plan *p, const char *name, const char *like, struct error *err);

/* Of arch and the fragments' names and texts, in their order; not of name and compiler. */
void plan_config_hash(const struct plan_config *c, char ret_hex[HASH_HEX_MAX]);
void plan_config_free(struct plan_config *c); /* the contents */

/* [{"scenario":"split.mprotect","fault":{...},"repeat":1}]. Strict; a scenario may be one that
 * this program does not know (another agent's result), but its name is checked. */
struct json_object *plan_cases_to_json(const struct plan_case *cases, size_t n);
must_check int plan_cases_from_json(const struct jval *arr, struct plan_case **ret, size_t *ret_n,
				    struct error *err);
void plan_cases_free(struct plan_case *cases, size_t n);
void plan_cases_hash(struct plan *p); /* fills cases_hash from machine and cases */

#endif
