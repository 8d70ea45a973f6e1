/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/plan_internal.h"
#include "jobs/scenario.h"
#include "lib/buf.h"
#include "lib/limits.h"
#include "lib/path.h"

void plan_cases_free(struct plan_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(cases[i].scenario);
	free(cases);
}

static bool fault_equal(const struct fault *a, const struct fault *b)
{
	char ta[FAULT_TEXT_MAX], tb[FAULT_TEXT_MAX];

	if (a->mode != b->mode)
		return false;
	fault_to_text(a, ta);
	fault_to_text(b, tb);
	return strcmp(ta, tb) == 0;
}

/* A result is found again by scenario, fault and repeat: two equal cases would overwrite one
 * another. */
int case_list_add(struct case_list *list, const char *scenario, const struct fault *f, int repeat,
		  struct error *err)
{
	char text[FAULT_TEXT_MAX];

	for (size_t i = 0; i < list->n; i++) {
		const struct plan_case *c = &list->cases[i];

		if (c->repeat != repeat || strcmp(c->scenario, scenario) != 0 ||
		    !fault_equal(&c->fault, f))
			continue;
		fault_to_text(f, text);
		return error_set(err, -EINVAL, "case '%s %s' repeat %d is there twice", scenario,
				 text, repeat);
	}
	if (list->n == LIMIT_CASES)
		return error_set(err, -EINVAL, "more than %d cases", LIMIT_CASES);
	ARRAY_RESERVE(list->cases, list->n, list->cap);
	list->cases[list->n++] =
		(struct plan_case){ .scenario = xstrdup(scenario), .fault = *f, .repeat = repeat };
	return 0;
}

void plan_cases_hash(struct plan *p)
{
	CLEANUP(buf_free) struct buf all = BUF_INIT;
	char text[FAULT_TEXT_MAX];

	buf_printf(&all, "cpus=%d memory_mib=%d\n", p->machine.cpus, p->machine.memory_mib);
	for (size_t i = 0; i < p->n_cases; i++) {
		fault_to_text(&p->cases[i].fault, text);
		buf_printf(&all, "%s %s %d\n", p->cases[i].scenario, text, p->cases[i].repeat);
	}
	hash_bytes(all.data, all.len, p->cases_hash);
}

struct json_object *plan_cases_to_json(const struct plan_case *cases, size_t n)
{
	struct json_object *arr = json_object_new_array();

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "scenario", json_str(cases[i].scenario));
		json_object_object_add(o, "fault", fault_to_json(&cases[i].fault));
		json_object_object_add(o, "repeat", json_object_new_int(cases[i].repeat));
		json_object_array_add(arr, o);
	}
	return arr;
}

static int case_from_json(const struct jval *v, struct case_list *list, struct error *err)
{
	static const char *const keys[] = { "scenario", "fault", "repeat", NULL };
	struct jval sub;
	const char *name;
	struct fault f;
	int64_t repeat = 1;
	int r = json_as_obj(v, err);

	if (!r)
		r = json_only_keys(v, keys, err);
	if (!r)
		r = json_get_str(v, "scenario", LIMIT_NAME_LEN, &name, err);
	if (!r)
		r = json_get_obj(v, "fault", &sub, err);
	if (!r)
		r = fault_from_json(&sub, &f, err);
	if (!r)
		r = json_opt_i64(v, "repeat", 1, LIMIT_CASES, &repeat, err);
	if (r < 0)
		return r;
	if (!scenario_name_is_valid(name))
		return error_set(err, -EINVAL, "%s.scenario: is not a scenario's name", v->path);
	r = case_list_add(list, name, &f, (int)repeat, err);
	return r < 0 ? error_wrap(err, r, "%s", v->path) : 0;
}

int plan_cases_from_json(const struct jval *arr, struct plan_case **ret, size_t *ret_n,
			 struct error *err)
{
	struct case_list list = { .cases = NULL };

	if (!json_object_is_type(arr->o, json_type_array))
		return error_set(err, -EINVAL, "%s: is not an array", arr->path);
	for (size_t i = 0; i < json_arr_len(arr); i++) {
		struct jval e = json_arr_at(arr, i);
		int r = case_from_json(&e, &list, err);

		if (r < 0) {
			plan_cases_free(list.cases, list.n);
			return r;
		}
	}
	*ret = list.cases;
	*ret_n = list.n;
	return 0;
}

/* ---- plan_select ------------------------------------------------------------------------ */

static bool name_matches(const char *name, const char *glob)
{
	const struct scenario s = { .name = name };

	return scenario_matches(&s, glob);
}

struct selection {
	const char *const *globs;
	size_t n_globs;
	const struct fault *faults;
	size_t n_faults;
	int repeat;
};

/* The n-th distinct scenario's highest repeat number in the plan. */
static int repeats_of(const struct plan *p, const char *scenario)
{
	int max = 1;

	for (size_t i = 0; i < p->n_cases; i++)
		if (strcmp(p->cases[i].scenario, scenario) == 0 && p->cases[i].repeat > max)
			max = p->cases[i].repeat;
	return max;
}

