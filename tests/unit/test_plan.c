/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "jobs/plan.h"
#include "jobs/scenario.h"
#include "lib/buf.h"
#include "lib/path.h"

static char dir[64];

static void put(const char *rel, const char *text)
{
	CLEANUP(free_p) char *path = xasprintf("%s/%s", dir, rel);
	struct error err = ERROR_INIT;

	assert_int_equal(path_write_atomic(path, text, strlen(text), 0644, &err), 0);
}

static int setup(void **state)
{
	char plans[80], kconfig[80];
	struct error err = ERROR_INIT;

	(void)state;
	strcpy(dir, "/tmp/faultline-plan-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(plans, sizeof(plans), "%s/plans", dir);
	snprintf(kconfig, sizeof(kconfig), "%s/kconfig", dir);
	if (path_mkdirs(plans, 0755, &err) < 0 || path_mkdirs(kconfig, 0755, &err) < 0)
		return -1;
	put("kconfig/base.config", "CONFIG_A=y\n");
	put("kconfig/debug.config", "CONFIG_B=y\n");
	return 0;
}

static int teardown(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	return path_remove_tree(dir, &err);
}

#define CONFIG                                                                                    \
	"{\"name\":\"default\",\"arch\":\"x86_64\",\"compiler\":\"gcc\",\"fragments\":[\"base\"," \
	"\"debug\"],\"boot\":true}"
#define MACHINE "\"machine\":{\"cpus\":2,\"memory_mib\":512}"
#define CASES                                                                                  \
	"[{\"scenarios\":[\"split.mprotect\",\"split.mun*\"],\"faults\":[{\"mode\":\"none\"}," \
	"{\"mode\":\"sweep\"}],\"repeat\":2}]"
#define PLAN(configs, machine, cases)                                                        \
	"{\"version\":1,\"name\":\"p\",\"summary\":\"s\",\"configs\":[" configs "]," machine \
	",\"cases\":" cases "}"

static struct plan *load(void)
{
	struct error err = ERROR_INIT;
	struct plan *p = NULL;

	put("plans/p.json", PLAN(CONFIG, MACHINE, CASES));
	if (plan_load(dir, "p", &p, &err) < 0)
		fail_msg("%s", err.msg);
	return p;
}

/* The cases as "scenario fault repeat;…". */
static char *cases_text(const struct plan *p)
{
	struct buf b = BUF_INIT;
	char fault[FAULT_TEXT_MAX];

	for (size_t i = 0; i < p->n_cases; i++) {
		fault_to_text(&p->cases[i].fault, fault);
		buf_printf(&b, "%s %s %d;", p->cases[i].scenario, fault + strlen("mode="),
			   p->cases[i].repeat);
	}
	return buf_steal(&b);
}

static void test_load_expands(void **state)
{
	CLEANUP(plan_free_p) struct plan *p = load();
	CLEANUP(free_p) char *text = cases_text(p);

	(void)state;
	assert_string_equal(text, "split.mprotect none 1;split.mprotect none 2;"
				  "split.mprotect sweep 1;split.mprotect sweep 2;"
				  "split.munmap none 1;split.munmap none 2;"
				  "split.munmap sweep 1;split.munmap sweep 2;");
	assert_int_equal(p->n_configs, 1);
	assert_true(p->configs[0].boot);
	assert_int_equal(p->configs[0].n_fragments, 2);
	assert_string_equal(p->configs[0].fragments[1].text, "CONFIG_B=y\n");
	assert_int_equal(strlen(p->configs[0].hash), HASH_HEX_LEN);
	assert_int_equal(strlen(p->cases_hash), HASH_HEX_LEN);
	assert_int_equal(p->machine.cpus, 2);
}

/* A changed fragment is another configuration; a changed machine or case is another test. */
static void test_hashes_follow_contents(void **state)
{
	CLEANUP(plan_free_p) struct plan *a = load();
	CLEANUP(plan_free_p) struct plan *b = NULL;
	CLEANUP(plan_free_p) struct plan *c = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	put("kconfig/debug.config", "CONFIG_B=n\n");
	b = load();
	put("kconfig/debug.config", "CONFIG_B=y\n");
	assert_string_not_equal(a->configs[0].hash, b->configs[0].hash);
	assert_string_equal(a->cases_hash, b->cases_hash);
	put("plans/p.json", PLAN(CONFIG, "\"machine\":{\"cpus\":3,\"memory_mib\":512}", CASES));
	assert_int_equal(plan_load(dir, "p", &c, &err), 0);
	assert_string_equal(a->configs[0].hash, c->configs[0].hash);
	assert_string_not_equal(a->cases_hash, c->cases_hash);
	plan_free(b);
	b = load();
	assert_int_equal(plan_select(b, NULL, 0, NULL, 0, 1, &err), 0);
	assert_string_not_equal(a->cases_hash, b->cases_hash);
}

#define CONFIG_WITH(words) "{" words ",\"fragments\":[\"base\"],\"boot\":true}"
#define NAMES "\"name\":\"a\",\"arch\":\"x86_64\",\"compiler\":\"gcc\""
#define ENTRY(scenarios, faults, more) \
	"[{\"scenarios\":[" scenarios "],\"faults\":[" faults "]" more "}]"

static const struct {
	const char *text, *path;
} bad[] = {
	{ "{", "p.json" },
	{ "[]", "$" },
	{ "{}", "$.version" },
	{ "{\"version\":1,\"name\":\"q\",\"summary\":\"s\",\"configs\":[" CONFIG "]," MACHINE
	  ",\"cases\":" CASES "}",
	  "$.name" },
	{ "{\"version\":1,\"name\":\"p\",\"summary\":\"s\",\"configs\":[" CONFIG "]," MACHINE
	  ",\"cases\":" CASES ",\"extra\":1}",
	  "extra" },
	{ PLAN("", MACHINE, CASES), "$.configs" },
	{ PLAN(CONFIG "," CONFIG, MACHINE, CASES), "$.configs[1].name" },
	{ PLAN(CONFIG_WITH("\"name\":\"../a\",\"arch\":\"x86_64\",\"compiler\":\"gcc\""), MACHINE,
	       CASES),
	  "$.configs[0].name" },
	{ PLAN(CONFIG_WITH("\"name\":\"a\",\"arch\":\"x/y\",\"compiler\":\"gcc\""), MACHINE, CASES),
	  "$.configs[0].arch" },
	{ PLAN(CONFIG_WITH("\"name\":\"a\",\"arch\":\"x86_64\",\"compiler\":\"tcc\""), MACHINE,
	       CASES),
	  "$.configs[0].compiler" },
	{ PLAN(CONFIG_WITH(NAMES ",\"bot\":1"), MACHINE, CASES), "bot" },
	{ PLAN("{" NAMES ",\"fragments\":[\"base\"]}", MACHINE, CASES), "$.configs[0].boot" },
	{ PLAN("{" NAMES ",\"fragments\":[],\"boot\":true}", MACHINE, CASES),
	  "$.configs[0].fragments" },
	{ PLAN("{" NAMES ",\"fragments\":[\"base\",\"base\"],\"boot\":true}", MACHINE, CASES),
	  "$.configs[0].fragments[1]" },
	{ PLAN("{" NAMES ",\"fragments\":[\"absent\"],\"boot\":true}", MACHINE, CASES),
	  "$.configs[0].fragments[0]" },
	{ PLAN("{" NAMES ",\"fragments\":[\"../plans/p\"],\"boot\":true}", MACHINE, CASES),
	  "$.configs[0].fragments[0]" },
	{ PLAN(CONFIG, "\"machine\":{\"cpus\":0,\"memory_mib\":512}", CASES), "$.machine.cpus" },
	{ PLAN(CONFIG, "\"machine\":{\"cpus\":1,\"memory_mib\":64}", CASES),
	  "$.machine.memory_mib" },
	{ PLAN(CONFIG, "\"machine\":{\"cpus\":1,\"memory_mib\":512,\"x\":1}", CASES), "x" },
	{ PLAN(CONFIG, MACHINE, "[]"), "$.cases" },
	{ PLAN("{" NAMES ",\"fragments\":[\"base\"],\"boot\":false}", MACHINE, CASES), "$.cases" },
	{ PLAN(CONFIG, MACHINE, "[1]"), "$.cases[0]" },
	{ PLAN(CONFIG, MACHINE, ENTRY("\"split.nothing\"", "{}", "")), "$.cases[0].scenarios[0]" },
	{ PLAN(CONFIG, MACHINE, ENTRY("", "{}", "")), "$.cases[0].scenarios" },
	{ PLAN(CONFIG, MACHINE, ENTRY("\"split.m*\"", "{}", ",\"except\":[\"nothing\"]")),
	  "$.cases[0].except[0]" },
	{ PLAN(CONFIG, MACHINE, ENTRY("\"split.m*\"", "{}", ",\"except\":[\"split.*\"]")),
	  "$.cases" },
	{ PLAN(CONFIG, MACHINE, ENTRY("\"split.munmap\"", "", "")), "$.cases[0].faults" },
	{ PLAN(CONFIG, MACHINE, ENTRY("\"split.munmap\"", "{\"mode\":\"nth\"}", "")),
	  "$.cases[0].faults[0].nth" },
	{ PLAN(CONFIG, MACHINE, ENTRY("\"split.munmap\"", "{}", ",\"repeat\":0")),
	  "$.cases[0].repeat" },
	{ PLAN(CONFIG, MACHINE, ENTRY("\"split.munmap\"", "{}", ",\"repeats\":1")), "repeats" },
	{ PLAN(CONFIG, MACHINE, ENTRY("\"split.munmap\"", "{},{\"mode\":\"none\"}", "")),
	  "$.cases[0]: case 'split.munmap mode=none'" },
	{ PLAN(CONFIG, MACHINE,
	       ENTRY("\"split.munmap\"", "{},{\"mode\":\"sweep\"}", ",\"repeat\":5001")),
	  "more than 10000 cases" },
};

static void test_strict(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error err = ERROR_INIT;
		struct plan *p = NULL;
		int r;

		put("plans/p.json", bad[i].text);
		r = plan_load(dir, "p", &p, &err);
		if (r != -EINVAL || p)
			fail_msg("%d for %s", r, bad[i].text);
		if (!strstr(err.msg, "plans/p.json") || !strstr(err.msg, bad[i].path))
			fail_msg("'%s' does not name the file and %s", err.msg, bad[i].path);
	}
}

