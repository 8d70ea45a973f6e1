/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "jobs/job.h"
#include "lib/buf.h"

#define SHA40 "0123456789abcdef0123456789abcdef01234567"
#define SHA64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* The hash of the one fragment below; filled once. */
static char config_hash[HASH_HEX_MAX];

static const char build_form[] =
	"{\"id\":1,\"run\":2,\"kind\":\"build\",\"lease\":{\"token\":\"t0.k-n_\",\"attempt\":1,"
	"\"ttl_ms\":60000},\"source\":{\"git\":\"/git/demo.git\",\"commit\":\"" SHA40
	"\",\"tree\":\"" SHA40 "\"},\"config\":{\"name\":\"default\",\"arch\":\"x86_64\","
	"\"compiler\":\"gcc\",\"hash\":\"HASH\",\"fragments\":[{\"name\":\"base\",\"text\":"
	"\"CONFIG_A=y\\n\"}]}}";

static const char test_form[] =
	"{\"id\":3,\"run\":4,\"kind\":\"test\",\"lease\":{\"token\":\"token\",\"attempt\":2,"
	"\"ttl_ms\":1000},\"source\":{\"git\":\"/git/demo.git\",\"commit\":\"" SHA40
	"\",\"tree\":\"" SHA40 "\"},\"config\":{\"name\":\"default\",\"arch\":\"x86_64\","
	"\"compiler\":\"clang\",\"hash\":\"HASH\"},\"artifacts\":[{\"name\":\"bzImage\",\"url\":"
	"\"/api/v1/builds/3/artifacts/bzImage\",\"sha256\":\"" SHA64 "\",\"size\":9}],"
	"\"machine\":{\"cpus\":2,\"memory_mib\":512},\"cases\":[{\"scenario\":\"split.mprotect\","
	"\"fault\":{\"site\":\"pte_alloc_one\",\"within\":\"split\",\"facility\":"
	"\"fail_page_alloc\",\"mode\":\"sweep\"},\"repeat\":1}]}";

/* `text` with the first `from` replaced by `to`; owned. */
static char *replaced(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);

	if (!at)
		fail_msg("'%s' is not in the form", from);
	return xasprintf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static int parse(const char *text, struct job *ret, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct jval v;

	if (json_parse(text, strlen(text), &o, err) < 0)
		fail_msg("not JSON: %s", text);
	v = json_root(o);
	return job_from_json(&v, ret, err);
}

static int setup(void **state)
{
	struct plan_fragment fragment = { "base", "CONFIG_A=y\n" };
	struct plan_config c = { .arch = "x86_64", .fragments = &fragment, .n_fragments = 1 };

	(void)state;
	plan_config_hash(&c, config_hash);
	return 0;
}

static void test_round_trips(void **state)
{
	const char *const forms[] = { build_form, test_form };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		CLEANUP(free_p) char *text = replaced(forms[i], "HASH", config_hash);
		CLEANUP(json_put_p) struct json_object *o = NULL;
		CLEANUP(free_p) char *again = NULL;
		struct error err = ERROR_INIT;
		struct job j;

		if (parse(text, &j, &err) < 0)
			fail_msg("%s", err.msg);
		assert_int_equal(j.kind, i ? JOB_TEST : JOB_BUILD);
		assert_int_equal(j.n_cases, i);
		assert_int_equal(j.n_artifacts, i);
		assert_int_equal(j.attempt, i + 1);
		assert_string_equal(j.config.hash, config_hash);
		o = job_to_json(&j);
		again = json_text(o);
		assert_string_equal(again, text);
		job_free(&j);
		job_free(&j); /* harmless */
	}
}

