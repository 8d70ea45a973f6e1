/* SPDX-License-Identifier: MIT */
#include "jobs/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/plan_internal.h"
#include "jobs/scenario.h"
#include "lib/buf.h"
#include "lib/limits.h"
#include "lib/path.h"

#define PLAN_VERSION 1
#define PLAN_BYTES (256 << 10) /* a plan that lists every case by name is some 100 KiB */
#define FRAGMENT_BYTES (256 << 10) /* a full .config of a distribution is about 250 KiB */
#define PLAN_LIST_MAX 64 /* configurations, fragments, globs, faults: people write these lists */

void plan_config_free(struct plan_config *c)
{
	for (size_t i = 0; i < c->n_fragments; i++) {
		free(c->fragments[i].name);
		free(c->fragments[i].text);
	}
	free(c->fragments);
	free(c->name);
	free(c->arch);
	free(c->compiler);
	*c = (struct plan_config){ 0 };
}

void plan_free(struct plan *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n_configs; i++)
		plan_config_free(&p->configs[i]);
	free(p->configs);
	plan_cases_free(p->cases, p->n_cases);
	free(p->name);
	free(p->summary);
	free(p);
}

void plan_config_hash(const struct plan_config *c, char ret_hex[HASH_HEX_MAX])
{
	const char **parts = xcalloc(2 * c->n_fragments + 3, sizeof(*parts));
	size_t n = 0;

	parts[n++] = "config";
	parts[n++] = c->arch;
	for (size_t i = 0; i < c->n_fragments; i++) {
		parts[n++] = c->fragments[i].name;
		parts[n++] = c->fragments[i].text;
	}
	hash_strings(parts, ret_hex);
	free(parts);
}

/* Required array of 1..PLAN_LIST_MAX elements. */
static int get_list(const struct jval *v, const char *key, struct jval *ret, struct error *err)
{
	struct jval arr;
	int r = json_get_arr(v, key, &arr, err);

	if (r < 0)
		return r;
	if (json_arr_len(&arr) == 0 || json_arr_len(&arr) > PLAN_LIST_MAX)
		return error_set(err, -EINVAL, "%s: has %zu elements, not 1..%d", arr.path,
				 json_arr_len(&arr), PLAN_LIST_MAX);
	*ret = arr;
	return 0;
}

/* A required string that is a safe file name too (arch, fragment, configuration). */
static int get_name(const struct jval *v, const char *key, char **ret, struct error *err)
{
	const char *s;
	int r = json_get_str(v, key, LIMIT_NAME_LEN, &s, err);

	if (r < 0)
		return r;
	if (!path_name_is_safe(s))
		return error_set(err, -EINVAL, "%s.%s: '%s' is not a name", v->path, key, s);
	*ret = xstrdup(s);
	return 0;
}

int plan_config_words(const struct jval *v, struct plan_config *c, struct error *err)
{
	int r = get_name(v, "name", &c->name, err);

	if (!r)
		r = get_name(v, "arch", &c->arch, err);
	if (!r)
		r = get_name(v, "compiler", &c->compiler, err);
	if (r < 0)
		return r;
	if (strcmp(c->compiler, "gcc") != 0 && strcmp(c->compiler, "clang") != 0)
		return error_set(err, -EINVAL, "%s.compiler: '%s' is neither gcc nor clang",
				 v->path, c->compiler);
	return 0;
}

int plan_machine_from_json(const struct jval *v, struct plan_machine *m, struct error *err)
{
	static const char *const keys[] = { "cpus", "memory_mib", NULL };
	int64_t cpus, mib;
	int r = json_only_keys(v, keys, err);

	if (!r)
		r = json_get_i64(v, "cpus", 1, 64, &cpus, err);
	if (!r)
		r = json_get_i64(v, "memory_mib", 128, 65536, &mib, err);
	if (r < 0)
		return r;
	*m = (struct plan_machine){ .cpus = (int)cpus, .memory_mib = (int)mib };
	return 0;
}

struct json_object *plan_machine_to_json(const struct plan_machine *m)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "cpus", json_object_new_int(m->cpus));
	json_object_object_add(o, "memory_mib", json_object_new_int(m->memory_mib));
	return o;
}

static int fragments_load(const char *dir, const struct jval *v, struct plan_config *c,
			  struct error *err)
{
	struct jval arr;
	int r = get_list(v, "fragments", &arr, err);