static void test_unknown_plans(void **state)
{
	static const char *const names[] = { "absent", "", "../p", "p.json/", ".p" };
	CLEANUP(plan_free_p) struct plan *known = load();
	struct plan *p = NULL;

	(void)state;
	put("plans/quick.json", "{}");
	put("plans/README.md", "no plan");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct error err = ERROR_INIT;

		assert_int_equal(plan_load(dir, names[i], &p, &err), -ENOENT);
		assert_non_null(strstr(err.msg, "there are: p quick"));
		assert_null(p);
	}
}

#define BOTH "split.mprotect", "split.munmap"

static const struct {
	const char *globs[3], *faults[3];
	int repeat;
	const char *cases; /* NULL: -EINVAL */
} selections[] = {
	{ { NULL },
	  { NULL },
	  1,
	  "split.mprotect none 1;split.mprotect sweep 1;"
	  "split.munmap none 1;split.munmap sweep 1;" },
	{ { "split.munmap" },
	  { NULL },
	  0,
	  "split.munmap none 1;split.munmap none 2;"
	  "split.munmap sweep 1;split.munmap sweep 2;" },
	{ { "*.munmap", "split.mu*" }, { "burst" }, 1, "split.munmap burst,times=3 1;" },
	{ { "split.munmap" },
	  { "burst" },
	  0,
	  "split.munmap burst,times=3 1;"
	  "split.munmap burst,times=3 2;" },
	{ { BOTH },
	  { "none", "sweep" },
	  1,
	  "split.mprotect none 1;split.mprotect sweep 1;"
	  "split.munmap none 1;split.munmap sweep 1;" },
	{ { "split.munmap" },
	  { NULL },
	  3,
	  "split.munmap none 1;split.munmap none 2;"
	  "split.munmap none 3;split.munmap sweep 1;"
	  "split.munmap sweep 2;split.munmap sweep 3;" },
	/* a scenario that the plan does not hold */
	{ { "control.nosplit" }, { NULL }, 0, "control.nosplit none 1;" },
	{ { "control.nosplit", "control.no*" },
	  { "sweep" },
	  2,
	  "control.nosplit sweep 1;control.nosplit sweep 2;" },
	{ { "split.munmap", "control.nosplit" },
	  { "sweep" },
	  1,
	  "split.munmap sweep 1;control.nosplit sweep 1;" },
	/* refused */
	{ { "split.nothing" }, { NULL }, 0, NULL },
	{ { "split.munmap", "nothing" }, { NULL }, 0, NULL },
	{ { "split.munmap" }, { "none", "none" }, 0, NULL },
	{ { "split.munmap" }, { "none" }, 10001, NULL },
};