static const struct {
	const char *form, *from, *to, *path;
} bad[] = {
	{ build_form, "\"id\":1", "\"id\":0", "$.id" },
	{ build_form, "\"run\":2,", "", "$.run" },
	{ build_form, "\"kind\":\"build\"", "\"kind\":\"deploy\"", "$.kind" },
	{ build_form, "\"kind\":\"build\"", "\"kind\":\"test\"", "$" },
	{ test_form, "\"kind\":\"test\"", "\"kind\":\"build\"", "artifacts" },
	{ build_form, "\"id\":1", "\"id\":1,\"x\":1", "x" },
	{ build_form, "t0.k-n_", "a\\r\\nX: y", "$.lease.token" },
	{ build_form, "t0.k-n_", "", "$.lease.token" },
	{ build_form, "\"attempt\":1", "\"attempt\":0", "$.lease.attempt" },
	{ build_form, "\"ttl_ms\":60000", "\"ttl_ms\":0", "$.lease.ttl_ms" },
	{ build_form, "\"ttl_ms\":60000", "\"ttl\":1", "$.lease" },
	{ build_form, "/git/demo.git", "http://elsewhere/x", "$.source.git" },
	{ build_form, "/git/demo.git", "//elsewhere/x", "$.source.git" },
	{ build_form, "/git/demo.git", "/git/../../etc", "$.source.git" },
	{ build_form, "/git/demo.git", "/git/$(x)", "$.source.git" },
	{ build_form, SHA40, "HEAD", "$.source.commit" },
	{ build_form, "\"commit\":\"0", "\"commit\":\"G", "$.source.commit" },
	{ build_form, "\"compiler\":\"gcc\"", "\"compiler\":\"/bin/sh\"", "$.config.compiler" },
	{ build_form, "\"name\":\"default\"", "\"name\":\"../x\"", "$.config.name" },
	{ build_form, "\"name\":\"base\"", "\"name\":\"../x\"", "$.config.fragments[0].name" },
	{ build_form, "CONFIG_A=y", "CONFIG_A=n", "$.config.hash" },
	{ build_form, "\"hash\":\"HASH\",", "", "$.config.hash" },
	{ test_form, "\"hash\":\"HASH\"", "\"hash\":\"abc\"", "$.config.hash" },
	{ test_form, "\"hash\":\"HASH\"", "\"hash\":\"HASH\",\"fragments\":[]", "fragments" },
	{ test_form, "\"name\":\"bzImage\"", "\"name\":\".ssh\"", "$.artifacts[0].name" },
	{ test_form, "/api/v1/builds", "https://x/api", "$.artifacts[0].url" },
	{ test_form, SHA64, SHA40, "$.artifacts[0].sha256" },
	{ test_form, "\"size\":9", "\"size\":-1", "$.artifacts[0].size" },
	{ test_form, "\"size\":9", "\"size\":999999999999", "$.artifacts[0].size" },
	{ test_form, "\"cpus\":2", "\"cpus\":65", "$.machine.cpus" },
	{ test_form, "split.mprotect", "split mprotect", "$.cases[0].scenario" },
	{ test_form, "\"mode\":\"sweep\"", "\"mode\":\"all\"", "$.cases[0].fault.mode" },
	{ test_form, "\"repeat\":1", "\"repeat\":0", "$.cases[0].repeat" },
	{ test_form, "\"repeat\":1", "\"again\":1", "again" },
};

static void test_strict(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CLEANUP(free_p) char *damaged = replaced(bad[i].form, bad[i].from, bad[i].to);
		CLEANUP(free_p)
		char *text = strstr(damaged, "HASH") ? replaced(damaged, "HASH", config_hash)
						     : xstrdup(damaged);
		struct error err = ERROR_INIT;
		struct job j = { .id = 99 };

		if (parse(text, &j, &err) != -EINVAL)
			fail_msg("accepted: %s", text);
		if (!strstr(err.msg, bad[i].path))
			fail_msg("'%s' does not name %s", err.msg, bad[i].path);
		assert_int_equal(j.id, 99);
	}
}

static void test_build_key(void **state)
{
	char a[HASH_HEX_MAX], b[HASH_HEX_MAX];

	(void)state;
	build_key("t", "c", "gcc", "x86_64", a);
	build_key("t", "c", "gcc", "x86_64", b);
	assert_string_equal(a, b);
	build_key("t", "cg", "cc", "x86_64", b);
	assert_string_not_equal(a, b);
	build_key("t", "c", "clang", "x86_64", b);
	assert_string_not_equal(a, b);
	build_key("t", "c", "gcc", "arm64", b);
	assert_string_not_equal(a, b);
}

