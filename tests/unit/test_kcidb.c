/* SPDX-License-Identifier: MIT */
/* tests/exchange/formats.sh holds whole documents against the schema. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "jobs/kcidb.h"
#include "test_export.h"

static struct json_object *parsed(const char *text)
{
	struct json_object *o = NULL;
	struct error err = ERROR_INIT;

	if (json_parse(text, strlen(text), &o, &err))
		fail_msg("%s", err.msg);
	return o;
}

static struct json_object *report_of(const struct result_doc *d, const char *origin)
{
	CLEANUP(free_p) char *text = written("kcidb", d, origin);

	return parsed(text);
}

static struct json_object *list(struct json_object *o, const char *key)
{
	struct json_object *l = json_object_object_get(o, key);

	assert_true(json_object_is_type(l, json_type_array));
	return l;
}

static struct json_object *at(struct json_object *o, const char *key, size_t i)
{
	struct json_object *item = json_object_array_get_idx(list(o, key), i);

	assert_non_null(item);
	return item;
}

/* "" when absent. */
static const char *text_of(struct json_object *o, const char *key)
{
	struct json_object *v = json_object_object_get(o, key);

	return v ? json_object_get_string(v) : "";
}

/* Nothing is null, at any depth, and nothing is an empty misc. */
static void assert_known(struct json_object *o)
{
	assert_non_null(o);
	if (json_object_is_type(o, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(o); i++)
			assert_known(json_object_array_get_idx(o, i));
	} else if (json_object_is_type(o, json_type_object)) {
		json_object_object_foreach(o, key, value)
		{
			assert_known(value);
			if (!strcmp(key, "misc"))
				assert_true(json_object_object_length(value) > 0);
		}
	}
}

static void test_paths(void **state)
{
	static const struct {
		const char *scenario, *fault, *path;
	} rows[] = {
		{ "split.mprotect", "none", "faultline.split.mprotect.none" },
		{ "split.mprotect", "mode=nth,nth=3", "faultline.split.mprotect.nth-3" },
		{ "split.mprotect", "mode=burst,times=4", "faultline.split.mprotect.burst-4" },
		{ "split.fork", "mode=probability,probability=10,seed=7",
		  "faultline.split.fork.probability-10" },
		{ "split.fork", "sweep", "faultline.split.fork.sweep" },
		{ "split.fork", "mode=sweep,site=a.b,within=any,facility=failslab",
		  "faultline.split.fork.a_b.within-any.failslab.sweep" },
		{ "a..b.", "none", "faultline.a._b_.none" },
		{ ".x y/z\xc3\xa9", "none", "faultline._x_y_z__.none" },
		{ "", "none", "faultline._.none" },
		{ "build", "none", "faultline.build" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct result r = { .scenario = (char *)rows[i].scenario };
		CLEANUP(free_p) char *path = NULL;
		struct error err = ERROR_INIT;

		if (fault_from_text(rows[i].fault, &r.fault, &err))
			fail_msg("%s", err.msg);
		path = kcidb_path(&r);
		assert_string_equal(path, rows[i].path);
	}
}

/* A sweep's points are below what closes it. */
static void test_sweep_path(void **state)
{
	struct result r = { .scenario = (char *)"split.fork" };
	CLEANUP(free_p) char *path = NULL;

	(void)state;
	fault_defaults(&r.fault);
	r.fault.mode = FAULT_SWEEP;
	r.fault.nth = 2;
	path = kcidb_path(&r);
	assert_string_equal(path, "faultline.split.fork.sweep.nth-2");
}

static void test_document(void **state)
{
	CLEANUP(result_doc_free) struct result_doc d = { 0 };
	CLEANUP(json_put_p) struct json_object *o = NULL;
	static const char *const statuses[] = { "FAIL", "ERROR", "MISS", "PASS",
						"DONE", "DONE",	 "DONE", "SKIP" };
	struct json_object *test, *number, *version;

	(void)state;
	fill_statuses(&d);
	d.kernel.commit = xstrdup("0123456789abcdef0123456789abcdef01234567");
	d.kernel.release = xstrdup("6.12.0");
	d.machine.accel = xstrdup("tcg");
	o = report_of(&d, "my_lab");
	assert_known(o);
	version = json_object_object_get(o, "version");
	assert_int_equal(json_object_get_int(json_object_object_get(version, "major")), 5);
	assert_int_equal(json_object_get_int(json_object_object_get(version, "minor")), 3);
	assert_int_equal(json_object_array_length(list(o, "checkouts")), 1);
	assert_int_equal(json_object_array_length(list(o, "builds")), 1);
	assert_int_equal(json_object_array_length(list(o, "tests")), 8);
	assert_string_equal(text_of(at(o, "checkouts", 0), "git_commit_hash"), d.kernel.commit);
	assert_string_equal(text_of(at(o, "builds", 0), "checkout_id"),
			    text_of(at(o, "checkouts", 0), "id"));
	assert_string_equal(text_of(at(o, "builds", 0), "config_name"), "default");
	assert_memory_equal(text_of(at(o, "builds", 0), "id"), "my_lab:local-", 13);
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		test = at(o, "tests", i);
		assert_string_equal(text_of(test, "status"), statuses[i]);
		assert_string_equal(text_of(test, "origin"), "my_lab");
		assert_string_equal(text_of(test, "build_id"), text_of(at(o, "builds", 0), "id"));
		assert_memory_equal(text_of(test, "id"), "my_lab:", 7);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(text_of(test, "id"),
						text_of(at(o, "tests", k), "id"));
	}
	number = json_object_object_get(at(o, "tests", 5), "number");
	assert_string_equal(text_of(at(o, "tests", 5), "path"),
			    "faultline.zeropage.remap.none.rss.freed");
	assert_true(json_object_get_double(json_object_object_get(number, "value")) == 64);
	assert_string_equal(text_of(number, "unit"), "pages");
	assert_string_equal(text_of(number, "prefix"), "");
	number = json_object_object_get(at(o, "tests", 6), "number");
	assert_string_equal(text_of(number, "prefix"), "metric");
	assert_null(json_object_object_get(at(o, "tests", 4), "number"));
	test = json_object_object_get(at(o, "tests", 0), "misc");
	assert_string_equal(text_of(test, "reason"), "bug");
	assert_int_equal(json_object_array_length(list(test, "failed_checks")), 1);
}

