/* SPDX-License-Identifier: MIT */
#include "server/chart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "jobs/verdict.h"
#include "lib/buf.h"
#include "lib/clean.h"

#define LOOKS 4
#define TICKS 3 /* intervals that are aimed at */
#define VALUE_MAX 1e300 /* of either sign; so that no sum or difference is infinite */
#define BAR_PITCH 5
#define BAR_WIDTH 4
#define BAR_BASE 16

/* --- numbers ----------------------------------------------------------------------------------- */

void chart_number(double v, char ret[CHART_NUMBER_MAX])
{
	static const struct {
		double from, unit;
		const char *name;
	} units[] = { { 1e15, 0, "" }, /* for those an exponent is shorter */
		      { 1e12, 1e12, "T" },
		      { 1e9, 1e9, "G" },
		      { 1e6, 1e6, "M" },
		      { 1e4, 1e3, "k" } };
	size_t i = 0;

	while (i < ARRAY_SIZE(units) && fabs(v) < units[i].from)
		i++;
	if (i < ARRAY_SIZE(units) && units[i].unit > 0)
		snprintf(ret, CHART_NUMBER_MAX, "%.4g%s", v / units[i].unit, units[i].name);
	else
		snprintf(ret, CHART_NUMBER_MAX, "%.4g", v);
}

/* Tenths are fine enough for any screen. */
static void put_coordinate(struct buf *out, double v)
{
	long tenths = lround(v * 10);

	if (tenths % 10)
		buf_printf(out, "%s%ld.%ld", tenths < 0 ? "-" : "", labs(tenths) / 10,
			   labs(tenths) % 10);
	else
		buf_printf(out, "%ld", tenths / 10);
}

/* --- the scale --------------------------------------------------------------------------------- */

struct scale {
	double low, high, step; /* multiples of the step */
};

static double clamp(double v)
{
	return fmax(-VALUE_MAX, fmin(VALUE_MAX, v));
}

/* The least and the greatest value of a line; false when it has none. */
static bool range_of(const struct chart_line *l, size_t n, double *low, double *high)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		double v = clamp(l->values[i]);

		if (isnan(l->values[i]))
			continue;
		*low = any ? fmin(*low, v) : v;
		*high = any ? fmax(*high, v) : v;
		any = true;
	}
	return any;
}

/* 1, 2 or 5 times a power of ten. */
static double nice_step(double span)
{
	double power = pow(10, floor(log10(span / TICKS))), times = span / TICKS / power;

	if (times <= 1)
		return power;
	if (times <= 2)
		return 2 * power;
	return times <= 5 ? 5 * power : 10 * power;
}

static struct scale scale_of(const struct chart *c)
{
	double low = 0, high = 0, least, greatest, top;
	bool any = false;

	for (size_t i = 0; i < c->n_lines; i++) {
		if (!range_of(&c->lines[i], c->n_places, &least, &greatest))
			continue;
		low = any ? fmin(low, least) : least;
		high = any ? fmax(high, greatest) : greatest;
		any = true;
	}
	top = fmax(fabs(low), fabs(high));
	if (high - low >= top / 4 || high == low) {
		low = fmin(low, 0);
		high = fmax(high, 0);
	} else if (high - low < top / 10) {
		double middle = low / 2 + high / 2;

		low = middle - top / 20;
		high = middle + top / 20;
	}
	if (high - low < 1 / VALUE_MAX) /* all are zero */
		high = low + 1;
	struct scale s = { .step = nice_step(high - low) };

	s.low = floor(low / s.step) * s.step;
	s.high = ceil(high / s.step) * s.step;
	return s;
}

static double x_of(const struct chart *c, size_t place)
{
	if (c->n_places < 2)
		return (CHART_LEFT + CHART_RIGHT) / 2.0;
	return CHART_LEFT + (double)place * (CHART_RIGHT - CHART_LEFT) / (double)(c->n_places - 1);
}

static double y_of(const struct scale *s, double v)
{
	double part = (clamp(v) - s->low) / (s->high - s->low);

	return CHART_BOTTOM - part * (CHART_BOTTOM - CHART_TOP);
}

/* --- lines ------------------------------------------------------------------------------------- */

static bool is_gap(const struct chart *c, const struct chart_line *l, size_t place)
{
	return place >= c->n_places || isnan(l->values[place]);
}

static struct json_object *path_of(const struct chart *c, const struct chart_line *l,
				   const struct scale *s)
{
	CLEANUP(buf_free) struct buf d = BUF_INIT;

	for (size_t i = 0; i < c->n_places; i++) {
		bool first = i == 0 || is_gap(c, l, i - 1);

		if (is_gap(c, l, i))
			continue;
		buf_char(&d, first ? 'M' : 'L');
		put_coordinate(&d, x_of(c, i));
		buf_char(&d, ' ');
		put_coordinate(&d, y_of(s, l->values[i]));
		/* Alone between gaps: a line of no length, whose round ends make a dot. */
		if (first && is_gap(c, l, i + 1))
			buf_str(&d, "h0");
	}
	return json_str(buf_cstr(&d));
}

