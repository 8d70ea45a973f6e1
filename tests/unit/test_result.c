/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "jobs/result.h"
#include "lib/buf.h"
#include "lib/path.h"

#define GOLDEN "tests/golden/result"

static int doc_parse(const char *text, size_t len, struct result_doc *ret, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct jval v;

	if (json_parse(text, len, &o, err) < 0)
		fail_msg("not JSON: %s", err->msg);
	v = json_root(o);
	return result_doc_from_json(&v, ret, err);
}

/* Each file is read and written again: byte for byte the same. A new file is a new test. */
static void test_golden_documents(void **state)
{
	CLEANUP(closedir_p) DIR *d = opendir(GOLDEN);
	const struct dirent *e;
	int n = 0;

	(void)state;
	assert_non_null(d);
	while ((e = readdir(d))) {
		CLEANUP(free_p) char *path = xasprintf(GOLDEN "/%s", e->d_name);
		CLEANUP(buf_free) struct buf text = BUF_INIT;
		CLEANUP(json_put_p) struct json_object *o = NULL;
		CLEANUP(free_p) char *again = NULL;
		CLEANUP(free_p) char *with_newline = NULL;
		struct error err = ERROR_INIT;
		struct result_doc doc;

		if (e->d_name[0] == '.')
			continue;
		n++;
		assert_int_equal(path_read(path, 1 << 20, &text, &err), 0);
		if (doc_parse(text.data, text.len, &doc, &err) < 0)
			fail_msg("%s: %s", path, err.msg);
		o = result_doc_to_json(&doc);
		/* derived, and from the catalogue as it is today: test_coverage */
		assert_true(json_object_object_get_ex(o, "coverage", NULL));
		json_object_object_del(o, "coverage");
		again = json_text_pretty(o);
		with_newline = xasprintf("%s\n", again);
		assert_string_equal(with_newline, text.data);
		result_doc_free(&doc);
	}
	assert_true(n >= 3);
}

#define HEAD "{\"version\":1,\"kernel\":{},\"machine\":{},\"results\":["
#define CASE "{\"case\":\"split.mprotect\",\"fault\":{},\"injected\":{},"

