/* SPDX-License-Identifier: MIT */
/* test_report: views of regressions, and what a report says of them, for the tests of jobs/report*.c. */
#ifndef FAULTLINE_TESTS_UNIT_TEST_REPORT_H
#define FAULTLINE_TESTS_UNIT_TEST_REPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "jobs/report.h"
#include "lib/path.h"

#define GOOD "1111111111111111111111111111111111111111"
#define PARENT "2222222222222222222222222222222222222222"
#define CULPRIT "3333333333333333333333333333333333333333"
#define BAD "4444444444444444444444444444444444444444"

static const struct report_opts opts = { .url = "https://ci.example.org/f/",
					 .from = "faultline <ci@example.org>",
					 .to_author = true };

static inline struct json_object *load(const char *name)
{
	CLEANUP(free_p) char *path = xasprintf("tests/golden/report/%s.json", name);
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct json_object *o = NULL;
	struct error err = ERROR_INIT;

	if (path_read(path, 1 << 20, &text, &err) || json_parse(text.data, text.len, &o, &err))
		fail_msg("%s: %s", path, err.msg);
	return o;
}

static inline char *text_of(struct json_object *view, const struct report_opts *o)
{
	struct buf out = BUF_INIT;

	report_text(view, o, &out);
	return buf_steal(&out);
}

static inline char *mail_of(struct json_object *view, const struct report_opts *o)
{
	struct buf out = BUF_INIT;

	report_mail(view, o, &out);
	return buf_steal(&out);
}

static inline void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no '%s' in:\n%s", part, text);
}

static inline void assert_lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("'%s' in:\n%s", part, text);
}

static inline void put(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_str(value));
}

static inline struct json_object *add_change(struct json_object *view, const char *state)
{
	struct json_object *c = json_object_new_object(), *e = json_object_new_object();

	put(c, "state", state);
	json_object_object_add(c, "evidence", e);
	json_object_array_add(json_object_object_get(view, "changes"), c);
	return e;
}

#endif
