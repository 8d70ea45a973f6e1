/* SPDX-License-Identifier: MIT */
/*
 * chart: values over a row of places (commits, runs) as the geometry of an SVG image, which a template
 * draws (web/templates/part_chart.html, part_branches.html: they have the same sizes). Pure.
 * Thread: any.
 */
#ifndef FAULTLINE_SERVER_CHART_H
#define FAULTLINE_SERVER_CHART_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/json.h"

/* The image is 320 × 108, its plot what these enclose. */
#define CHART_LEFT 46
#define CHART_RIGHT 314
#define CHART_TOP 8
#define CHART_BOTTOM 90

#define CHART_NUMBER_MAX 32

struct chart_line {
	const char *name;
	const double *values; /* one a place; NAN: nothing is known, which is a gap */
};

struct chart {
	size_t n_places; /* at least 1 */
	const struct chart_line *lines;
	size_t n_lines;
	const bool *marked; /* one a place; NULL: none is */
};

/* New reference: {"lines":[{"name","look","d","text"}],"ticks":[{"y","text"}],"marks"}. `d` and `marks`
 * are paths ("" for nothing), `look` counts the lines from 0 and begins again at 4, `text` says the
 * line in words: "44.8; 40 to 46". One scale serves all lines. It begins at zero unless what moves
 * is less than a quarter of the largest value, and spans at least a tenth of that. */
struct json_object *chart_draw(const struct chart *c);

/* Bars of verdicts: `letters` are those of jobs/verdict.h's statuses, newest first; another letter
 * stands for none. The worse the higher, so that they are read without their colours. New reference:
 * {"bars":[{"look","d"}],"text"}: a path for each status that occurs ("look": its name, "none"); in
 * an image CHART_BARS × 5 wide and 16 high. At most CHART_BARS letters are drawn, the newest on the
 * right. `text`: "2 FAIL, 17 PASS; newest PASS". */
#define CHART_BARS 20
struct json_object *chart_bars(const char *letters);

/* "44.8", "12.3k", "4M": at most four digits. */
void chart_number(double v, char ret[CHART_NUMBER_MAX]);

#endif