	if (r < 0)
		return r;
	c->fragments = xcalloc(json_arr_len(&arr), sizeof(*c->fragments));
	for (size_t i = 0; i < json_arr_len(&arr); i++) {
		struct jval e = json_arr_at(&arr, i);
		CLEANUP(buf_free) struct buf text = BUF_INIT;
		CLEANUP(free_p) char *path = NULL;
		const char *name;

		r = json_as_str(&e, LIMIT_NAME_LEN, &name, err);
		if (r < 0)
			return r;
		if (!path_name_is_safe(name))
			return error_set(err, -EINVAL, "%s: '%s' is not a name", e.path, name);
		for (size_t k = 0; k < i; k++)
			if (strcmp(c->fragments[k].name, name) == 0)
				return error_set(err, -EINVAL, "%s: '%s' is there twice", e.path,
						 name);
		path = xasprintf("%s/kconfig/%s.config", dir, name);
		r = path_read(path, FRAGMENT_BYTES, &text, err);
		if (r < 0)
			return error_wrap(err, -EINVAL, "%s: fragment '%s'", e.path, name);
		c->fragments[i].name = xstrdup(name);
		c->fragments[i].text = buf_steal(&text);
		c->n_fragments++;
	}
	return 0;
}

static int config_load(const char *dir, const struct jval *v, struct plan *p, struct error *err)
{
	static const char *const keys[] = { "name", "arch", "compiler", "fragments", "boot", NULL };
	struct plan_config *c = &p->configs[p->n_configs++];
	int r = json_as_obj(v, err);

	if (!r)
		r = json_only_keys(v, keys, err);
	if (!r)
		r = plan_config_words(v, c, err);
	if (!r)
		r = json_get_bool(v, "boot", &c->boot, err);
	if (!r)
		r = fragments_load(dir, v, c, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i + 1 < p->n_configs; i++)
		if (strcmp(p->configs[i].name, c->name) == 0)
			return error_set(err, -EINVAL, "%s.name: '%s' is there twice", v->path,
					 c->name);
	plan_config_hash(c, c->hash);
	return 0;
}