static int add_faults(struct case_list *list, const char *scenario, const struct fault *faults,
		      size_t n_faults, int repeat, struct error *err)
{
	for (size_t i = 0; i < n_faults; i++) {
		for (int k = 1; k <= repeat; k++) {
			int r = case_list_add(list, scenario, &faults[i], k, err);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* Case i of the plan as the selection wants it. A scenario's first case stands for all of them
 * when the faults are replaced; a fault's first repeat for all when the repeats are. */
static int add_from_plan(const struct plan *p, size_t i, const struct selection *s,
			 struct case_list *list, struct error *err)
{
	const struct plan_case *c = &p->cases[i];

	if (s->n_faults) {
		for (size_t k = 0; k < i; k++)
			if (strcmp(p->cases[k].scenario, c->scenario) == 0)
				return 0;
		return add_faults(list, c->scenario, s->faults, s->n_faults,
				  s->repeat > 0 ? s->repeat : repeats_of(p, c->scenario), err);
	}
	if (s->repeat <= 0)
		return case_list_add(list, c->scenario, &c->fault, c->repeat, err);
	if (c->repeat != 1)
		return 0;
	return add_faults(list, c->scenario, &c->fault, 1, s->repeat, err);
}

static bool plan_has_match(const struct plan *p, const char *glob)
{
	for (size_t i = 0; i < p->n_cases; i++)
		if (name_matches(p->cases[i].scenario, glob))
			return true;
	return false;
}

static bool list_has(const struct case_list *list, const char *scenario)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->cases[i].scenario, scenario) == 0)
			return true;
	return false;
}

/* A glob that the plan has nothing for: from the catalogue. */
static int add_from_catalogue(const char *glob, const struct selection *s, struct case_list *list,
			      struct error *err)
{
	size_t n;
	const struct scenario *table = scenario_table(&n);
	bool known = false;
	struct fault none;

	fault_defaults(&none);
	for (size_t i = 0; i < n; i++) {
		int r;

		if (!scenario_matches(&table[i], glob))
			continue;
		known = true;
		if (list_has(list, table[i].name))
			continue;
		r = add_faults(list, table[i].name, s->n_faults ? s->faults : &none,
			       s->n_faults ? s->n_faults : 1, s->repeat > 0 ? s->repeat : 1, err);
		if (r < 0)
			return r;
	}
	return known ? 0 : error_set(err, -EINVAL, "'%s' matches no scenario", glob);
}

static int select_all(const struct plan *p, const struct selection *s, struct case_list *list,
		      struct error *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < p->n_cases; i++) {
		bool wanted = s->n_globs == 0;

		for (size_t k = 0; !wanted && k < s->n_globs; k++)
			wanted = name_matches(p->cases[i].scenario, s->globs[k]);
		if (wanted)
			r = add_from_plan(p, i, s, list, err);
	}
	for (size_t k = 0; !r && k < s->n_globs; k++)
		if (!plan_has_match(p, s->globs[k]))
			r = add_from_catalogue(s->globs[k], s, list, err);
	if (!r && list->n == 0)
		r = error_set(err, -EINVAL, "plan '%s': no case is left to run",
			      p->name ? p->name : "?");
	return r;
}

int plan_select(struct plan *p, const char *const *globs, size_t n_globs,
		const struct fault *faults, size_t n_faults, int repeat, struct error *err)
{
	const struct selection s = { globs, n_globs, faults, n_faults, repeat };
	struct case_list list = { .cases = NULL };
	int r = select_all(p, &s, &list, err);

	if (r < 0) {
		plan_cases_free(list.cases, list.n);
		return r;
	}
	plan_cases_free(p->cases, p->n_cases);
	p->cases = list.cases;
	p->n_cases = list.n;
	plan_cases_hash(p);
	return 0;
}

int plan_add_like(struct plan *p, const char *name, const char *like, struct error *err)
{
	struct case_list list = { .cases = p->cases, .n = p->n_cases, .cap = p->n_cases };
	const char *first = NULL;
	int r = 0;

	if (list_has(&list, name))
		return 0;
	for (size_t i = 0; i < p->n_cases && !r; i++) {
		/* Adding may move the cases: `first` is the scenario's own copy and stays. */
		const struct plan_case c = list.cases[i];

		if (!first && name_matches(c.scenario, like))
			first = c.scenario;
		if (first && strcmp(c.scenario, first) == 0)
			r = case_list_add(&list, name, &c.fault, c.repeat, err);
	}
	p->cases = list.cases;
	p->n_cases = list.n;
	plan_cases_hash(p);
	return r;
}

/* ---- plan_list -------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int plan_list(const char *dir, char ***ret_names, size_t *ret_n, struct error *err)
{
	CLEANUP(free_p) char *path = xasprintf("%s/plans", dir);
	CLEANUP(closedir_p) DIR *d = opendir(path);
	const struct dirent *e;
	char **names = NULL;
	size_t n = 0, cap = 0;

	if (!d)
		return error_errno(err, -errno, "%s", path);
	while ((e = readdir(d))) {
		size_t len = strlen(e->d_name);

		if (len <= strlen(".json") || !path_name_is_safe(e->d_name) ||
		    strcmp(e->d_name + len - strlen(".json"), ".json") != 0)
			continue;
		ARRAY_RESERVE(names, n, cap);
		names[n++] = xstrndup(e->d_name, len - strlen(".json"));
	}
	if (n)
		qsort(names, n, sizeof(*names), compare_names);
	*ret_names = names;
	*ret_n = n;
	return 0;
}
