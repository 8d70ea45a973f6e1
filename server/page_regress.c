/* SPDX-License-Identifier: MIT */
/* /regressions and /regressions/{id}: what got worse, and what became of it. */
#include <math.h>
#include <string.h>

#include "server/api.h"
#include "server/pages.h"

#define PER_PAGE 50
#define TEXT_MAX 160

/* The states in the order of a life, and the verdict that each is drawn as. */
static const struct {
	const char *state, *look;
} looks[] = { { "open", "" },
	      { "new", "MISS" },
	      { "confirmed", "FAIL" },
	      { "bisected", "FAIL" },
	      { "fixed", "PASS" },
	      { "flaky", "SKIP" },
	      { "infrastructure", "SKIP" },
	      { "stale", "SKIP" } };

/* A section for what a list is shown in: in one of the list itself everything comes once for each of
 * its elements. */
static void put_any(struct json_object *view, const char *name, struct json_object *list)
{
	json_object_object_add(view, name,
			       json_object_new_boolean(json_object_array_length(list) > 0));
}

static void put_look(struct json_object *o)
{
	const char *state = page_str(o, "state");

	for (size_t i = 0; i < ARRAY_SIZE(looks); i++)
		if (!strcmp(state, looks[i].state))
			json_object_object_add(o, "look", json_str(looks[i].look));
}

void page_regressions_prepare(struct json_object *view)
{
	struct json_object *items = json_object_object_get(view, "regressions");

	for (size_t i = 0; i < json_object_array_length(items); i++)
		put_look(json_object_array_get_idx(items, i));
	put_any(view, "any_regression", items);
}

int page_regressions_add(struct store *s, const struct regression_filter *f,
			 struct json_object *view, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *list = NULL;
	int r = view_regressions(s, f, &list, err);

	if (r)
		return r;
	json_object_object_add(view, "regressions",
			       json_object_get(json_object_object_get(list, "items")));
	page_regressions_prepare(view);
	return 0;
}

/* What is shown, and the ways to the other states: links keep the rest of the filter. */
static void add_filter(struct json_object *view, const struct regression_filter *f)
{
	struct json_object *o = json_object_new_object(), *states = json_object_new_array();

	for (size_t i = 0; i < ARRAY_SIZE(looks); i++) {
		struct json_object *state = json_object_new_object();
		bool lit = f->state && !strcmp(f->state, looks[i].state);

		json_object_object_add(state, "name", json_str(looks[i].state));
		json_object_object_add(state, "lit", json_object_new_boolean(lit));
		json_object_array_add(states, state);
	}
	json_object_object_add(o, "state", json_str(f->state));
	json_object_object_add(o, "repo", json_str(f->repo));
	json_object_object_add(o, "ref", json_str(f->ref));
	json_object_object_add(o, "submission", json_object_new_int64(f->submission));
	json_object_object_add(view, "filter", o);
	json_object_object_add(view, "states", states);
}

void page_regressions(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct regression_filter f;
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	int r;

	if (!page_is_html(req)) {
		api_regressions(srv, req, res);
		return;
	}
	if (!api_regression_filter(req, res, &f)) {
		page_problem(req, res);
		return;
	}
	f.limit = PER_PAGE;
	r = view_regressions(srv->store, &f, &view, &err);
	if (!r) {
		page_name_items(view, "regressions");
		page_regressions_prepare(view);
		add_filter(view, &f);
	}
	page_answer(req, res, r, PAGE_REGRESSIONS, "regressions", xstrdup("Regressions"), view,
		    &err);
}

/* --- one ------------------------------------------------------------------------------------ */

static struct json_object *member(struct json_object *o, const char *key)
{
	return json_object_object_get(o, key);
}

/* "44.8 ±1.5 % of 10". */
static struct json_object *values_text(struct json_object *side)
{
	struct json_object *spread = member(side, "spread");
	char text[TEXT_MAX];
	int n = snprintf(text, sizeof(text), "%.4g",
			 json_object_get_double(member(side, "median")));