static int configs_load(const char *dir, const struct jval *root, struct plan *p, struct error *err)
{
	struct jval arr;
	int r = get_list(root, "configs", &arr, err);

	if (r < 0)
		return r;
	p->configs = xcalloc(json_arr_len(&arr), sizeof(*p->configs));
	for (size_t i = 0; i < json_arr_len(&arr); i++) {
		struct jval e = json_arr_at(&arr, i);

		r = config_load(dir, &e, p, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Every fault and repeat of one entry for scenario `name`. */
static int entry_expand(struct case_list *list, const char *name, const struct fault *faults,
			size_t n_faults, int repeat, const char *path, struct error *err)
{
	for (size_t i = 0; i < n_faults; i++) {
		for (int k = 1; k <= repeat; k++) {
			int r = case_list_add(list, name, &faults[i], k, err);

			if (r < 0)
				return error_wrap(err, r, "%s", path);
		}
	}
	return 0;
}

static int globs_check(const struct jval *globs, struct error *err)
{
	size_t n;
	const struct scenario *table = scenario_table(&n);

	for (size_t i = 0; i < json_arr_len(globs); i++) {
		struct jval e = json_arr_at(globs, i);
		const char *glob;
		size_t k = 0;
		int r = json_as_str(&e, LIMIT_NAME_LEN, &glob, err);

		if (r < 0)
			return r;
		while (k < n && !scenario_matches(&table[k], glob))
			k++;
		if (k == n)
			return error_set(err, -EINVAL, "%s: '%s' matches no scenario", e.path,
					 glob);
	}
	return 0;
}

static bool globs_match(const struct jval *globs, const struct scenario *s)
{
	for (size_t i = 0; i < json_arr_len(globs); i++) {
		struct jval e = json_arr_at(globs, i);

		if (scenario_matches(s, json_object_get_string(e.o)))
			return true;
	}
	return false;
}

static int entry_load(const struct jval *v, struct case_list *list, struct error *err)
{
	static const char *const keys[] = { "scenarios", "except", "faults", "repeat", NULL };
	struct fault faults[PLAN_LIST_MAX];
	struct jval globs, except = { 0 }, arr;
	int64_t repeat = 1;
	size_t n;
	const struct scenario *table = scenario_table(&n);
	int r = json_as_obj(v, err);

	if (!r)
		r = json_only_keys(v, keys, err);
	if (!r)
		r = get_list(v, "scenarios", &globs, err);
	if (!r)
		r = globs_check(&globs, err);
	if (!r)
		r = json_opt_arr(v, "except", &except, err);
	if (!r && except.o)
		r = globs_check(&except, err);
	if (!r)
		r = get_list(v, "faults", &arr, err);
	if (!r)
		r = json_opt_i64(v, "repeat", 1, LIMIT_CASES, &repeat, err);
	for (size_t i = 0; !r && i < json_arr_len(&arr); i++) {
		struct jval e = json_arr_at(&arr, i);

		r = fault_from_json(&e, &faults[i], err);
	}
	for (size_t i = 0; !r && i < n; i++)
		if (globs_match(&globs, &table[i]) &&
		    !(except.o && globs_match(&except, &table[i])))
			r = entry_expand(list, table[i].name, faults, json_arr_len(&arr),
					 (int)repeat, v->path, err);
	return r;
}

/* A plan may build only: then it has no cases and boots nothing. */
static int cases_load(const struct jval *root, struct plan *p, struct error *err)
{
	struct case_list list = { .cases = NULL };
	bool boots = false;
	struct jval arr;
	int r = json_get_arr(root, "cases", &arr, err);

	for (size_t i = 0; !r && i < json_arr_len(&arr); i++) {
		struct jval e = json_arr_at(&arr, i);

		r = entry_load(&e, &list, err);
	}
	p->cases = list.cases;
	p->n_cases = list.n;
	if (r < 0)
		return r;
	for (size_t i = 0; i < p->n_configs; i++)
		boots |= p->configs[i].boot;
	if (boots != (p->n_cases > 0))
		return error_set(err, -EINVAL, "%s: %s", arr.path,
				 boots ? "is empty, but a configuration is booted"
				       : "there are cases, but no configuration is booted");
	plan_cases_hash(p);
	return 0;
}

static int plan_from_json(const char *dir, const char *name, const struct jval *root,
			  struct plan *p, struct error *err)
{
	static const char *const keys[] = { "version", "name",	"summary", "configs",
					    "machine", "cases", NULL };
	const char *said, *summary;
	struct jval machine;
	int64_t version;
	int r = json_as_obj(root, err);

	if (!r)
		r = json_only_keys(root, keys, err);
	if (!r)
		r = json_get_i64(root, "version", PLAN_VERSION, PLAN_VERSION, &version, err);
	if (!r)
		r = json_get_str(root, "name", LIMIT_NAME_LEN, &said, err);
	if (!r)
		r = json_get_str(root, "summary", LIMIT_TEXT_LEN, &summary, err);
	if (!r)
		r = json_get_obj(root, "machine", &machine, err);
	if (!r)
		r = plan_machine_from_json(&machine, &p->machine, err);
	if (r < 0)
		return r;
	if (strcmp(said, name) != 0)
		return error_set(err, -EINVAL, "%s.name: is '%s', the file says '%s'", root->path,
				 said, name);
	p->name = xstrdup(said);
	p->summary = xstrdup(summary);
	r = configs_load(dir, root, p, err);
	return r < 0 ? r : cases_load(root, p, err);
}

/* -ENOENT with the names that there are. */
static int unknown_plan(const char *dir, const char *name, struct error *err)
{
	CLEANUP(buf_free) struct buf known = BUF_INIT;
	char **names = NULL;
	size_t n = 0;
	int r = plan_list(dir, &names, &n, err);

	if (r < 0)
		return error_wrap(err, -ENOENT, "plan '%s'", name);
	for (size_t i = 0; i < n; i++) {
		buf_printf(&known, " %s", names[i]);
		free(names[i]);
	}
	free(names);
	return error_set(err, -ENOENT, "unknown plan '%.60s'; there are:%s", name,
			 buf_cstr(&known));
}

int plan_load(const char *dir, const char *name, struct plan **ret, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	CLEANUP(plan_free_p) struct plan *p = NULL;
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(free_p) char *path = NULL;
	struct jval root;
	int r;

	if (!path_name_is_safe(name))
		return unknown_plan(dir, "(not a name)", err);
	path = xasprintf("%s/plans/%s.json", dir, name);
	if (!path_exists(path))
		return unknown_plan(dir, name, err);
	r = path_read(path, PLAN_BYTES, &text, err);
	if (r < 0)
		return r;
	r = json_parse(buf_cstr(&text), text.len, &o, err);
	if (r < 0)
		return error_wrap(err, r, "%s", path);
	p = xcalloc(1, sizeof(*p));
	root = json_root(o);
	r = plan_from_json(dir, name, &root, p, err);
	if (r < 0)
		return error_wrap(err, r, "%s", path);
	*ret = STEAL(p);
	return 0;
}
