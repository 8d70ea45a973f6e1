/* SPDX-License-Identifier: MIT */
/*
 * xml: a small writer of XML 1.0 documents in UTF-8.
 *
 *   xml_begin(&x, &out);
 *   xml_open(&x, "testsuite");
 *   xml_attr(&x, "name", anything);
 *   xml_text(&x, anything);
 *   xml_close(&x);                      <testsuite name="…">…</testsuite>
 *
 * Names of elements and attributes are the program's own; attribute values and text may be any
 * bytes. What XML 1.0 has no character for (section 2.2: most control bytes, U+FFFE, U+FFFF), bytes
 * that are no UTF-8 and the C1 controls become U+FFFD. Marks that reorder or hide text are written
 * as character references: a parser gets them, whoever looks at the file is not deceived.
 *
 * A library is not needed for this much; libxml2's writer would refuse such text instead.
 * Thread: one owner at a time. May be included by everything.
 */
#ifndef FAULTLINE_LIB_XML_H
#define FAULTLINE_LIB_XML_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"

#define XML_DEPTH 16 /* elements inside each other */

struct xml {
	struct buf *out; /* borrowed */
	const char *open[XML_DEPTH]; /* names, outermost first */
	int depth;
	bool in_tag; /* the newest start tag may still get attributes */
	bool has_text; /* the innermost element has text: no blanks may be added to it */
};

/* Writes the declaration. `out` is borrowed until the last element is closed. */
void xml_begin(struct xml *x, struct buf *out);
/* `name` is borrowed until its xml_close(). Each element stands on a line of its own. */
void xml_open(struct xml *x, const char *name);
/* Between xml_open() and the first text or child. NULL writes nothing. */
void xml_attr(struct xml *x, const char *name, const char *value);
void xml_attr_i64(struct xml *x, const char *name, int64_t value);
/* Text of the innermost element; NULL and "" write nothing. An element has text or children. */
void xml_text(struct xml *x, const char *s);
void xml_close(struct xml *x);

#endif