	if (spread)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " ±%.1f %%",
			      json_object_get_double(spread));
	snprintf(text + n, sizeof(text) - (size_t)n, " of %lld", (long long)page_i64(side, "n"));
	return json_str(text);
}

/* "8:8", and what else there was to see; of a metric its values. */
static struct json_object *side_text(struct json_object *side)
{
	char text[TEXT_MAX] = "";
	int n = 0;

	if (member(side, "median"))
		return values_text(side);
	if (side)
		n = snprintf(text, sizeof(text), "%lld:%lld", (long long)page_i64(side, "fails"),
			     (long long)page_i64(side, "runs"));
	if (page_i64(side, "control_runs"))
		n += snprintf(text + n, sizeof(text) - (size_t)n, ", without a fault %lld:%lld",
			      (long long)page_i64(side, "control_fails"),
			      (long long)page_i64(side, "control_runs"));
	if (page_i64(side, "others"))
		snprintf(text + n, sizeof(text) - (size_t)n, ", otherwise %lld",
			 (long long)page_i64(side, "others"));
	return json_str(text);
}

static struct json_object *number_text(struct json_object *o, const char *key, double times,
				       const char *unit)
{
	struct json_object *v = member(o, key);
	char text[TEXT_MAX] = "";

	if (v && isfinite(json_object_get_double(v)))
		snprintf(text, sizeof(text), "%.3g%s", times * json_object_get_double(v), unit);
	return json_str(text);
}

/* The evidence of a change, whatever it rests on, as members that are always there: a template finds
 * what is absent in the view around it, which has a "bad" and a "good" of its own. */
static void prepare_change(struct json_object *change)
{
	struct json_object *e = member(change, "evidence"), *commit = member(e, "commit");
	const char *older = page_str(e, "older");
	struct json_object *good = member(e, "good");
	CLEANUP(free_p)
	char *why = xasprintf(*older ? "%s; %.12s is older" : "%s", page_str(e, "why"), older);

	put_look(change);
	json_object_object_add(change, "bad_text", side_text(member(e, "bad")));
	json_object_object_add(change, "good_text", side_text(good || !commit ? good : e));
	json_object_object_add(change, "effect_text", number_text(e, "effect", 100, " %"));
	json_object_object_add(change, "p_text", number_text(e, "p", 1, ""));
	json_object_object_add(change, "confidence_text", number_text(e, "confidence", 100, " %"));
	json_object_object_add(change, "mended_at", json_object_get(commit));
	json_object_object_add(change, "why_text", json_str(why));
}

/* Why a step of the search says nothing about a failure, or how often it failed. */
static void prepare_step(struct json_object *step, bool metric)
{
	CLEANUP(free_p) char *text = NULL;
	const char *skip = page_str(step, "skip"), *noop = page_str(step, "noop");

	if (*skip)
		text = xasprintf("skipped: %s %s", skip, page_str(step, "detail"));
	else if (*noop)
		text = xasprintf("the same kernel as %.12s", noop);
	else
		text = xasprintf("%lld of %lld %s", (long long)page_i64(step, "fails"),
				 (long long)page_i64(step, "runs"),
				 metric ? "beyond the threshold" : "runs failed");
	json_object_object_add(step, "text", json_str(text));
}

/* Of the newest change that names any. */
static struct json_object *suspects(struct json_object *changes)
{
	for (size_t i = json_object_array_length(changes); i > 0; i--) {
		struct json_object *change = json_object_array_get_idx(changes, i - 1);
		struct json_object *list = member(member(change, "evidence"), "suspects");

		if (json_object_is_type(list, json_type_array))
			return json_object_get(list);
	}
	return json_object_new_array();
}

static struct json_object *steps(struct json_object *search, bool metric)
{
	struct json_object *list = member(search, "steps");

	if (!json_object_is_type(list, json_type_array))
		return json_object_new_array();
	for (size_t i = 0; i < json_object_array_length(list); i++)
		prepare_step(json_object_array_get_idx(list, i), metric);
	return json_object_get(list);
}