static void test_select(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(selections); i++) {
		CLEANUP(plan_free_p) struct plan *p = load();
		CLEANUP(free_p) char *before = cases_text(p);
		CLEANUP(free_p) char *after = NULL;
		struct error err = ERROR_INIT;
		struct fault faults[3];
		size_t n_globs = 0, n_faults = 0;
		int r;

		while (n_globs < 3 && selections[i].globs[n_globs])
			n_globs++;
		for (; n_faults < 3 && selections[i].faults[n_faults]; n_faults++)
			assert_int_equal(fault_from_text(selections[i].faults[n_faults],
							 &faults[n_faults], &err),
					 0);
		r = plan_select(p, selections[i].globs, n_globs, faults, n_faults,
				selections[i].repeat, &err);
		after = cases_text(p);
		if (r != (selections[i].cases ? 0 : -EINVAL))
			fail_msg("selection %zu: %d %s", i, r, err.msg);
		assert_string_equal(after, selections[i].cases ? selections[i].cases : before);
	}
}

static void test_select_of_nothing(void **state)
{
	struct plan empty = { .name = NULL };
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(plan_select(&empty, NULL, 0, NULL, 0, 0, &err), -EINVAL);
}

static void test_cases_round_trip(void **state)
{
	CLEANUP(plan_free_p) struct plan *p = load();
	CLEANUP(json_put_p) struct json_object *o = plan_cases_to_json(p->cases, p->n_cases);
	CLEANUP(free_p) char *want = cases_text(p);
	CLEANUP(free_p) char *got = NULL;
	struct jval v = json_root(o);
	struct error err = ERROR_INIT;
	struct plan again = { .name = NULL };

	(void)state;
	assert_int_equal(plan_cases_from_json(&v, &again.cases, &again.n_cases, &err), 0);
	got = cases_text(&again);
	assert_string_equal(got, want);
	plan_cases_free(again.cases, again.n_cases);
}

/* Every plan that is shipped must load; needs the fragments beside it. */
static void test_shipped_plans(void **state)
{
	struct error err = ERROR_INIT;
	char **names;
	size_t n;

	(void)state;
	assert_int_equal(plan_list("jobs", &names, &n, &err), 0);
	assert_true(n >= 3);
	for (size_t i = 0; i < n; i++) {
		CLEANUP(plan_free_p) struct plan *p = NULL;

		if (plan_load("jobs", names[i], &p, &err) < 0)
			fail_msg("%s", err.msg);
		assert_true(p->n_cases > 0);
		free(names[i]);
	}
	free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load_expands),
		cmocka_unit_test(test_hashes_follow_contents),
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_unknown_plans),
		cmocka_unit_test(test_select),
		cmocka_unit_test(test_select_of_nothing),
		cmocka_unit_test(test_cases_round_trip),
		cmocka_unit_test(test_shipped_plans),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