/* One issue for a fingerprint, one incident for each test that shows it. */
static void test_issues(void **state)
{
	CLEANUP(result_doc_free) struct result_doc d = { 0 };
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct result *r;

	(void)state;
	for (int i = 0; i < 3; i++) {
		r = add_result(&d, "split.mprotect", STATUS_FAIL, REASON_BUG, "");
		r->repeat = i + 1;
		add_splat_to(r, "kernel BUG in f", "kernel BUG at f");
	}
	r->splat.fingerprint[0] = 'f';
	r = add_result(&d, "split.mprotect", STATUS_FAIL, REASON_BUG, "");
	add_splat_to(r, "not known by a name", "x");
	r->splat.fingerprint[0] = '\0';
	o = report_of(&d, NULL);
	assert_int_equal(json_object_array_length(list(o, "issues")), 2);
	assert_int_equal(json_object_array_length(list(o, "incidents")), 3);
	assert_string_equal(text_of(at(o, "issues", 0), "id"), "faultline:0123456789abcdef");
	assert_string_equal(text_of(at(o, "issues", 0), "report_subject"), "kernel BUG in f");
	assert_string_equal(text_of(at(o, "incidents", 1), "issue_id"),
			    "faultline:0123456789abcdef");
	assert_string_equal(text_of(at(o, "incidents", 1), "test_id"),
			    text_of(at(o, "tests", 1), "id"));
	assert_string_equal(text_of(at(o, "tests", 0), "log_excerpt"), "kernel BUG at f");
}

