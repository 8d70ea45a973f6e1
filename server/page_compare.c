/* SPDX-License-Identifier: MIT */
/* /compare: two commits side by side. */
#include <math.h>
#include <string.h>

#include "jobs/compare.h"
#include "server/api.h"
#include "server/pages.h"

#define NUMBER_MAX 40

/* How a class is drawn: as the verdict that it is most like. */
static const char *const looks[COMPARE_CLASS_COUNT] = {
	[COMPARE_REGRESSED] = "FAIL",	[COMPARE_STILL_FAILING] = "ERROR",
	[COMPARE_FIXED] = "PASS",	[COMPARE_APPEARED] = "DONE",
	[COMPARE_DISAPPEARED] = "MISS", [COMPARE_NOT_COMPARABLE] = "SKIP",
	[COMPARE_UNCHANGED] = "PASS",
};

/* "still failing" */
static struct json_object *words(const char *name)
{
	CLEANUP(free_p) char *s = xstrdup(name);

	for (char *c = s; *c; c++)
		if (*c == '_')
			*c = ' ';
	return json_str(s);
}

static double number(struct json_object *o, const char *key)
{
	struct json_object *v = json_object_object_get(o, key);

	return v ? json_object_get_double(v) : NAN;
}

static void put_p(struct json_object *o)
{
	double p = number(o, "p");
	char text[NUMBER_MAX] = "";

	if (isfinite(p))
		snprintf(text, sizeof(text), "%.3g", p);
	json_object_object_add(o, "p_text", json_str(text));
}

/* True if there is one to show. */
static bool prepare_cases(struct json_object *cases)
{
	bool any = false;

	for (size_t i = 0; i < json_object_array_length(cases); i++) {
		struct json_object *o = json_object_array_get_idx(cases, i);
		const char *class = page_str(o, "class");

		for (int c = 0; c < COMPARE_CLASS_COUNT; c++)
			if (!strcmp(class, compare_class_name((enum compare_class)c)))
				json_object_object_add(o, "look", json_str(looks[c]));
		json_object_object_add(o, "class_text", words(class));
		put_p(o);
		any |= json_object_get_boolean(json_object_object_get(o, "shown"));
	}
	return any;
}

static void prepare_values(struct json_object *side)
{
	double spread = number(side, "spread");
	char median_text[NUMBER_MAX], spread_text[NUMBER_MAX] = "";

	if (!side)
		return;
	snprintf(median_text, sizeof(median_text), "%.6g", number(side, "median"));
	if (isfinite(spread))
		snprintf(spread_text, sizeof(spread_text), "%.1f", spread);
	json_object_object_add(side, "median_text", json_str(median_text));
	json_object_object_add(side, "spread_text", json_str(spread_text));
}

static void put_change(struct json_object *o)
{
	double effect = number(o, "effect");
	char text[NUMBER_MAX] = "";

	if (isfinite(effect))
		snprintf(text, sizeof(text), "%+.1f %%", 100 * effect);
	json_object_object_add(o, "change_text", json_str(text));
}

static void prepare_metrics(struct json_object *metrics)
{
	for (size_t i = 0; i < json_object_array_length(metrics); i++) {
		struct json_object *o = json_object_array_get_idx(metrics, i);
		bool moved = !strcmp(page_str(o, "verdict"), rank_verdict_name(RANK_MOVED));

		json_object_object_add(o, "moved", json_object_new_boolean(moved));
		put_p(o);
		put_change(o);
		prepare_values(json_object_object_get(o, "a"));
		prepare_values(json_object_object_get(o, "b"));
	}
}

/* The counts in the order of the classes, without those that are 0. */
static struct json_object *counts(struct json_object *summary)
{
	struct json_object *arr = json_object_new_array();

	for (int c = 0; c < COMPARE_CLASS_COUNT; c++) {
		const char *name = compare_class_name((enum compare_class)c);
		struct json_object *o;

		if (!page_i64(summary, name))
			continue;
		o = json_object_new_object();
		json_object_object_add(o, "class_text", words(name));
		json_object_object_add(o, "look", json_str(looks[c]));
		json_object_object_add(o, "n", json_object_new_int64(page_i64(summary, name)));
		json_object_array_add(arr, o);
	}
	return arr;
}

static void prepare(struct json_object *view)
{
	struct json_object *summary = json_object_object_get(view, "summary");
	struct json_object *metrics = json_object_object_get(view, "metrics");
	bool any = prepare_cases(json_object_object_get(view, "cases"));

	prepare_metrics(metrics);
	json_object_object_add(view, "counts", counts(summary));
	json_object_object_add(view, "any_case", json_object_new_boolean(any));
	json_object_object_add(view, "any_metric",
			       json_object_new_boolean(json_object_array_length(metrics) > 0));
}

/* What the form shows: what was asked for. */
static void put_form(const struct http_req *req, struct json_object *view)
{
	static const char *const names[] = { "a", "b" };
	struct json_object *form = json_object_new_object();

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *s = http_query(req, names[i]);

		json_object_object_add(form, names[i], json_str(s ? s : ""));
	}
	json_object_object_add(view, "form", form);
}

void page_compare(struct server *srv, const struct http_req *req, struct http_res *res)
{
	bool asked = http_query(req, "a") || http_query(req, "b");
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	const char *a, *b;
	int r = 0;

	if (!page_is_html(req)) {
		api_compare(srv, req, res);
		return;
	}
	if (asked && !api_compare_sides(req, res, &a, &b)) {
		page_problem(req, res);
		return;
	}
	if (asked)
		r = view_compare(srv->store, a, b, &view, &err);
	else
		view = json_object_new_object();
	if (!r && asked)
		prepare(view);
	if (!r)
		put_form(req, view);
	page_answer(req, res, r, PAGE_COMPARE, "compare",
		    asked ? xasprintf("%s and %s compared", a, b) : xstrdup("Compare"), view, &err);
}
