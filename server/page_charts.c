/* SPDX-License-Identifier: MIT */
/* The series of a view as charts that a template draws. */
#include <math.h>
#include <string.h>

#include "jobs/fault.h"
#include "server/chart.h"
#include "server/pages.h"

#define LINES_MAX 8 /* configurations × accelerators of one chart; what is beyond is in the table */

/* Series that are drawn together: neighbours of one name. */
struct group {
	struct json_object *first;
	struct chart_line lines[LINES_MAX];
	char *names[LINES_MAX];
	double *values[LINES_MAX];
	size_t n;
};

static void group_free(struct group *g)
{
	for (size_t i = 0; i < g->n; i++) {
		free(g->names[i]);
		free(g->values[i]);
	}
}

static double *values_of(struct json_object *series, size_t n)
{
	struct json_object *a = json_object_object_get(series, "values");
	double *values = xcalloc(n + 1, sizeof(*values));

	for (size_t i = 0; i < n; i++) {
		struct json_object *v = json_object_array_get_idx(a, i);

		values[i] = v ? json_object_get_double(v) : (double)NAN;
	}
	return values;
}

static void group_add(struct group *g, struct json_object *series, size_t n_points)
{
	const char *accel = page_str(series, "accel");

	if (g->n == LINES_MAX)
		return;
	g->names[g->n] = xasprintf("%s%s%s", page_str(series, "config"), *accel ? " " : "", accel);
	g->values[g->n] = values_of(series, n_points);
	g->lines[g->n] = (struct chart_line){ g->names[g->n], g->values[g->n] };
	g->n++;
}

/* What its name alone does not say. */
static char *title_of(struct json_object *series)
{
	const char *name = page_str(series, "name");

	if (strcmp(page_str(series, "kind"), "injected") == 0)
		return xstrdup(strcmp(name, "on_target") == 0 ? "faults injected on target"
							      : "faults injected elsewhere");
	return xstrdup(name);
}

/* "memory.pgtables nth=2"; "all cases" of what is summed over them. */
static char *subject_of(struct json_object *series)
{
	const char *scenario = page_str(series, "scenario");
	struct json_object *fault = json_object_object_get(series, "fault");
	struct jval v = json_root(fault);
	char text[FAULT_TEXT_MAX];
	struct fault f;

	if (!fault || fault_from_json(&v, &f, NULL) < 0 || f.mode == FAULT_NONE)
		return xstrdup(*scenario ? scenario : "all cases");
	fault_to_text(&f, text);
	return xasprintf("%s %s", scenario, text);
}

/* For who cannot see it: "thp_split_pmd over 30: default 12; 0 to 40". */
static char *words_of(const char *title, struct json_object *drawn, size_t n_points)
{
	struct json_object *lines = json_object_object_get(drawn, "lines");
	struct buf b = BUF_INIT;

	buf_printf(&b, "%s, the last of %zu and their range:", title, n_points);
	for (size_t i = 0; i < json_object_array_length(lines); i++) {
		struct json_object *line = json_object_array_get_idx(lines, i);

		buf_printf(&b, "%s %s %s", i ? "," : "", page_str(line, "name"),
			   page_str(line, "text"));
	}
	return buf_steal(&b);
}

static struct json_object *draw(const struct group *g, size_t n_points, const bool *marked)
{
	struct json_object *o = chart_draw(&(struct chart){
		.n_places = n_points, .lines = g->lines, .n_lines = g->n, .marked = marked });
	static const char *const same[] = { "name", "unit", "worse" };
	CLEANUP(free_p) char *title = title_of(g->first), *subject = subject_of(g->first);
	CLEANUP(free_p) char *words = words_of(title, o, n_points);

	json_object_object_add(o, "key", json_str(page_str(g->first, "chart")));
	json_object_object_add(o, "title", json_str(title));
	json_object_object_add(o, "of", json_str(subject));
	json_object_object_add(o, "words", json_str(words));
	json_object_object_add(o, "several", json_object_new_boolean(g->n > 1));
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		json_object_object_add(o, same[i], json_str(page_str(g->first, same[i])));
	return o;
}

static bool *marks_of(struct json_object *points, struct json_object *found)
{
	size_t n = json_object_array_length(points);
	bool *marked = xcalloc(n + 1, sizeof(*marked));

	for (size_t i = 0; i < n; i++) {
		struct json_object *point = json_object_array_get_idx(points, i);
		struct json_object *list = json_object_object_get(point, "regressions");

		marked[i] = list && json_object_array_length(list);
		for (size_t k = 0; marked[i] && k < json_object_array_length(list); k++) {
			struct json_object *g = json_object_array_get_idx(list, k);

			json_object_object_add(g, "sha", json_str(page_str(point, "sha")));
			json_object_array_add(found, json_object_get(g));
		}
	}
	return marked;
}

/* Names that are not drawn, each once. */
static void add_more(struct json_object *more, struct json_object *series)
{
	const char *name = page_str(series, "name");
	size_t n = json_object_array_length(more);
	struct json_object *o;

	for (size_t i = 0; i < n; i++)
		if (!strcmp(page_str(json_object_array_get_idx(more, i), "name"), name))
			return;
	o = json_object_new_object();
	json_object_object_add(o, "name", json_str(name));
	json_object_array_add(more, o);
}

static void put_list(struct json_object *view, const char *name, const char *any,
		     struct json_object *list)
{
	json_object_object_add(view, any,
			       json_object_new_boolean(json_object_array_length(list) > 0));
	json_object_object_add(view, name, list);
}

static const char *short_at(struct json_object *points, size_t i)
{
	return page_str(json_object_array_get_idx(points, i), "short");
}

void page_charts_prepare(struct json_object *view, size_t max)
{
	struct json_object *points = json_object_object_get(view, "points");
	struct json_object *series = json_object_object_get(view, "series");
	struct json_object *charts = json_object_new_array(), *more = json_object_new_array();
	struct json_object *found = json_object_new_array();
	size_t n = json_object_array_length(series), n_points = json_object_array_length(points);
	CLEANUP(free_p) bool *marked = marks_of(points, found);

	for (size_t i = 0, next; i < n; i = next) {
		CLEANUP(group_free)
		struct group g = { .first = json_object_array_get_idx(series, i) };
		const char *key = page_str(g.first, "chart");

		for (next = i; next < n; next++) {
			struct json_object *s = json_object_array_get_idx(series, next);

			if (strcmp(page_str(s, "chart"), key) != 0)
				break;
			group_add(&g, s, n_points);
		}
		if (json_object_array_length(charts) < max)
			json_object_array_add(charts, draw(&g, n_points, marked));
		else
			add_more(more, g.first);
	}
	json_object_object_add(view, "oldest", json_str(n_points ? short_at(points, 0) : ""));
	json_object_object_add(view, "newest",
			       json_str(n_points ? short_at(points, n_points - 1) : ""));
	put_list(view, "charts", "any_chart", charts);
	put_list(view, "more", "any_more", more);
	put_list(view, "marked", "any_marked", found);
}