/* Equal documents have equal ids, others have others. */
static void test_ids(void **state)
{
	CLEANUP(result_doc_free) struct result_doc d = { 0 };
	CLEANUP(free_p) char *first = NULL, *again = NULL, *other = NULL;

	(void)state;
	fill_statuses(&d);
	first = written("kcidb", &d, NULL);
	again = written("kcidb", &d, NULL);
	assert_string_equal(first, again);
	d.results[0].duration_us++;
	other = written("kcidb", &d, NULL);
	assert_memory_not_equal(strstr(first, "local-"), strstr(other, "local-"), 22);
}

static void test_hostile(void **state)
{
	CLEANUP(result_doc_free) struct result_doc d = { 0 };
	CLEANUP(json_put_p) struct json_object *o = NULL;

	(void)state;
	fill_hostile(&d);
	add_metric_to(&d.results[1], "not a number", NAN, "x");
	o = report_of(&d, NULL);
	assert_known(o);
	assert_int_equal(json_object_array_length(list(o, "tests")), 5);
	assert_null(json_object_object_get(at(o, "checkouts", 0), "git_commit_hash"));
	for (size_t i = 0; i < 5; i++) {
		const char *path = text_of(at(o, "tests", i), "path");

		assert_int_equal(strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					      "0123456789_-."),
				 strlen(path));
		assert_null(strstr(path, ".."));
	}
}

/* Characters are counted, not bytes. */
static void test_excerpt(void **state)
{
	CLEANUP(result_doc_free) struct result_doc d = { 0 };
	CLEANUP(json_put_p) struct json_object *o = NULL;
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct result *r = add_result(&d, "split.fork", STATUS_FAIL, REASON_BUG, "");
	const char *excerpt;

	(void)state;
	for (int i = 0; i < KCIDB_EXCERPT_CHARS; i++)
		buf_str(&text, "\xc3\xa9");
	buf_str(&text, "cut");
	add_splat_to(r, "t", text.data);
	o = report_of(&d, NULL);
	excerpt = text_of(at(o, "tests", 0), "log_excerpt");
	assert_int_equal(strlen(excerpt), 2 * KCIDB_EXCERPT_CHARS);
	assert_null(strstr(excerpt, "cut"));
}

/* --- from the server's views ------------------------------------------------------------------- */

static const char item_text[] =
	"{\"id\":41,\"run\":7,\"build\":3,\"repo\":\"mm\",\"commit\":"
	"\"0123456789abcdef0123456789abcdef01234567\",\"subject\":\"mm: a change\","
	"\"config\":\"default\",\"arch\":\"x86_64\",\"compiler\":\"gcc\",\"agent\":null,"
	"\"started\":\"2026-01-31T23:59:59.123456Z\",\"at\":\"2026-01-31T23:59:59.923456Z\","
	"\"machine\":null,\"case\":\"CASE\",\"fault\":{\"mode\":\"none\"},\"repeat\":1,"
	"\"status\":\"FAIL\",\"reason\":\"build\",\"detail\":\"\",\"injected\":{},"
	"\"console\":null}";

static const char build_text[] =
	"{\"id\":3,\"repo\":\"mm\",\"repo_url\":\"https://git.example.org/mm.git\","
	"\"commit\":\"0123456789abcdef0123456789abcdef01234567\",\"tree\":\"cd\",\"subject\":"
	"\"mm: a change\",\"config\":\"default\",\"config_hash\":\"ef\",\"arch\":\"x86_64\","
	"\"compiler\":\"gcc\",\"status\":\"FAIL\",\"reason\":\"build\",\"release\":null,"
	"\"detail\":\"does not compile\",\"duration_us\":2500000,\"run\":6,"
	"\"errors\":[\"mm/x.c:1:1: error: a\",\"mm/x.c:2:1: error: b\"],"
	"\"artifacts\":[{\"name\":\"bzImage\"}],\"runs\":[{\"started\":"
	"\"2026-01-31T23:50:00.000000Z\"}],\"submissions\":[{\"branch\":null},"
	"{\"branch\":\"mm-unstable\"}]}";

static void add_item(struct export *e, const char *scenario)
{
	CLEANUP(free_p) char *text = xstrdup(item_text);
	CLEANUP(json_put_p) struct json_object *o = parsed(text);
	struct error err = ERROR_INIT;
	struct jval v;

	json_object_object_add(o, "case", json_str(scenario));
	v = json_root(o);
	if (export_add_item(e, &v, &err))
		fail_msg("%s", err.msg);
}