static void test_damaged_documents(void **state)
{
	static const struct {
		const char *text, *path;
	} bad[] = {
		{ "[]", "$" },
		{ "{\"version\":2,\"kernel\":{},\"machine\":{},\"results\":[]}", "$.version" },
		{ "{\"version\":1,\"machine\":{},\"results\":[]}", "$.kernel" },
		{ "{\"version\":1,\"kernel\":{},\"results\":[]}", "$.machine" },
		{ "{\"version\":1,\"kernel\":{},\"machine\":{}}", "$.results" },
		{ HEAD "1]}", "$.results[0]" },
		{ HEAD CASE "\"status\":\"OK\"}]}", "$.results[0].status" },
		{ HEAD CASE "\"status\":\"FAIL\"}]}", "$.results[0].reason" },
		{ HEAD CASE "\"status\":\"FAIL\",\"reason\":\"qemu\"}]}", "$.results[0].reason" },
		{ HEAD CASE "\"status\":\"PASS\",\"reason\":\"bug\"}]}", "$.results[0].reason" },
		{ HEAD CASE "\"status\":\"FAIL\",\"reason\":\"evil\"}]}", "$.results[0].reason" },
		{ HEAD CASE "\"status\":\"PASS\",\"repeat\":0}]}", "$.results[0].repeat" },
		{ HEAD CASE "\"status\":\"PASS\",\"stacks\":[[]]}]}", "$.results[0].stacks[0]" },
		{ HEAD CASE "\"status\":\"PASS\",\"stacks\":[\"a\"]}]}", "$.results[0].stacks[0]" },
		{ HEAD CASE "\"status\":\"PASS\",\"stacks\":[[\"a\"]],\"stack_info\":[]}]}",
		  "$.results[0].stack_info" },
		{ HEAD CASE "\"status\":\"PASS\",\"counters\":{\"a\":{\"before\":1,\"after\":2,"
			    "\"delta\":2}}}]}",
		  "$.results[0].counters.a.delta" },
		{ HEAD CASE "\"status\":\"PASS\",\"splat\":{\"kind\":\"none\"}}]}",
		  "$.results[0].splat.kind" },
		{ HEAD CASE "\"status\":\"PASS\",\"splat\":{\"kind\":\"bug\",\"fingerprint\":"
			    "\"12\"}}]}",
		  "$.results[0].splat.fingerprint" },
		{ HEAD "{\"case\":\"../x\",\"fault\":{},\"injected\":{},\"status\":\"PASS\"}]}",
		  "$.results[0].case" },
		{ HEAD "{\"case\":\"a\",\"fault\":{\"mode\":\"x\"},\"injected\":{},\"status\":"
		       "\"PASS\"}]}",
		  "$.results[0].fault.mode" },
		{ HEAD "{\"case\":\"a\",\"fault\":{},\"status\":\"PASS\"}]}",
		  "$.results[0].injected" },
		{ HEAD CASE "\"status\":\"PASS\"}],\"summary\":{\"PASS\":2}}", "$.summary.PASS" },
		{ HEAD CASE "\"status\":\"PASS\"}],\"summary\":{\"PASS\":1,\"FAIL\":1}}",
		  "$.summary.FAIL" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error err = ERROR_INIT;
		struct result_doc doc = { .n_results = 77 };

		if (doc_parse(bad[i].text, strlen(bad[i].text), &doc, &err) != -EINVAL)
			fail_msg("accepted: %s", bad[i].text);
		if (!strstr(err.msg, bad[i].path))
			fail_msg("'%s' does not name %s", err.msg, bad[i].path);
		assert_int_equal(doc.n_results, 77);
	}
}

static void test_small_document(void **state)
{
	static const char text[] = HEAD CASE
		"\"status\":\"PASS\",\"stacks\":[[\"pte_alloc_one\",\"__split_huge_pmd\"],[\"x\"]],"
		"\"splat\":null,\"unknown\":1}]}";
	struct error err = ERROR_INIT;
	struct result_doc doc;

	(void)state;
	assert_int_equal(doc_parse(text, sizeof(text) - 1, &doc, &err), 0);
	assert_int_equal(doc.n_results, 1);
	assert_int_equal(doc.results[0].repeat, 1);
	assert_int_equal(doc.results[0].console_offset, -1);
	assert_int_equal(doc.results[0].splat.kind, SPLAT_NONE);
	assert_true(doc.results[0].stacks[0].on_target);
	assert_false(doc.results[0].stacks[1].on_target);
	assert_null(doc.results[0].detail);
	result_doc_free(&doc);
}

/* What comes from a guest or a log must never make a document that its reader refuses. */
static void test_any_bytes_can_be_read_again(void **state)
{
	struct error err = ERROR_INIT;
	CLEANUP(json_put_p) struct json_object *o = NULL;
	CLEANUP(free_p) char *text = NULL;
	struct result_doc doc = { .n_results = 0 }, again;
	struct result *r = result_doc_add(&doc);

	(void)state;
	r->scenario = xstrdup("split.x");
	r->status = STATUS_FAIL;
	r->reason = REASON_BUG;
	r->detail = xcalloc(20001, 1);
	memset(r->detail, 0xff, 20000);
	r->splat.kind = SPLAT_BUG;
	r->splat.excerpt = xcalloc(100001, 1);
	memset(r->splat.excerpt, 0xfe, 100000);
	r->splat.title = xstrdup("a\x01\"\\<b>\xc3");
	r->metrics = xcalloc(1, sizeof(*r->metrics));
	r->n_metrics = 1;
	r->metrics[0] = (struct metric){ xstrdup("m"), strtod("nan", NULL), xstrdup("") };
	o = result_doc_to_json(&doc);
	text = json_text(o);
	if (doc_parse(text, strlen(text), &again, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(again.results[0].n_metrics, 0); /* JSON has no word for NaN */
	result_doc_free(&again);
	result_doc_free(&doc);
}

static void test_titles(void **state)
{
	static const struct {
		const char *scenario, *fault;
		int repeat;
		const char *title;
	} rows[] = {
		{ "split.mprotect", "sweep,nth=2", 1, "split.mprotect sweep nth=2" },
		{ "split.mprotect", "sweep", 1, "split.mprotect sweep" },
		{ "split.mprotect", "none", 1, "split.mprotect none" },
		{ "split.mprotect", "nth,nth=3", 2, "split.mprotect nth=3 repeat=2" },
		{ "a", "burst,times=4,site=b,within=any,facility=failslab", 1,
		  "a burst times=4 site=b within=any facility=failslab" },
		{ "a", "probability,probability=5,seed=6", 1, "a probability=5 seed=6" },
		{ "a", "probability,probability=5,times=2,site=x", 1,
		  "a probability=5 seed=1 times=2 site=x" },
		{ "build", "none", 1, "build default" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = ERROR_INIT;
		struct result r;
		char title[200], small[8];

		result_init(&r);
		r.scenario = xstrdup(rows[i].scenario);
		r.config = xstrdup("default");
		r.repeat = rows[i].repeat;
		assert_int_equal(fault_from_text(rows[i].fault, &r.fault, &err), 0);
		result_title(&r, title, sizeof(title));
		assert_string_equal(title, rows[i].title);
		result_title(&r, small, sizeof(small));
		assert_true(strlen(small) < sizeof(small));
		result_free(&r);
	}
}

static void test_splat_kinds(void **state)
{
	(void)state;
	for (int i = 0; i < SPLAT_KIND_COUNT; i++) {
		enum splat_kind k = SPLAT_KIND_COUNT;

		assert_true(splat_kind_parse(splat_kind_name((enum splat_kind)i), &k));
		assert_int_equal(k, i);
		assert_int_equal(reason_status(splat_kind_reason(k)),
				 i == SPLAT_NONE ? STATUS_PASS : STATUS_FAIL);
	}
}

static void test_rank(void **state)
{
	struct result plain = { .status = STATUS_PASS, .fault = { .mode = FAULT_NONE } };
	struct result swept = { .status = STATUS_SKIP, .fault = { .mode = FAULT_SWEEP } };

	(void)state;
	/* A kernel that allocates nothing at a split must not be shown as one that passed. */
	assert_true(result_rank(&swept) < result_rank(&plain));
	swept.status = STATUS_PASS;
	assert_true(result_rank(&swept) < result_rank(&plain));
	/* What fails without a fault fails all the same. */
	plain.status = STATUS_FAIL;
	assert_true(result_rank(&plain) < result_rank(&swept));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_documents),
		cmocka_unit_test(test_damaged_documents),
		cmocka_unit_test(test_small_document),
		cmocka_unit_test(test_any_bytes_can_be_read_again),
		cmocka_unit_test(test_titles),
		cmocka_unit_test(test_splat_kinds),
		cmocka_unit_test(test_rank),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
