// SPDX-License-Identifier: MIT
#include "jobs/badge.h"

#include <stdio.h>

#include "lib/clean.h"
#include "lib/xml.h"

#define LABEL "faultline"
#define HEIGHT 20
#define FONT_PX 11
#define PAD 6 /* pixels on both sides of a text */
#define MARK 16 /* pixels of the mark with its padding */
#define BASELINE 14

/* White text on each of them has a contrast above 4.5:1 (WCAG 2.1, 1.4.3). */
#define COLOUR_LABEL "#32383f"
#define COLOUR_GOOD "#1a7f37"
#define COLOUR_BAD "#b42318"
#define COLOUR_BUSY "#1d5fa8"
#define COLOUR_UNKNOWN "#57606a"

/* Advance widths of ' ' to '~' in thousandths of the font's size: those of DejaVu Sans 2.37 (table
 * hmtx), which Verdana's are close to. Where another font is used, textLength fits it in. */
static const unsigned short advances[] = {
	318,  401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337,
	636,  636, 636, 636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531,
	1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863, 748, 787,
	603,  787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500,
	500,  613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612,
	635,  635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
};

_Static_assert(ARRAY_SIZE(advances) == '~' - ' ' + 1, "every printable character has a width");

static const char *colour(const struct badge_facts *f)
{
	if (!f->known)
		return COLOUR_UNKNOWN;
	if (f->regressions)
		return COLOUR_BAD;
	if (f->under_way || f->unconfirmed)
		return COLOUR_BUSY;
	return f->judged ? COLOUR_GOOD : COLOUR_UNKNOWN;
}

void badge_message(const struct badge_facts *f, char ret[BADGE_MESSAGE_MAX])
{
	if (f->known && f->regressions)
		snprintf(ret, BADGE_MESSAGE_MAX, "%lld regression%s", (long long)f->regressions,
			 f->regressions == 1 ? "" : "s");
	else
		snprintf(ret, BADGE_MESSAGE_MAX, "%s",
			 !f->known			  ? "unknown"
			 : f->under_way || f->unconfirmed ? "testing"
			 : f->judged			  ? "no regressions"
							  : "unknown");
}

int badge_text_width(const char *s)
{
	int sum = 0;

	for (; *s; s++)
		sum += *s >= ' ' && *s <= '~' ? advances[*s - ' '] : 1000;
	return (sum * FONT_PX + 999) / 1000;
}

static void box(struct xml *x, int left, int width, const char *fill)
{
	xml_open(x, "rect");
	xml_attr_i64(x, "x", left);
	xml_attr_i64(x, "width", width);
	xml_attr_i64(x, "height", HEIGHT);
	xml_attr(x, "fill", fill);
	xml_close(x);
}

static void text(struct xml *x, int left, const char *s)
{
	xml_open(x, "text");
	xml_attr_i64(x, "x", left);
	xml_attr_i64(x, "y", BASELINE);
	xml_attr_i64(x, "textLength", badge_text_width(s));
	xml_text(x, s);
	xml_close(x);
}

/* Two halves of a block that slipped past each other: a fault. */
static void mark(struct xml *x)
{
	xml_open(x, "path");
	xml_attr(x, "fill", "#f0743a");
	xml_attr(x, "d", "M6 6h6v4H6zM10 11h6v4h-6z");
	xml_close(x);
}

void badge_svg(const struct badge_facts *f, const char *subject, struct buf *out)
{
	char message[BADGE_MESSAGE_MAX];
	CLEANUP(free_p) char *title = NULL;
	struct xml x;
	int left, right;

	badge_message(f, message);
	title = xasprintf("%s: %s: %s", LABEL, subject, message);
	left = PAD + MARK + badge_text_width(LABEL) + PAD;
	right = PAD + badge_text_width(message) + PAD;
	xml_begin(&x, out);
	xml_open(&x, "svg");
	xml_attr(&x, "xmlns", "http://www.w3.org/2000/svg");
	xml_attr_i64(&x, "width", left + right);
	xml_attr_i64(&x, "height", HEIGHT);
	xml_attr(&x, "role", "img");
	xml_attr(&x, "aria-labelledby", "title");
	xml_open(&x, "title");
	xml_attr(&x, "id", "title");
	xml_text(&x, title);
	xml_close(&x);
	box(&x, 0, left, COLOUR_LABEL);
	box(&x, left, right, colour(f));
	mark(&x);
	xml_open(&x, "g");
	xml_attr(&x, "fill", "#fff");
	xml_attr(&x, "font-family", "DejaVu Sans,Verdana,Geneva,sans-serif");
	xml_attr_i64(&x, "font-size", FONT_PX);
	text(&x, PAD + MARK, LABEL);
	text(&x, left + PAD, message);
	xml_close(&x);
	xml_close(&x);
}
