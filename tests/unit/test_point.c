/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "jobs/judge.h"
#include "lib/buf.h"

static int parse(const char *text, struct point *ret, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct jval v;

	if (json_parse(text, strlen(text), &o, err) < 0)
		fail_msg("not JSON: %s", text);
	v = json_root(o);
	return point_from_json(&v, ret, err);
}

static void test_done(void **state)
{
	struct error err = ERROR_INIT;
	struct point p;

	(void)state;
	assert_int_equal(
		parse("{\"type\":\"result\",\"id\":7,\"nth\":2,\"outcome\":\"done\",\"injected\":1,"
		      "\"hits\":3,\"errno\":12,\"duration_us\":42,\"checks\":[{\"name\":\"data.x\","
		      "\"ok\":false,\"detail\":\"d\"}],\"counters\":{\"a\":{\"before\":1,"
		      "\"after\":4}},\"metrics\":[{\"name\":\"m\",\"value\":1.5,\"unit\":\"kB\"}]}",
		      &p, &err),
		0);
	assert_int_equal(p.id, 7);
	assert_int_equal(p.nth, 2);
	assert_int_equal(p.outcome, POINT_DONE);
	assert_int_equal(p.injected, 1);
	assert_int_equal(p.hits, 3);
	assert_int_equal(p.err_no, 12);
	assert_int_equal(p.duration_us, 42);
	assert_false(p.last);
	assert_int_equal(p.n_checks, 1);
	assert_string_equal(p.checks[0].name, "data.x");
	assert_false(p.checks[0].ok);
	assert_int_equal(p.n_counters, 1);
	assert_int_equal(p.counters[0].after - p.counters[0].before, 3);
	assert_int_equal(p.n_metrics, 1);
	assert_true(p.metrics[0].value > 1.4 && p.metrics[0].value < 1.6);
	point_free(&p);
}

static void test_other_outcomes(void **state)
{
	struct error err = ERROR_INIT;
	struct point p;

	(void)state;
	assert_int_equal(parse("{\"type\":\"result\",\"id\":1,\"nth\":0,\"outcome\":\"skip\","
			       "\"skip\":\"kconfig\",\"detail\":\"no KSM\"}",
			       &p, &err),
			 0);
	assert_int_equal(p.outcome, POINT_SKIP);
	assert_int_equal(p.skip, REASON_KCONFIG);
	assert_string_equal(p.detail, "no KSM");
	assert_int_equal(p.hits, -1);
	point_free(&p);
	assert_int_equal(parse("{\"type\":\"result\",\"id\":1,\"nth\":0,\"outcome\":\"timeout\","
			       "\"stuck\":{\"state\":\"R\",\"killed\":true,\"wchan\":\"0\","
			       "\"stack\":[\"f+0x1\"],\"stime_ticks\":5}}",
			       &p, &err),
			 0);
	assert_int_equal(p.outcome, POINT_TIMEOUT);
	assert_int_equal(p.stuck_state, 'R');
	assert_true(p.stuck_killed);
	assert_string_equal(p.stuck_where, "f+0x1"); /* wchan "0" says nothing */
	point_free(&p);
	assert_int_equal(parse("{\"type\":\"result\",\"id\":1,\"nth\":64,\"outcome\":\"done\","
			       "\"injected\":1,\"checks\":[],\"last\":true,\"capped\":true}",
			       &p, &err),
			 0);
	assert_true(p.last && p.capped);
	point_free(&p);
	assert_int_equal(parse("{\"type\":\"result\",\"id\":1,\"nth\":0,\"outcome\":\"signal\"}",
			       &p, &err),
			 0);
	assert_int_equal(p.outcome, POINT_SIGNAL);
	point_free(&p);
	assert_int_equal(parse("{\"type\":\"result\",\"id\":1,\"nth\":0,\"outcome\":\"exit\"}", &p,
			       &err),
			 0);
	assert_int_equal(p.outcome, POINT_EXIT);
	point_free(&p);
}

#define HEAD "{\"type\":\"result\",\"id\":1,\"nth\":1,"
#define OK_TAIL "\"injected\":1,\"checks\":[]}"

static void test_contradictions(void **state)
{
	static const char *const bad[] = {
		"[]",
		"{\"type\":\"begin\",\"id\":1,\"nth\":1,\"outcome\":\"done\"," OK_TAIL,
		"{\"id\":1,\"nth\":1,\"outcome\":\"done\"," OK_TAIL,
		"{\"type\":\"result\",\"nth\":1,\"outcome\":\"done\"," OK_TAIL,
		"{\"type\":\"result\",\"id\":-1,\"nth\":1,\"outcome\":\"done\"," OK_TAIL,
		"{\"type\":\"result\",\"id\":1,\"outcome\":\"done\"," OK_TAIL,
		HEAD OK_TAIL,
		HEAD "\"outcome\":\"lost\"," OK_TAIL,
		HEAD "\"outcome\":\"passed\"," OK_TAIL,
		HEAD "\"outcome\":\"done\",\"checks\":[]}",
		HEAD "\"outcome\":\"done\",\"injected\":1}",
		HEAD "\"outcome\":\"done\",\"injected\":-1,\"checks\":[]}",
		HEAD "\"outcome\":\"done\",\"injected\":\"1\",\"checks\":[]}",
		HEAD "\"outcome\":\"done\",\"injected\":1,\"checks\":[{\"name\":\"a.b\"}]}",
		HEAD
		"\"outcome\":\"done\",\"injected\":1,\"checks\":[{\"name\":\"\",\"ok\":true}]}",
		HEAD "\"outcome\":\"done\",\"counters\":{\"a\":{\"before\":1}}," OK_TAIL,
		HEAD "\"outcome\":\"done\",\"counters\":[]," OK_TAIL,
		HEAD "\"outcome\":\"done\",\"metrics\":[{\"name\":\"a\",\"value\":\"1\"}]," OK_TAIL,
		HEAD "\"outcome\":\"done\",\"last\":true," OK_TAIL,
		HEAD "\"outcome\":\"done\",\"capped\":true," OK_TAIL,
		HEAD "\"outcome\":\"done\",\"hits\":-2," OK_TAIL,
		HEAD "\"outcome\":\"skip\"}",
		HEAD "\"outcome\":\"skip\",\"skip\":\"\"}",
		HEAD "\"outcome\":\"skip\",\"skip\":\"bug\"}",
		HEAD "\"outcome\":\"timeout\"}",
		HEAD "\"outcome\":\"timeout\",\"stuck\":{\"state\":\"D\"}}",
		HEAD "\"outcome\":\"timeout\",\"stuck\":{\"killed\":true}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error err = ERROR_INIT;
		struct point p = { .id = 99 };

		if (parse(bad[i], &p, &err) != -EPROTO)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(p.id, 99);
		assert_int_equal(err.code, EPROTO);
		assert_true(err.msg[0] == '$' || strchr(err.msg, ' '));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_done),
		cmocka_unit_test(test_other_outcomes),
		cmocka_unit_test(test_contradictions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