static void add_build(struct export *e)
{
	CLEANUP(json_put_p) struct json_object *o = parsed(build_text);
	struct jval v = json_root(o);
	struct error err = ERROR_INIT;

	if (export_add_build(e, &v, &err))
		fail_msg("%s", err.msg);
}

static struct json_object *export_of(const struct export *e)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT;

	kcidb_write(e, &out);
	return parsed(out.data);
}

static void test_build(void **state)
{
	CLEANUP(export_free) struct export e = { .url = "https://ci.example.org/" };
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct json_object *b, *c;

	(void)state;
	add_item(&e, "build");
	add_item(&e, "split.fork");
	add_build(&e);
	o = export_of(&e);
	assert_known(o);
	/* That it does not build is the build's own status, not a test besides. */
	assert_int_equal(json_object_array_length(list(o, "tests")), 1);
	assert_string_equal(text_of(at(o, "tests", 0), "id"), "faultline:result-41");
	assert_string_equal(text_of(at(o, "tests", 0), "build_id"), "faultline:build-3");
	assert_string_equal(text_of(at(o, "tests", 0), "log_url"),
			    "https://ci.example.org/api/v1/runs/7/log");
	b = at(o, "builds", 0);
	assert_string_equal(text_of(b, "status"), "FAIL");
	assert_string_equal(text_of(b, "architecture"), "x86_64");
	assert_string_equal(text_of(b, "start_time"), "2026-01-31T23:50:00.000000Z");
	assert_string_equal(text_of(b, "log_excerpt"),
			    "mm/x.c:1:1: error: a\nmm/x.c:2:1: error: b\n");
	assert_string_equal(text_of(b, "log_url"), "https://ci.example.org/api/v1/runs/6/log");
	assert_string_equal(text_of(at(b, "output_files", 0), "url"),
			    "https://ci.example.org/api/v1/builds/3/artifacts/bzImage");
	c = at(o, "checkouts", 0);
	assert_string_equal(text_of(c, "id"),
			    "faultline:mm-0123456789abcdef0123456789abcdef01234567");
	assert_string_equal(text_of(c, "tree_name"), "mm");
	assert_string_equal(text_of(c, "git_repository_url"), "https://git.example.org/mm.git");
	assert_string_equal(text_of(c, "git_repository_branch"), "mm-unstable");
	assert_string_equal(text_of(c, "comment"), "mm: a change");
}

/* More builds without results than the first array holds. */
static void test_builds_alone(void **state)
{
	CLEANUP(export_free) struct export e = { .origin = NULL };
	CLEANUP(json_put_p) struct json_object *view = parsed(build_text), *o = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	for (int i = 1; i <= 20; i++) {
		struct jval v;

		json_object_object_add(view, "id", json_object_new_int(i));
		v = json_root(view);
		assert_int_equal(export_add_build(&e, &v, &err), 0);
	}
	o = export_of(&e);
	assert_int_equal(json_object_array_length(list(o, "builds")), 20);
	assert_int_equal(json_object_array_length(list(o, "checkouts")), 1);
	assert_int_equal(json_object_array_length(list(o, "tests")), 0);
}

/* Without an address nothing links anywhere. */
static void test_no_links(void **state)
{
	CLEANUP(export_free) struct export e = { .origin = NULL };
	CLEANUP(buf_free) struct buf out = BUF_INIT;

	(void)state;
	add_item(&e, "split.fork");
	add_build(&e);
	kcidb_write(&e, &out);
	assert_null(strstr(out.data, "/api/v1/"));
	assert_null(strstr(out.data, "log_url"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),	     cmocka_unit_test(test_sweep_path),
		cmocka_unit_test(test_document),     cmocka_unit_test(test_issues),
		cmocka_unit_test(test_ids),	     cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_excerpt),	     cmocka_unit_test(test_build),
		cmocka_unit_test(test_builds_alone), cmocka_unit_test(test_no_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
