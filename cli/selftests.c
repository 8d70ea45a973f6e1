/* SPDX-License-Identifier: MIT */
#include "cli/selftests.h"

#include <errno.h>
#include <string.h>

#include "jobs/selftest.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/limits.h"
#include "lib/path.h"

void run_selftests_free(struct run_selftests *s)
{
	if (s->found)
		selftests_free(&s->programs);
	if (s->compared)
		result_doc_free(&s->baseline);
	*s = (struct run_selftests){ 0 };
}

static bool has_selftests(const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_cases; i++)
		if (selftest_program(plan->cases[i].scenario))
			return true;
	return false;
}

static bool is_known(const char *program)
{
	size_t n;
	const struct selftest *table = selftest_table(&n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(table[i].program, program) == 0)
			return true;
	return false;
}

/* Programs of a newer tree run as they are. */
static int add_unknown(const struct selftests *s, struct plan *plan, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < s->n && !r; i++) {
		const char *program = s->programs[i].name;
		CLEANUP(free_p) char *name = xasprintf(SELFTEST_PREFIX "%s", program);

		if (!is_known(program) && !selftest_left_out(program) &&
		    scenario_name_is_valid(name))
			r = plan_add_like(plan, name, SELFTEST_PREFIX "*", err);
	}
	return r;
}

static int read_baseline(const char *path, const char *config_hash, struct result_doc *ret,
			 struct error *err)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct jval root;
	int r = path_read(path, LIMIT_HTTP_RESULT_BYTES, &text, err);

	if (!r)
		r = json_parse(buf_cstr(&text), text.len, &o, err);
	if (r < 0)
		return error_wrap(err, r, "the baseline");
	root = json_root(o);
	r = result_doc_from_json(&root, ret, err);
	if (r < 0)
		return error_wrap(err, r, "the baseline '%s'", path);
	if (config_hash && ret->kernel.config_hash && *ret->kernel.config_hash &&
	    strcmp(config_hash, ret->kernel.config_hash) != 0) {
		result_doc_free(ret);
		return error_set(err, -EINVAL, "the baseline '%s' is of another configuration",
				 path);
	}
	return 0;
}

int run_selftests_prepare(struct run_selftests *s, struct plan *plan, bool all, const char *tree,
			  const char *dir, const char *baseline, struct testrun_opts *t,
			  struct error *err)
{
	int r = 0;

	if (!has_selftests(plan))
		return 0;
	if (dir)
		r = selftests_open(dir, &s->programs, err);
	else if (tree)
		r = selftests_build(t->work, tree, t->jobs, t->watch, &s->programs, err);
	if (r < 0)
		return r;
	s->found = dir || tree;
	if (s->found && all)
		r = add_unknown(&s->programs, plan, err);
	if (!r && baseline) {
		r = read_baseline(baseline, t->config_hash, &s->baseline, err);
		s->compared = !r;
	}
	t->selftests = s->found ? &s->programs : NULL;
	t->baseline = s->compared ? &s->baseline : NULL;
	return r;
}