static int build_parse(const char *text, struct build_result *ret, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct jval v;

	if (json_parse(text, strlen(text), &o, err) < 0)
		fail_msg("not JSON: %s", text);
	v = json_root(o);
	return build_result_from_json(&v, ret, err);
}

#define BUILD(verdict)                                                                       \
	"{\"version\":1,\"kind\":\"build\"," verdict                                         \
	",\"release\":\"6.12.117\",\"detail\":\"d\",\"warnings\":[\"w\"],\"errors\":[\"a\"," \
	"\"b\"],\"image\":false,\"duration_us\":5}"

static void test_build_results(void **state)
{
	static const char *const good[] = {
		BUILD("\"status\":\"PASS\",\"reason\":\"\""),
		BUILD("\"status\":\"FAIL\",\"reason\":\"build\""),
		BUILD("\"status\":\"MISS\",\"reason\":\"disk\""),
	};
	static const struct {
		const char *text, *path;
	} wrong[] = {
		{ BUILD("\"status\":\"PASS\",\"reason\":\"build\""), "$.reason" },
		{ BUILD("\"status\":\"FAIL\",\"reason\":\"bug\""), "$.reason" },
		{ BUILD("\"status\":\"FAIL\",\"reason\":\"\""), "$.reason" },
		{ BUILD("\"status\":\"MISS\",\"reason\":\"\""), "$.reason" },
		{ BUILD("\"status\":\"MISS\",\"reason\":\"kconfig\""), "$.reason" },
		{ BUILD("\"status\":\"SKIP\",\"reason\":\"arch\""), "$.reason" },
		{ BUILD("\"status\":\"DONE\""), "$.reason" },
		{ BUILD("\"status\":\"GOOD\""), "$.status" },
		{ BUILD("\"status\":\"PASS\",\"x\":1"), "x" },
		{ "{\"version\":1,\"kind\":\"test\",\"status\":\"PASS\",\"image\":true}",
		  "$.kind" },
		{ "{\"version\":2,\"kind\":\"build\",\"status\":\"PASS\",\"image\":true}",
		  "$.version" },
		{ "{\"version\":1,\"kind\":\"build\",\"status\":\"PASS\"}", "$.image" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct error err = ERROR_INIT;
		struct build_result a, b;
		CLEANUP(json_put_p) struct json_object *o = NULL;
		CLEANUP(free_p) char *text = NULL;

		assert_int_equal(build_parse(good[i], &a, &err), 0);
		o = build_result_to_json(&a);
		text = json_text(o);
		assert_int_equal(build_parse(text, &b, &err), 0);
		assert_int_equal(a.status, b.status);
		assert_int_equal(a.reason, b.reason);
		assert_string_equal(b.release, "6.12.117");
		assert_string_equal(b.detail, "d");
		assert_int_equal(b.n_warnings, 1);
		assert_int_equal(b.n_errors, 2);
		assert_string_equal(b.errors[1], "b");
		assert_false(b.image);
		assert_int_equal(b.duration_us, 5);
		build_result_free(&a);
		build_result_free(&b);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct error err = ERROR_INIT;
		struct build_result b;

		if (build_parse(wrong[i].text, &b, &err) != -EINVAL)
			fail_msg("accepted: %s", wrong[i].text);
		if (!strstr(err.msg, wrong[i].path))
			fail_msg("'%s' does not name %s", err.msg, wrong[i].path);
	}
}

/* 200 lines go out, however many there were: the reader refuses more. */
static void test_build_lines_are_capped(void **state)
{
	struct build_result b = { .status = STATUS_FAIL, .reason = REASON_BUILD }, again;
	CLEANUP(json_put_p) struct json_object *o = NULL;
	CLEANUP(free_p) char *text = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	b.n_errors = 300;
	b.errors = xcalloc(b.n_errors, sizeof(*b.errors));
	for (size_t i = 0; i < b.n_errors; i++)
		b.errors[i] = xstrdup("mm/rmap.c:1: error");
	o = build_result_to_json(&b);
	text = json_text(o);
	assert_int_equal(build_parse(text, &again, &err), 0);
	assert_int_equal(again.n_errors, 200);
	build_result_free(&b);
	build_result_free(&again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_build_key),
		cmocka_unit_test(test_build_results),
		cmocka_unit_test(test_build_lines_are_capped),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