/* "45.1 44.8" */
static void put_values(struct json_object *values, struct buf *out)
{
	for (size_t i = 0; i < json_object_array_length(values); i++)
		buf_printf(out, "%s%.4g", out->len ? " " : "",
			   json_object_get_double(json_object_array_get_idx(values, i)));
}

static bool same_probe(struct json_object *a, struct json_object *b)
{
	return strcmp(page_str(a, "commit"), page_str(b, "commit")) == 0 &&
	       strcmp(page_str(a, "purpose"), page_str(b, "purpose")) == 0 &&
	       json_object_get_boolean(member(a, "ended")) ==
		       json_object_get_boolean(member(b, "ended")) &&
	       json_object_get_boolean(member(a, "built")) ==
		       json_object_get_boolean(member(b, "built"));
}

/* What the tests that were asked for came to: "8:8" each. Those of a metric give one value each, and
 * all of one commit for one purpose are a row. */
static struct json_object *probe_rows(struct json_object *probes)
{
	struct json_object *rows = json_object_new_array();

	for (size_t i = 0; i < json_object_array_length(probes); i++) {
		struct json_object *p = json_object_array_get_idx(probes, i), *row = NULL;
		struct json_object *values = member(p, "values");
		CLEANUP(buf_free) struct buf text = BUF_INIT;

		for (size_t k = 0; values && !row && k < json_object_array_length(rows); k++) {
			row = json_object_array_get_idx(rows, k);
			row = same_probe(row, p) ? row : NULL;
		}
		if (row)
			buf_str(&text, page_str(row, "text"));
		else
			json_object_array_add(rows, json_object_get(p));
		if (values)
			put_values(values, &text);
		else
			buf_printf(&text, "%lld:%lld", (long long)page_i64(p, "fails"),
				   (long long)page_i64(p, "runs"));
		json_object_object_add(row ? row : p, "text", json_str(buf_cstr(&text)));
	}
	return rows;
}

/* "pgtables.per_thp in kB, worse when more; measured under kvm, on the bad side beyond 42.4". */
static void prepare_metric(struct json_object *view, struct json_object *metric)
{
	struct json_object *threshold = member(metric, "threshold");
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	if (metric)
		buf_printf(&text, "%s%s%s, worse when %s; measured under %s",
			   page_str(metric, "name"), *page_str(metric, "unit") ? " in " : "",
			   page_str(metric, "unit"), page_str(metric, "worse"),
			   *page_str(metric, "accel") ? page_str(metric, "accel")
						      : "no accelerator");
	if (threshold)
		buf_printf(&text, ", on the bad side beyond %.4g",
			   json_object_get_double(threshold));
	json_object_object_add(view, "metric_text", json_str(buf_cstr(&text)));
}

/* --- the commits between ----------------------------------------------------------------------- */

static char *place_text(struct json_object *place, bool metric)
{
	const char *verdict = page_str(place, "verdict"), *why = page_str(place, "why");
	int64_t runs = page_i64(place, "runs");

	if (*why && strcmp(why, "other") && strcmp(why, "undecided"))
		return xasprintf("could not be tested: %s", why);
	if (!runs)
		return xstrdup(strcmp(verdict, "open") == 0 ? "not tested" : "");
	return xasprintf("%lld of %lld %s%s", (long long)page_i64(place, "fails"), (long long)runs,
			 metric ? "beyond the threshold" : "runs failed",
			 !strcmp(why, "other") ? ", others in another way" : "");
}

/* How likely one of those that are left is it: all are the same as long as nothing tells. Once the search
 * has ended, the confidence in what it ended with is shared. */
static double share_of_each(struct json_object *changes, size_t n_left)
{
	double confidence = 1;

	for (size_t i = 0; i < json_object_array_length(changes); i++) {
		struct json_object *change = json_object_array_get_idx(changes, i);
		struct json_object *c = member(member(change, "evidence"), "confidence");

		if (c)
			confidence = json_object_get_double(c);
	}
	return n_left ? 100 * confidence / (double)n_left : 0;
}