/* "44.8; 40 to 46": the last one that is known, and what they are between. */
static struct json_object *words_of(const struct chart *c, const struct chart_line *l)
{
	char last[CHART_NUMBER_MAX], least[CHART_NUMBER_MAX], greatest[CHART_NUMBER_MAX];
	CLEANUP(free_p) char *text = NULL;
	size_t at = c->n_places;
	double low, high;

	if (!range_of(l, c->n_places, &low, &high))
		return json_str("none");
	while (is_gap(c, l, at - 1))
		at--;
	chart_number(l->values[at - 1], last);
	chart_number(low, least);
	chart_number(high, greatest);
	text = low == high ? xstrdup(last) : xasprintf("%s; %s to %s", last, least, greatest);
	return json_str(text);
}

static struct json_object *ticks_of(const struct scale *s)
{
	struct json_object *ticks = json_object_new_array();
	int n = (int)lround((s->high - s->low) / s->step);

	for (int i = 0; i <= n; i++) {
		struct json_object *tick = json_object_new_object();
		double v = s->low + i * s->step;
		char text[CHART_NUMBER_MAX];

		/* what is left of a sum that should be zero */
		chart_number(fabs(v) < s->step / 1e6 ? 0 : v, text);
		json_object_object_add(tick, "y",
				       json_object_new_double(round(y_of(s, v) * 10) / 10));
		json_object_object_add(tick, "text", json_str(text));
		json_object_array_add(ticks, tick);
	}
	return ticks;
}

static struct json_object *marks_of(const struct chart *c)
{
	CLEANUP(buf_free) struct buf d = BUF_INIT;

	for (size_t i = 0; c->marked && i < c->n_places; i++) {
		if (!c->marked[i])
			continue;
		buf_char(&d, 'M');
		put_coordinate(&d, x_of(c, i));
		buf_printf(&d, " %dV%d", CHART_TOP, CHART_BOTTOM);
	}
	return json_str(buf_cstr(&d));
}

struct json_object *chart_draw(const struct chart *c)
{
	struct json_object *o = json_object_new_object(), *lines = json_object_new_array();
	const struct scale s = scale_of(c);

	for (size_t i = 0; i < c->n_lines; i++) {
		struct json_object *line = json_object_new_object();

		json_object_object_add(line, "name", json_str(c->lines[i].name));
		json_object_object_add(line, "look", json_object_new_int((int)(i % LOOKS)));
		json_object_object_add(line, "d", path_of(c, &c->lines[i], &s));
		json_object_object_add(line, "text", words_of(c, &c->lines[i]));
		json_object_array_add(lines, line);
	}
	json_object_object_add(o, "lines", lines);
	json_object_object_add(o, "ticks", ticks_of(&s));
	json_object_object_add(o, "marks", marks_of(c));
	return o;
}

/* --- bars -------------------------------------------------------------------------------------- */

#define NO_STATUS STATUS_COUNT

/* The worse the higher; what says nothing is a line on the ground. */
static const int heights[STATUS_COUNT + 1] = {
	[STATUS_FAIL] = 16, [STATUS_ERROR] = 13, [STATUS_MISS] = 10, [STATUS_PASS] = 6,
	[STATUS_DONE] = 4,  [STATUS_SKIP] = 2,	 [NO_STATUS] = 1
};

static int status_of(char letter)
{
	int i = 0;

	while (i < STATUS_COUNT && *status_name((enum status)i) != letter)
		i++;
	return i;
}

struct json_object *chart_bars(const char *letters)
{
	struct json_object *o = json_object_new_object(), *bars = json_object_new_array();
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	size_t len = strnlen(letters, CHART_BARS);

	for (int status = 0; status <= NO_STATUS; status++) {
		const char *name = status == NO_STATUS ? "none" : status_name((enum status)status);
		CLEANUP(buf_free) struct buf d = BUF_INIT;
		struct json_object *bar;
		int n = 0;

		for (size_t i = 0; i < len; i++) {
			if (status_of(letters[i]) != status)
				continue;
			buf_printf(&d, "M%d %dv-%dh%dv%dz", (CHART_BARS - 1 - (int)i) * BAR_PITCH,
				   BAR_BASE, heights[status], BAR_WIDTH, heights[status]);
			n++;
		}
		if (!n)
			continue;
		buf_printf(&text, "%s%d %s", text.len ? ", " : "", n, name);
		bar = json_object_new_object();
		json_object_object_add(bar, "look", json_str(name));
		json_object_object_add(bar, "d", json_str(buf_cstr(&d)));
		json_object_array_add(bars, bar);
	}
	if (len && status_of(*letters) != NO_STATUS)
		buf_printf(&text, "; newest %s", status_name((enum status)status_of(*letters)));
	json_object_object_add(o, "bars", bars);
	json_object_object_add(o, "text", json_str(buf_cstr(&text)));
	return o;
}
