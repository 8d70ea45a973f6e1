/* SPDX-License-Identifier: MIT */
/*
 * plan_internal: what plan.c, plan_cases.c and job.c share. May be included by jobs/ only.
 * Thread: any.
 */
#ifndef FAULTLINE_JOBS_PLAN_INTERNAL_H
#define FAULTLINE_JOBS_PLAN_INTERNAL_H

#include "jobs/plan.h"

struct case_list {
	struct plan_case *cases;
	size_t n, cap;
};

/* Appends a copy. -EINVAL when the case is there already or LIMIT_CASES is reached. */
must_check int case_list_add(struct case_list *list, const char *scenario, const struct fault *f,
			     int repeat, struct error *err);
/* Members name, arch and compiler of a configuration. What was read is in *c also on failure. */
must_check int plan_config_words(const struct jval *v, struct plan_config *c, struct error *err);
must_check int plan_machine_from_json(const struct jval *v, struct plan_machine *m,
				      struct error *err);
struct json_object *plan_machine_to_json(const struct plan_machine *m);

#endif