static void put_share(struct json_object *place, double percent)
{
	char text[TEXT_MAX] = "";

	if (json_object_get_boolean(member(place, "left")))
		snprintf(text, sizeof(text), "%.3g %%", percent);
	json_object_object_add(place, "share", json_str(text));
	json_object_object_add(place, "bar", json_object_new_int((int)percent));
	/* Of others there is no page. */
	json_object_object_add(place, "known",
			       json_object_new_boolean(member(place, "subject") != NULL));
}

static size_t count_left(struct json_object *trail)
{
	size_t n = 0;

	for (size_t i = 0; i < json_object_array_length(trail); i++)
		n += json_object_get_boolean(member(json_object_array_get_idx(trail, i), "left"));
	return n;
}

static void prepare_trail(struct json_object *view, bool metric)
{
	static const struct {
		const char *verdict, *look;
	} verdicts[] = { { "good", "PASS" }, { "bad", "FAIL" }, { "skip", "SKIP" } };
	const char *culprit = page_str(view, "culprit");
	struct json_object *trail;
	double percent;
	size_t n_left;

	if (!member(view, "trail"))
		json_object_object_add(view, "trail", json_object_new_array());
	trail = member(view, "trail");
	n_left = count_left(trail);
	percent = share_of_each(member(view, "changes"), n_left);
	for (size_t i = 0; i < json_object_array_length(trail); i++) {
		struct json_object *place = json_object_array_get_idx(trail, i);
		CLEANUP(free_p) char *text = place_text(place, metric);
		const char *look = "";

		for (size_t k = 0; k < ARRAY_SIZE(verdicts); k++)
			if (strcmp(page_str(place, "verdict"), verdicts[k].verdict) == 0)
				look = verdicts[k].look;
		json_object_object_add(place, "look", json_str(look));
		json_object_object_add(place, "text", json_str(text));
		json_object_object_add(
			place, "found",
			json_object_new_boolean(!strcmp(page_str(place, "commit"), culprit)));
		put_share(place, percent);
	}
	put_any(view, "has_trail", trail);
	json_object_object_add(view, "n_left", json_object_new_int64((int64_t)n_left));
}

static char *prepare(struct json_object *view)
{
	struct json_object *changes = member(view, "changes"), *probes = member(view, "probes");
	struct json_object *metric = member(view, "metric");

	put_look(view);
	for (size_t i = 0; i < json_object_array_length(changes); i++)
		prepare_change(json_object_array_get_idx(changes, i));
	json_object_object_add(view, "suspects", suspects(changes));
	json_object_object_add(view, "tests", probe_rows(probes));
	prepare_metric(view, metric);
	json_object_object_add(view, "steps", steps(member(view, "search"), metric));
	prepare_trail(view, metric);
	page_messages_prepare(member(view, "told"));
	put_any(view, "has_told", member(view, "told"));
	put_any(view, "has_suspects", member(view, "suspects"));
	put_any(view, "has_steps", member(view, "steps"));
	put_any(view, "has_probes", probes);
	return xasprintf("%s: %s", page_str(view, "state"), page_str(view, "title"));
}

/* What others read of it, and how it is made to happen again. */
static void add_report(struct server *srv, struct json_object *view)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	api_report_text(srv, view, &text);
	json_object_object_add(view, "report", json_str(buf_cstr(&text)));
	json_object_object_add(view, "repro", json_str(page_str(member(view, "shown"), "repro")));
}

void page_regression(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	char *title = NULL;
	int64_t id;
	int r;

	if (!page_is_html(req)) {
		api_regression(srv, req, res);
		return;
	}
	if (!page_id(req, res, &id))
		return;
	r = view_report(srv->store, id, &view, &err);
	if (!r) {
		add_report(srv, view);
		title = prepare(view);
	}
	page_answer(req, res, r, PAGE_REGRESSION, "regressions", title, view, &err);
}
